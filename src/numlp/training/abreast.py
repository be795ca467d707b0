"""Abreast: a rank's steps, each on its own rows of a batch, in step with the other ranks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from numlp.data.batches import Batches
from numlp.data.preparation import Batch
from numlp.data.streams import Stream
from numlp.errors import DivergenceError, ValidationLossError
from numlp.parallel.ranks import RowShares
from numlp.parallel.rows import OwnRows
from numlp.training.consensus import check_batch
from numlp.training.interruption import Interruption
from numlp.training.optimizer import Optimizer
from numlp.training.regularization import Regularization
from numlp.training.state import TrainingState
from numlp.training.step import Count, Step

_AGREED = DivergenceError, ValidationLossError  # errors that all ranks raise, since all see the same figures


class Abreast:
    """Takes all steps as the other ranks do, whose programs are the same.

    Every rank has the whole network, the whole state of the optimizer and all data. It takes its own rows of each
    batch, gets the gradient of the whole batch, and makes the same update as the others.
    """

    def __init__(
        self,
        shares: RowShares,
        state: TrainingState,
        optimizer: Optimizer,
        regularization: Regularization,
        batches: Batches | Stream,
        count: Count,
    ) -> None:
        self._ranks, self._state, self._batches = shares.ranks, state, batches
        self._part = OwnRows(state.network, shares)
        self.epoch = batches.epoch
        own = shares.own(batches.batch_size)
        self._part.allocate(max(1, own.stop - own.start))
        self._take_step = Step(
            self._part, optimizer, state.optimizer, regularization, average=state.average, count=count
        )
        self._shares = shares
        self._wishes = np.empty(2)

    def __enter__(self) -> Self:
        if isinstance(self._batches, Batches):
            self._batches.prepared.shares = self._shares
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._batches, Batches):
            self._batches.prepared.shares = None
        if error is not None and not isinstance(error, _AGREED):
            self._ranks.failed(error)

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch), and all ranks begin with the same numbers."""
        self._part.begin_epoch(seed, epoch)
        for array in self._state.arrays().values():
            self._ranks.broadcast(array)

    def step(self, batch: Batch, learning_rate: float) -> tuple[float, float]:
        """Take the step; return the whole batch's loss from before it, and the batch's own penalty."""
        if isinstance(self._batches, Stream):
            check_batch(self._shares, batch)
        return self._take_step(self._own(batch), learning_rate)

    def stops(self, wish: object, interruption: Interruption, *, now: bool = False) -> bool:
        """Return whether training ends, as all ranks agree: for a wish of rank 0's callbacks or a signal to any rank.

        A rank tells others of a signal with its next step's gradients.
        """
        part = self._part
        part.wish = bool(interruption.number)
        if not (now or part.wished):
            return False
        self._wishes[:] = bool(wish) and self._shares.first, interruption.number
        self._ranks.largest(self._wishes)
        if self._wishes[1]:  # otherwise one that came meanwhile has its turn the next time
            interruption.number = int(self._wishes[1])
        return bool(self._wishes.any())

    def loss(self, batch: Batch) -> float:
        """Return the loss of the last batch, by the network as it is."""
        own = self._own(batch)
        return self._part.loss_and_grad(own.x, own.targets, own.weights)

    def assemble(self) -> None:
        """Give the network the newest gradients; all else is there."""
        np.copyto(self._state.network.grads, self._part.grads)

    def _own(self, batch: Batch) -> Batch:
        own = self._part.take(len(batch.x))
        weights = None if batch.weights is None else batch.weights[own]
        return batch._replace(x=batch.x[own], targets=batch.targets[own], weights=weights)
