"""The user's own data: .npz, a pair of .npy, CSV, or IDX files. Reading executes nothing.

The modules that read arrays and tables load on first use: named data sets don't need them.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from numlp.arrays.special import AnyArray
from numlp.datasets.idx import read_idx
from numlp.errors import DataError, FileFormatError, SettingError

SUFFIXES = (".npz", ".npy", ".csv")


class Table(NamedTuple):
    """Samples and labels as a file holds them, with the names of the features and the weights, if any."""

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
        ``.csv``: the feature columns, in this order; by default all but the target and the weights.
    weights : str, optional
        Where the samples' weights are: an array of the ``.npz``, the path of another ``.npy``, or a column of the
        ``.csv``.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    from numlp.datasets import array_files, csv_files

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        arrays = array_files.read_npz(path, ("x", "y") if weights is None else ("x", "y", weights))
        table = _same_length(path, arrays["x"], arrays["y"])
        return table if weights is None else table._replace(weights=arrays[weights])
    if suffix == ".npy":
        if target is None:
            raise SettingError(f"target must name the .npy file that holds y, since {path} holds x alone")
        table = _same_length(path, array_files.read_npy(path), array_files.read_npy(Path(target)))
        return table if weights is None else table._replace(weights=array_files.read_npy(Path(weights)))
    (numbers, labels, names), found = csv_files.read_csv_table(path, target, columns, weights)
    return Table(numbers, labels, names, found)


def read_samples(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> AnyArray:
    """Read samples alone: `x` of an ``.npz``, an ``.npy``, an IDX file, or columns of a ``.csv`` (by default all)."""
    from numlp.datasets import array_files, csv_files

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return array_files.read_npz(path, ("x",))["x"]
    if suffix == ".npy":
        return array_files.read_npy(path)
    if suffix == ".csv":
        return csv_files.read_csv(path, columns).numbers
    try:
        return read_idx(path)
    except FileFormatError as error:
        raise FileFormatError(f"{error} (samples can be .png, {', '.join(SUFFIXES)} or IDX files)") from error


def _same_length(path: Path, x: AnyArray, y: AnyArray) -> Table:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x and y must have the same number of rows, not shapes {x.shape} and {y.shape}")
    return Table(x, y)
