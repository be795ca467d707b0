"""Member: what each member of a team does in a training that the leader directs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numlp.arrays.special import Array
from numlp.data.preparation import Batch, Preparation, Preparer
from numlp.network.mlp import MLP
from numlp.parallel.part import Part, part_sizes
from numlp.parallel.team import GatherRows, Team
from numlp.training.optimizer import Optimizer
from numlp.training.regularization import Average, Regularization
from numlp.training.step import Step
from numlp.training.threads import limited

LOAD, EPOCH, STEP = 1.0, 2.0, 3.0  # the leader's commands


@dataclass(frozen=True)
class Task:
    """What a team has to do, as its members learn it when they start.

    Attributes
    ----------
    network : MLP
        The whole one, whose values don't matter.
    optimizer : Optimizer
    regularization : Regularization
    batch_size : int
        The largest number of rows in a batch.
    preparation : Preparation or None
        Of the rows that the leader hands over, or None if they come prepared.
    threads : int, optional
        How many the matrix products of each member may use.
    rng : Generator, optional
        From which to go on drawing, in the middle of an epoch.
    """

    network: MLP
    optimizer: Optimizer
    regularization: Regularization
    batch_size: int
    preparation: Preparation | None
    threads: int | None = None
    rng: np.random.Generator | None = None

    def __call__(self, team: Team) -> Member:
        with limited(self.threads):  # on whose number it depends how layers cut their products
            return Member(self, team)


class Member:
    """What each member of a team has: a part of the network, a step for it, and the shared arrays.

    Attributes
    ----------
    flats : dict of lists of array
        The parameters, their gradients, the optimizer's averages and the moving average, one array for each member.
    part : Part
    state : State
        The optimizer's, for the part.
    average : Average or None
    step : Step
    orders : array, shape (6,)
        The leader's command, and its numbers.
    x, targets, weights : array
        The batch.
    """

    def __init__(self, task: Task, team: Team) -> None:
        network, dtype, n = task.network, task.network.dtype, task.batch_size
        self._team, self._threads = team, task.threads
        names = ["params", "grads", *task.optimizer.averages()]
        names += ["average"] if task.regularization.averaging else []
        sizes = part_sizes(network, team)
        self.flats = {name: [team.share((size,), dtype) for size in sizes] for name in names}
        own = {name: flats[team.rank] for name, flats in self.flats.items()}
        self.part = Part(network, team, (own["params"], own["grads"]))
        self.part.allocate(n)
        if task.rng is not None:
            self.part.draw_from(task.rng)
        self.state = task.optimizer.init(own["params"], {name: own[name] for name in task.optimizer.averages()})
        self.average = Average(self.part, task.regularization.averaging, own["average"]) if "average" in own else None
        self.step = Step(self.part, task.optimizer, self.state, task.regularization, average=self.average)
        self.orders = team.share((6,), np.float64)
        self.targets: Array = team.share((n, network.n_targets), dtype)
        self.weights: Array = team.share((n,), dtype)
        preparation, shape = task.preparation, (n, network.row_size)
        self.x = team.share(shape, dtype if preparation is None else preparation.source)
        self._prepare: Preparer | None = None
        self._mixed: tuple[Array, ...] = ()
        if preparation is not None:
            shared = None if preparation.augmentation is None else GatherRows(team, shape, dtype)
            self._prepare = Preparer(preparation, shape, network.n_targets, shared)
            if preparation.changes_targets:
                self._mixed = np.empty_like(self.targets), np.empty_like(self.weights)

    def follow(self) -> None:
        """Carry out the leader's commands, for ever."""
        with limited(self._threads), np.errstate(all="ignore"):
            while True:
                self._team.obey()
                command, *numbers = self.orders.tolist()
                if command == STEP:
                    n, weighted, learning_rate, share, l2 = numbers
                    self.step(self.prepared(self._batch(int(n), bool(weighted), share, l2)), learning_rate)
                elif command == EPOCH:
                    self.begin_epoch(int(numbers[0]), int(numbers[1]))
                else:
                    self.load(numbers[0], int(numbers[1]))
                self._team.report()

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        self.part.begin_epoch(seed, epoch)
        if self._prepare is not None:
            self._prepare.begin_epoch(epoch)

    def prepared(self, batch: Batch) -> Batch:
        """Return the batch as the network takes it, when all members call this."""
        return batch if self._prepare is None else self._prepare(batch)

    def _batch(self, n: int, weighted: bool, share: float, l2: float) -> Batch:
        """Return the batch that the leader has handed over."""
        targets, weights = self.targets, self.weights
        if self._mixed:
            for own, shared in zip(self._mixed, (targets, weights), strict=True):
                np.copyto(own[:n], shared[:n])
            targets, weights = self._mixed
        return Batch(self.x[:n], targets[:n], weights[:n] if weighted else None, share, l2)

    def load(self, count: float, averaged: int) -> None:
        """Go on with the values in the shared arrays, after so many steps."""
        self.state["count"][0] = count
        if self.average is not None:
            self.average.count = averaged
