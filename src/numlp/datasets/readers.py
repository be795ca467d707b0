"""The user's own data: .npz, a pair of .npy, CSV, or IDX files. Reading executes nothing.

The modules that read arrays and tables load on first use: named data sets don't need them.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from numlp.arrays.special import AnyArray
from numlp.datasets.idx import read_idx
from numlp.datasets.keys import Keys, keys_of, samples_key
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.files.kinds import refused

SUFFIXES = (".npz", ".npy", ".csv")


class Table(NamedTuple):
    """Samples and labels as a file holds them, with the names of the features and the weights, if any."""

    x: AnyArray
    y: AnyArray
    columns: tuple[str, ...] | None = None
    weights: AnyArray | None = None


def read_parts(
    path: str | os.PathLike[str],
    target: str | None = None,
    columns: Sequence[str] | None = None,
    weights: str | None = None,
    inputs: str | None = None,
) -> dict[str, Table]:
    """Read samples and labels, by part: "train" and, for an ``.npz`` that also holds others, "validation" and "test".

    Parameters
    ----------
    path : path
        ``.npz`` with x and y, for one part or for several; ``.npy`` with x; ``.csv`` with a header line.
    target : str, optional
        ``.csv``: the name of the target column. ``.npz``: the name of the array y, or another file that holds y.
        ``.npy``: the path of the file with y.
    columns : sequence of str, optional
        ``.csv``: the feature columns, in this order; by default all but the target and the weights.
    weights : str, optional
        Where the samples' weights are: an array of the ``.npz``, the path of another ``.npy``, or a column of the
        ``.csv``.
    inputs : str, optional
        ``.npz``: the name of the array x.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    from numlp.datasets import array_files, csv_files

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz" and not is_array_file(target):
        keys = npz_parts(path, inputs, target, weights)
        arrays = array_files.read_npz(path, [name for key in keys.values() for name in key if name is not None])
        return {
            part: _same_length(path, arrays[key.x], arrays[key.y])._replace(
                weights=None if key.weights is None else arrays[key.weights]
            )
            for part, key in keys.items()
        }
    if suffix in (".npy", ".npz"):
        if target is None:
            raise SettingError(f"target must name the .npy file that holds y, since {path} holds x alone")
        table = _same_length(path, read_samples(path, inputs=inputs), read_samples(target))
        return {"train": table if weights is None else table._replace(weights=read_samples(weights))}
    (numbers, labels, found), counts = csv_files.read_csv_table(path, target, columns, weights)
    return {"train": Table(numbers, labels, found, counts)}


def npz_parts(
    path: Path, inputs: str | None = None, target: str | None = None, weights: str | None = None
) -> dict[str, Keys]:
    """Return the names of the arrays of each part of an ``.npz`` archive; none if another file holds y."""
    from numlp.datasets import array_files

    names = array_files.npz_names(path)
    with _naming(path):
        return {} if is_array_file(target) else keys_of(names, inputs, target, weights)


def read_samples(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, inputs: str | None = None
) -> AnyArray:
    """Read samples alone, or another single array.

    Parameters
    ----------
    path : path
        An ``.npz``, an ``.npy``, a ``.csv`` or an IDX file.
    columns : sequence of str, optional
        ``.csv``: the columns to read, by default all.
    inputs : str, optional
        ``.npz``: the name of the array; by default that of x, or the only one.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    from numlp.datasets import array_files, csv_files

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        names = array_files.npz_names(path)
        with _naming(path):
            key = samples_key(names, inputs)
        return array_files.read_npz(path, [key])[key]
    if suffix == ".npy":
        return array_files.read_npy(path)
    if suffix == ".csv":
        return csv_files.read_csv(path, columns).numbers
    try:
        return read_idx(path)
    except FileFormatError as error:
        if not path.exists():
            raise
        wanted = f"(samples can be images, {', '.join(SUFFIXES)} or IDX files)"
        raise refused(path, f"samples {wanted}", ("idx",), error, unknown=f"{error} {wanted}") from error


def is_array_file(target: str | None) -> bool:
    """Return whether a target is a file of arrays, not the name of an array or a column.

    >>> is_array_file("y.npy"), is_array_file("price")
    (True, False)
    """
    return target is not None and Path(target).suffix.lower() in (".npy", ".npz")


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Begin the messages of errors with the name of the file."""
    try:
        yield
    except FileFormatError as error:
        raise FileFormatError(f"{path} {error}") from error
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error


def _same_length(path: Path, x: AnyArray, y: AnyArray) -> Table:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x and y must have the same number of rows, not shapes {x.shape} and {y.shape}")
    return Table(x, y)
