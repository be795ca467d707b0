"""Windows: batches of rows that lie in files, in blocks in random order, of which a window is in memory at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import AnyArray
from numlp.arrays.stored import Stored
from numlp.data.batches import Batches
from numlp.data.preparation import Batch
from numlp.data.rows import Rows
from numlp.errors import FileFormatError

_WINDOWS = 6  # the part of the memory for each of two windows: one that trains, and one that is being read
_BLOCKS = 1024  # in a window, so that it has the rows of all parts of the data in nearly equal shares …
_LEAST = 1 << 15  # … unless a block would have fewer bytes, since a disk reads few bytes no faster than these
_INDEX = 16  # bytes of the numbers of a row: in its file, and in its window

Index = npt.NDArray[np.intp]
Room = dict[int, AnyArray]


class Sizes(NamedTuple):
    """How many rows a window has, and a block."""

    window: int
    block: int


def sizes(n: int, row_bytes: int, batch_size: int, memory: int) -> Sizes:
    """Return the sizes for n rows, each of so many bytes, if so many bytes of memory are free for all of them.

    A window has whole batches.

    >>> sizes(10_000_000, row_bytes=3_140, batch_size=64, memory=1 << 30)
    Sizes(window=56640, block=55)
    """
    window = max(1, memory // _WINDOWS // (row_bytes + _INDEX) // batch_size) * batch_size
    block = max(1, window // _BLOCKS, _LEAST // row_bytes)
    return Sizes(min(window, n), min(block, window))


def shuffled(rng: np.random.Generator, n: int, batch_size: int) -> Index:
    """Return in which order batches take the n rows of a window.

    The window is cut into as many stretches as a batch has rows, and a row of each stretch is in each batch, at the
    same place. So whoever needs some places of all batches needs some stretches alone, and these are blocks. What
    doesn't fill a batch are rows at equal distances.

    >>> order = shuffled(np.random.default_rng(0), 7, batch_size=3)
    >>> sorted((row - 1) // 2 for row in order[:3].tolist()), order[6:]
    ([0, 1, 2], array([0]))
    """
    rest = n % batch_size
    last = np.arange(rest) * n // max(1, rest)
    stretches = np.delete(np.arange(n), last).reshape(batch_size, -1) if rest < n else np.empty((0, 0), np.intp)
    order = rng.permuted(rng.permutation(stretches), axis=1).T.ravel()
    return np.concatenate([order, rng.permutation(last)])


class WindowedBatches(Batches):
    """Minibatches of rows that lie in files.

    Each epoch puts blocks of neighboring rows into a random order, reads a window of many blocks into memory, and
    shuffles its rows: see `shuffled`. A thread reads the next window while this one trains. The order is a function
    of (seed, epoch) and of the sizes. Where ranks share out the batches, each reads its own rows alone.

    Parameters
    ----------
    rows : Rows
        Stored.
    memory : int
        How many bytes of rows may be in memory.
    weighted : callable, optional
        Gives rows in memory their final weights.
    digest : str
        Of the data that the rows come from, if it is known.
    settings
        As for `Batches`.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        memory: int,
        weighted: Callable[[Rows], Rows] = lambda rows: rows,
        digest: str = "",
        **settings: Any,
    ) -> None:
        self._memory, self._weighted, self.digest = memory, weighted, digest
        super().__init__(rows, **settings)

    def open(self, rows: Rows) -> None:
        """Choose the sizes; `gathered` reads."""
        row_bytes = sum(part.row_bytes for part in _stored(rows) if part is not None)
        self.sizes = sizes(self.n, row_bytes, self.batch_size, self._memory)

    def gathered(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch with their rows as they are in the data."""
        self.prepared.begin_epoch(epoch)
        windows, rooms = self._windows(epoch), cycle(list[Room](({}, {})))
        with ThreadPoolExecutor(1, thread_name_prefix="numlp-reading") as reader:

            def begun() -> tuple[Index, Future[Rows]] | None:
                window = next(windows, None)
                return None if window is None else (window[1], reader.submit(self._read, window[0], next(rooms)))

            coming = begun()
            while coming is not None:
                order, reading = coming
                self._gather_from(self._weighted(self._arrived(reading)))
                coming = begun()
                for start in range(0, len(order), self.batch_size):
                    yield self.batch(order[start : start + self.batch_size])

    def _windows(self, epoch: int) -> Iterator[tuple[Index, Index]]:
        """Yield the numbers of the rows of each window that are to be read, and where batches find them in it."""
        block, rng = self.sizes.block, generator(self.seed, epoch, Role.SHUFFLE)
        starts = np.arange(0, self.n, block)
        rng.shuffle(starts)
        # The block at the end of a window may go on in the next.
        ends = np.cumsum(np.minimum(self.n - starts, block))
        for first in range(0, self.n, self.sizes.window):
            last = min(first + self.sizes.window, self.n)
            some = slice(np.searchsorted(ends, first, "right"), np.searchsorted(ends, last) + 1)
            pieces = [np.arange(start, min(start + block, self.n)) for start in starts[some].tolist()]
            before = first - int(ends[some.start - 1] if some.start else 0)
            numbers = np.sort(np.concatenate(pieces)[before : before + last - first])
            order = shuffled(rng, len(numbers), self.batch_size)
            if self.prepared.shares is not None:
                own = self._own(order)
                places = np.zeros(len(numbers), np.intp)  # rows of other ranks may be any
                places[own] = np.arange(len(own))
                numbers, order = numbers[own], places[order]
            yield numbers, order

    def _own(self, order: Index) -> Index:
        """Return which rows of a window this rank needs, at least one, in ascending order."""
        found = [order[:1]]
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            found += [batch[rows] for rows in self.prepared.needed(len(batch))]
        return np.unique(np.concatenate(found))

    def _arrived(self, reading: Future[Rows]) -> Rows:
        """Return rows that were read, when all ranks have theirs; what fails in one of them is an error in all."""
        shares = self.prepared.shares
        if shares is not None:
            error = reading.exception()
            told = shares.told("" if error is None else str(error) or repr(error))
            reasons = [text for text in told if text]
            if reasons and error is None:
                raise FileFormatError(reasons[0])
        return reading.result()

    def _read(self, numbers: Index, room: Room) -> Rows:
        """Return the rows with these numbers, in memory: in `room`, if that is large enough."""
        ends = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
        runs = [(int(numbers[start]), start, stop) for start, stop in pairwise(ends)]
        made: list[Any] = []
        for i, part in enumerate(_stored(self.rows)):
            if part is None:
                made.append(None)
                continue
            if len(room.get(i, ())) < len(numbers):
                shape = (len(numbers), math.prod(part.shape[1:])) if part.ndim > 1 else len(numbers)
                room[i] = np.empty(shape, part.dtype)
            found = room[i][: len(numbers)]
            for number, start, stop in runs:
                part.read(number, found[start:stop])
            made.append(found)
        return Rows(*made)


def _stored(rows: Rows) -> tuple[Stored | None, ...]:
    found: Any = rows
    return tuple(found)
