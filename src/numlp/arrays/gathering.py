"""Gathering: rows in any order, a batch at a time, wherever they lie in memory."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.special import AnyArray

_SHARE = 4  # a block has at most this part of all rows …
_MOST = 1 << 25  # … and at most so many bytes

Index = npt.NDArray[np.intp]


class Gathering:
    """Gathers the rows of batches into C-ordered buffers.

    NumPy's `take` gathers C-ordered rows without allocating anything, but copies any other array whole, in every
    call. Other rows are therefore read by indexing, which makes a copy of just these rows. Where the numbers of a row
    lie far apart, as in Fortran order, a random row costs a cache line for each number. So the rows of many batches,
    a block, are read together, in the order of memory, in which neighbors share lines. With blocks of a quarter of
    the rows that takes about half as long as batch by batch for numbers of four bytes, and a fifth for single bytes.

    Parameters
    ----------
    x : array, shape (n, …), or sparse matrix
    batch_size : int

    Attributes
    ----------
    ahead : int
        The number of rows to `read` at a time: those of one batch, of several, or all.

    Examples
    --------
    >>> gathering = Gathering(np.asfortranarray(np.arange(12).reshape(4, 3)), batch_size=2)
    >>> order, out = np.array([3, 1, 0, 2]), np.empty((2, 3), int)
    >>> gathering.read(order[: gathering.ahead])
    >>> gathering.take(order[:2], out=out)
    >>> out
    array([[ 9, 10, 11],
           [ 3,  4,  5]])
    """

    def __init__(self, x: Any, batch_size: int) -> None:
        self._x = x
        self._rows: Index | None = None
        self._block: AnyArray = np.empty(0)
        self._in_place = is_sparse(x) or (x.ndim == 2 and x.flags.c_contiguous and x.flags.aligned)
        batches = -(-x.shape[0] // batch_size)
        if not self._in_place:
            row = math.prod(x.shape[1:]) * x.itemsize
            most = min(len(x) // _SHARE, _MOST // row) if _interleaved(x) else batch_size
            batches = max(1, most // batch_size)
        elif not is_sparse(x):
            # mode="clip" skips a temporary copy and the check of indices, which are valid by construction.
            self.take = partial(np.take, x, axis=0, mode="clip")  # type: ignore[method-assign]
        self.ahead = batches * batch_size

    def read(self, rows: Index) -> None:
        """Prepare to take these rows, the next `ahead`, in any order."""
        if not self._in_place:
            self._block = np.empty(0)  # lets go of the last block before there is a new one
            self._rows = np.sort(rows)
            self._block = dense(self._x[self._rows])

    def take(self, rows: Index, out: AnyArray) -> None:
        """Copy some of the rows that were read into `out`, shape (len(rows), features), C-ordered."""
        if self._rows is None:
            self._x[rows].toarray(out=out)
        else:
            np.take(self._block, np.searchsorted(self._rows, rows), axis=0, out=out, mode="clip")


def _interleaved(x: AnyArray) -> bool:
    """Return whether numbers of other rows lie between those of one row."""
    return abs(x.strides[0]) < max(map(abs, x.strides[1:]), default=0)
