"""Loop: the training loop, on one screen.

It knows nothing of files, screens or networks of machines: callables bring in whatever it needs of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from numlp.data.rows import Rows
from numlp.errors import DivergenceError, Interrupted
from numlp.judging.evaluation import evaluate_rows
from numlp.judging.tally import Tally
from numlp.parallel.ranks import RowShares
from numlp.training.abreast import Abreast
from numlp.training.crew import Alone, Together
from numlp.training.failure import failed_validation
from numlp.training.history import History
from numlp.training.interruption import Interruption
from numlp.training.progress import Progress
from numlp.training.schedules import Schedule
from numlp.training.state import Callback, TrainingState, finishing


@dataclass(frozen=True)
class Loop:
    """Minibatch gradient descent, as `numlp.train` has made it ready.

    Attributes
    ----------
    state : TrainingState
        The network, its optimizer's state, and how far training has come.
    work : Alone, Together or Abreast
        Who takes the steps.
    tally : Tally
        Of the losses and scores of the training rows, as the steps see them.
    held_out : Rows or None
        The validation rows.
    learned : dict
        What the network learns from the data at once, by the network's attribute.
    learning_rate : callable
        Returns the learning rate of a step, counted from 0, which the schedule multiplies.
    schedule : Schedule
    seed : int
    shares : RowShares or None
        The exchange with other ranks.
    after_step, after_epoch : sequence of callables
    may_end_within : bool
        Whether `after_step` may end training in the middle of an epoch.
    progress : Progress or None
        What shows the progress to the user.
    """

    state: TrainingState
    work: Alone | Together | Abreast
    tally: Tally
    held_out: Rows | None
    learned: dict[str, Any]
    _: KW_ONLY
    learning_rate: Callable[[int], float]
    schedule: Schedule
    seed: int
    shares: RowShares | None
    after_step: Sequence[Callback]
    after_epoch: Sequence[Callback]
    may_end_within: bool
    progress: Progress | None

    def run(self) -> History:
        """Train for the epochs that are left; see `numlp.train`."""
        state, work, tally, held_out = self.state, self.work, self.tally, self.held_out
        network, average, plan = state.network, state.average, state.plan
        learning_rate, schedule = self.learning_rate, self.schedule
        looking = any(getattr(callback, "reads_network", True) for callback in self.after_step)
        with Interruption() as interruption, self.progress or nullcontext(), finishing(state) as last_good, work:
            for name, value in self.learned.items():
                setattr(network, name, value)
            network.temperature = 1.0  # an earlier calibration no longer holds
            for epoch in range(state.epoch, 0 if state.ended_by else plan.epochs):
                started = time.perf_counter()
                stops: tuple[Callback, ...] = ()
                tally.reset()
                if average is not None and epoch:
                    average.swap()
                work.begin_epoch(self.seed, epoch)
                with np.errstate(all="ignore"):  # the figures will show an overflow
                    for batch in work.epoch(epoch):
                        state.learning_rate = learning_rate(state.step) * schedule(state.step, plan, state.history)
                        # A short last batch takes a shorter step in proportion: all rows of an epoch count the same.
                        state.loss, state.penalty = work.step(batch, state.learning_rate * batch.share)
                        state.step += 1
                        if looking:
                            work.assemble()
                        stops = state.call(self.after_step)
                        if work.stops(stops, interruption, now=self.may_end_within) or not math.isfinite(state.loss):
                            break
                    stopped = work.stops(stops, interruption, now=True)
                    state.cut = stopped and state.step != (epoch + 1) * (plan.steps_per_epoch or 0)
                    work.assemble()
                    seconds = time.perf_counter() - started
                    if average is not None:
                        average.swap()
                    trained = {f"train_{name}": value for name, value in tally.result().items()}
                    judged = {} if held_out is None else evaluate_rows(network, held_out, shares=self.shares)
                if not (np.isfinite([state.loss, *trained.values()]).all() and state.is_finite()):
                    raise DivergenceError(epoch + 1, state.learning_rate, state.history)
                if held_out is not None and not np.isfinite(judged["loss"]):
                    raise failed_validation(state, work.loss, batch, held_out)
                last_good[:] = network.params
                state.epoch = epoch + 1
                validated = {f"validation_{name}": value for name, value in judged.items()}
                row = {"epoch": epoch + 1, **trained, **validated}
                state.history.append({**row, "learning_rate": state.learning_rate, "seconds": seconds})
                state.ended_by = stops + state.call(self.after_epoch)
                state.notify("record")
                if work.stops(state.ended_by, interruption, now=True):
                    break
        if work.stops((), interruption, now=True):  # a signal after the last epoch, too
            raise Interrupted(state.history)
        return state.history
