"""Files that are written whole or not at all."""

import contextlib
import os
import stat
import tempfile
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
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
            temporary = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(path))
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise OutputError(f"can't write {path}: {error.strerror or error}") from error
        raise
    _sync_folder(path.parent)


def _permissions(path: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new file has."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk, where the system lets a folder be opened at all: the file is whole either way."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
