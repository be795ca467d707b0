"""The engine that reads tables: DuckDB, which may read the files it is given, and nothing else."""

import contextlib
import os
import re
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numlp.arrays.stored import no_room, scratch
from numlp.errors import FileFormatError, SettingError
from numlp.files.kinds import refused
from numlp.files.locks import Temporary
from numlp.settings import limits
from numlp.settings.checks import missing

_SMALL = 1 << 24  # bytes that one thread reads soon enough
_BLOCKS = (1 << 18, 1 << 17, 1 << 16, 1 << 15, 1 << 14)  # bytes: the usual one, and fewer for many columns
_VECTOR = 2048  # rows that DuckDB works on together
_ROWS = 60 * _VECTOR  # of a row group, unless the columns are many
_PIECE = 1 << 26  # bytes of text at most that one transaction writes
_OF_THREAD = 1 << 28  # bytes of memory for a thread
_OF_COLUMN = 232 << 10  # bytes that a thread needs for a column: 2,048 texts, in all steps from file to disk
_BESIDE = 1 << 23  # and for the rest
_JSON = 48 << 20  # in files of JSON lines, which are read into a buffer of 32 MiB
_SHARE, _OF = 7, 16  # the part of the memory for rows that DuckDB counts as its own; its allocator takes more
_NO_MEMORY = re.compile("(allocate|pin) (block|data) of size")  # in an error of another type, from writing a table


class Disk:
    """A file for tables that don't fit into memory, in a folder that goes with it.

    Parameters
    ----------
    memory : int
        How many bytes rows may take, of which DuckDB has about half.

    Attributes
    ----------
    path : path
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory * _SHARE // _OF
        try:
            folder = Temporary(Path(scratch()))
        except OSError as error:
            raise no_room(scratch(), error) from error
        self.path = folder.path / "rows.db"
        self._clean = weakref.finalize(self, folder.remove)

    def threads(self, columns: int) -> int:
        """Return the number of threads that read so many columns."""
        return max(1, min(os.cpu_count() or 1, self.memory // max(_OF_THREAD, 2 * columns * _OF_COLUMN)))

    @property
    def piece(self) -> int:
        """How many bytes of text a transaction writes: blocks that it fills in part stay in memory until it ends."""
        return min(self.memory // 8, _PIECE)

    def rows(self, columns: int) -> int:
        """Return how many rows of so many columns are packed together: they must be in memory at once."""
        most = self.memory // (64 * columns * self.threads(columns))
        return max(_VECTOR, min(_ROWS, most) // _VECTOR * _VECTOR)

    def block(self, columns: int) -> int:
        """Return how many bytes a block has, of which each column fills some of its own."""
        fit = (size for size in _BLOCKS if 4 * size * columns * self.threads(columns) <= self.memory)
        return next(fit, _BLOCKS[-1])

    def check(self, columns: int, *, json: bool = False) -> None:
        """Refuse a memory in which so many columns can't be read."""
        least = columns * _OF_COLUMN + (_JSON if json else _BESIDE)
        if self.memory < least:
            raise self.too_small(columns, least)

    def too_small(self, columns: int, least: int = 0) -> SettingError:
        """Return the error for a memory in which columns can't be read; by default twice as much may do."""
        needed = -(-(least or 2 * self.memory) * _OF // (_SHARE << 20))
        return SettingError(
            f"memory is too small to read rows of {columns:,} columns: make it {needed:,}MiB, or more"
        )

    def close(self) -> None:
        """Remove the file."""
        self._clean()

    def remove(self) -> None:
        """Remove the file now, where it can be read while it is open, so that nothing of it outlives this process."""
        if os.name == "posix":
            self._clean()


def quoted(text: str) -> str:
    """Return a text as SQL writes it.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def listed_paths(paths: Sequence[Path]) -> str:
    """Return paths as a list in SQL, in which no character stands for others.

    Readers need `hive_partitioning = false` as well: by default a folder named year=2020 replaces the column year.
    """
    return "[" + ", ".join(quoted(_literal(path)) for path in paths) + "]"


def _literal(path: Path) -> str:
    return re.sub(r"([*?\[])", r"[\1]", os.fspath(path.absolute()))


@contextlib.contextmanager
def connected(
    paths: Sequence[Path], wanted: str, own: Sequence[str], columns: int = 1, disk: Disk | None = None
) -> Iterator[Any]:
    """Yield a connection that may read these files alone, in a bounded share of the memory, and writes nothing.

    With `disk`, the tables that it makes lie in a file there.

    Raises
    ------
    FileFormatError
        If one can't be read, or DuckDB refuses its content.
    SettingError
        If the memory is too small.
    OutputError
        If the disk is full.
    MissingDependencyError
    """
    try:
        import duckdb
    except ImportError as error:
        raise missing("duckdb", "reading tables", "tables") from error
    size = sum(_size(path, wanted) for path in paths)
    memory = limits.read_memory(size, columns) if disk is None else disk.memory
    config = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": f"{memory >> 20}MiB",
    }
    if size < _SMALL or disk is not None:
        config["threads"] = "1" if disk is None else str(disk.threads(columns))
    try:
        with duckdb.connect(config=config) as connection:
            _configure(connection, paths, columns, disk)
            yield connection
    except duckdb.OutOfMemoryException as error:
        if disk is not None:
            raise disk.too_small(columns) from error
        raise FileFormatError(
            f"{paths[0]} unpacks to more than {memory:,} bytes, much more than such a file should"
        ) from error
    except duckdb.Error as error:
        if disk is not None and _NO_MEMORY.search(str(error)):
            raise disk.too_small(columns) from error
        if disk is not None and isinstance(error, duckdb.IOException) and "No space left" in str(error):
            raise no_room(str(disk.path.parent.parent), "no space left on the disk") from error
        raise _broken(paths, wanted, own, error) from error


def _configure(connection: Any, paths: Sequence[Path], columns: int, disk: Disk | None) -> None:
    """Set what a connection does: it keeps the order of rows, reads these files alone, and can't be set otherwise."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = true")
    # They take time in the square of the number of columns (2.0.1).
    connection.execute("SET disabled_optimizers = 'common_subexpressions,in_clause'")
    if disk is not None:
        options = f"ROW_GROUP_SIZE {disk.rows(columns)}, BLOCK_SIZE {disk.block(columns)}"
        connection.execute(f"ATTACH {quoted(str(disk.path))} AS disk ({options})")
        connection.execute("USE disk")
        # A checkpoint would merge up to 100 groups of rows in memory, and until one comes, the last rows of
        # each file stay there.
        connection.execute("SET max_vacuum_tasks = 0")
        connection.execute(f"SET checkpoint_threshold = '{disk.memory >> 14}KiB'")
    names = [name for path in paths for name in (os.fspath(path.absolute()), _literal(path))]
    allowed = ", ".join(map(quoted, names))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    if disk is not None:
        connection.execute(f"SET allowed_directories = [{quoted(str(disk.path.parent))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _broken(paths: Sequence[Path], wanted: str, own: Sequence[str], error: Exception) -> FileFormatError:
    reason = str(error).partition("\n")[0].removeprefix("Invalid Input Error: ")
    path = next((each for each in paths if f"'{each.absolute()}'" in reason), paths[0])
    return refused(path, wanted, own, f"{reason:.200}")


def _size(path: Path, wanted: str) -> int:
    try:
        with open(path, "rb") as file:  # which also says why it can't be read
            return os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, ValueError) as error:
        raise refused(path, wanted, (), error, unknown=f"can't read {path}: {error}") from error
