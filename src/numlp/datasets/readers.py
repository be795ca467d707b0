"""The user's own data: .npz, a pair of .npy, tables, or IDX files. Reading executes nothing.

The modules that read arrays and tables load on first use: named data sets don't need them.
"""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table
from numlp.datasets.idx import read_idx
from numlp.datasets.keys import Keys, keys_of, samples_key
from numlp.datasets.reading import Reading
from numlp.datasets.suffixes import KNOWN, suffix_of
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.files.kinds import refused

ARRAYS = (".npz", ".npy")


class Samples(NamedTuple):
    """What a part of the data holds.

    Attributes
    ----------
    x : array or Table
    y : array
    columns : tuple of str, or None
        The names of the features.
    weights : array, or None
    written : array of str, or None
        The targets of a table as they are written.
    numbers : array of int, or None
        The numbers of a table's rows in its file, from 0, if some are left out.
    """

    x: AnyArray | Table
    y: AnyArray
    columns: tuple[str, ...] | None = None
    weights: AnyArray | None = None
    written: AnyArray | None = None
    numbers: AnyArray | None = None

    @property
    def in_file(self) -> AnyArray:
        """The number of each row in its file, from 0."""
        return np.arange(len(self.y)) if self.numbers is None else self.numbers


class Parts(NamedTuple):
    """The parts of the data, what the user should know about them, and how they were read."""

    parts: dict[str, Samples]
    notes: tuple[str, ...] = ()
    reading: Reading = Reading()


def read_parts(
    path: str | os.PathLike[str],
    reading: Reading,
    columns: Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> Parts:
    """Read samples and labels, by part: "train" and, for an ``.npz`` that also holds others, "validation" and "test".

    Parameters
    ----------
    path : path
        ``.npz`` with x and y, for one part or for several; ``.npy`` with x; or a table.
    reading : Reading
    columns : sequence of str, optional
        The feature columns of a table, in this order; by default all but the target and the weights.
    kinds : mapping, optional
        What columns of a table are known to hold.

    Raises
    ------
    FileFormatError, DataError, SettingError
    """
    from numlp.datasets import array_files

    path = Path(path)
    suffix = path.suffix.lower()
    target = reading.target
    if suffix in ARRAYS:
        for name, value in reading.of_tables().items():
            raise SettingError(f"{name} {value!r} is for tables, not for the arrays in {path}; leave it out")
    if suffix == ".npz" and not is_array_file(target):
        keys = npz_parts(path, reading)
        arrays = array_files.read_npz(path, [name for key in keys.values() for name in key if name is not None])
        parts = {
            part: _same_length(path, arrays[key.x], arrays[key.y])._replace(
                weights=None if key.weights is None else arrays[key.weights]
            )
            for part, key in keys.items()
        }
        return Parts(parts, reading=reading)
    if suffix in ARRAYS:
        if target is None:
            raise SettingError(f"target must name the .npy file that holds y, since {path} holds x alone")
        samples = _same_length(path, read_samples(path, reading=reading), read_samples(target))
        if reading.weights is not None:
            samples = samples._replace(weights=np.asarray(read_samples(reading.weights)))
        return Parts({"train": samples}, reading=reading)
    return _read_table(path, reading, columns, kinds)


def _read_table(
    path: Path, reading: Reading, columns: Sequence[str] | None, kinds: Mapping[str, Kind] | None
) -> Parts:
    from numlp.datasets.tables import read_table

    table, written, notes, seen, numbers = read_table(path, reading, columns, kinds, labelled=True)
    names = columns or [name for name in table.columns if name not in (reading.target, reading.weights)]
    if not names:
        raise DataError(f"{path} must have a column besides the target")
    y = table[str(reading.target)]
    weights = None if reading.weights is None else table[reading.weights]
    return Parts({"train": Samples(table[[*names]], y, tuple(names), weights, written, numbers)}, notes, seen)


def npz_parts(path: Path, reading: Reading) -> dict[str, Keys]:
    """Return the names of the arrays of each part of an ``.npz`` archive; none if another file holds y."""
    from numlp.datasets import array_files

    names = array_files.npz_names(path)
    with _naming(path):
        if is_array_file(reading.target):
            return {}
        return keys_of(names, reading.inputs, reading.target, reading.weights)


def read_samples(
    path: str | os.PathLike[str],
    columns: Sequence[str] | None = None,
    reading: Reading | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> AnyArray | Table:
    """Read samples alone, or another single array.

    Parameters
    ----------
    path : path
        An ``.npz``, an ``.npy``, a table or an IDX file.
    columns : sequence of str, optional
        Of a table: the columns to read, by default all.
    reading : Reading, optional
        Its target and weights are ignored.
    kinds : mapping, optional
        What columns of a table are known to hold.

    Raises
    ------
    FileFormatError, DataError, SettingError

    Warns
    -----
    UserWarning
        Of how the numbers and dates of a table were read.
    """
    from numlp.datasets import array_files

    path = Path(path)
    suffix = path.suffix.lower()
    reading = reading or Reading()
    if suffix == ".npz":
        names = array_files.npz_names(path)
        with _naming(path):
            key = samples_key(names, reading.inputs)
        return array_files.read_npz(path, [key])[key]
    if suffix == ".npy":
        return array_files.read_npy(path)
    if suffix_of(path) is not None:
        from numlp.datasets.tables import read_table

        content = read_table(path, dataclasses.replace(reading, target=None, weights=None), columns, kinds)
        tell(path, content.notes)
        return content.table
    try:
        return read_idx(path)
    except FileFormatError as error:
        if not path.exists():
            raise
        wanted = f"(samples can be images, {', '.join(KNOWN)} or IDX files)"
        raise refused(path, f"samples {wanted}", ("idx",), error, unknown=f"{error} {wanted}") from error


def tell(path: str | os.PathLike[str], notes: Sequence[str]) -> None:
    """Tell the user how a file was read where no data set keeps the notes."""
    for note in notes:
        warnings.warn(f"{os.fspath(path)}: {note}", UserWarning, stacklevel=3)


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


def _same_length(path: Path, x: Any, y: Any) -> Samples:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x and y must have the same number of rows, not shapes {x.shape} and {y.shape}")
    return Samples(x, y)
