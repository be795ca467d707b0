"""Files that are written whole or not at all."""

import os
from pathlib import Path

from numlp.errors import OutputError


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"can't write {path}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk, where the system lets a folder be opened at all."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
