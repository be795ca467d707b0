"""Memory: arrays in a block of bytes that several processes see."""

from __future__ import annotations

import math
import mmap
import os
import sys
from multiprocessing.context import BaseContext
from multiprocessing.reduction import DupFd
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


class Block:
    """Bytes that processes share: the first makes them, and the others get them as an argument when they start.

    On Linux they have no name and need no room in /dev/shm or on a disk, and end with the last process.

    Parameters
    ----------
    context : multiprocessing context
        How the processes start.
    size : int

    Attributes
    ----------
    bytes : buffer
        Filled with 0.
    """

    bytes: Any

    def __init__(self, context: BaseContext, size: int) -> None:
        self._file = -1
        if context.get_start_method() == "fork":
            self.bytes = mmap.mmap(-1, size)
        elif sys.platform == "linux":
            self._file = os.memfd_create("numlp")
            try:
                os.ftruncate(self._file, size)
                self.bytes = mmap.mmap(self._file, size)
            except BaseException:
                self.sent()
                raise
        else:
            self.bytes = context.RawArray("b", size)

    def sent(self) -> None:
        """Let go of what only processes that start later would need."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def __getstate__(self) -> tuple[Any, int]:
        """Return what a process needs that is starting: either a file's number or the bytes' own state."""
        return (self.bytes, 0) if self._file < 0 else (DupFd(self._file), len(self.bytes))

    def __setstate__(self, state: tuple[Any, int]) -> None:
        self._file = -1
        self.bytes, size = state
        if size:
            self._file = self.bytes.detach()
            self.bytes = mmap.mmap(self._file, size)
            self.sent()
