"""Slices: rows that are read in slices, and divided among the parts of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table
from numlp.data.ahead import ahead
from numlp.data.chunked import Chunked, Digest, chunk_rows
from numlp.datasets.dataset import AnySplit, taken
from numlp.errors import DataError
from numlp.network.losses import Task

_HELD = 4  # the part of the memory that the rows of a part may fill, in all forms, before they come in chunks
_SAMPLE = 10_000  # rows at most

Bools = npt.NDArray[np.bool_]
Which = Callable[[int, int], Bools]


class Target(NamedTuple):
    """The task, and the names of the classes if it has any."""

    task: Task
    names: tuple[str, ...] | None


def hashed(start: int, stop: int, seed: int) -> AnyArray:
    """Return a number from 0 to 2⁶⁴ for each of the rows from `start` to `stop`, at random by the seed.

    SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (2014).

    >>> bool(np.all(hashed(0, 10, seed=1)[5:] == hashed(5, 10, seed=1)))
    True
    """
    z = np.arange(start, stop, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z += np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    made: AnyArray = z ^ (z >> np.uint64(31))
    return made


def at_random(share: float, seed: int) -> Which:
    """Return what chooses a random share of rows by their numbers alone."""
    limit = np.uint64(share * 2.0**63) * np.uint64(2)

    def which(start: int, stop: int) -> Bools:
        chosen: Bools = hashed(start, stop, seed) < limit
        return chosen

    return which


def from_row(cut: int) -> Which:
    """Return what chooses the rows from this one on."""
    return lambda start, stop: np.arange(start, stop) >= cut


class Part(NamedTuple):
    """The rows of a part, in chunks or, if they fit there, in memory, with their numbers in the file."""

    rows: AnySplit | Chunked
    numbers: AnyArray | None


@dataclass(frozen=True, eq=False)
class Slices:
    """Rows that are read in slices.

    Attributes
    ----------
    n : int
        The number of rows.
    row_bytes : int
        What a row takes in memory.
    memory : int
        How many bytes all rows in memory may take together.
    fetch : callable
        Takes the numbers of the first row and of the one after the last, and which of these rows are there; returns
        those.
    absent : int array
        The numbers of rows that belong to no part, in ascending order.
    """

    n: int
    row_bytes: int
    memory: int
    fetch: Callable[[int, int, Bools], AnySplit]
    absent: AnyArray

    def read(self, which: Which) -> Iterator[tuple[AnyArray, AnySplit, Bools]]:
        """Yield slices: the numbers of their rows, the rows, and which of them are chosen."""
        size = chunk_rows(self.memory, self.row_bytes)
        for start in range(0, self.n, size):
            stop = min(start + size, self.n)
            there = np.ones(stop - start, bool)
            there[self.absent[(self.absent >= start) & (self.absent < stop)] - start] = False
            chosen = which(start, stop)[there]
            numbers = start + np.flatnonzero(there)
            if len(numbers):
                yield numbers, self.fetch(start, stop, there), chosen

    def chunks(self, which: Which, wanted: bool) -> Iterator[AnySplit]:
        """Yield the rows for which `which` tells `wanted`."""
        for _, rows, chosen in ahead(self.read(which)):
            own = chosen == wanted
            if own.any():
                yield rows if own.all() else taken(rows, own)

    def parts(self, which: Which | None) -> tuple[Part, Part | None]:
        """Return the rows that aren't chosen, and those that are, after a pass over all rows.

        Without `which`, all rows are one part.

        Raises
        ------
        DataError
            If one of the parts has no rows.
        """
        collectors = [_Collector(self, which or _none, wanted) for wanted in ((False, True) if which else (False,))]
        for numbers, rows, chosen in ahead(self.read(which or _none)):
            for collector in collectors:
                collector.see(numbers, rows, chosen)
        train, *validation = [collector.part() for collector in collectors]
        return train, validation[0] if validation else None


def _none(start: int, stop: int) -> Bools:
    return np.zeros(stop - start, bool)


class _Collector:
    """Keeps what must be known of a part before its rows come in chunks."""

    def __init__(self, slices: Slices, which: Which, wanted: bool) -> None:
        self._slices, self._which, self._wanted = slices, which, wanted
        self._digest, self._n = Digest(), 0
        self._held: list[AnySplit] | None = []
        self._numbers: list[AnyArray] = []
        self._sample: list[AnySplit] = []
        self._every = -(-slices.n // min(_SAMPLE, max(1, slices.memory // 32 // slices.row_bytes)))

    def see(self, numbers: AnyArray, rows: AnySplit, chosen: Bools) -> None:
        own = chosen == self._wanted
        if not own.any():
            return
        numbers, rows = (numbers, rows) if own.all() else (numbers[own], taken(rows, own))
        self._digest.see(rows)
        self._n += len(numbers)
        if self._held is not None and self._n * self._slices.row_bytes <= self._slices.memory // _HELD:
            self._held.append(rows)
            self._numbers.append(numbers)
        else:
            self._held = None
        first = np.diff(numbers // self._every, prepend=-1) > 0  # of so many rows
        self._sample.append(taken(rows, first))

    def part(self) -> Part:
        if not self._n:
            raise DataError("validation must leave rows for both training and validation; give another share")
        if self._held is not None:
            return Part(_joined(self._held), np.concatenate(self._numbers))
        slices, which, wanted = self._slices, self._which, self._wanted
        sample, digest = _joined(self._sample), self._digest.result()
        return Part(Chunked(self._n, slices.memory, lambda: slices.chunks(which, wanted), sample, digest), None)


def _joined(splits: Sequence[AnySplit]) -> AnySplit:
    parts: list[Any] = []
    for pieces in zip(*splits, strict=True):
        first, *others = pieces
        parts.append(first.followed_by(*others) if isinstance(first, Table) else np.concatenate(pieces))
    return type(splits[0])(*parts)
