"""Wide integers, of 64 bits: their differences, without the rounding that comes with their conversion to float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray, Array

_BITS = 32
EXACT = 2.0**53  # float64 holds all integers up to here


class Wide:
    """Numbers to subtract from integers of any size, rounded once, at the end.

    Each integer is 2³² · high + low. The halves are exact in float64, and so are their differences.

    Parameters
    ----------
    numbers : array of integers or floats

    Examples
    --------
    >>> nanoseconds = np.array([2**62 + 1, 2**62 + 2])
    >>> Wide(np.array(2**62)).subtracted(nanoseconds, np.empty(2))
    array([1., 2.])
    >>> nanoseconds - 2.0**62
    array([0., 0.])
    """

    def __init__(self, numbers: AnyArray) -> None:
        if numbers.dtype.kind == "f":
            self._high = np.floor(numbers / 2.0**_BITS)
            self._low = numbers - self._high * 2.0**_BITS
        else:
            self._high, self._low = _halves(numbers, np.empty((2, *numbers.shape)))
        self._buffer: npt.NDArray[np.float64] = np.empty((2, 0, 0))

    def subtracted(self, x: AnyArray, out: Array) -> Array:
        """Write integers minus the numbers into `out`; allocate nothing unless there are more rows than before."""
        if self._buffer.shape[2:] != x.shape[1:] or self._buffer.shape[1] < len(x):
            self._buffer = np.empty((2, *x.shape))
        high, low = _halves(x, self._buffer[:, : len(x)])
        np.subtract(high, self._high, out=high)
        np.multiply(high, 2.0**_BITS, out=high)
        np.subtract(low, self._low, out=low)
        np.add(high, low, out=out, casting="same_kind")
        return out


def is_wide(dtype: npt.DTypeLike, shift: Array) -> bool:
    """Return whether numbers of this dtype may lose digits as float64 before a shift is subtracted."""
    dtype = np.dtype(dtype)
    return dtype.kind in "iu" and dtype.itemsize == 8 and bool(np.any(np.abs(shift) >= EXACT))


def _halves(x: AnyArray, out: Any) -> tuple[Any, Any]:
    high = np.right_shift(x, _BITS, out=out[0, ...], casting="unsafe")
    return high, np.bitwise_and(x, 2**_BITS - 1, out=out[1, ...], casting="unsafe")
