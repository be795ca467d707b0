"""Crew: who takes the steps of a training, this process alone or a team of which it is the leader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from numlp.arrays import buffers
from numlp.arrays.special import AnyArray, Array
from numlp.data.batches import Batch, Batches
from numlp.data.streams import Stream
from numlp.errors import SettingError
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling
from numlp.parallel.part import Part, Parts, check, part_sizes
from numlp.parallel.team import Team
from numlp.training.optimizer import Optimizer
from numlp.training.regularization import Average, Regularization
from numlp.training.state import TrainingState
from numlp.training.step import Count, Step

_LOAD, _EPOCH, _STEP = 1.0, 2.0, 3.0  # the leader's commands


class Alone:
    """Takes all steps on the network itself."""

    def __init__(
        self,
        state: TrainingState,
        optimizer: Optimizer,
        regularization: Regularization,
        batches: Batches | Stream,
        count: Count,
        sync: Callable[[Array], object] | None,
    ) -> None:
        self._network = state.network
        self._network.allocate(batches.batch_size)
        self.epoch = batches.epoch
        self.step = Step(
            state.network, optimizer, state.optimizer, regularization, average=state.average, count=count, sync=sync
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing to end."""

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        self._network.begin_epoch(seed, epoch)

    def ready(self, batch: Batch) -> Batch:
        """Return the last batch as the network takes it."""
        return batch

    def assemble(self) -> None:
        """Do nothing: the network is whole."""


@dataclass(frozen=True)
class _Task:
    """What a team has to do, as its members learn it when they start."""

    network: MLP
    optimizer: Optimizer
    regularization: Regularization
    batch_size: int
    scaling: Scaling | None  # of the rows, or None if they come scaled
    source: np.dtype[Any]  # of the rows
    rng: np.random.Generator | None = None

    def __call__(self, team: Team) -> _Member:
        return _Member(self, team)


class _Member:
    """What each member of a team has: a part of the network, its own step, and shared arrays."""

    def __init__(self, task: _Task, team: Team) -> None:
        network, dtype, n = task.network, task.network.dtype, task.batch_size
        self._team = team
        names = [
            "params",
            "grads",
            *task.optimizer.averages(),
            *(["average"] if task.regularization.averaging else []),
        ]
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
        self.x = team.share((n, network.row_size), task.source)
        self._scaled: Array = self.x
        self._scale: Callable[[AnyArray, Array], Array] = lambda x, out: x
        if task.scaling is not None:
            self._scaled = buffers.empty(self.x.shape, dtype)
            self._scale = task.scaling.between(task.source, dtype)
        self.targets: Array = team.share((n, network.n_targets), dtype)
        self.weights: Array = team.share((n,), dtype)

    def follow(self) -> None:
        """Carry out the leader's commands, for ever."""
        with np.errstate(all="ignore"):
            while True:
                self._team.obey()
                command, *numbers = self.orders.tolist()
                if command == _STEP:
                    n, weighted, rate, share = int(numbers[0]), numbers[1], numbers[2], numbers[3]
                    weights = self.weights[:n] if weighted else None
                    x = self._scale(self.x[:n], self._scaled[:n])
                    self.step(Batch(x, self.targets[:n], weights, share), rate)
                elif command == _EPOCH:
                    self.part.begin_epoch(int(numbers[0]), int(numbers[1]))
                else:
                    self.load(numbers[0], int(numbers[1]))
                self._team.report()

    def load(self, count: float, averaged: int) -> None:
        """Go on with the values in the shared arrays, after so many steps."""
        self.state["count"][0] = count
        if self.average is not None:
            self.average.count = averaged


