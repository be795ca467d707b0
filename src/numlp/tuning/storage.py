"""Storage: where a study is kept, in a file that machines share, or in a database."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numlp.errors import FileFormatError, MissingDependencyError, OutputError
from numlp.settings.checks import missing

_FIRST = b'{"op_code":'  # how a journal begins
_GRACE = 10  # seconds without a change of a journal, after which the lock beside it is that of a killed process
_PAUSE = 1.0  # seconds
IDENTITY = "numlp"  # the attribute of a study that holds what all that join it must agree on


def optuna() -> Any:
    """Return the library Optuna, silenced.

    Raises
    ------
    MissingDependencyError
        If it isn't installed.
    """
    try:
        import optuna as library
    except ImportError as error:
        raise missing("optuna", "numlp tune", "tune") from error
    library.logging.set_verbosity(library.logging.ERROR)
    warnings.filterwarnings("ignore", category=library.exceptions.ExperimentalWarning)
    return library


def is_database(place: str) -> bool:
    """Return whether a study's place is a database's URL, and not a file.

    >>> is_database("postgresql://host/studies"), is_database("study.journal")
    (True, False)
    """
    return "://" in place


def shown(place: str) -> str:
    """Return a study's place without a password.

    >>> shown("postgresql://me:secret@host/studies")
    'postgresql://me:***@host/studies'
    """
    scheme, _, rest = place.partition("://")
    account, _, where = rest.rpartition("@")
    if not account or account.startswith("/"):
        return place
    return f"{scheme}://{account.partition(':')[0]}:***@{where}"


def open_storage(place: str) -> Any:
    """Return Optuna's storage at a place: a journal's file, which is made if there is none, or a database's URL.

    Raises
    ------
    FileFormatError, OutputError
        If it can't be opened or made.
    MissingDependencyError
        If Optuna, or the database's driver, isn't installed.
    """
    storages = optuna().storages
    try:
        if is_database(place):
            return _database(place, storages.RDBStorage)
        # Where the path is relative, Optuna waits for ever for a lock that a killed process has left: it looks for
        # what the lock points to beside the lock.
        path = Path(place).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        return storages.JournalStorage(_journal(path, storages.journal))
    except FileFormatError:
        raise
    except ImportError as error:
        module = getattr(error.__cause__, "name", None) or "its database's driver"
        raise MissingDependencyError(f"the study {shown(place)} needs {module}: install it with pip") from error
    except OSError as error:
        raise OutputError(f"can't open the study {place}: {error.strerror or error}") from error
    except Exception as error:  # each database has errors of its own
        raise FileFormatError(f"can't open {shown(place)} as a study: {_reason(place, error)}") from error


@contextmanager
def reached(place: str) -> Iterator[None]:
    """While entered, a database that fails ends in one line.

    Raises
    ------
    OutputError
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("optuna", "sqlalchemy"):
            raise
        cause = error.__cause__ or error  # Optuna says only that something failed
        raise OutputError(f"the study {shown(place)} can't be reached any more: {_reason(place, cause)}") from error


def identity_of(place: str, name: str) -> Mapping[str, Any] | None:
    """Return what all that join a stored study must agree on, or None if there is no such study yet."""
    storage = open_storage(place)
    with reached(place):
        if name not in {study.study_name for study in storage.get_all_studies()}:
            return None
        found = optuna().load_study(study_name=name, storage=storage)
        stored: Mapping[str, Any] | None = found.user_attrs.get(IDENTITY)
        return stored


def _database(place: str, library: Any) -> Any:
    """Return Optuna's storage in a database; tried twice, as another machine may be making its tables just now."""
    with suppress(Exception):
        return library(place)
    time.sleep(_PAUSE)
    return library(place)


def _journal(path: Path, library: Any) -> Any:
    """Return Optuna's journal in a file."""
    kind = library.JournalFileSymlinkLock if os.name == "posix" else library.JournalFileOpenLock
    lock = kind(str(path), grace_period=_GRACE)
    if path.exists() and not _ends_whole(path):
        _mend(path, lock)
    base: Any = library.JournalFileBackend

    class Journal(base):  # type: ignore[misc]
        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            try:
                super().append_logs(logs)
            except OSError as error:
                with suppress(OSError):
                    _mend(path, lock)
                raise OutputError(f"can't write the study {path}: {error.strerror or error}") from error

    return Journal(str(path), lock)


def _ends_whole(path: Path) -> bool:
    """Return whether the last line of a journal is whole.

    Raises
    ------
    FileFormatError
        If the file isn't a journal, to which Optuna might add.
    """
    with open(path, "rb") as file:
        begin = file.read(len(_FIRST))
        if not _FIRST.startswith(begin):
            raise FileFormatError(f"{path} isn't a study, but another kind of file: name another --study")
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _mend(path: Path, lock: Any) -> None:
    """Cut off a last line that a full disk has torn, because Optuna adds to it and then reads no line after it.

    Another machine may be in the middle of writing that line: its end is looked for again with the lock in hand.
    """
    lock.acquire()
    try:
        with open(path, "r+b") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()


def _reason(place: str, error: BaseException) -> str:
    """Return an error in one line, in which no URL shows a password."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].replace(place, shown(place))
