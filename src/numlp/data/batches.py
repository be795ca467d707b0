"""Batches: minibatches, shuffled, gathered, augmented and scaled in fixed buffers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.arithmetic import ORDINARY, Arithmetic
from numlp.arrays.gathering import Gathering
from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import Array
from numlp.data.augmentation import Images
from numlp.data.preparation import Batch, Preparation, Preparer
from numlp.data.rows import Rows
from numlp.data.teacher import Teacher
from numlp.errors import DataError
from numlp.network.scaling import Scaling
from numlp.settings.checks import whole_number


class Batches:
    """The rows of a data set in minibatches, in a new order every epoch.

    Buffers are allocated once; every batch overwrites the one before. The order and all other randomness depend on
    (seed, epoch) alone, so any epoch can be repeated without the ones before it.

    Parameters
    ----------
    rows : Rows
        Features of any dtype, or sparse; only a batch's rows are ever converted.
    n_targets : int
    batch_size : int
        The last batch of an epoch may be smaller; if `batch_size` exceeds n, it is the only one.
    scaling : Scaling
        Of the inputs.
    dtype : dtype
        Of the batches.
    seed : int
    smoothing : float
        The share by which all targets move towards `rest`, which is 1 / classes for classes and ½ for labels.
        C. Szegedy et al., "Rethinking the inception architecture for computer vision" (2016).
    rest : float
    mixup : float
        Each batch is mixed with itself shifted by one row, in shares λ and 1 − λ, with λ drawn from
        Beta(mixup, mixup). H. Zhang et al., "mixup: beyond empirical risk minimization" (2018).
    augmentation : Images, optional
    image_shape : tuple of int
        The shape of one sample, for `augmentation`.
    arithmetic : Arithmetic
        Of augmentation.
    teacher : Teacher, optional
        Moves the targets of each batch, once it is prepared.

    Examples
    --------
    >>> rows = Rows(np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]))
    >>> batches = Batches(rows, n_targets=2, batch_size=2, scaling=Scaling(), dtype="float64", seed=0)
    >>> for batch in batches.epoch(0):
    ...     print(batch.x.shape, batch.targets.shape, batch.share)
    (2, 2) (2, 2) 1.0
    (1, 2) (1, 2) 0.5
    """

    def __init__(
        self,
        rows: Rows,
        *,
        n_targets: int,
        batch_size: int,
        scaling: Scaling,
        dtype: npt.DTypeLike,
        seed: int,
        smoothing: float = 0.0,
        rest: float = 0.0,
        mixup: float = 0.0,
        augmentation: Images | None = None,
        image_shape: tuple[int, ...] = (),
        arithmetic: Arithmetic = ORDINARY,
        teacher: Teacher | None = None,
    ) -> None:
        x: Any = rows.x
        n = int(x.shape[0])
        size = min(whole_number("batch_size", batch_size), n)
        self.batch_size, self.n = size, n
        self.rows, self.x, self.seed = rows, x, seed
        self._dtype, self._smoothing, self._rest = np.dtype(dtype), smoothing, rest
        self.preparation = Preparation(
            scaling, x.dtype, np.dtype(dtype), seed, mixup, augmentation, image_shape, arithmetic, teacher
        )
        self.prepared = Preparer(self.preparation, (size, math.prod(x.shape[1:])), n_targets)
        inputs = self.prepared.inputs
        # Rows of the right dtype are scaled in place, which saves a pass over them.
        gathered: npt.NDArray[Any] = inputs if x.dtype == inputs.dtype else buffers.empty(inputs.shape, x.dtype)
        rows_of_targets: Array = buffers.empty((size, n_targets), dtype)
        labels = np.arange(size), np.empty(size, np.intp)
        self._buffers = gathered, *labels, rows_of_targets, np.empty(size, dtype)
        self._resize(size)
        self.open(rows)

    def open(self, rows: Rows) -> None:
        """Make ready to gather these rows."""
        self._gather_from(rows)

    def _gather_from(self, rows: Rows) -> None:
        """Gather from these rows, in memory, from here on."""
        targets, dtype = rows.targets, self._dtype
        self._order = np.arange(len(targets))
        self.weights = None if rows.weights is None else rows.weights.astype(dtype)
        self._classes = targets if targets.ndim == 1 else None
        # The targets, or the two numbers that one-hot rows are made of.
        table = np.arange(2.0, dtype=dtype) if targets.ndim == 1 else targets.astype(dtype, order="C")
        self._table = table * (1 - self._smoothing) + self._smoothing * self._rest if self._smoothing else table
        self._gathering = Gathering(rows.x, self.batch_size)

    def _resize(self, n: int) -> None:
        """Cut the buffers to batches of `n` rows."""
        views: Any = (buffer[:n] for buffer in self._buffers)
        self._gathered, *labels, self._targets, self._weights = views
        self._places, self._labels = labels

    def check(self, n_inputs: int, n_targets: int, dtype: np.dtype[Any], arithmetic: Arithmetic) -> None:
        """Refuse a network that takes other inputs or targets than these batches, or computes otherwise."""
        made = (self._gathered.shape[1], self._targets.shape[1], self.preparation.dtype)
        if made != (n_inputs, n_targets, dtype):
            raise DataError(
                f"these batches have (inputs, targets, dtype) {made}, but the network takes "
                f"{(n_inputs, n_targets, dtype)}; make new batches for it"
            )
        mine = self.preparation.arithmetic
        if self.preparation.augmentation is not None and mine is not arithmetic:
            raise DataError(
                f"these batches are augmented in {mine.name} arithmetic, but the network has arithmetic "
                f"{arithmetic.name!r}: make new ones, Batches(arithmetic=network.arithmetic, …)"
            )

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""
        return -(-self.n // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        return map(self.prepared, self.gathered(epoch))

    def gathered(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch with their rows as they are in the data; `prepared` makes them ready."""
        self.arrange(self._order, epoch)
        self.prepared.begin_epoch(epoch)
        for start in range(0, len(self._order), self.batch_size):
            if start % self._gathering.ahead == 0:
                self._gathering.read(self._order[start : start + self._gathering.ahead])
            yield self.batch(self._order[start : start + self.batch_size])

    def arrange(self, order: npt.NDArray[np.intp], epoch: int) -> None:
        """Overwrite `order`, (n,), with the order in which an epoch takes the rows."""
        order[:] = np.arange(len(order))
        generator(self.seed, epoch, Role.SHUFFLE).shuffle(order)

    def batch(self, index: npt.NDArray[np.intp]) -> Batch:
        """Gather the rows with these indices, which `gathered` has read."""
        n = len(index)
        if n != len(self._targets):
            self._resize(n)
        gathered, targets, weights = self._gathered, self._targets, None
        for rows in self.prepared.needed(n):
            if len(index[rows]):
                self._gathering.take(index[rows], out=gathered[rows])
        if self.weights is not None:
            weights = np.take(self.weights, index, out=self._weights, mode="clip")
        if self._classes is None:
            np.take(self._table, index, axis=0, out=targets, mode="clip")
        else:
            targets.fill(self._table[0])
            targets[self._places, np.take(self._classes, index, out=self._labels, mode="clip")] = self._table[1]
        return Batch(gathered, targets, weights, n / self.batch_size)
