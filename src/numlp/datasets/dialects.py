"""Dialects of CSV: what separates the columns, whether the first line names them, and on which line a row is."""

import csv
import gzip
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

from numlp.datasets.cells import GAPS, is_number
from numlp.errors import FileFormatError
from numlp.settings import limits

_SEPARATORS = "\t;|,~^\x1f"  # the rarer a sign is in texts and numbers, the more it says
_RECORDS = 1000  # that are looked at


class Dialect(NamedTuple):
    """How a CSV file is written.

    Attributes
    ----------
    separator : str
    names : tuple of str
        Of all columns, in order; "" where the header has none, and "a (2)" for the second that it calls a.
    header : bool
        Whether the first line names the columns.
    skipped : int
        The lines before that: one if it says "sep=;", which Excel understands.
    """

    separator: str
    names: tuple[str, ...]
    header: bool
    skipped: int = 0


def dialect_of(path: Path, head: str, header: bool | None = None) -> Dialect:
    r"""Return the dialect of a file that begins with these lines; `header` says whether the first names the columns.

    Raises
    ------
    FileFormatError
        If there is no row, or there are too many columns.

    >>> dialect_of(Path("a.csv"), "size;price\n1,5;2\n")
    Dialect(separator=';', names=('size', 'price'), header=True, skipped=0)
    >>> dialect_of(Path("a.csv"), "5.1,setosa\n4.9,virginica\n")
    Dialect(separator=',', names=('column 1', 'column 2'), header=False, skipped=0)
    """
    first = re.match(rf"sep=([{re.escape(_SEPARATORS)}])\r?\n", head)
    head = head[first.end() :] if first else head
    signs = first[1] if first else _SEPARATORS + " " * path.name.lower().endswith(".txt")
    rows, separator = max(
        ((_records(path, head, sign), sign) for sign in signs), key=lambda found: _regular(found[0])
    )
    if rows and len(rows[0]) > limits.COLUMNS:
        raise FileFormatError(
            f"{path} has {len(rows[0]):,} columns, more than the {limits.COLUMNS:,} that numlp reads"
        )
    skipped = 0 if first is None else 1
    if not rows or (len(rows) == 1 and header is not False):
        goes_on = bool(rows) and len(" ".join(rows[0]).splitlines()) > 1
        remedy = "; is there a quote in its first line that isn't closed?" if goes_on else ""
        raise FileFormatError(f"{path} must have a line of column names and at least one row{remedy}")
    if not (_is_header(rows[0], rows[1:]) if header is None else header):
        return Dialect(separator, tuple(f"column {i}" for i in range(1, len(rows[0]) + 1)), False, skipped)
    return Dialect(separator, _different([name.strip() for name in rows[0]]), True, skipped)


def _different(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which the second and later equal ones have a number.

    >>> _different(["a", "b", "a", "a", "", ""])
    ('a', 'b', 'a (2)', 'a (3)', '', '')
    """
    numbers = {name: itertools.count(2) for name in names if name}
    taken, seen, made = set(names), set[str](), list[str]()
    for name in names:
        own = name
        while name and name in seen and own in taken:
            own = f"{name} ({next(numbers[name])})"
        seen.add(name)
        made.append(own)
    return tuple(made)


def _records(path: Path, head: str, separator: str) -> list[list[str]]:
    """Return the first rows that aren't empty."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    try:
        return list(itertools.islice(filter(None, reader), _RECORDS))
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {reader.line_num}: {error}") from error


def _regular(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of rows that are as long as the first; 0 if that has a single cell."""
    width = len(rows[0]) if rows else 0
    return 0 if width < 2 else sum(len(row) == width for row in rows) / len(rows)


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names columns: it isn't made of the same numbers and texts as the others.

    Numbers that follow each other are names, too: those of unnamed columns, or years.
    """
    numbers = [cell.strip() for cell in first if is_number(cell)]
    if not numbers:
        return True
    counted = len(numbers) > 1 and all(cell.isdecimal() for cell in numbers)
    if counted and all(int(after) - int(before) == 1 for before, after in itertools.pairwise(numbers)):
        return True
    for i, cell in enumerate(first):
        column = [row[i] for row in others if i < len(row) and row[i].strip() not in GAPS]
        if column and all(map(is_number, column)) and not is_number(cell) and cell.strip() not in GAPS:
            return True
    return len(set(first)) == len(first) and not any(
        is_number(row[i]) for row in others for i, cell in enumerate(first) if i < len(row) and is_number(cell)
    )


def read_head(path: Path) -> str:
    """Return the first lines of a plain or gzipped CSV file, after a look at how long all of its lines are.

    DuckDB leaves the last line out, without a word, if it is longer than its buffer (2.0.1).

    Raises
    ------
    FileFormatError, OSError, UnicodeDecodeError
    """
    head, size = b"", 0
    most = limits.unpacked(path.stat().st_size)
    with unpacked(path) as file:
        while chunk := file.read(limits.LINE):
            if len(chunk) == limits.LINE and not (b"\n" in chunk or b"\r" in chunk):
                raise FileFormatError(f"{path}: after {size:,} bytes, a line is longer than {limits.LINE:,} bytes")
            head = head or chunk
            size += len(chunk)
            if size > most and path.suffix.lower() == ".gz":
                raise FileFormatError(
                    f"{path} unpacks to more than {most:,} bytes, much more than such a file should"
                )
    if size > len(head):  # the last line is cut
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
    return head.decode("utf-8-sig")


def unpacked(path: Path) -> IO[bytes]:
    """Open a file; what gzip has packed is unpacked."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else open(path, "rb")


def lines_of(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that aren't empty, the header's among them, each with the number of the line on which it ends.

    It yields none of a file that zstd has packed, which Python can't unpack.
    """
    if path.suffix.lower() == ".zst":
        return
    with unpacked(path) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(itertools.islice(lines, dialect.skipped, None), delimiter=dialect.separator)
        for cells in reader:
            if cells:
                yield dialect.skipped + reader.line_num, cells
