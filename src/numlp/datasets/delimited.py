"""Delimited text, CSV and the like: DuckDB reads every cell as it is written."""

import bisect
import csv
import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numlp.arrays.stored import no_room
from numlp.datasets.cells import without_gaps
from numlp.datasets.dialects import Dialect, dialect_of, lines_of, read_head, unpacked
from numlp.datasets.engine import Disk, connected, listed_paths, quoted
from numlp.datasets.pieces import pieces_of
from numlp.datasets.source import Choose, Source, chosen
from numlp.errors import FileFormatError
from numlp.files.kinds import kind_of, refused
from numlp.settings import limits
from numlp.settings.checks import listed

KIND = ("a CSV file", ("csv", "gzip", "zstd"))  # what a file should be, and what it may be
CELLS = "cells"  # the table of a file's columns
_LINES = 1000  # of a file that are looked at
# The first line of a piece may end within quotes, where DuckDB would look for how lines end.
_LINE_ENDS = {b"\r\n": r", new_line = '\r\n'", b"\n": r", new_line = '\n'", b"\r": r", new_line = '\r'"}
_BUFFER = 4 * limits.LINE  # bytes of a file that are read together onto a disk, instead of DuckDB's 32 MiB


def dialects_of(paths: Sequence[Path], header: bool | None) -> list[Dialect]:
    """Return the dialects of files.

    Raises
    ------
    FileFormatError
    """
    return [_dialect(path, header) for path in paths]


def read_csv(
    connection: Any,
    paths: Sequence[Path],
    dialects: Sequence[Dialect],
    missing: Sequence[str],
    choose: Choose,
    disk: Disk | None = None,
) -> Source:
    """Load the chosen columns of files with the same columns, a piece at a time onto a disk."""
    names = _named(dialects[0].names)
    kept = chosen(names, choose)
    columns = ", ".join(f"{column} VARCHAR" for column in kept)
    connection.execute(f"CREATE TABLE {CELLS} ({columns})")
    starts = [0]
    for path, dialect in zip(paths, dialects, strict=True):
        own = _named(dialect.names)
        if set(own) != set(names):
            odd = sorted(set(own) ^ set(names))
            raise FileFormatError(
                f"{path} must have the same columns as {paths[0]}, but they differ in {listed(odd)}"
            )
        _load_csv(connection, path, dialect, [f"c{own.index(name)}" for name in kept.values()], missing, disk)
        starts.append(connection.execute(f"SELECT count(*) FROM {CELLS}").fetchone()[0])
        if starts[-1] == starts[-2]:
            raise FileFormatError(f"{path} must have a line of column names and at least one row")

    def place(row: int) -> str:
        part = bisect.bisect_right(starts, row) - 1
        path, dialect, row = paths[part], dialects[part], row - starts[part]
        lines = itertools.islice(lines_of(path, dialect), row + dialect.header, None)
        return next((f"{path}, line {line}" for line, _ in lines), f"{path}, row {row + 1}")

    notes = [] if dialects[0].separator == "," else [f"its columns are separated by {dialects[0].separator!r}"]
    if not dialects[0].header:
        notes.append("its first line is a row, so columns are called 'column 1', …; set `header` if it names them")
    for name in names:
        if (found := re.fullmatch(r"(.*) \([0-9]+\)", name)) and found[1] in names:
            notes.append(f"of its columns called {found[1]!r:.200}, one is called {name!r:.200} here")
    types = dict.fromkeys(kept, "VARCHAR")
    return Source(connection, CELLS, starts[-1], kept, types, dialects[0].separator, tuple(notes), place)


