"""Crew: who takes the steps of a training, this process alone or a team of which it is the leader."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from numlp.arrays.special import Array
from numlp.data.batches import Batches
from numlp.data.preparation import Batch
from numlp.data.streams import Stream
from numlp.errors import SettingError, TeamError
from numlp.network.mlp import MLP
from numlp.parallel.part import Parts, check
from numlp.parallel.ranks import RowShares
from numlp.parallel.team import Team
from numlp.training.abreast import Abreast
from numlp.training.interruption import Interruption
from numlp.training.member import EPOCH, LOAD, STEP, Member, Task
from numlp.training.optimizer import Optimizer
from numlp.training.regularization import Regularization
from numlp.training.state import TrainingState
from numlp.training.step import Count, Step
from numlp.training.threads import count as count_threads
from numlp.training.threads import limited


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

    def stops(self, wish: object, interruption: Interruption, *, now: bool = False) -> bool:
        """Return whether training ends, for a callback's wish or a signal."""
        return bool(wish or interruption.number)

    def loss(self, batch: Batch) -> float:
        """Return the loss of the last batch, by the network as it is."""
        return self._network.loss_and_grad(batch.x, batch.targets, batch.weights)

    def assemble(self) -> None:
        """Do nothing: the network is whole."""


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
        self._team, self._state, self._count = team, state, count
        # Members prepare gathered rows themselves. It takes less to scale them than to hand scaled ones over.
        self.epoch, preparation = batches.epoch, None
        if isinstance(batches, Batches):
            self.epoch, preparation = batches.gathered, batches.preparation
        averaging = 0.0 if state.average is None else state.average.decay  # of the run that may go on here
        regularization = replace(regularization, averaging=averaging)
        threads = max(1, count_threads() // team.size)
        self._task = Task(state.network, optimizer, regularization, batches.batch_size, preparation, threads)
        self._limit = ExitStack()
        self._member: Member | None = None
        self._epoch: tuple[int, int] | None = None
        self._whole = True  # whether the network has the newest values
        self._busy = False  # whether the others still carry out a command
        self._stepping = False  # whether the members are within a step, or never came out of it

    def __enter__(self) -> Self:
        self._limit.enter_context(limited(self._task.threads))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._limit:
            try:
                # An error of a callback or of the user's batches leaves the network as it is with one process. After
                # others `finishing` brings the last epoch back.
                done = error is None or isinstance(error, KeyboardInterrupt | TeamError)
                if not (done or self._stepping):
                    self.assemble()
            finally:
                self._team.end()

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random a function of (seed, epoch)."""
        self._epoch = seed, epoch

    def step(self, batch: Batch, learning_rate: float) -> tuple[float, float]:
        """Take the step; return the batch's loss from before it, and the batch's own penalty."""
        n = len(batch.x)
        self._stepping = True
        if self._member is None or n > self._task.batch_size:
            self._start(n)
        member = self._member
        assert member is not None
        if self._whole:
            self._scatter(member)
        if self._epoch is not None:
            self._command(member, EPOCH, *self._epoch)
            member.begin_epoch(*self._epoch)
            self._epoch = None
        self._settle()
        np.copyto(member.x[:n], batch.x)
        np.copyto(member.targets[:n], batch.targets)
        if batch.weights is not None:
            np.copyto(member.weights[:n], batch.weights)
        self._command(member, STEP, n, batch.weights is not None, learning_rate, batch.share, batch.l2)
        self._ready = member.prepared(batch)
        loss = member.step(self._ready, learning_rate)
        self._stepping = False
        return loss

    def stops(self, wish: object, interruption: Interruption, *, now: bool = False) -> bool:
        """Return whether training ends, for a callback's wish or a signal."""
        return bool(wish or interruption.number)

    def loss(self, batch: Batch) -> float:
        """Return the loss of the last batch, by the network as it is."""
        batch = self._ready
        return self._state.network.loss_and_grad(batch.x, batch.targets, batch.weights)

    def assemble(self) -> None:
        """Give the network, the optimizer's state and the average their newest values."""
        member = self._member
        if self._whole or member is None:
            return
        self._settle()
        for parts in self._parts.values():
            parts.gather()
        state = self._state
        network, part = state.network, member.part
        network.row_losses, network.last_logits = part.row_losses, part.last_logits
        network.input_grad = part.input_grad
        state.optimizer["count"][0] = member.state["count"][0]
        if state.average is not None and member.average is not None:
            state.average.count = member.average.count
        self._whole = True

    def _scatter(self, member: Member) -> None:
        state = self._state
        self._settle()
        for parts in self._parts.values():
            parts.scatter()
        counts = float(state.optimizer["count"][0]), 0 if state.average is None else state.average.count
        self._command(member, LOAD, *counts)
        member.load(*counts)
        self._whole = False

    def _start(self, n: int) -> None:
        """Start the team, or start it again with buffers for more rows."""
        rows = max(n, self._task.batch_size)
        if self._member is not None:
            self.assemble()
            self._team.end()
            rows = max(n, 2 * self._task.batch_size)  # so that batches that grow row by row start few teams
            self._task = replace(self._task, rng=self._member.part.rng)
        self._task = replace(self._task, batch_size=rows)
        member = self._team.start(self._task)
        assert isinstance(member, Member)
        member.step.count = self._count
        self._member, self._busy = member, False
        state = self._state
        wholes = {"params": state.network.params, "grads": state.network.grads, **state.optimizer}
        if state.average is not None:
            wholes["average"] = state.average.mean
        self._parts = {
            name: Parts(state.network, self._team, wholes[name], flats) for name, flats in member.flats.items()
        }

    def _command(self, member: Member, command: float, *numbers: float) -> None:
        self._settle()
        member.orders[: 1 + len(numbers)] = command, *numbers
        self._team.command()
        self._busy = True

    def _settle(self) -> None:
        """Wait until the others have carried out the last command."""
        if self._busy:
            stepping, self._stepping = self._stepping, True  # a handler of signals may raise in the midst of it
            self._team.wait()
            self._stepping, self._busy = stepping, False


def check_team(team: Team | RowShares | None, network: MLP, sync: Callable[[Array], object] | None) -> None:
    """Refuse what several processes can't do, before anything changes.

    Raises
    ------
    SettingError
    """
    if team is None:
        return
    if sync is not None:
        raise SettingError("sync_gradients must be None with several processes, which share out each gradient")
    if not isinstance(team, RowShares):
        check(network, team.size)


def crew(
    team: Team | RowShares | None,
    state: TrainingState,
    optimizer: Optimizer,
    regularization: Regularization,
    batches: Batches | Stream,
    count: Count,
    sync: Callable[[Array], object] | None,
) -> Alone | Together | Abreast:
    """Return who takes the steps."""
    if team is None:
        return Alone(state, optimizer, regularization, batches, count, sync)
    if isinstance(team, RowShares):
        return Abreast(team, state, optimizer, regularization, batches, count)
    return Together(team, state, optimizer, regularization, batches, count)
