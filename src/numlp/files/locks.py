"""Locks on folders, and temporary folders that no killed process leaves behind for long."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "numlp-rows-"


def lock(folder: Path) -> int | None:
    """Lock a folder, whose files may all be replaced, until the returned descriptor is closed or this process ends.

    None where there are no locks.

    Raises
    ------
    BlockingIOError
        If another process has locked it.
    OSError
        If it can't be opened.
    """
    if os.name != "posix":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:  # some network file systems have no locks
        os.close(descriptor)
        return None
    return descriptor


class Temporary:
    """A new temporary folder. It is locked, so that others know that it is in use.

    Making one removes those in the same place whose processes were killed.

    Parameters
    ----------
    place : path
        Where to make it.

    Attributes
    ----------
    path : path

    Raises
    ------
    OSError
    """

    def __init__(self, place: Path) -> None:
        for left in place.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if (descriptor := lock(left)) is not None:
                    shutil.rmtree(left, ignore_errors=True)
                    os.close(descriptor)
        self._descriptor: int | None = None
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            try:
                self._descriptor = lock(self.path)
            except (BlockingIOError, FileNotFoundError):  # another process has just taken it for one that was left
                continue
            if self.path.exists():
                return
            self.remove()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
