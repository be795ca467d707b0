"""Preparation: what becomes of a batch once it is gathered: augmented, scaled, mixed, and given to a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.arithmetic import ORDINARY, Arithmetic
from numlp.arrays.exact import Shares
from numlp.arrays.randomness import Role, generator, symmetric_beta
from numlp.arrays.special import AnyArray, Array
from numlp.data.augmentation import Images
from numlp.data.teacher import Teacher
from numlp.network.scaling import Scaling, data_range

_TINY = 1e-30  # replaces a weight of 0
_EVERY = slice(None)


class Batch(NamedTuple):
    """The rows of one training step.

    Attributes
    ----------
    x : array, shape (n, inputs)
        As in the data; scaled, once it is prepared.
    targets : array, shape (n, targets)
    weights : array, shape (n,), or None
        How much each row counts.
    share : float
        The length of the step relative to that of a full batch.
    l2 : float
        A penalty ½ l2 · Σw² on all weights in this step alone, which the step tells beside the loss.
    """

    x: Array
    targets: Array
    weights: Array | None = None
    share: float = 1.0
    l2: float = 0.0


class SharedRows(Protocol):
    """Rows of which each of several processes makes some.

    Attributes
    ----------
    all : array, shape (batch_size, inputs)
        Where every process writes its own.
    """

    all: Array

    def own(self, n: int) -> slice:
        """Return which of `n` rows this process makes."""
        ...

    def meet(self) -> None:
        """Wait until all processes have written theirs."""
        ...


@dataclass(frozen=True)
class Preparation:
    """The settings: small, without data, and so easily handed to other processes.

    Attributes
    ----------
    scaling : Scaling
    source, dtype : dtype
        Of the data, and of the batches.
    seed : int
    mixup : float
    augmentation : Images or None
    image_shape : tuple of int
    arithmetic : Arithmetic
    teacher : Teacher or None
    """

    scaling: Scaling
    source: np.dtype[Any]
    dtype: np.dtype[Any]
    seed: int
    mixup: float = 0.0
    augmentation: Images | None = None
    image_shape: tuple[int, ...] = ()
    arithmetic: Arithmetic = ORDINARY
    teacher: Teacher | None = None

    @property
    def changes_targets(self) -> bool:
        """Whether preparing a batch overwrites its targets or weights."""
        return bool(self.mixup) or self.teacher is not None


class Preparer:
    """Prepares one batch after the other in fixed buffers.

    Several processes that prepare the same batches draw the same random numbers, and get the same bits as one.

    Parameters
    ----------
    preparation : Preparation
    shape : (int, int)
        The largest number of rows in a batch, and the number of inputs.
    n_targets : int
    shared : SharedRows, optional
        Shares out the work of augmentation. No process may still read the last batch when another prepares the next.

    Attributes
    ----------
    inputs : array, shape (batch_size, inputs)
        The prepared rows. Rows of the same dtype that are gathered here are scaled in place.
    shares : Shares or None
        If other processes have the other rows of each batch, only the own ones are prepared.
    """

    shares: Shares | None = None

    def __init__(
        self, preparation: Preparation, shape: tuple[int, int], n_targets: int, shared: SharedRows | None = None
    ) -> None:
        dtype, augmentation = preparation.dtype, preparation.augmentation
        self._preparation, self._shared, self._mixup = preparation, shared, preparation.mixup
        self._scale = preparation.scaling.between(preparation.source, dtype)
        self.inputs: Array = buffers.empty(shape, dtype)
        self._augment = None
        if augmentation is not None:
            unit = data_range(preparation.source)
            self._augment = augmentation.bind(preparation.image_shape, shape[0], unit, preparation.arithmetic)
            self._augmented: Array = buffers.empty(shape, dtype) if shared is None else shared.all
        mixed = (shape, (shape[0], n_targets), shape[:1]) if self._mixup else ()
        self._partners = [np.empty(each, dtype) for each in mixed]

    def begin_epoch(self, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        if self._augment is not None:
            role = Role.AUGMENTATION
            self._augmenting = [generator(self._preparation.seed, epoch, role) for _ in self.needed(0)]
        if self._mixup:
            self._mixing = generator(self._preparation.seed, epoch, Role.MIXUP)

    def __call__(self, gathered: Batch) -> Batch:
        """Return the epoch's next batch, whose rows are as in the data; see `Preparation.changes_targets`."""
        x, n = gathered.x, len(gathered.x)
        if self._augment is not None:
            x = self._augmented_rows(x)
        inputs = self.inputs[:n]
        for rows in self.needed(n):
            self._scale(x[rows], inputs[rows])
        batch = gathered._replace(x=inputs)
        own = _EVERY if self.shares is None else self.shares.own(n)
        if self._mixup:
            mix(batch, symmetric_beta(self._mixing, self._mixup), self._partners, own)
        if (teacher := self._preparation.teacher) is not None:
            teacher.move(batch.targets[own], inputs[own])
        return batch

    def needed(self, n: int) -> list[slice]:
        """Return which of a batch's `n` rows to prepare: with mixup also the one before this process's own."""
        if self.shares is None:
            return [_EVERY]
        own = self.shares.own(n)
        if not self._mixup:
            return [own]
        if own.start:
            return [slice(own.start - 1, own.stop), slice(0)]
        return [own, slice(max(own.stop, n - 1), n)]

    def _augmented_rows(self, x: AnyArray) -> Array:
        assert self._augment is not None
        n, shared = len(x), self._shared
        augmented = self._augmented[:n]
        needed = self.needed(n) if shared is None else [shared.own(n)]
        for rows, rng in zip(needed, self._augmenting, strict=True):  # each draws for all rows
            self._augment(x, augmented, rng, rows)
        if shared is not None:
            shared.meet()
        return augmented


def mix(batch: Batch, share: float, partners: list[npt.NDArray[Any]], own: slice = _EVERY) -> None:
    """Mix every row with the one before it, which is a random partner, since the order is random.

    Targets count by their rows' weights: mixed weighted targets, divided by mixed weights, are the new targets.

    Parameters
    ----------
    batch : Batch
        It is changed in place.
    share : float
        Of the row itself.
    partners : list of array
        Buffers for rows, targets and weights.
    own : slice
        Which rows of x to mix; all targets and weights are mixed.
    """
    if batch.weights is not None:
        np.multiply(batch.targets, batch.weights[:, None], out=batch.targets)
    parts = (batch.x, own), (batch.targets, _EVERY), (batch.weights, _EVERY)
    for (rows, part), buffer in zip(parts, partners, strict=True):
        if rows is None or not len(mixed := rows[part]):
            continue
        others, first = buffer[: len(mixed)], part.start or 0
        np.multiply(rows[first - 1 :][:1], 1 - share, out=others[:1])
        np.multiply(rows[first:][: len(mixed) - 1], 1 - share, out=others[1:])
        np.multiply(mixed, share, out=mixed)
        np.add(mixed, others, out=mixed)
    if batch.weights is not None:
        quotient = np.maximum(batch.weights, _TINY, out=partners[2][: len(batch.weights)])
        np.divide(batch.targets, quotient[:, None], out=batch.targets)
