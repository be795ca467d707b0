"""Memory: arrays in a block of bytes that several processes see."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.buffers import LINE


class Memory:
    """Gives out arrays one after the other, so that processes that ask for the same ones find the same bytes.

    Parameters
    ----------
    block : buffer, optional
        Filled with 0. Without one, the arrays are each for themselves: to find out the size of a block.

    Attributes
    ----------
    size : int
        The number of bytes given out.

    Examples
    --------
    >>> block = bytearray(1000)
    >>> first, again = (Memory(block).array((2, 3), "float32") for _ in range(2))
    >>> first[1, 1] = 7
    >>> float(again[1, 1])
    7.0
    """

    def __init__(self, block: Any = None) -> None:
        self._bytes = None if block is None else np.frombuffer(block, np.uint8)
        self.size = 0

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return the next array, aligned to a cache line."""
        count = math.prod(shape) * np.dtype(dtype).itemsize
        start, self.size = self.size, self.size + -(-count // LINE) * LINE
        if self._bytes is None:
            return np.zeros(shape, dtype)
        return self._bytes[start : start + count].view(dtype).reshape(shape)
