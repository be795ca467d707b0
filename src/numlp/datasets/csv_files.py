"""CSV files: a line of column names, then rows, which are read one at a time into numbers and labels."""

import contextlib
import csv
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.files.kinds import kind_of, refused
from numlp.settings import limits
from numlp.settings.checks import listed, unknown


class Columns(NamedTuple):
    """The content of a CSV file.

    Attributes
    ----------
    numbers : float64 array, shape (rows, names)
    labels : array, shape (rows,)
        The target column: numbers or, if no cell is a number, names. Empty if no target was named.
    names : tuple of str
        The names of the columns of `numbers`.
    """

    numbers: AnyArray
    labels: AnyArray
    names: tuple[str, ...]


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_csv(path: Path, names: Sequence[str] | None = None) -> Columns:
    """Read the named columns of numbers, in this order; by default all columns.

    Raises
    ------
    FileFormatError, DataError
    """
    with _opened(path) as (header, rows):
        return _columns(path, header, rows, header if names is None else names)


def read_csv_table(
    path: Path, target: str | None, names: Sequence[str] | None = None, weights: str | None = None
) -> tuple[Columns, AnyArray | None]:
    """Read columns of numbers (by default all but the target and the weights), the target, and the weights.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    with _opened(path) as (header, rows):
        if target is None:
            raise SettingError(f"target must name a column of {path}: {listed(header)}")
        if target not in header:
            raise SettingError(f"{path}: " + unknown("target column", target, header))
        if weights is not None and (weights not in header or weights == target):
            others = [name for name in header if name != target]
            raise SettingError(f"{path}: " + unknown("weights column", weights, others))
        names = names or [name for name in header if name not in (target, weights)]
        if weights is None:
            return _columns(path, header, rows, names, target), None
        found = _columns(path, header, rows, [*names, weights], target)
        numbers = np.ascontiguousarray(found.numbers[:, :-1])
        return found._replace(numbers=numbers, names=found.names[:-1]), found.numbers[:, -1]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Iterator[_Row]]]:
    """Yield the header and the rows, at least one, of a file; each row has its line number."""
    kind = kind_of(path)
    if kind is not None and kind.name in ("empty", "html", "lfs", "special"):  # which are texts, too
        raise refused(path, "a CSV file", (), "")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = _rows(path, file)
            header, first = next(rows, None), next(rows, None)
            if header is None or first is None:
                raise FileFormatError(f"{path} must have a line of column names and at least one row")
            _check_header(path, header.cells)
            yield header.cells, _whole(path, len(header.cells), first, rows)
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        unknown = f"{path} isn't a CSV file in UTF-8: {error}"
        raise refused(path, "a CSV file", ("csv",), error, unknown=unknown) from error


def _rows(path: Path, file: TextIO) -> Iterator[_Row]:
    """Yield the rows that aren't empty; refuse a row with more cells than a table may have columns."""
    left = limits.COLUMNS

    def lines() -> Iterator[str]:
        nonlocal left
        while line := file.readline(limits.LINE):
            left -= line.count(",")
            if left <= 0 or len(line) == limits.LINE:
                raise FileFormatError(
                    f"{path}, line {reader.line_num + 1}: more than {limits.COLUMNS:,} columns, or too long a line"
                )
            yield line

    reader = csv.reader(lines())
    for cells in reader:
        left = limits.COLUMNS
        if cells:
            yield _Row(reader.line_num, cells)


def _check_header(path: Path, header: list[str]) -> None:
    separator = next((sign for sign in ";\t|" if len(header) == 1 and sign in header[0]), None)
    if separator is not None:
        raise FileFormatError(
            f"{path} must separate its columns by commas, not {separator!r}; save it with commas, and with points in "
            "numbers"
        )
    ((name, count),) = Counter(header).most_common(1)
    if count > 1:
        raise FileFormatError(f"{path}: two columns are named {name!r:.200}; rename one")


def _whole(path: Path, width: int, first: _Row, others: Iterator[_Row]) -> Iterator[_Row]:
    """Yield the rows; refuse a row that is shorter or longer than the header."""
    row: _Row | None = first
    while row is not None:
        if len(row.cells) != width:
            raise FileFormatError(f"{path}, line {row.line}: {len(row.cells)} cells, but the header has {width}")
        yield row
        row = next(others, None)


def _columns(
    path: Path, header: list[str], rows: Iterator[_Row], names: Sequence[str], target: str | None = None
) -> Columns:
    if not names:
        raise DataError(f"{path} must have a column besides the target")
    index = {name: position for position, name in enumerate(header)}
    for name in names:
        if name not in index:
            raise DataError(f"{path} has no column {name!r:.200}; it has {listed(header)}")
    positions = [index[name] for name in names]
    numbers, lines, labels = array("d"), array("q"), list[str]()
    for line, cells in rows:
        try:
            row = [float(cells[position]) for position in positions]
        except ValueError:
            row = [math.nan]
        if not math.isfinite(sum(row)):  # or only their sum overflows
            _check_numbers(f"{path}, line {line}", header, cells, positions)
        numbers.extend(row)
        lines.append(line)
        if target is not None:
            labels.append(cells[index[target]])
    matrix = np.frombuffer(numbers).reshape(len(lines), len(names))
    return Columns(matrix, np.empty(0) if target is None else _labels(path, lines, labels, target), tuple(names))


def _check_numbers(place: str, header: list[str], cells: list[str], positions: list[int]) -> None:
    """Refuse cells that aren't finite numbers."""
    for position in positions:
        value = _number(cells[position])
        if value is None or not math.isfinite(value):
            wrong = "isn't a number; encode it" if value is None else "is NaN or infinity; replace it"
            column, cell = header[position], cells[position]
            raise DataError(f"{place}, column {column!r:.200}: {cell!r:.200} {wrong}, or leave the column out")


def _labels(path: Path, lines: Sequence[int], labels: list[str], target: str) -> AnyArray:
    """Return a column as numbers or, if no cell is a number, as names."""
    numbers = [_number(label) for label in labels]
    for line, label, number in zip(lines, labels, numbers, strict=True):
        if number is not None and not math.isfinite(number):
            raise DataError(
                f"{path}, line {line}, column {target!r:.200}: {label!r:.200} is NaN or infinity; correct it, or "
                "leave the row out"
            )
    if all(number is not None for number in numbers):
        return np.array(numbers, dtype=np.float64)
    mixed = any(number is not None for number in numbers)
    for line, label, number in zip(lines, labels, numbers, strict=True):
        if not label.strip() or (mixed and number is None):
            raise DataError(
                f"{path}, line {line}: {label!r:.200} in the target column {target!r:.200} is neither a number, like "
                "other cells there, nor a name; correct it, or leave the row out"
            )
    longest = max(range(len(labels)), key=lambda row: len(labels[row]))
    # NumPy pads all names to the longest.
    if 4 * len(labels) * len(labels[longest]) > limits.unpacked(sum(map(len, labels))):
        raise DataError(f"{path}, line {lines[longest]}: a name of {len(labels[longest]):,} characters; shorten it")
    return np.array(labels)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
