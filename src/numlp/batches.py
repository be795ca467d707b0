"""Batches: shuffles, gathers and scales minibatches into fixed buffers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.checks import whole_number
from numlp.randomness import Role, generator
from numlp.scaling import Scaling
from numlp.special import Array


class Batches:
    """The rows of a data set in minibatches, in another order every epoch.

    The buffers are made once; what an epoch yields is overwritten by its next batch. The order is a function of
    (seed, epoch) alone, so that any epoch can be repeated without the ones before it.

    Parameters
    ----------
    x : array, shape (n, inputs)
        Any dtype; only the rows of a batch are ever converted.
    targets : array, shape (n,) of class indices or (n, outputs) of target rows
    n_outputs : int
    batch_size : int
        The last batch of an epoch may be smaller, and is all there is if `batch_size` exceeds n.
    scaling : Scaling
        Of the inputs.
    dtype : dtype
        In which batches are yielded.
    seed : int, optional
        Without one, the rows come in their own order.

    Examples
    --------
    >>> x, targets = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])
    >>> batches = Batches(x, targets, n_outputs=2, batch_size=2, scaling=Scaling(), dtype="float64")
    >>> for rows, one_hot in batches.epoch(0):
    ...     print(rows.tolist(), one_hot.tolist())
    [[0.0, 1.0], [2.0, 3.0]] [[1.0, 0.0], [0.0, 1.0]]
    [[4.0, 5.0]] [[0.0, 1.0]]
    """

    def __init__(
        self,
        x: npt.NDArray[Any],
        targets: npt.NDArray[Any],
        *,
        n_outputs: int,
        batch_size: int,
        scaling: Scaling,
        dtype: npt.DTypeLike,
        seed: int | None = None,
    ) -> None:
        self.x = x
        self.targets = targets if targets.ndim == 1 else targets.astype(dtype)
        self.batch_size = min(whole_number("batch_size", batch_size), len(x))
        self.seed = seed
        self._scale = scaling.between(x.dtype, dtype)
        # Class indices become one-hot rows by looking them up in the unit matrix.
        self._one_hot = np.eye(n_outputs, dtype=dtype) if targets.ndim == 1 else None
        self._order = np.arange(len(x))
        self._gathered = np.empty((self.batch_size, x.shape[1]), x.dtype)
        self._inputs: Array = np.empty(self._gathered.shape, dtype)
        self._labels = np.empty(self.batch_size, np.intp)
        self._targets: Array = np.empty((self.batch_size, n_outputs), dtype)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self.x) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """Yield (inputs, target rows) of every batch of an epoch."""
        if self.seed is not None:
            self._order[:] = np.arange(len(self._order))
            generator(self.seed, epoch, Role.SHUFFLE).shuffle(self._order)
        for start in range(0, len(self._order), self.batch_size):
            yield self._batch(self._order[start : start + self.batch_size])

    def _batch(self, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        n = len(index)
        gathered, targets = self._gathered[:n], self._targets[:n]
        # mode="clip" skips the checks of indices, which are right by construction, and with them a temporary copy.
        np.take(self.x, index, axis=0, out=gathered, mode="clip")
        if self._one_hot is None:
            np.take(self.targets, index, axis=0, out=targets, mode="clip")
        else:
            labels = np.take(self.targets, index, out=self._labels[:n], mode="clip")
            np.take(self._one_hot, labels, axis=0, out=targets, mode="clip")
        return self._scale(gathered, self._inputs[:n]), targets
