"""Schedules: the factor of the learning rate, from step to step.

A schedule is frozen settings; ``schedule(step, plan, history)`` returns its factor for a step, counted from 0 over
the whole training run. The factor depends on nothing else, so a resumed run continues with the same rates.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from numlp.arrays import portable
from numlp.errors import SettingError
from numlp.settings.checks import choice, fraction, nonnegative, positive, share, whole_number
from numlp.settings.named import Named, setting
from numlp.training.history import History, check_figure


@dataclass(frozen=True)
class Plan:
    """The planned length of a training run.

    Attributes
    ----------
    epochs : int
    steps_per_epoch : int or None
        None if the data have no length.
    """

    epochs: int
    steps_per_epoch: int | None


def rates(learning_rate: float | Callable[[int], float]) -> Callable[[int], float]:
    """Return the learning rate as a function of the step."""
    if callable(learning_rate):
        return lambda step: nonnegative("learning_rate", learning_rate(step))
    rate = positive("learning_rate", learning_rate)
    return lambda step: rate


@dataclass(frozen=True, kw_only=True)
class Schedule(Named, ABC):
    """A schedule after a linear warm-up.

    Attributes
    ----------
    warmup : float
        The number of epochs, fractions allowed, in which the rate first rises to its full value in equal steps.
        P. Goyal et al., "Accurate, large minibatch SGD" (2017).
    """

    counts_steps: ClassVar[bool] = True
    figure: ClassVar[str | None] = None
    warmup: float = setting(0.0, nonnegative)

    def check(self, plan: Plan, figures: Sequence[str]) -> None:
        """Raise an error if this schedule can't follow a plan, or a history with these columns."""
        if self.figure is not None:
            check_figure(f"schedule {self.name!r}", self.figure, figures)
        if plan.steps_per_epoch is None and (self.warmup or self.counts_steps):
            what = f"schedule {self.name!r}" if self.counts_steps else "a warm-up"
            raise SettingError(
                f"{what} needs the number of steps in an epoch: pass batches that have a length, such as a list"
            )
        if self.warmup >= plan.epochs:
            raise SettingError(f"warmup must be below epochs = {plan.epochs}, not {self.warmup:g}")

    def __call__(self, step: int, plan: Plan, history: History) -> float:
        """Return the factor for a step."""
        per_epoch = plan.steps_per_epoch or 1
        rising = round(self.warmup * per_epoch)
        if step < rising:
            return (step + 1) / rising
        return self.factor(step - rising, plan.epochs * per_epoch - rising, per_epoch, history)

    @abstractmethod
    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        """Return the factor for a step out of `steps`, both counted after the warm-up."""


class Constant(Schedule):
    """The same rate for every step.

    >>> Constant()(1000, Plan(epochs=5, steps_per_epoch=None), History())
    1.0
    """

    name = "constant"
    counts_steps = False

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        return 1.0


def _at_least_one(name: str, value: object) -> int:
    return whole_number(name, value)


def _falling(name: str, value: object) -> float:
    number = positive(name, value)
    if number > 1:
        raise SettingError(f"{name} must be at most 1, not {value!r}: with an ever growing rate, training diverges")
    return number


@dataclass(frozen=True)
class Step(Schedule):
    """Multiplies the rate by `by` after every `every` epochs.

    Parameters
    ----------
    every : int
        Epochs.
    by : float, in (0, 1]

    >>> [Step(every=2)(step, Plan(5, 1), History()) for step in range(5)]
    [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """

    name = "step"
    every: int = setting(10, _at_least_one)
    by: float = setting(0.1, _falling)

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        return portable.power(self.by, step // (per_epoch * self.every))


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiplies the rate by `by` over each epoch, a little in each step.

    Parameters
    ----------
    by : float, in (0, 1]

    >>> [Exponential(by=0.5)(step, Plan(3, 2), History()) for step in (0, 2, 4)]
    [1.0, 0.5, 0.25]
    """

    name = "exponential"
    by: float = setting(0.9, _falling)

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        return portable.power(self.by, step / per_epoch)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine wave, from 1 down to `final`. I. Loshchilov, F. Hutter, "SGDR" (2017), without restarts.

    Parameters
    ----------
    final : float, in [0, 1)
        The share of the learning rate that is left at the end.

    >>> Cosine()(5, Plan(10, 1), History())
    0.5
    """

    name = "cosine"
    final: float = setting(0.0, fraction)

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        return self.final + (1 - self.final) * (1 + portable.cos_of(math.pi * step / steps)) / 2


def _shape(name: str, value: object) -> Literal["cosine", "linear"]:
    choice(name, value, {"cosine": 1, "linear": 1})
    return value  # type: ignore[return-value]


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rises from `start` to 1 during the share `rise` of the steps, then falls to `final` during the rest.

    L. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2019).

    Parameters
    ----------
    rise : float, in (0, 1)
        The share of the steps during which the rate rises.
    start, final : float, in [0, 1)
        The first and last rate, as shares of the learning rate.
    shape : "cosine" or "linear"
        The shape of the rise and of the fall.

    >>> one_cycle = OneCycle(rise=0.5, start=0, final=0, shape="linear")
    >>> [one_cycle(step, Plan(8, 1), History()) for step in (0, 3, 7)]
    [0.0, 1.0, 0.0]
    """

    name = "one_cycle"
    rise: float = setting(0.3, share)
    start: float = setting(0.04, fraction)
    final: float = setting(4e-6, fraction)
    shape: Literal["cosine", "linear"] = setting("cosine", _shape)

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        if steps < 3:
            return 1.0  # too few for a cycle
        top = max(self.rise * steps - 1, 0.5)
        if step <= top:
            low, way = self.start, step / top
        else:
            low, way = self.final, (steps - 1 - step) / max(steps - 1 - top, 0.5)
        height = (1 - portable.cos_of(math.pi * way)) / 2 if self.shape == "cosine" else way
        return low + (1 - low) * height


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isidentifier()):
        raise SettingError(f"{name} must be a column of the history, such as 'validation_loss', not {value!r}")
    return value


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiplies the rate by `by` whenever a metric has not improved for more than `patience` epochs.

    A column whose name ends in "loss" improves by falling, any other by rising.

    Parameters
    ----------
    by : float, in (0, 1)
    patience : int
        Epochs.
    threshold : float
        The smallest improvement that counts, as a share of the best value so far.
    figure : str
        A column of the history.

    >>> history = History()
    >>> for epoch, loss in enumerate([3.0, 2.0, 2.0, 2.0]):
    ...     history.append({"epoch": epoch + 1, "validation_loss": loss})
    >>> ReduceOnPlateau(patience=1)(4, Plan(9, 1), history)
    0.1
    """

    name = "reduce_on_plateau"
    counts_steps = False
    by: float = setting(0.1, share)
    patience: int = setting(10, lambda name, value: whole_number(name, value, minimum=0))
    threshold: float = setting(1e-4, fraction)
    figure: str = setting("validation_loss", _text)  # type: ignore[misc]

    def factor(self, step: int, steps: int, per_epoch: int, history: History) -> float:
        factor, best, bad = 1.0, math.inf, 0
        sign = 1 if self.figure.endswith("loss") else -1
        for value in history[self.figure]:
            if not math.isfinite(best) or sign * value < best - self.threshold * abs(best):
                best, bad = sign * value, 0
            else:
                bad += 1
            if bad > self.patience:
                factor, bad = factor * self.by, 0
        return factor


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.name: schedule for schedule in (Constant, Step, Exponential, Cosine, OneCycle, ReduceOnPlateau)
}
