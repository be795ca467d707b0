"""What reading a file must not do: Python's audit events say when it does, and the system how much memory it takes.

The hook can't be taken out again: run what uses it in a process of its own.
"""

import contextlib
import os
import sys
import unicodedata  # noqa: F401  # which Python itself imports to read a name that is not in ASCII
from collections.abc import Iterator
from pathlib import Path

_FORBIDDEN = (  # or the beginnings of what is
    "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.", "socket.",
    "import", "exec", "pickle.", "marshal.", "ctypes.", "code.", "tempfile.", "shutil.", "os.remove", "os.rename",
    "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.kill", "os.putenv",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_folder: str | None = None
_seen: list[str] = []


class Forbidden(BaseException):
    """No reader should catch it."""


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _folder is None:
        return
    wrong = event.startswith(_FORBIDDEN)
    if event == "open":
        path, _, flags = args
        outside = isinstance(path, str | os.PathLike) and not os.path.abspath(path).startswith(_folder)
        wrong = outside or (isinstance(flags, int) and bool(flags & _WRITING))
    if wrong:
        _seen.append(f"{event} {args[:2]!r:.200}")
        raise Forbidden(_seen[-1])


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Forbid everything but reading files in a folder; raises `Forbidden` even if a reader has swallowed it."""
    global _folder
    _seen.clear()
    _folder = str(folder)
    try:
        yield
    finally:
        _folder = None
    if _seen:
        raise Forbidden(_seen[0])


def install() -> None:
    """Begin to listen."""
    sys.addaudithook(_hook)


class Memory:
    """How much of the machine's memory a piece of work takes, native libraries included (on Linux).

    The kernel keeps the most that a process had; it forgets that when asked to.
    """

    def __init__(self) -> None:
        self._reset = os.open("/proc/self/clear_refs", os.O_WRONLY)
        self._status = os.open("/proc/self/status", os.O_RDONLY)

    def begin(self) -> int:
        os.write(self._reset, b"5")
        return self._most()

    def since(self, begin: int) -> int:
        """Return by how many bytes it rose at most."""
        return self._most() - begin

    def _most(self) -> int:
        status = os.pread(self._status, 4096, 0)
        return 1024 * int(status.split(b"VmHWM:")[1].split()[0])
