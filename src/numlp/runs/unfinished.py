"""Unfinished runs: their checkpoints, and a lock for the process that works on one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from numlp.errors import OutputError
from numlp.files.folders import part_of
from numlp.runs.folder import MODEL, RECIPE

_CHECKPOINTS = "checkpoints"


def checkpoint_path(folder: Path, member: int) -> Path:
    """Return where the checkpoints of a network of a run are."""
    return part_of(folder, f"{_CHECKPOINTS}/{member}.safetensors")


def make_room(folder: Path) -> None:
    """Make the folder of a run's checkpoints: as long as it is there, the run is unfinished.

    Raises
    ------
    OutputError
        If it can't be made.
    """
    try:
        (folder / _CHECKPOINTS).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error


def remove_checkpoints(folder: Path) -> None:
    """Remove what a run that has ended needs no more."""
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)


def can_go_on(folder: Path) -> bool:
    """Whether a run's training was stopped before its end."""
    return (folder / _CHECKPOINTS).is_dir() or not (folder / MODEL).exists()


class Lock:
    """Keeps other processes from working on a run, until it is closed or this process ends, however it does.

    What is locked is the recipe: every run has it, and it is never written again.

    Raises
    ------
    OutputError
        If another process works on the run, or it can't be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = open(folder / RECIPE, "r+b")  # noqa: SIM115  # held open: that is the lock
        except OSError as error:
            raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._file.close()
                raise OutputError(f"another process is working on {folder}: wait until it has ended") from error
            except OSError:
                pass  # some network file systems know no locks: there nobody can be kept away

    def close(self) -> None:
        """Let others work on the run."""
        self._file.close()
