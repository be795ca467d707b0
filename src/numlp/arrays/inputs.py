"""Inputs: the x of `train`, `evaluate` and `predict`, checked once and brought into shape.

Nothing is converted to float here: rows stay as they are (`uint8`, memory-mapped, …), and the code that reads them
scales them batch by batch.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.frames import as_numbers, columns_of, lined_up
from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray, all_finite
from numlp.errors import DataError

_CHUNK = 1 << 18  # numbers checked at a time, which copies them unless they are contiguous


def as_rows(x: npt.ArrayLike, name: str = "x", *, finite: bool = True) -> AnyArray:
    """Return `x` as an array of at least one row of finite numbers, in its own shape and dtype.

    With ``finite=False`` the numbers are not checked: the caller checks the rows it reads with `require_finite`.

    Raises
    ------
    DataError
        If `x` is empty, isn't an array of numbers, or holds NaN or infinity.

    >>> as_rows([["a", "b"]])
    Traceback (most recent call last):
    ...
    numlp.errors.DataError: x must hold numbers, not <U1; convert or encode its columns first
    """
    array = as_array(x, name)
    if array.dtype.kind not in "buif":
        raise DataError(f"{name} must hold numbers, not {array.dtype}; convert or encode its columns first")
    if array.ndim == 0:
        raise DataError(f"{name} must be an array of rows, shape (n, …), not a single number")
    if array.size == 0:
        raise DataError(f"{name} is empty, with shape {array.shape}; give it at least one row and one feature")
    if finite:
        size = max(1, _CHUNK // math.prod(array.shape[1:]))
        for start in range(0, len(array), size):
            require_finite(array[start : start + size], start, name, columns_of(x))
    return array


def require_finite(rows: AnyArray, start: int = 0, name: str = "x", columns: Sequence[str] | None = None) -> None:
    """Raise `DataError` if one of these rows, numbered from `start`, holds NaN or infinity, in one of the columns."""
    if rows.dtype.kind == "f" and not all_finite(rows):
        row, *place = (int(index) for index in np.argwhere(~np.isfinite(rows))[0])
        where = f", column {columns[place[0]]!r}" if columns is not None and len(place) == 1 else ""
        raise DataError(
            f"{name} holds NaN or infinity, first in row {start + row}{where}; remove or replace such values"
        )


def as_features(
    x: npt.ArrayLike, n_features: int, names: Sequence[str] | None = None, *, finite: bool = True
) -> AnyArray:
    """Return `x`, shape (n, …), flattened to (n, features), after the checks of `as_rows`.

    SciPy's sparse matrices stay sparse, as CSR, whose rows can be selected. Rows whose features lie apart in memory,
    so that only a copy could be flattened, keep their shape: `dense` flattens a chunk of them. The columns of a frame
    are put into the order of `names`, those of the network's inputs.

    Raises
    ------
    DataError
        As in `as_rows`; if the number of features differs from the network's number of inputs; and if a frame's
        columns have other names.
    """
    sparse = is_sparse(x)
    x = x if sparse else lined_up(x, names)
    rows: AnyArray = as_csr(x) if sparse else as_rows(x, finite=finite)
    found = math.prod(rows.shape[1:])
    if found != n_features:
        hint = "; give a single sample a first axis of length 1" if math.prod(rows.shape) == n_features else ""
        raise DataError(
            f"x has {found} features a row (shape {rows.shape}), but the network takes {n_features}{hint}"
        )
    return rows if sparse else flattened(rows)


def flattened(rows: AnyArray) -> AnyArray:
    """Return rows, (n, …), as a view of shape (n, features), or unchanged if there is no such view.

    >>> images = np.zeros((5, 2, 3))
    >>> flattened(images).shape, flattened(images[:, :, 1:]).shape
    ((5, 6), (5, 2, 2))
    """
    one = rows[:1].reshape(1, -1)  # is copied exactly if all rows would be
    return rows.reshape(len(rows), -1) if np.may_share_memory(one, rows) else rows


def as_csr(x: Any) -> Any:
    """Return a sparse matrix of finite numbers as CSR, whose rows can be selected."""
    rows = x.tocsr()
    if len(rows.shape) != 2 or 0 in rows.shape:
        raise DataError(f"x must be a sparse matrix with rows and columns, not of shape {rows.shape}")
    if rows.dtype.kind not in "buif":
        raise DataError(f"x must hold numbers, not {rows.dtype}; convert or encode its columns first")
    infinite = np.flatnonzero(~np.isfinite(rows.data))
    if infinite.size:
        row = int(np.searchsorted(rows.indptr, infinite[0], side="right")) - 1
        raise DataError(f"x holds NaN or infinity, first in row {row}; remove or replace such values")
    return rows


def as_array(values: npt.ArrayLike, name: str) -> AnyArray:
    """Return values as an array of any dtype and shape; refuse rows of different lengths, and masked values."""
    refuse_masked(values, name)
    try:
        return as_numbers(values, name)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{name} must be an array: give all its rows the same length or shape") from error


def refuse_masked(values: object, name: str) -> None:
    """Raise `DataError` if an array, or one in a list, has masked values: they are missing, as NaN is.

    NumPy itself would convert the array without its mask.

    >>> refuse_masked(np.ma.masked_equal([[1, 2], [3, -999]], -999), "x")
    Traceback (most recent call last):
    ...
    numlp.errors.DataError: x has masked values, first in row 1; remove or replace them
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        row = int(np.argwhere(np.atleast_1d(np.ma.getmaskarray(values)))[0][0])
        raise DataError(f"{name} has masked values, first in row {row}; remove or replace them")
    if isinstance(values, list | tuple):
        for row, part in enumerate(values):
            if isinstance(part, np.ma.MaskedArray | list | tuple):
                try:
                    refuse_masked(part, name)
                except DataError:
                    raise DataError(f"{name} has masked values, first in row {row}; remove or replace them") from None
