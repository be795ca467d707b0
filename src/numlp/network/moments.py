"""Moments: the mean and the variance of every feature, of rows at once or chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_csr, as_rows, flattened
from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.special import AnyArray
from numlp.arrays.wide import Wide, is_wide

_NUMBERS = 1 << 16  # held as float64 at a time: few enough for the cache
_NARROW = 1e-3  # numbers that span less than this part of the largest are summed as differences from the smallest


class Moments:
    """The mean and the variance of every feature of the rows seen so far.

    Chunks are merged as T. Chan, G. Golub and R. LeVeque do, "Algorithms for computing the sample variance" (1983).

    Attributes
    ----------
    n : int
        The number of rows.
    mean, variance : float64 array, shape (features,)
    dtype : dtype
        Of the rows.
    share_a_unit : bool
        Whether the features are pixels, (n, height, width, …).

    Examples
    --------
    >>> moments = Moments()
    >>> moments.see([[1.0], [2.0]])
    >>> moments.see([[6.0]])
    >>> moments.mean, moments.variance
    (array([3.]), array([4.66666667]))
    """

    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    dtype: np.dtype[Any]
    share_a_unit: bool

    def __init__(self) -> None:
        self.n = 0

    def see(self, x: npt.ArrayLike) -> None:
        """Add rows, (n, …).

        Raises
        ------
        DataError
            If there are no rows, or they hold anything but finite numbers.
        """
        array: Any = as_csr(x) if is_sparse(x) else as_rows(x)
        rows = array if is_sparse(array) else flattened(array)
        mean, variance = _moments(rows)
        n, more = self.n, rows.shape[0]
        self.n = n + more
        if not n:
            self.mean, self.variance, self.dtype, self.share_a_unit = mean, variance, array.dtype, array.ndim > 2
            return
        apart, share = mean - self.mean, more / self.n
        self.mean = self.mean + apart * share
        self.variance = self.variance * (1 - share) + variance * share + apart * apart * (share * (1 - share))


def _moments(rows: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean and the variance of every column, from pieces that fit the cache."""
    n, width = rows.shape[0], math.prod(rows.shape[1:])
    size = max(1, _NUMBERS // width)
    if rows.dtype.itemsize == 1:  # sums of up to 256 bytes, and of their squares, are exact in float32
        total, squares, size = np.zeros(width), np.zeros(width), min(size, 256)
        for i in range(0, n, size):
            piece = dense(rows[i : i + size]).astype(np.float32)
            total += np.add.reduce(piece, axis=0)
            squares += np.einsum("ij,ij->j", piece, piece)
        return total / n, (n * squares - total * total) / (n * n)  # of whole numbers: exact below 2⁵³
    origin = _origin(rows, size)
    wide = Wide(origin) if is_wide(rows.dtype, origin.astype(np.float64)) else None

    def pieces() -> Iterator[npt.NDArray[np.float64]]:
        """Yield all rows, less the origin, which few steps away from them leaves all their digits."""
        for i in range(0, n, size):
            piece = dense(rows[i : i + size])
            out = np.empty(piece.shape)
            if wide is None:
                np.subtract(piece, origin, out=out, dtype=np.float64, casting="same_kind")
            else:
                wide.subtracted(piece, out)
            yield out

    mean = _total(pieces()) / n
    return origin + mean, _total(np.square(piece - mean) for piece in pieces()) / n


def _total(pieces: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Return the sums of columns that come in pieces."""
    return exact.total([exact.total(piece, folds=2) for piece in pieces], folds=2)


def _origin(rows: Any, size: int) -> AnyArray:
    """Return the number from which to measure each column: the smallest of a narrow one, else 0."""
    pieces = (dense(rows[i : i + size]) for i in range(0, rows.shape[0], size))
    ends = [(piece.min(axis=0), piece.max(axis=0)) for piece in pieces]
    low: AnyArray = np.min([end[0] for end in ends], axis=0)
    high: AnyArray = np.max([end[1] for end in ends], axis=0)
    least, most = low.astype(np.float64), high.astype(np.float64)
    with np.errstate(over="ignore"):
        narrow = most - least < _NARROW * np.maximum(np.abs(least), np.abs(most))
    low[~narrow] = 0
    return low
