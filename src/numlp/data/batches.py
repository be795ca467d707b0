"""Batches: minibatches, shuffled, gathered, augmented and scaled in fixed buffers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.gathering import Gathering
from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import Array
from numlp.data.augmentation import Images
from numlp.data.rows import Rows
from numlp.errors import DataError
from numlp.network.scaling import Scaling, data_range
from numlp.settings.checks import whole_number

_TINY = 1e-30  # replaces a weight of 0


class Batch(NamedTuple):
    """The rows of one training step.

    Attributes
    ----------
    x : array, shape (n, inputs)
        Scaled, once it is prepared.
    targets : array, shape (n, targets)
    weights : array, shape (n,), or None
        How much each row counts.
    share : float
        The length of the step relative to that of a full batch.
    """

    x: Array
    targets: Array
    weights: Array | None = None
    share: float = 1.0


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
    ) -> None:
        x: Any = rows.x
        targets, weights, n = rows.targets, rows.weights, int(x.shape[0])
        size = min(whole_number("batch_size", batch_size), n)
        self.batch_size = size
        self.x, self.seed, self.mixup = x, seed, mixup
        self.weights = None if weights is None else weights.astype(dtype)
        self.scaling, self.source = scaling, x.dtype
        self.scale = scaling.between(x.dtype, dtype)
        self._classes = targets if targets.ndim == 1 else None
        # The targets, or the two numbers that one-hot rows are made of.
        table = np.arange(2.0, dtype=dtype) if targets.ndim == 1 else targets.astype(dtype, order="C")
        self._table = table * (1 - smoothing) + smoothing * rest if smoothing else table
        self._order = np.arange(n)
        self._gathering = Gathering(x, size)
        inputs: Array = buffers.empty((size, math.prod(x.shape[1:])), dtype)
        # Rows of the right dtype are scaled in place, which saves a pass over them.
        gathered: npt.NDArray[Any] = inputs if x.dtype == inputs.dtype else buffers.empty(inputs.shape, x.dtype)
        augmented: Array = buffers.empty(inputs.shape if augmentation else (0, 0), dtype)
        rows_of_targets: Array = buffers.empty((size, n_targets), dtype)
        labels = np.arange(size), np.empty(size, np.intp)
        self._buffers = gathered, augmented, inputs, *labels, rows_of_targets, np.empty(size, dtype)
        self._resize(size)
        mixed = (self._inputs, self._targets, self._weights)
        self._partners = tuple(np.empty_like(array) for array in mixed) if mixup else ()
        self._augment = None if augmentation is None else augmentation.bind(image_shape, size, data_range(x.dtype))

    def _resize(self, n: int) -> None:
        """Cut the buffers to batches of `n` rows."""
        views: Any = (buffer[:n] for buffer in self._buffers)
        self._gathered, self._augmented, self._inputs, *labels, self._targets, self._weights = views
        self._places, self._labels = labels

    def check(self, n_inputs: int, n_targets: int, dtype: np.dtype[Any]) -> None:
        """Refuse a network that takes other inputs or targets than these batches."""
        made = (self._inputs.shape[1], self._targets.shape[1], self._inputs.dtype)
        if made != (n_inputs, n_targets, dtype):
            raise DataError(
                f"these batches have (inputs, targets, dtype) {made}, but the network takes "
                f"{(n_inputs, n_targets, dtype)}; make new batches for it"
            )

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self._order) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        return map(self.prepared, self.gathered(epoch))

    def gathered(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch with their rows as they are in the data; `prepared` makes them ready."""
        self.arrange(self._order, epoch)
        self._augmenting = generator(self.seed, epoch, Role.AUGMENTATION)
        self._mixing = generator(self.seed, epoch, Role.MIXUP)
        for start in range(0, len(self._order), self.batch_size):
            if start % self._gathering.ahead == 0:
                self._gathering.read(self._order[start : start + self._gathering.ahead])
            yield self.batch(self._order[start : start + self.batch_size])

    @property
    def only_scales(self) -> bool:
        """Whether all that `prepared` does is to scale the rows."""
        return self._augment is None and not self.mixup

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
        self._gathering.take(index, out=gathered)
        if self.weights is not None:
            weights = np.take(self.weights, index, out=self._weights, mode="clip")
        if self._classes is None:
            np.take(self._table, index, axis=0, out=targets, mode="clip")
        else:
            targets.fill(self._table[0])
            targets[self._places, np.take(self._classes, index, out=self._labels, mode="clip")] = self._table[1]
        return Batch(gathered, targets, weights, n / self.batch_size)

    def prepared(self, gathered: Batch) -> Batch:
        """Return a batch that was gathered last: augmented, scaled and mixed."""
        x, targets, weights, share = gathered
        if self._augment is not None:
            x = self._augment(x, self._augmented, self._augmenting)
        batch = Batch(self.scale(x, self._inputs), targets, weights, share)
        if self.mixup:
            self._mix(batch, self._mixing.beta(self.mixup, self.mixup))
        return batch

    def _mix(self, batch: Batch, share: float) -> None:
        """Mix every row with the one before it, which is a random partner, since the order is random.

        Targets count by their rows' weights: mixed weighted targets, divided by mixed weights, are the new targets.
        """
        if batch.weights is not None:
            np.multiply(batch.targets, batch.weights[:, None], out=batch.targets)
        for rows, buffer in zip((batch.x, batch.targets, batch.weights), self._partners, strict=True):
            if rows is None:
                continue
            partners = buffer[: len(rows)]
            np.multiply(rows[:-1], 1 - share, out=partners[1:])
            np.multiply(rows[-1:], 1 - share, out=partners[:1])
            np.multiply(rows, share, out=rows)
            np.add(rows, partners, out=rows)
        if batch.weights is not None:
            quotient = np.maximum(batch.weights, _TINY, out=self._partners[2][: len(batch.weights)])
            np.divide(batch.targets, quotient[:, None], out=batch.targets)
