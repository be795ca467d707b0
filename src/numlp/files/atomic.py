"""Atomic writes: a file is written whole or not at all."""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from numlp.errors import NumlpError, OutputError

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that readers, and a crash at any instant, find either the old content or the new, never a part.

    The data go to a temporary file in the same folder and are forced to disk; one rename then replaces the old file.

    Raises
    ------
    OutputError
        If the file can't be written. The old file is then untouched.
    """
    with replacing(path) as temporary, open(temporary, "xb") as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a new file that replaces another when it is written, as `write_bytes` does.

    Raises
    ------
    OutputError
        If the file can't be written. The old file is then untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and not isinstance(error, NumlpError):
            raise OutputError(f"can't write {path}: {error.strerror or error}") from error
        raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that killed processes left in a folder and below."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Force a rename to disk if the system can open folders; the file is whole either way."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
