"""Buffers: arrays aligned to cache lines.

NumPy lets an array begin at any multiple of 16 bytes. When two BLAS threads then write the two halves of a result,
they share the cache line in the middle, and every row of every operand may straddle two lines. Aligned arrays make
steps with two threads shorter: `make bench-choices` shows by how much.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 64  # bytes in a cache line
_KEPT = 1 << 22  # bytes: more than the output of a layer of usual width for one chunk of predictions


def empty(shape: int | tuple[int, ...], dtype: npt.DTypeLike = float) -> npt.NDArray[Any]:
    """Return an array as `numpy.empty` does, but aligned to a cache line.

    >>> empty((3, 5), "float32").ctypes.data % LINE
    0
    """
    shape = (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def keep_freed() -> None:
    """Let short-lived arrays of up to 4 MiB, such as those of predictions, reuse the same memory.

    glibc may return freed memory to the system and then map it again page by page, until the process has freed one
    block of that size. This function frees such a block without touching it. From then on the process keeps up to
    some 8 MiB of the memory it frees. `make bench-choices` has a case in which this matters.
    """
    np.empty(_KEPT, np.uint8)


def zeros(shape: int | tuple[int, ...], dtype: npt.DTypeLike = float) -> npt.NDArray[Any]:
    """Return an array as `numpy.zeros` does, but aligned to a cache line."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