class Together:
    """Takes all steps with the other members of a team."""

    def __init__(
        self,
        team: Team,
        state: TrainingState,
        optimizer: Optimizer,
        regularization: Regularization,
        batches: Batches | Stream,
        count: Count,
    ) -> None:
        check(state.network, team.size)
        self._team, self._state, self._count = team, state, count
        # Each member scales the rows for itself, which takes less than to hand scaled ones over.
        self._prepare: Callable[[Batch], Batch] | None = None
        self.epoch, scaling, source = batches.epoch, None, state.network.dtype
        if isinstance(batches, Batches) and batches.only_scales:
            self.epoch, self._prepare, scaling, source = (
                batches.gathered,
                batches.prepared,
                batches.scaling,
                batches.source,
            )
        self._task = _Task(state.network, optimizer, regularization, batches.batch_size, scaling, source)
        self._member: _Member | None = None
        self._epoch: tuple[int, int] | None = None
        self._whole = True  # whether the network has the newest values
        self._busy = False  # whether the others still carry out a command

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._team.end()

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        self._epoch = seed, epoch

    def step(self, batch: Batch, rate: float) -> float:
        """Take the step; return the batch's loss from before it."""
        n = len(batch.x)
        if self._member is None or n > self._task.batch_size:
            self._start(n)
        member = self._member
        assert member is not None
        if self._whole:
            self._scatter(member)
        if self._epoch is not None:
            self._command(member, _EPOCH, *self._epoch)
            member.part.begin_epoch(*self._epoch)
            self._epoch = None
        self._settle()
        np.copyto(member.x[:n], batch.x)
        np.copyto(member.targets[:n], batch.targets)
        if batch.weights is not None:
            np.copyto(member.weights[:n], batch.weights)
        self._command(member, _STEP, n, batch.weights is not None, rate, batch.share)
        self._ready = batch if self._prepare is None else self._prepare(batch)
        return member.step(self._ready, rate)

    def ready(self, batch: Batch) -> Batch:
        """Return the last batch as the network takes it."""
        return self._ready

    def assemble(self) -> None:
        """Give the network, the optimizer's state and the average their newest values."""
        member = self._member
        if self._whole or member is None:
            return
        self._settle()
        for parts in self._parts.values():
            parts.gather()
        state = self._state
        state.optimizer["count"][0] = member.state["count"][0]
        if state.average is not None and member.average is not None:
            state.average.count = member.average.count
        self._whole = True

    def _scatter(self, member: _Member) -> None:
        state = self._state
        self._settle()
        for parts in self._parts.values():
            parts.scatter()
        counts = float(state.optimizer["count"][0]), 0 if state.average is None else state.average.count
        self._command(member, _LOAD, *counts)
        member.load(*counts)
        self._whole = False

    def _start(self, n: int) -> None:
        """Start the team, or start it again with buffers for more rows."""
        if self._member is not None:
            self.assemble()
            self._team.end()
            self._task = replace(self._task, rng=self._member.part.rng)
        self._task = replace(self._task, batch_size=max(n, self._task.batch_size))
        member = self._team.start(self._task)
        assert isinstance(member, _Member)
        member.step.count = self._count
        self._member, self._busy = member, False
        state = self._state
        wholes = {"params": state.network.params, "grads": state.network.grads, **state.optimizer}
        if state.average is not None:
            wholes["average"] = state.average.mean
        self._parts = {
            name: Parts(state.network, self._team, wholes[name], flats) for name, flats in member.flats.items()
        }

    def _command(self, member: _Member, command: float, *numbers: float) -> None:
        self._settle()
        member.orders[: 1 + len(numbers)] = command, *numbers
        self._team.command()
        self._busy = True

    def _settle(self) -> None:
        """Wait until the others have carried out the last command."""
        if self._busy:
            self._team.wait()
            self._busy = False


def crew(
    team: Team | None,
    state: TrainingState,
    optimizer: Optimizer,
    regularization: Regularization,
    batches: Batches | Stream,
    count: Count,
    sync: Callable[[Array], object] | None,
) -> Alone | Together:
    """Return who takes the steps."""
    if team is None:
        return Alone(state, optimizer, regularization, batches, count, sync)
    if sync is not None:
        raise SettingError("sync_gradients must be None with several processes, which share out each gradient")
    return Together(team, state, optimizer, regularization, batches, count)
