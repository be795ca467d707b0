"""Inputs: what `train`, `evaluate` and `predict` take as x, checked once and brought into shape.

Nothing is converted to float here: rows stay as they are (`uint8`, memory-mapped, …), and whoever reads them scales
them batch by batch.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray, all_finite
from numlp.errors import DataError

_CHUNK = 4096  # rows that are looked at at a time


def as_rows(x: npt.ArrayLike, name: str = "x", *, finite: bool = True) -> AnyArray:
    """Return `x` as an array of at least one row of finite numbers, in its own shape and dtype.

    With ``finite=False`` the numbers are not looked at: whoever reads the rows calls `require_finite`.

    Raises
    ------
    DataError
        If `x` is empty, no array of numbers, or holds NaN or infinity.

    >>> as_rows([["a", "b"]])
    Traceback (most recent call last):
    ...
    numlp.errors.DataError: x must hold numbers, not <U1: convert or encode its columns first
    """
    array = as_array(x, name)
    if array.dtype.kind not in "buif":
        raise DataError(f"{name} must hold numbers, not {array.dtype}: convert or encode its columns first")
    if array.ndim == 0:
        raise DataError(f"{name} is a single number: it must be an array of rows, shape (n, …)")
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {array.shape}")
    if finite:
        for start in range(0, len(array), _CHUNK):
            require_finite(array[start : start + _CHUNK], start, name)
    return array


def require_finite(rows: AnyArray, start: int = 0, name: str = "x") -> None:
    """Raise `DataError` if one of these rows, of which the first is row `start`, holds NaN or infinity."""
    if rows.dtype.kind == "f" and not all_finite(rows):
        row = start + int(np.argwhere(~np.isfinite(rows))[0][0])
        raise DataError(f"{name} holds NaN or infinity, first in row {row}: remove or replace such values")


def as_features(x: npt.ArrayLike, n_features: int, *, finite: bool = True) -> AnyArray:
    """Return `x`, shape (n, …), flattened to (n, features), after the checks of `as_rows`.

    A sparse matrix of SciPy's remains one, of the kind whose rows can be taken (CSR).

    Raises
    ------
    DataError
        As `as_rows`, and if the rows have another number of features than the network has inputs.
    """
    sparse = is_sparse(x)
    rows: AnyArray = as_csr(x) if sparse else as_rows(x, finite=finite)
    found = math.prod(rows.shape[1:])
    if found != n_features:
        hint = " (a single sample needs a first axis of length 1)" if math.prod(rows.shape) == n_features else ""
        raise DataError(f"x has {found} features a row (shape {rows.shape}), the network takes {n_features}{hint}")
    return rows if sparse else rows.reshape(len(rows), found)


def as_csr(x: Any) -> Any:
    """Return a sparse matrix of finite numbers as one whose rows can be taken."""
    rows = x.tocsr()
    if len(rows.shape) != 2 or 0 in rows.shape:
        raise DataError(f"x must be a sparse matrix of rows, not of shape {rows.shape}")
    if rows.dtype.kind not in "buif":
        raise DataError(f"x must hold numbers, not {rows.dtype}")
    infinite = np.flatnonzero(~np.isfinite(rows.data))
    if infinite.size:
        row = int(np.searchsorted(rows.indptr, infinite[0], side="right")) - 1
        raise DataError(f"x holds NaN or infinity, first in row {row}: remove or replace such values")
    return rows


def as_array(values: npt.ArrayLike, name: str) -> AnyArray:
    """Return values as an array of any kind and shape, or raise `DataError` if their lengths differ."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"{name} is no array: its rows must all have the same length, or shape") from error
