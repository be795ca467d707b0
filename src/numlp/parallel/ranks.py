"""Ranks: processes that run the same program, on one machine or on many, and share out the rows of every batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array


class Ranks(ABC):
    """The processes of one run, as one of them sees them. All call the same methods in the same order.

    Attributes
    ----------
    rank : int
        The process's number, from 0.
    size : int
        The number of processes.
    """

    rank: int
    size: int

    @abstractmethod
    def total(self, numbers: npt.NDArray[Any]) -> None:
        """Replace numbers by their sums over all ranks, one by one, with the same bits in each."""

    @abstractmethod
    def largest(self, numbers: npt.NDArray[np.float64]) -> None:
        """Replace numbers, of which none is NaN, by the largest of all ranks, one by one."""

    @abstractmethod
    def broadcast(self, numbers: npt.NDArray[Any]) -> None:
        """Replace numbers by those of rank 0."""

    @abstractmethod
    def told(self, text: str) -> list[str]:
        """Return what all ranks tell, in their order."""

    @abstractmethod
    def failed(self, error: BaseException) -> None:
        """End all ranks, unless they all have failed as this one has."""


def rows_of(n: int, rank: int, size: int) -> slice:
    """Return which of a batch's `n` rows a rank has: about as many as any other, and the first ranks the first rows.

    >>> [rows_of(5, rank, 2) for rank in range(2)]
    [slice(0, 3, None), slice(3, 5, None)]
    >>> [rows_of(1, rank, 2) for rank in range(2)]
    [slice(0, 1, None), slice(1, 1, None)]
    """
    start, stop = (-(-n * r // size) for r in (rank, rank + 1))
    return slice(start, stop)


class RowShares:
    """The exchange between ranks that have some rows of a batch each; see `numlp.arrays.exact.Shares`.

    The next call overwrites what it returns.

    Parameters
    ----------
    ranks : Ranks
    """

    def __init__(self, ranks: Ranks) -> None:
        self.ranks, self.count, self.first = ranks, 0, ranks.rank == 0
        self._room: dict[np.dtype[Any], npt.NDArray[Any]] = {}

    def own(self, n: int) -> slice:
        """Turn to a batch of `n` rows, and return which of them are here."""
        self.count = n
        return rows_of(n, self.ranks.rank, self.ranks.size)

    def largest(self, mine: Array) -> npt.NDArray[np.float64]:
        """Return the largest of all ranks' numbers, one by one; infinity if any is infinite or NaN."""
        numbers = self._copied(mine, np.dtype(np.float64))
        numbers[np.isnan(numbers)] = np.inf  # the maximum of Open MPI loses NaN
        self.ranks.largest(numbers)
        return numbers

    def total(self, mine: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the sums of all ranks' numbers, one by one."""
        numbers = self._copied(mine, mine.dtype)
        self.ranks.total(numbers)
        return numbers

    def told(self, text: str) -> list[str]:
        """Return what all ranks tell, in their order."""
        return self.ranks.told(text)

    def _copied(self, mine: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        room = self._room.get(dtype)
        if room is None or room.size < mine.size:
            room = self._room[dtype] = np.empty(mine.size, dtype)
        numbers = room[: mine.size].reshape(mine.shape)
        np.copyto(numbers, mine)
        return numbers
