"""Unfinished runs: their checkpoints, and a lock for the process that works on one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from numlp.errors import OutputError
from numlp.runs import MODEL

_CHECKPOINTS = "checkpoints"


def checkpoint_path(folder: Path, member: int) -> Path:
    """Return where the checkpoints of a network of a run are."""
    return folder / _CHECKPOINTS / f"{member}.safetensors"


def remove_checkpoints(folder: Path) -> None:
    """Remove what a run that has ended needs no more."""
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)


def can_go_on(folder: Path) -> bool:
    """Whether a run's training was stopped before its end."""
    return (folder / _CHECKPOINTS).is_dir() or not (folder / MODEL).exists()


class Lock:
    """Keeps other processes from working on a run, until it is released or this process ends, however it does.

    Raises
    ------
    OutputError
        If another process works on the run.
    """

    def __init__(self, folder: Path) -> None:
        try:
            (folder / _CHECKPOINTS).mkdir(exist_ok=True)
            self._file = open(folder / _CHECKPOINTS / "lock", "wb")  # noqa: SIM115  # held open: that is the lock
        except OSError as error:
            raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                self._file.close()
                raise OutputError(f"another process is working on {folder}: wait until it has ended") from error

    def release(self) -> None:
        """Let others work on the run."""
        self._file.close()
