"""The user's own data: .npz, a pair of .npy, CSV, a folder of IDX files. Reading executes nothing."""

import csv
import os
import zipfile
import zlib
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
    if target is None:
        raise SettingError(f"name the target column of {path}: it has {', '.join(_header(path))}")
    features, labels = _read_csv(path, target)
    if labels is None:
        raise SettingError(f"{path}: " + unknown("target column", target, _header(path)))
    return Split(features, labels)


def read_samples(path: str | os.PathLike[str], target: str | None = None) -> AnyArray:
    """Read samples alone: `x` of an ``.npz``, an ``.npy``, an IDX file, or a ``.csv`` without its target column."""
    path = Path(path)
    if path.suffix == ".npz":
        return _read_npz(path, ("x",))["x"]
    if path.suffix == ".npy":
        return _read_npy(path)
    if path.suffix == ".csv":
        return _read_csv(path, target)[0]
    return read_idx(path)


def _same_length(path: Path, x: AnyArray, y: AnyArray) -> Split:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x has shape {x.shape} and y {y.shape}: they must have the same number of rows")
    return Split(x, y)


def _read_npz(path: Path, names: tuple[str, ...]) -> dict[str, AnyArray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            absent = [name for name in names if name not in archive.files]
            if absent:
                raise FileFormatError(
                    f"{path} has no array {absent[0]!r}: it holds {', '.join(archive.files) or 'none'}"
                )
            return {name: archive[name] for name in names}
    except FileFormatError:
        raise
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise FileFormatError(f"{path} is no .npz of plain arrays: {error}") from error


def _read_npy(path: Path) -> AnyArray:
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} is no .npy of a plain array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise FileFormatError(f"{path} is an .npz archive: give it that suffix")
    return array


def _header(path: Path) -> list[str]:
    return _lines(path)[0][1]


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines of a CSV file that are not empty, each with its number; the first is the header."""
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
    return lines


def _read_csv(path: Path, target: str | None) -> tuple[AnyArray, AnyArray | None]:
    """Return all columns but the target as float64 rows, and the target as numbers or, if it has words, names."""
    (_, header), *lines = _lines(path)
    if len(set(header)) < len(header):
        raise FileFormatError(f"{path}: two columns have the same name")
    for number, cells in lines:
        if len(cells) != len(header):
            raise FileFormatError(f"{path}, line {number}: {len(cells)} cells, the header has {len(header)}")
    position = header.index(target) if target in header else None
    columns = [i for i in range(len(header)) if i != position]
    features = np.empty((len(lines), len(columns)))
    for row, (number, cells) in enumerate(lines):
        for column, i in enumerate(columns):
            try:
                features[row, column] = float(cells[i])
            except ValueError as error:
                raise DataError(
                    f"{path}, line {number}, column {header[i]!r}: {cells[i]!r} is no number; encode it, "
                    "or leave the column out"
                ) from error
    if position is None:
        return features, None
    labels = [cells[position] for _, cells in lines]
    try:
        return features, np.array([float(label) for label in labels])
    except ValueError:
        return features, np.array(labels)
