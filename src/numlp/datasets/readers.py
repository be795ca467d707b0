"""The user's own data: .npz, a pair of .npy, CSV, a folder of IDX files. Reading executes nothing."""

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.checks import unknown
from numlp.datasets.dataset import Split
from numlp.datasets.idx import read_idx
from numlp.errors import DataError, FileFormatError, SettingError

AnyArray = npt.NDArray[Any]
SUFFIXES = (".npz", ".npy", ".csv")


def read_pair(path: str | os.PathLike[str], target: str | None = None) -> Split:
    """Read samples and labels, as they are in the file.

    Parameters
    ----------
    path : path
        ``.npz`` with the arrays `x` and `y`; ``.npy`` with x; ``.csv`` with a header line.
    target : str, optional
        ``.csv``: the name of the target column. ``.npy``: the path of the file with y.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    path = Path(path)
    if path.suffix == ".npz":
        arrays = _read_npz(path, ("x", "y"))
        return _same_length(path, arrays["x"], arrays["y"])
    if path.suffix == ".npy":
        if target is None:
            raise SettingError(f"{path} holds x alone: name the .npy file that holds y as the target")
        return _same_length(path, _read_npy(path), _read_npy(Path(target)))
    header, lines = _lines(path)
    if target is None:
        raise SettingError(f"name the target column of {path}: it has {', '.join(header)}")
    if target not in header:
        raise SettingError(f"{path}: " + unknown("target column", target, header))
    return Split(_columns(path, header, lines, without=target), _labels(lines, header.index(target)))


def read_samples(path: str | os.PathLike[str], target: str | None = None) -> AnyArray:
    """Read samples alone: `x` of an ``.npz``, an ``.npy``, an IDX file, or a ``.csv`` without its target column."""
    path = Path(path)
    if path.suffix == ".npz":
        return _read_npz(path, ("x",))["x"]
    if path.suffix == ".npy":
        return _read_npy(path)
    if path.suffix == ".csv":
        return _columns(path, *_lines(path), without=target)
    return read_idx(path)


def _same_length(path: Path, x: AnyArray, y: AnyArray) -> Split:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x has shape {x.shape} and y {y.shape}: they must have the same number of rows")
    return Split(x, y)


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
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return content
            arrays = {name: content[name] if name in names else None for name in content.files}
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except Exception as error:  # NumPy, zipfile and the decompressors raise a dozen kinds on broken files
        raise FileFormatError(f"{path} is no file of plain NumPy arrays: {error}") from error
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
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise FileFormatError(f"{path}: two columns are named {twice!r}")
    for number, cells in rows:
        if len(cells) != len(header):
            raise FileFormatError(f"{path}, line {number}: {len(cells)} cells, the header has {len(header)}")
    return header, rows


def _columns(path: Path, header: list[str], lines: Lines, *, without: str | None) -> AnyArray:
    """Return all columns but one as rows of float64."""
    kept = [i for i, name in enumerate(header) if name != without]
    if not kept:
        raise DataError(f"{path} has no column but the target")
    rows = np.empty((len(lines), len(kept)))
    for row, (number, cells) in zip(rows, lines, strict=True):
        for column, i in enumerate(kept):
            try:
                row[column] = float(cells[i])
            except ValueError as error:
                raise DataError(
                    f"{path}, line {number}, column {header[i]!r}: {cells[i]!r} is no number; encode it, "
                    "or leave the column out"
                ) from error
    return rows


def _labels(lines: Lines, position: int) -> AnyArray:
    """Return a column as numbers or, if any of it is none, as names."""
    labels = [cells[position] for _, cells in lines]
    try:
        return np.array([float(label) for label in labels])
    except ValueError:
        return np.array(labels)
