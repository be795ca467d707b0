r"""Exact sums of floats, whose bits depend neither on order, nor on threads, nor on the machine.

Floating-point sums round after every addition, so their last bits depend on the order, which every BLAS chooses anew.
Multiples of one power of two don't round in float64 as long as their sum stays below its 2⁵³-fold. So numbers are
first rounded to multiples of a power of two, their grid. Then they are added exactly, in whatever order, and the
result is rounded once. For a sum of n numbers, the largest gets 51 − ⌈log₂ n⌉ bits. S. Rump, T. Ogita, S. Oishi,
"Accurate floating-point summation" (2008), take numbers apart in the same way.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Float64 = npt.NDArray[np.float64]

LEAST = -100  # exponents below count as this one: 2^-100 and what is smaller than its last bit don't matter
DIGITS = 53  # of float64, in bits
_FINEST = -1000  # the exponent of the finest grid
_LARGEST = 2.0**500  # larger numbers are made smaller before they are added
_WITHOUT_DIGITS = 0x7FF << 52  # the bits of a float64 that hold its exponent


class Exchange(Protocol):
    """Brings together what several processes found, each of which calls the methods with its own part.

    The next call may overwrite what they return.
    """

    def largest(self, mine: Array) -> Float64:
        """Return the largest of all processes' numbers, one by one."""
        ...

    def total(self, mine: Array) -> Float64:
        """Return the sums of all processes' numbers, one by one."""
        ...


class Shares(Exchange, Protocol):
    """The exchange of processes that each have some rows of a batch.

    Attributes
    ----------
    count : int
        The number of rows in the batch, here and in the other processes.
    first : bool
        Whether the first row of every batch is here.
    """

    count: int
    first: bool

    def own(self, n: int) -> slice:
        """Turn to a batch of `n` rows, and return which of them are here."""
        ...

    def told(self, text: str) -> list[str]:
        """Return what all processes tell, in their order."""
        ...


def exponents(largest: npt.ArrayLike) -> npt.NDArray[np.intc]:
    """Return the least e with number < 2ᵉ for magnitudes; −100 for smaller ones and 0.

    >>> exponents([0.75, 1.0, 0.0])
    array([   0,    1, -100], dtype=int32)
    """
    largest = np.asarray(largest)
    found = np.frexp(largest)[1]
    return np.maximum(np.where(largest == 0, LEAST, found), LEAST)


def powers(exponent: npt.ArrayLike) -> Float64:
    """Return 2ᵉ for whole numbers e from −1,022 to 1,023.

    >>> powers([3, -1])
    array([8. , 0.5])
    """
    bits = np.asarray(exponent, np.int64) + 1023
    return (bits << 52).view(np.float64)


def on_grid(x: Array, exponent: Any, out: Float64) -> Float64:
    """Write numbers rounded to multiples of 2ᵉ, of which none may exceed the 2⁵¹-fold.

    float64 has no finer digits than 2ᵉ beside 3 · 2⁵¹⁺ᵉ, so adding that rounds, and subtracting it is exact.

    >>> on_grid(np.array([1.3, -2.6]), -1, np.empty(2))
    array([ 1.5, -2.5])
    """
    places = exponent + (DIGITS - 2)
    shift = 3 * (math.ldexp(1.0, places) if isinstance(places, int) else powers(places))
    np.copyto(out, x)  # in one pass: ufuncs convert small parts at a time, which takes longer
    np.add(out, shift, out=out)
    return np.subtract(out, shift, out=out)


