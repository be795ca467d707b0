"""Buffers: arrays that begin where a cache line does.

NumPy lets an array begin at any multiple of 16 bytes. Where two threads of the BLAS then write the two halves of a
result, both own the cache line between them, and every row of every operand may lie across two. Arrays that begin
with a line make steps with two threads shorter: `make bench-choices` shows by how much.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 64  # bytes in a cache line
_KEPT = 1 << 22  # bytes: more than what a layer of usual width makes of the rows that are predicted at a time


def empty(shape: int | tuple[int, ...], dtype: npt.DTypeLike = float) -> npt.NDArray[Any]:
    """Return an array as `numpy.empty` does, but one that begins with a cache line.

    >>> empty((3, 5), "float32").ctypes.data % LINE
    0
    """
    shape = (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def keep_freed() -> None:
    """Let arrays of up to 4 MiB that come and go, as those of predictions do, have the same memory again.

    Until something as large was freed, which this does without touching it, glibc may give back to the system what
    they free, and then has it made anew page by page: `make bench-choices` has a case in which it does. From then on
    the process keeps up to some 8 MiB of what it has freed.
    """
    np.empty(_KEPT, np.uint8)


def zeros(shape: int | tuple[int, ...], dtype: npt.DTypeLike = float) -> npt.NDArray[Any]:
    """Return an array as `numpy.zeros` does, but one that begins with a cache line."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
