"""Preparation: what becomes of a batch's rows once they are gathered: augmented, scaled and mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import AnyArray, Array
from numlp.data.augmentation import Images
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
    """

    scaling: Scaling
    source: np.dtype[Any]
    dtype: np.dtype[Any]
    seed: int
    mixup: float = 0.0
    augmentation: Images | None = None
    image_shape: tuple[int, ...] = ()


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
    """

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
            self._augment = augmentation.bind(preparation.image_shape, shape[0], unit)
            self._augmented: Array = buffers.empty(shape, dtype) if shared is None else shared.all
        mixed = (shape, (shape[0], n_targets), shape[:1]) if self._mixup else ()
        self._partners = [np.empty(each, dtype) for each in mixed]

    def begin_epoch(self, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        if self._augment is not None:
            self._augmenting = generator(self._preparation.seed, epoch, Role.AUGMENTATION)
        if self._mixup:
            self._mixing = generator(self._preparation.seed, epoch, Role.MIXUP)

    def __call__(self, gathered: Batch) -> Batch:
        """Return the epoch's next batch, whose rows are as in the data; mixup overwrites its targets and weights."""
        x = gathered.x
        if self._augment is not None:
            x = self._augmented_rows(x)
        batch = gathered._replace(x=self._scale(x, self.inputs[: len(x)]))
        if self._mixup:
            mix(batch, self._mixing.beta(self._mixup, self._mixup), self._partners)
        return batch

    def _augmented_rows(self, x: AnyArray) -> Array:
        assert self._augment is not None
        n, shared = len(x), self._shared
        augmented = self._augmented[:n]
        self._augment(x, augmented, self._augmenting, _EVERY if shared is None else shared.own(n))
        if shared is not None:
            shared.meet()
        return augmented


def mix(batch: Batch, share: float, partners: list[npt.NDArray[Any]]) -> None:
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
    """
    if batch.weights is not None:
        np.multiply(batch.targets, batch.weights[:, None], out=batch.targets)
    for rows, buffer in zip((batch.x, batch.targets, batch.weights), partners, strict=True):
        if rows is None:
            continue
        others = buffer[: len(rows)]
        np.multiply(rows[:-1], 1 - share, out=others[1:])
        np.multiply(rows[-1:], 1 - share, out=others[:1])
        np.multiply(rows, share, out=rows)
        np.add(rows, others, out=rows)
    if batch.weights is not None:
        quotient = np.maximum(batch.weights, _TINY, out=partners[2][: len(batch.weights)])
        np.divide(batch.targets, quotient[:, None], out=batch.targets)
