"""The engine that reads tables: DuckDB, which may read the files it is given, and nothing else."""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numlp.errors import FileFormatError
from numlp.files.kinds import refused
from numlp.settings import limits
from numlp.settings.checks import missing

_SMALL = 1 << 24  # bytes that one thread reads soon enough


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
def connected(paths: Sequence[Path], wanted: str, own: Sequence[str], columns: int = 1) -> Iterator[Any]:
    """Yield a connection that may read these files alone, in a bounded share of the memory, and writes nothing.

    Raises
    ------
    FileFormatError
        If one can't be read, or DuckDB refuses its content.
    MissingDependencyError
    """
    try:
        import duckdb
    except ImportError as error:
        raise missing("duckdb", "reading tables", "tables") from error
    size = sum(_size(path, wanted) for path in paths)
    memory = limits.read_memory(size, columns)
    config = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": f"{memory >> 20}MiB",
    }
    if size < _SMALL:
        config["threads"] = "1"
    try:
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET preserve_insertion_order = true")
            # They take time in the square of the number of columns (2.0.1).
            connection.execute("SET disabled_optimizers = 'common_subexpressions,in_clause'")
            names = [name for path in paths for name in (os.fspath(path.absolute()), _literal(path))]
            allowed = ", ".join(map(quoted, names))
            connection.execute(f"SET allowed_paths = [{allowed}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
    except duckdb.OutOfMemoryException as error:
        raise FileFormatError(
            f"{paths[0]} unpacks to more than {memory:,} bytes, much more than such a file should"
        ) from error
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0].removeprefix("Invalid Input Error: ")
        raise refused(paths[0], wanted, own, f"{reason:.200}") from error


def _size(path: Path, wanted: str) -> int:
    try:
        with open(path, "rb") as file:  # which also says why it can't be read
            return os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, ValueError) as error:
        raise refused(path, wanted, (), error, unknown=f"can't read {path}: {error}") from error
