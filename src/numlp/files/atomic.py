"""Files that are written whole or not at all."""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path

from numlp.errors import OutputError

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that a reader, or a crash at any instant, finds the old content or the new, never a part.

    The data go to a temporary name in the same folder, are forced to the disk, and take the old file's place by one
    rename.

    Raises
    ------
    OutputError
        If the file can't be written; what was there before is untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OutputError(f"can't write {path}: {error.strerror or error}") from error
        raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left in a folder, and in those within it."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk, where the system lets a folder be opened at all: the file is whole either way."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