def _named(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with one for each column that has none: "column 1", ….

    >>> _named(["a", "", "b"])
    ('a', 'column 2', 'b')
    """
    return tuple(name or f"column {i}" for i, name in enumerate(names, start=1))


def _dialect(path: Path, header: bool | None) -> Dialect:
    kind = kind_of(path)
    if kind is not None and kind.name in ("empty", "html", "lfs", "special"):  # which are texts, too
        raise refused(path, "a CSV file", (), "")
    try:
        if path.name.lower().endswith(".zst"):  # which Python can't unpack
            lines = _reader(path, chr(31), ["c0"], "quote = '', escape = '', strict_mode = false")
            with connected([path], *KIND) as connection:
                found = connection.execute(f"FROM {lines} LIMIT {_LINES}").fetchall()
            head = "\n".join(line or "" for (line,) in found)
        else:
            head = read_head(path)
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        unknown = f"{path} isn't a CSV file: {error}"
        if isinstance(error, UnicodeDecodeError):
            unknown = _other_encoding(path)
        raise refused(path, "a CSV file", ("csv", "gzip"), error, unknown=unknown) from error
    return dialect_of(path, head, header)


def _reader(path: Path, separator: str, columns: Sequence[str], options: str) -> str:
    """Return SQL that reads a CSV file as texts, its header among them."""
    packing = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "none")
    texts = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    return (
        f"read_csv({listed_paths([path])}, auto_detect = false, header = false, delim = {quoted(separator)}, "
        f"hive_partitioning = false, compression = '{packing}', max_line_size = {2 * limits.LINE}, "
        f"columns = {{{texts}}}, {options})"
    )


def _load_csv(
    connection: Any,
    path: Path,
    dialect: Dialect,
    columns: Sequence[str],
    missing: Sequence[str],
    disk: Disk | None,
) -> None:
    """Append the columns of a file to the table; gaps are NULL."""
    import duckdb

    every = [f"c{i}" for i in range(len(dialect.names))]
    blank = " WHERE c0 IS NOT NULL" if len(every) == 1 else ""  # a line without a cell is no row
    cells = ", ".join(f"{without_gaps(column, missing)} AS {column}" for column in columns)
    for i, (part, options) in enumerate(((path, ""),) if disk is None else _parts(path, dialect.separator, disk)):
        skipped = "" if i else f", skip = {dialect.skipped}"
        header = " OFFSET 1" if dialect.header and not i else ""
        quotes = f"quote = '\"', escape = '\"'{options}{skipped}"
        reader = _reader(part, dialect.separator, every, quotes)
        try:
            connection.execute(f"INSERT INTO {CELLS} SELECT {cells} FROM {reader}{blank}{header}")
        except duckdb.InvalidInputException as error:
            raise _broken(path, dialect, str(error)) from error


def _parts(path: Path, separator: str, disk: Disk) -> Iterator[tuple[Path, str]]:
    """Yield files that hold the rows of a file, each for a transaction, with options in SQL to read them.

    A file that is small, or that zstd has packed, is the only one.
    """
    buffer = f", buffer_size = {_BUFFER}"
    packed, line_end = path.suffix.lower(), ""
    try:
        if packed == ".zst" or (packed != ".gz" and path.stat().st_size <= disk.piece):
            yield path, buffer
            return
        for i, piece in enumerate(pieces_of(path, separator, disk.piece)):
            part = disk.path.with_name(f"piece-{i}.csv")  # each has a new name: DuckDB keeps what it read by name
            try:
                part.write_bytes(piece)
            except OSError as error:
                raise no_room(str(disk.path.parent.parent), error) from error
            line_end = line_end or next((sql for end, sql in _LINE_ENDS.items() if piece.endswith(end)), "")
            del piece  # while DuckDB works, only the rest of what was read is in memory
            yield part, buffer + line_end
            part.unlink()
    except (OSError, EOFError, zlib.error) as error:
        raise refused(path, *KIND, error, unknown=f"can't read {path} again: {error}") from error


def _other_encoding(path: Path) -> str:
    remedy = "if it is one in another encoding, save it again in UTF-8, which Excel calls 'CSV UTF-8'"
    return f"{path} isn't a CSV file in UTF-8; {remedy}"


def _broken(path: Path, dialect: Dialect, reason: str) -> FileFormatError:
    """Return the error for a CSV file that DuckDB refuses, with the line that is wrong."""
    width = len(dialect.names)
    if "unicode" in reason or "utf-8" in reason:
        return refused(path, "a CSV file", ("csv",), "", unknown=_other_encoding(path))
    try:
        for line, cells in lines_of(path, dialect):
            if len(cells) != width and cells[width:] != [""]:
                first = line + 1 - len(" ".join(cells).splitlines())
                place = f"line {line}" if first == line else f"lines {first} to {line}"
                remedy = "" if first == line else "; is there a quote that isn't closed?"
                count = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
                return FileFormatError(f"{path}, {place}: {count}, but the first line has {width}{remedy}")
    except (csv.Error, OSError, EOFError) as error:
        return FileFormatError(f"{path} isn't a CSV file: {error}")
    if "invalid state" in reason and len(_endings(path)) > 1:
        return FileFormatError(f"{path}: some lines end with CR LF and others with LF; let all end alike")
    told = re.search(r"Line: ([0-9]+)", reason)
    place = f"{path}, line {told[1]}" if told else f"{path}"
    wrong = "a quote isn't closed, or isn't at the ends of a cell" if "quote" in reason else reason.partition("\n")[0]
    return FileFormatError(f"{place}: {wrong:.200}")


def _endings(path: Path) -> set[bool]:
    """Return whether lines of a file end with CR LF; both if some do and others don't."""
    if path.suffix.lower() == ".zst":
        return set()
    with unpacked(path) as file:
        return {line.endswith(b"\r\n") for line in file if line.endswith(b"\n")}
