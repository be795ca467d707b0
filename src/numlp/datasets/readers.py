"""The user's own data: .npz, a pair of .npy, CSV, a folder of IDX files. Reading executes nothing."""

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numlp.checks import unknown
from numlp.datasets.idx import read_idx
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.special import AnyArray

SUFFIXES = (".npz", ".npy", ".csv")


class Table(NamedTuple):
    """Samples and labels as they are in a file, and the names of the features if it has any."""

    x: AnyArray
    y: AnyArray
    columns: tuple[str, ...] | None = None
    weights: AnyArray | None = None


def read_table(
    path: str | os.PathLike[str],
    target: str | None = None,
    columns: Sequence[str] | None = None,
    weights: str | None = None,
) -> Table:
    """Read samples and labels.

    Parameters
    ----------
    path : path
        ``.npz`` with the arrays `x` and `y`; ``.npy`` with x; ``.csv`` with a header line.
    target : str, optional
        ``.csv``: the name of the target column. ``.npy``: the path of the file with y.
    columns : sequence of str, optional
        ``.csv``: the columns that are features, in this order; by default all but the target and the weights.
    weights : str, optional
        What holds the samples' weights: an array of the ``.npz``, the path of another ``.npy``, a column of the
        ``.csv``.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        arrays = _read_npz(path, ("x", "y") if weights is None else ("x", "y", weights))
        table = _same_length(path, arrays["x"], arrays["y"])
        return table if weights is None else table._replace(weights=arrays[weights])
    if suffix == ".npy":
        if target is None:
            raise SettingError(f"{path} holds x alone: name the .npy file that holds y as the target")
        table = _same_length(path, _read_npy(path), _read_npy(Path(target)))
        return table if weights is None else table._replace(weights=_read_npy(Path(weights)))
    header, lines = _lines(path)
    if target is None:
        raise SettingError(f"name the target column of {path}: it has {', '.join(header)}")
    if target not in header:
        raise SettingError(f"{path}: " + unknown("target column", target, header))
    if weights is not None and (weights not in header or weights == target):
        raise SettingError(f"{path}: " + unknown("column of weights", weights, [c for c in header if c != target]))
    columns = columns or [name for name in header if name not in (target, weights)]
    table = Table(_features(path, header, lines, columns), _labels(path, header, lines, target), tuple(columns))
    return table if weights is None else table._replace(weights=_features(path, header, lines, [weights])[:, 0])


def read_samples(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> AnyArray:
    """Read samples alone: `x` of an ``.npz``, an ``.npy``, an IDX file, columns of a ``.csv`` (by default all)."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _read_npz(path, ("x",))["x"]
    if suffix == ".npy":
        return _read_npy(path)
    if suffix == ".csv":
        header, lines = _lines(path)
        return _features(path, header, lines, columns or header)
    try:
        return read_idx(path)
    except FileFormatError as error:
        raise FileFormatError(f"{error} (samples are read from .png, {', '.join(SUFFIXES)} and IDX files)") from error


def _same_length(path: Path, x: AnyArray, y: AnyArray) -> Table:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x has shape {x.shape} and y {y.shape}: they must have the same number of rows")
    return Table(x, y)


def _read_npz(path: Path, names: tuple[str, ...]) -> dict[str, AnyArray]:
    archive = _load(path, names)
    if isinstance(archive, np.ndarray):
        raise FileFormatError(f"{path} is a single array: give it the suffix .npy")
    absent = [name for name in names if name not in archive]
    if absent:
        raise FileFormatError(f"{path} has no array {absent[0]!r}: it holds {', '.join(archive) or 'none'}")
    return {name: archive[name] for name in names}


def _read_npy(path: Path) -> AnyArray:
    array = _load(path, ())
    if not isinstance(array, np.ndarray):
        raise FileFormatError(f"{path} is an .npz archive: give it that suffix")
    return array


def _load(path: Path, names: tuple[str, ...]) -> Any:
    """Return the array of an .npy, or those of an .npz that have these names, and None for each other one."""
    try:
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                return np.load(path, mmap_mode="r", allow_pickle=False)  # rows are read when they are needed
            file.seek(0)
            content = np.load(file, allow_pickle=False)
            arrays = {name: content[name] if name in names else None for name in content.files}
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except Exception as error:  # NumPy, zipfile and the decompressors raise a dozen kinds on broken files
        raise FileFormatError(f"{path} is no file of plain NumPy arrays (numbers or text), or is damaged") from error
    broken = [name for name in names if isinstance(arrays.get(name), bytes)]
    if broken:
        raise FileFormatError(f"{path}: {broken[0]!r} is no array")
    return arrays


Lines = list[tuple[int, list[str]]]


def _lines(path: Path) -> tuple[list[str], Lines]:
    """Return the header of a CSV file, and its other lines that are not empty, each with its number."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path} is no CSV file in UTF-8: {error}") from error
    if len(lines) < 2:
        raise FileFormatError(f"{path} needs a line of column names and at least one row")
    (_, header), *rows = lines
    separator = next((sign for sign in ";\t|" if len(header) == 1 and sign in header[0]), None)
    if separator is not None:
        raise FileFormatError(
            f"{path} has its columns separated by {separator!r}: save it with commas, points in numbers"
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise FileFormatError(f"{path}: two columns are named {twice!r}")
    for number, cells in rows:
        if len(cells) != len(header):
            raise FileFormatError(f"{path}, line {number}: {len(cells)} cells, the header has {len(header)}")
    return header, rows


def _features(path: Path, header: list[str], lines: Lines, columns: Sequence[str]) -> AnyArray:
    """Return the named columns as rows of float64."""
    if not columns:
        raise DataError(f"{path} has no column but the target")
    for name in columns:
        if name not in header:
            raise DataError(f"{path} has no column {name!r}: it has {', '.join(header)}")
    positions = [header.index(name) for name in columns]
    rows = np.empty((len(lines), len(columns)))
    for row, (number, cells) in zip(rows, lines, strict=True):
        for column, position in enumerate(positions):
            value = _number(cells[position])
            if value is None or not math.isfinite(value):
                place = f"{path}, line {number}, column {header[position]!r}"
                wrong = "is no number; encode it" if value is None else "is NaN or infinity; replace it"
                raise DataError(f"{place}: {cells[position]!r} {wrong}, or leave the column out")
            row[column] = value
    return rows


def _labels(path: Path, header: list[str], lines: Lines, target: str) -> AnyArray:
    """Return a column as numbers or, if none of its cells is one, as names."""
    position = header.index(target)
    numbers = [_number(cells[position]) for _, cells in lines]
    for (line, cells), number in zip(lines, numbers, strict=True):
        if number is not None and not math.isfinite(number):
            raise DataError(f"{path}, line {line}, column {target!r}: {cells[position]!r} is NaN or infinity")
    if all(number is not None for number in numbers):
        return np.array(numbers, dtype=np.float64)
    mixed = any(number is not None for number in numbers)
    for (line, cells), number in zip(lines, numbers, strict=True):
        if not cells[position].strip() or (mixed and number is None):
            raise DataError(
                f"{path}, line {line}: {cells[position]!r} in the target column {target!r} is no number, as others "
                "there are, and no name: correct it, or leave the row out"
            )
    return np.array([cells[position] for _, cells in lines])


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
