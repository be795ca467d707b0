"""State: the progress of a training run, and all that it needs to continue."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray, Array, all_finite
from numlp.errors import DivergenceError, FileFormatError, Interrupted, SettingError, TeamError, ValidationLossError
from numlp.files.checkpoints import Checkpoint, read_checkpoint
from numlp.network.mlp import MLP
from numlp.settings.checks import whole_number
from numlp.training.history import History
from numlp.training.optimizer import State
from numlp.training.regularization import Average
from numlp.training.schedules import Plan

_NO_PLAN = Plan(epochs=0, steps_per_epoch=None)
_COUNTS = ("epoch", "step", "loss", "learning_rate")


@dataclass
class TrainingState:
    """The progress of a training run; callbacks receive it.

    Attributes
    ----------
    network : MLP
    optimizer : dict of arrays
    history : History
    epoch, step : int
        The number of completed epochs and steps.
    loss, learning_rate : float
        Those of the last step.
    penalty : float
        That of the last batch itself, which no loss includes.
    figures : tuple of str
        The columns that the history has, or will have.
    plan : Plan
        The number of epochs that training will have, and of steps in each.
    average : Average or None
        The moving average of the parameters, if there is one. Between epochs the network holds the average, and this
        holds the parameters with which training continues.
    callbacks : tuple
        All callbacks, each once. A callback with state of its own has the methods `memory`, which returns the state
        as a dict of arrays, numbers and lists, and `remember`, which restores it from such a dict.
    cut : bool
        Whether the last epoch ended before its last batch.
    ended_by : tuple
        The callbacks that ended training.
    """

    network: MLP
    optimizer: State
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    learning_rate: float = math.nan
    penalty: float = 0.0
    figures: tuple[str, ...] = ()
    plan: Plan = _NO_PLAN
    average: Average | None = None
    callbacks: tuple[Callback, ...] = ()
    cut: bool = False
    ended_by: tuple[Callback, ...] = ()

    def call(self, callbacks: Sequence[Callback]) -> tuple[Callback, ...]:
        """Call all of them; return those that ask training to end."""
        return tuple([callback for callback in callbacks if callback(self)])

    def notify(self, event: str) -> None:
        """Call each callback's method for an event, if it has one."""
        for callback in self.callbacks:
            method = getattr(callback, event, None)
            if method is not None:
                method(self)

    def is_finite(self) -> bool:
        """Return whether all parameters and the optimizer's whole state are finite.

        An infinite mean square of gradients would silently stop its parameter from changing ever again.
        """
        return all(all_finite(array) for array in self.arrays().values())

    def checkpoint(self) -> Checkpoint:
        """Return copies of all that training needs to continue after this epoch."""
        arrays = self.arrays()
        figures: dict[str, Any] = {name: getattr(self, name) for name in _COUNTS}
        figures["ended_by"] = [self.callbacks.index(callback) for callback in self.ended_by]
        figures |= {"arithmetic": self.network.arithmetic.name}
        figures |= {"history": list(self.history.rows), "callbacks": {}}
        if self.average is not None:
            figures["averaged"] = self.average.count
        for number, callback in self._remembering():
            memory = callback.memory()
            held = {name for name, value in memory.items() if isinstance(value, np.ndarray)}
            arrays |= {f"callback.{number}.{name}": memory[name] for name in held}
            figures["callbacks"][number] = {name: value for name, value in memory.items() if name not in held}
        copies = {name: array.copy() for name, array in arrays.items()}
        return Checkpoint(copies, figures)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state from a checkpoint of the same network, optimizer and callbacks.

        Raises
        ------
        FileFormatError
            If the checkpoint belongs to another training run, or is damaged.
        """
        try:
            self._check(checkpoint)
            arrays, figures = checkpoint.arrays, checkpoint.figures
            self.epoch, self.step = (whole_number(name, figures[name], minimum=0) for name in ("epoch", "step"))
            self.loss, self.learning_rate = (float(figures[name]) for name in ("loss", "learning_rate"))
            self.ended_by = tuple(self.callbacks[number] for number in figures["ended_by"])
            self.history.rows[:] = [dict(row) for row in figures["history"]]
            self.network.params = arrays["params"]
            for name in self.optimizer.keys() - {"scratch"}:
                self.optimizer[name][...] = arrays[f"optimizer.{name}"]
            if self.average is not None:
                self.average.mean[:] = arrays["average"]
                self.average.count = int(figures["averaged"])
            for number, callback in self._remembering():
                prefix = f"callback.{number}."
                held = {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
                callback.remember(figures["callbacks"][number] | held)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise FileFormatError(f"the checkpoint belongs to another run, or is damaged: {error}") from error

    def _remembering(self) -> list[tuple[str, Any]]:
        """Return the callbacks that have state, with their numbers."""
        return [(str(i), callback) for i, callback in enumerate(self.callbacks) if hasattr(callback, "memory")]

    def arrays(self) -> dict[str, AnyArray]:
        """Return the arrays that training changes, except those of callbacks."""
        arrays = {"params": self.network.params}
        arrays |= {f"optimizer.{name}": array for name, array in self.optimizer.items() if name != "scratch"}
        return arrays if self.average is None else arrays | {"average": self.average.mean}

    def _check(self, checkpoint: Checkpoint) -> None:
        if checkpoint.version == 1 and any(activation.name == "gelu" for activation in self.network.activations):
            raise ValueError('it is from before "gelu" became exact: set the activation to "gelu_tanh" to continue')
        own_arithmetic, its = self.network.arithmetic.name, checkpoint.figures.get("arithmetic", "ordinary")
        if its != own_arithmetic:
            raise ValueError(
                f"its arithmetic is {its!r:.80}, but the network's is {own_arithmetic!r}: make them the same"
            )
        own = self.arrays()
        theirs = {name: array for name, array in checkpoint.arrays.items() if not name.startswith("callback.")}
        if lacking := own.keys() - theirs.keys():
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        if more := theirs.keys() - own.keys():
            raise ValueError(f"it also holds {', '.join(sorted(more))}")
        for name, array in own.items():
            if (theirs[name].shape, theirs[name].dtype) != (array.shape, array.dtype):
                raise ValueError(f"its array {name} differs from this run's in shape or dtype")
        if checkpoint.figures["callbacks"].keys() != dict(self._remembering()).keys():
            raise ValueError("it holds the state of other callbacks")
        rows = checkpoint.figures["history"]
        if len(rows) != checkpoint.figures["epoch"] or any(tuple(row) != self.figures for row in rows):
            raise ValueError(f"its history must have a row of {', '.join(self.figures)} for each epoch")
        if not all(isinstance(value, int | float) for row in rows for value in row.values()):
            raise ValueError("its history must hold numbers only")
        if min(checkpoint.figures["epoch"], checkpoint.figures["step"]) < 0:
            raise ValueError("its epoch and step must be at least 0")
        if not all(all_finite(array) for array in checkpoint.arrays.values()):
            raise ValueError("it holds NaN or infinity")


Callback = Callable[[TrainingState], object]


def begun(fresh: TrainingState, resume: str | os.PathLike[str] | TrainingState | None, epochs: int) -> TrainingState:
    """Return the state that training starts or continues from, after the callbacks' `begin`."""
    state = resume if isinstance(resume, TrainingState) else fresh
    if state is not fresh:
        if state.network is not fresh.network or state.epoch >= epochs:
            raise SettingError(
                f"resume must be a state of this network, and epochs must be above the {state.epoch} already trained"
            )
        if state.optimizer.keys() != fresh.optimizer.keys():
            raise SettingError("resume must be of the same optimizer")
        state.figures, state.plan, state.callbacks, state.ended_by = fresh.figures, fresh.plan, fresh.callbacks, ()
    state.notify("begin")
    if not (resume is None or isinstance(resume, TrainingState)):
        state.restore(read_checkpoint(resume))
    return state


@contextmanager
def finishing(state: TrainingState) -> Iterator[Array]:
    """Call the callbacks' `finish` when training ends.

    It yields the parameters after the last complete epoch, for training to update. They return to the network if the
    loss or the weights diverge, or if `KeyboardInterrupt` comes, perhaps in the midst of a step.
    """
    params = state.network.params
    last_good = params.copy()
    try:
        yield last_good
        state.notify("finish")
    except (KeyboardInterrupt, DivergenceError, TeamError, ValidationLossError) as error:
        params[:] = last_good
        state.notify("finish")
        if isinstance(error, KeyboardInterrupt) and len(state.history):
            raise Interrupted(state.history) from error
        raise


def check_callables(after_step: Sequence[Callback], after_epoch: Sequence[Callback]) -> None:
    """Refuse anything but lists of callables."""
    for name, callbacks in (("after_step", after_step), ("after_epoch", after_epoch)):
        if not isinstance(callbacks, list | tuple) or not all(callable(callback) for callback in callbacks):
            raise SettingError(f"{name} must be a list of callables, not {callbacks!r}")
        for callback in callbacks:
            if isinstance(callback, type):
                raise SettingError(f"{name} holds the class {callback.__name__}: make one, {callback.__name__}(…)")
