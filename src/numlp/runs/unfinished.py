"""Unfinished runs: their checkpoints, and the lock of the process that works on one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from numlp.errors import OutputError
from numlp.files.folders import part_of
from numlp.runs.folder import MODEL, RECIPE

_CHECKPOINTS = "checkpoints"


def checkpoint_path(folder: Path, member: int) -> Path:
    """Return where a run keeps the checkpoints of one of its networks."""
    return part_of(folder, f"{_CHECKPOINTS}/{member}.safetensors")


def create_checkpoints_folder(folder: Path) -> None:
    """Create the folder for a run's checkpoints; while it exists, the run is unfinished.

    Raises
    ------
    OutputError
        If it can't be created.
    """
    try:
        (folder / _CHECKPOINTS).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a finished run."""
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)


def is_unfinished(folder: Path) -> bool:
    """Return whether a run stopped before its end and can be resumed."""
    return (folder / _CHECKPOINTS).is_dir() or not (folder / MODEL).exists()


class Lock:
    """Keeps other processes from working on a run until it is closed or this process ends, however that happens.

    It locks the recipe, which every run has and nobody rewrites.

    Raises
    ------
    OutputError
        If another process works on the run, or its folder can't be written.
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
                raise OutputError(f"another process is working on {folder}: wait until it ends") from error
            except OSError:
                pass  # some network file systems have no locks

    def close(self) -> None:
        """Let other processes work on the run."""
        self._file.close()