def total(
    x: npt.ArrayLike, axis: int = 0, *, folds: int = 1, count: int | None = None, exchange: Exchange | None = None
) -> Float64:
    r"""Return the sums of numbers along an axis, as float64.

    Parameters
    ----------
    x : array_like
    axis : int
    folds : int
        With one, each sum's error is at most :math:`n^2 2^{-53}` times the largest number in it: enough for float32.
        With two, what the first leaves over is added up as well, and the error is about that of one rounding.
    count : int, optional
        The number of numbers in a sum, where other processes have some of them.
    exchange : Exchange, optional
        With these processes.

    Examples
    --------
    >>> float(total([1e6, 0.1, -1e6], folds=2)), float(np.sum([1e6, 0.1, -1e6]))
    (0.1, 0.09999999997671694)
    """
    numbers = np.asarray(x, np.float64)
    n = numbers.shape[axis] if count is None else count
    if not numbers.size and exchange is None:
        return np.zeros(np.delete(numbers.shape, axis))
    largest = np.maximum.reduce(np.abs(numbers), axis, keepdims=True, initial=0)
    if exchange is not None:
        largest = exchange.largest(largest)
    # 2ᵉ ≤ largest < 2ᵉ⁺¹: a float64 without its digits. It is 0 for denormal numbers, which never round.
    power = (largest.view(np.int64) & _WITHOUT_DIGITS).view(np.float64)
    most = float(np.maximum.reduce(power, None))
    if most > _LARGEST:
        if most < math.inf:
            small = total(numbers / _LARGEST, axis, folds=folds, count=count, exchange=exchange)
            with np.errstate(over="ignore"):  # as sums do
                return small * _LARGEST
        power[np.isinf(power)] = 0  # and NaN or infinity stay what they are
    # As in `on_grid`, with room for n numbers below 2ᵉ⁺¹.
    shift = power * (3 << (n - 1).bit_length() + 1)
    rounded = np.add(numbers, shift)
    np.subtract(rounded, shift, out=rounded)
    sums: Float64 = np.add.reduce(rounded, axis)
    if exchange is not None:
        sums = exchange.total(sums).copy()
    if folds == 1:
        return sums
    with np.errstate(invalid="ignore"):  # nothing is left over of infinity
        rest = np.subtract(numbers, rounded, out=rounded)
    rest[~np.isfinite(rest)] = 0
    return sums + total(rest, axis, folds=folds - 1, count=count, exchange=exchange)


def mean(x: npt.ArrayLike, axis: int = 0, weights: npt.ArrayLike | None = None) -> Float64:
    """Return the means of numbers along an axis, as float64, with errors of about one rounding.

    `weights` say how much each number along the axis counts.

    >>> float(mean([1.0, 2.0, 6.0])), float(mean([1.0, 2.0, 6.0], weights=[1, 1, 0]))
    (3.0, 1.5)
    """
    numbers = np.asarray(x, np.float64)
    if weights is None:
        plain: Float64 = total(numbers, axis, folds=2) / numbers.shape[axis]
        return plain
    counts = np.asarray(weights, np.float64)
    shape = [-1 if i == axis % numbers.ndim else 1 for i in range(numbers.ndim)]
    weighted: Float64 = total(numbers * counts.reshape(shape), axis, folds=2) / total(counts, folds=2)
    return weighted


def sums_by_index(
    index: npt.NDArray[np.intp], rows: Array, n: int, *, count: int | None = None, exchange: Exchange | None = None
) -> Float64:
    """Return the sums of the rows that share an index, (n, …), with the error of one fold of `total`.

    `count` and `exchange` as for `total`, where other processes have some of the rows.

    >>> sums_by_index(np.array([0, 2, 0]), np.array([[1.0], [2.0], [3.0]]), 3)
    array([[4.],
           [0.],
           [2.]])
    """
    sums = np.zeros((n, *rows.shape[1:]))
    largest = np.abs(rows).max(axis=None, initial=0, keepdims=True)
    if exchange is not None:
        largest = exchange.largest(largest)
    length = (len(rows) if count is None else count) or 1
    exponent = int(np.frexp(largest.item())[1]) - (DIGITS - 2) + (length - 1).bit_length()
    np.add.at(sums, index, on_grid(rows, max(exponent, _FINEST), np.empty(rows.shape)))
    return sums if exchange is None else exchange.total(sums)


def orthonormal(columns: Float64) -> Float64:
    """Return Q of columns = Q R, where QᵀQ = 1 and R is triangular with a positive diagonal.

    >>> orthonormal(np.array([[3.0, 1.0], [0.0, 2.0]]))
    array([[1., 0.],
           [0., 1.]])
    """
    # Gram-Schmidt, twice: once leaves rounding errors, twice is enough. L. Giraud et al. (2005).
    q = np.empty_like(columns)
    for i, column in enumerate(columns.T):
        for _ in range(2):
            shares = total(q[:, :i] * column[:, None], 0)
            column = column - total(q[:, :i] * shares, 1)
        q[:, i] = column / np.sqrt(total(column * column))
    return q
