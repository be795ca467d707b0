"""Team: what the members that train one network together can do."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array

EVERY = slice(None)
_GROUP = 16  # units: float32 numbers in a cache line, which two members had better not write to at once


def units_of(width: int, rank: int, size: int) -> slice:
    """Return which of a layer's units a member owns: about as many as any other.

    >>> [units_of(128, rank, 2) for rank in range(2)]
    [slice(0, 64, None), slice(64, 128, None)]
    >>> [units_of(5, rank, 2) for rank in range(2)]
    [slice(0, 2, None), slice(2, 5, None)]
    """
    group = _GROUP if width >= 2 * _GROUP * size else 1
    groups = width // group
    start, stop = (groups * r // size * group for r in (rank, rank + 1))
    return slice(start, width if rank == size - 1 else stop)


class Member(Protocol):
    """What a member of a team does."""

    def follow(self) -> None:
        """Obey the leader, for ever."""


class Program(Protocol):
    """What every member of a team runs first."""

    def __call__(self, team: Team) -> Member:
        """Return what the member does, after it has asked for all shared arrays."""


class Team(Protocol):
    """The members of a team, as one of them sees it. Each runs the same program on its own part of the network.

    Attributes
    ----------
    rank : int
        The member's number. Rank 0 leads.
    size : int
        The number of members.
    """

    rank: int
    size: int

    def start(self, program: Program) -> Any:
        """Start all other members, as the leader; return what `program` returns for itself."""

    def end(self) -> None:
        """End all other members, which keep nothing that the leader hasn't got as well."""

    def share(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array that all members see, filled with 0. All must ask for the same arrays in the same order."""

    def arrive(self) -> None:
        """Tell all others that what this member wrote into shared arrays may be read."""

    def wait(self) -> None:
        """Wait until all others have arrived as often as this member has waited."""

    def command(self) -> None:
        """Let the others go on, as the leader."""

    def obey(self) -> None:
        """Wait for the leader's command."""

    def report(self) -> None:
        """Tell the leader, who waits for all reports, that its command is carried out."""


class Gather:
    """Gathers columns: every member gives those of its own units, and gets all.

    Parameters
    ----------
    team : Team
    batch_size, width : int
        The largest number of rows, and the number of all columns.
    own : slice
        The columns of this member.
    dtype : dtype
    """

    def __init__(self, team: Team, batch_size: int, width: int, own: slice, dtype: npt.DTypeLike) -> None:
        self._team, self._own = team, own
        self._all: Array = team.share((batch_size, width), dtype)

    def resize(self, n: int) -> None:
        """Cut the buffer to `n` rows."""
        self._whole = self._all[:n]
        self._mine = self._whole[:, self._own]

    def __call__(self, columns: Array) -> Array:
        """Return all columns, (n, width), for this member's, which each member passes."""
        np.copyto(self._mine, columns)
        self._team.arrive()
        self._team.wait()
        return self._whole


class GatherRows:
    """Gathers rows: every member makes some, and gets all.

    Parameters
    ----------
    team : Team
    shape : (int, int)
        The largest number of rows, and the number of columns.
    dtype : dtype

    Attributes
    ----------
    all : array
        Where every member writes its own rows, when nobody reads the last ones any more.
    """

    def __init__(self, team: Team, shape: tuple[int, int], dtype: npt.DTypeLike) -> None:
        self._team = team
        self.all: Array = team.share(shape, dtype)

    def own(self, n: int) -> slice:
        """Return which of `n` rows this member makes; none, if there are fewer rows than members."""
        rank, size = self._team.rank, self._team.size
        return slice(n * rank // size, n * (rank + 1) // size)

    def meet(self) -> None:
        """Wait until all members have written theirs."""
        self._team.arrive()
        self._team.wait()


class Exchange:
    """Brings together a few numbers of every member, which all call the same methods in the same order.

    The next call overwrites what they return.

    Parameters
    ----------
    team : Team
    count : int
        The largest number of numbers.
    """

    def __init__(self, team: Team, count: int) -> None:
        self._team = team
        # Of two exchanges in a row, the second must not overwrite what others still read of the first.
        self._arrays = [team.share((team.size, count), np.float64) for _ in range(2)]
        self._result: npt.NDArray[np.float64] = np.empty(count)

    def largest(self, mine: Array) -> npt.NDArray[np.float64]:
        """Return the largest of all members' numbers, one by one; NaN if any is NaN."""
        return self._joined(np.maximum, mine)

    def total(self, mine: Array) -> npt.NDArray[np.float64]:
        """Return the sums of all members' numbers, one by one, added in the order of the ranks."""
        return self._joined(np.add, mine)

    def _joined(self, function: np.ufunc, mine: Array) -> npt.NDArray[np.float64]:
        numbers = self._arrays[0][:, : mine.size]
        self._arrays.reverse()
        numbers[self._team.rank] = mine.reshape(-1)
        self._team.arrive()
        self._team.wait()
        joined = self._result[: mine.size]
        function.reduce(numbers, axis=0, out=joined)
        return joined.reshape(mine.shape)


class Total:
    """Adds partial sums: every member writes one, and gets the total, or a part of it.

    The order of summation is that of the ranks, so all members get the same bits.

    Parameters
    ----------
    team : Team
    count : int
        The largest number of numbers in a partial sum.
    dtype : dtype

    Attributes
    ----------
    partial : array
        Where this member writes its partial sum.
    """

    def __init__(self, team: Team, count: int, dtype: npt.DTypeLike) -> None:
        self._team = team
        self._all: npt.NDArray[Any] = team.share((team.size, count), dtype)

    def resize(
        self, shape: tuple[int, ...], own: slice | tuple[slice, ...] = EVERY, dtype: npt.DTypeLike | None = None
    ) -> None:
        """Cut the buffers to partial sums of a shape, of which this member wants `own` of the total.

        A `dtype` may be another one of the same size.
        """
        partials = self._all[:, : math.prod(shape)].view(dtype or self._all.dtype).reshape(-1, *shape)
        self.partial = partials[self._team.rank]
        self._first, self._second, *self._others = (partial[own] for partial in partials)

    def send(self) -> None:
        """Tell the others that `partial` is written."""
        self._team.arrive()

    def receive(self, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Write the part of the total that this member wants, when all have sent theirs."""
        self._team.wait()
        np.add(self._first, self._second, out=out)
        for other in self._others:
            np.add(out, other, out=out)
        return out
