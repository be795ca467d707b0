"""Exact products of matrices of float32 numbers, with the same bits everywhere.

Factors are rounded to multiples of a power of two, their grid (`numlp.arrays.exact`). If two factors have b bits
together, 2⁵³⁻ᵇ of their products sum to at most the 2⁵³-fold of the grid of products, and float64 holds that: 44 bits
for 512 products, 48, those of two float32 numbers, for 32. So the BLAS's sums are exact, whatever their order.
Longer sums are made of pieces. Two pieces are added in float64, which rounds once. More are added as integers of 64
bits, and so are those of several processes, so that the bits don't depend on who has which part.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact, products
from numlp.arrays.exact import Float64
from numlp.arrays.special import Array

_MOST_BITS = 24  # of a factor: those of float32
_PIECE = 512  # products
_TOLERANCE = 2.25  # times the variance of the rounding errors
_X, _W, _DELTA = range(3)
_BITS_OF_INTEGERS = 62  # without the sign, with room for the total
ENDLESS = 1 << 12  # stands for the exponent of NaN and infinity, which no integer can be

Grid = int | npt.NDArray[np.integer[Any]]


class Bits(NamedTuple):
    """The bits of the two factors of each product of a layer: of x and W, of x and δ, and of δ and W."""

    outputs: tuple[int, int]
    weights: tuple[int, int]
    inputs: tuple[int, int]


def bits(k: int, n: int = 1, m: int = 1) -> Bits:
    """Return how many bits x, (n, k), W, (k, m), and δ, (n, m), may have in x W, xᵀ δ and δ Wᵀ, sums of k, n and m.

    A matrix that has other bits in its second product than in its first has to be rounded twice. So it only has
    where the rounding errors would otherwise be much larger than they must.

    >>> bits(128, 64, 128)
    Bits(outputs=(23, 23), weights=(23, 23), inputs=(23, 23))
    >>> bits(784, 64, 128)
    Bits(outputs=(22, 22), weights=(23, 24), inputs=(24, 22))
    """
    pairs = ((_X, _W), (_X, _DELTA), (_DELTA, _W))
    together = [_bits_together(length) for length in (k, n, m)]
    shared = [_MOST_BITS] * 3
    for most, pair in sorted(zip(together, pairs, strict=True)):
        while sum(shared[i] for i in pair) > most:
            shared[max(reversed(pair), key=shared.__getitem__)] -= 1
    found = ((shared[a], shared[b]) for a, b in pairs)
    return Bits(*(_enough(*pair, most) for pair, most in zip(found, together, strict=True)))


def _enough(a: int, b: int, most: int) -> tuple[int, int]:
    """Return these bits of two factors, or more if their rounding errors are too large."""
    best = min(most / 2, _MOST_BITS)
    if 4.0**-a + 4.0**-b <= _TOLERANCE * 2 * 4.0**-best:
        return a, b
    while a + b < most and min(a, b) < _MOST_BITS:
        a, b = (a + 1, b) if a < b else (a, b + 1)
    return a, b


def _bits_together(length: int) -> int:
    """Return how many bits two factors may have together in sums of so many products."""
    piece = min(length, _PIECE)
    return min(exact.DIGITS - (piece - 1).bit_length(), _BITS_OF_INTEGERS - (length - 1).bit_length())


def sums_of(length: int, whole: bool = True) -> npt.DTypeLike:
    """Return the dtype of sums of so many products, float64 or int64; not `whole` if other processes have parts."""
    return np.float64 if length <= _PIECE * (2 if whole else 1) else np.int64


def multiply(
    a: Float64, b: Float64, grid: Grid, out: npt.NDArray[Any], rows: int = 0, scratch: Float64 | None = None
) -> npt.NDArray[Any]:
    """Write a b, shapes (n, k) and (k, m), whose products are multiples of 2^grid, into an array of `sums_of`.

    Integers count these multiples. `rows` is how many rows of a to multiply at a time, or 0 for all. `scratch`, of
    the shape of `out`, is room for a piece.
    """
    k = a.shape[1]
    if out.dtype == np.float64 and k <= _PIECE:
        return products.multiply(a, b, out, rows)
    piece: Float64 = np.empty(out.shape) if scratch is None else scratch
    if out.dtype == np.float64:
        half = length_of_piece(k)
        products.multiply(a[:, :half], b[:half], out, rows)
        products.multiply(a[:, half:], b[half:], piece, rows)
        np.add(out, piece, out=out)
        return out
    out.fill(0)
    if is_endless(grid):
        return out
    for start in range(0, k, _PIECE):
        part = slice(start, start + _PIECE)
        products.multiply(a[:, part], b[part], piece, rows)
        np.multiply(piece, exact.powers(np.negative(grid)), out=piece)
        np.add(out, piece.astype(np.int64), out=out)
    return out


def rounded(sums: npt.NDArray[Any], grid: Grid, out: Array) -> Array:
    """Write the numbers that `multiply` made, rounded once to float32."""
    if sums.dtype == np.float64:
        np.copyto(out, sums, casting="same_kind")
    elif is_endless(grid):
        out.fill(np.nan)
    else:
        np.multiply(sums, exact.powers(grid), out=out, casting="same_kind")
    return out


def product(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return a b as float32, shapes (n, k) and (k, m), where no row of the result depends on other rows of a.

    Each row of b gets a grid of its own, whose inverse goes to that column of a; then each row of a. So neither
    large columns of a beside small ones, nor large rows, take digits from the others. Rows with NaN or infinity give
    NaN, and so do all if b has any.

    >>> product([[2e6, 1.0], [0.0, 2e-9]], [[0.5, 0.0], [0.0, 4.0]])
    array([[1.e+06, 4.e+00],
           [0.e+00, 8.e-09]], dtype=float32)
    """
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    k = a.shape[1]
    of_a, of_b = bits(k).outputs
    largest = np.maximum(b.max(axis=1), -b.min(axis=1))
    if not np.isfinite(largest).all():
        return np.full((len(a), b.shape[1]), np.nan, np.float32)
    of_rows = exact.exponents(largest)
    most = int(of_rows.max())
    shift = np.maximum(of_rows - most, exact.LEAST)  # at most 0, so that nothing overflows
    balanced = a * exact.powers(shift).astype(np.float32)
    right = b * exact.powers(-shift)[:, None]
    largest = np.maximum(balanced.max(axis=1), -balanced.min(axis=1))
    endless = ~np.isfinite(largest)
    balanced[endless] = 0
    of_balanced = exact.exponents(np.where(endless, 0, largest))[:, None]
    # To whole numbers, since each row has another grid.
    left = np.rint(balanced * exact.powers(of_a - of_balanced))
    exact.on_grid(right, most - of_b, right)
    sums = multiply(left, right, most - of_b, np.empty((len(a), b.shape[1]), sums_of(k)))
    scales = exact.powers(of_balanced - of_a if sums.dtype == np.float64 else of_balanced + (most - of_a - of_b))
    found: Array = (sums * scales).astype(np.float32)
    found[endless] = np.nan
    return found


def is_endless(grid: Grid) -> bool:
    """Return whether this is the grid of NaN or infinity."""
    return (grid if isinstance(grid, int) else int(np.max(grid))) > ENDLESS // 2


def length_of_piece(k: int) -> int:
    """Return the length of the pieces that `multiply` makes of sums of k products."""
    return k if k <= _PIECE else min(k // 2, _PIECE)
