"""The learning-rate range test: which learning rate to try first."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.data.rows import Data
from numlp.data.streams import Source
from numlp.errors import DataError, DivergenceError, SettingError
from numlp.network.mlp import MLP
from numlp.settings.checks import positive, unknown, whole_number
from numlp.training.loop import train
from numlp.training.optimizers import Optimizer
from numlp.training.regularization import Regularization
from numlp.training.state import TrainingState

_DESCENT = 0.9  # the share of the whole descent of the loss that the suggested rate has made
_MARGIN = 3.0  # the factor by which it lies below the rate of the least loss, at least
# The settings of `train` that change the gradients of its steps.
STEP_SETTINGS = (
    "class_weight",
    "augmentation",
    *(field.name for field in fields(Regularization) if field.name != "averaging"),
)


@dataclass(frozen=True, eq=False)
class RangeTest:
    """What a range test saw; `numlp.plots.learning_rates` draws it.

    Attributes
    ----------
    learning_rates : float64 array, shape (steps,)
        The rate of every step, rising. There are fewer than were asked for if the loss diverged.
    losses : float64 array, shape (steps,)
        The loss of every step's batch, before the step.
    smoothed : float64 array, shape (steps,)
        Their exponential moving average.
    suggestion : float
        The learning rate to try first, NaN if the loss never fell.
    """

    learning_rates: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    smoothed: npt.NDArray[np.float64]
    suggestion: float


def find_learning_rate(
    network: MLP,
    data: Data | Source,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    batch_size: int = 64,
    seed: int = 0,
    optimizer: str | Optimizer = "sgd",
    **settings: Any,
) -> RangeTest:
    r"""Suggest a learning rate, by a short training whose rate rises from step to step until the loss does, too.

    Step i of S has the rate :math:`a (b/a)^{i / (S - 1)}`, from the lowest, a, to the highest, b. At low rates the
    loss hardly moves, then it falls, then it stops falling and diverges. L. Smith, "Cyclical learning rates for
    training neural networks" (2017), section 3.3, takes as the largest useful rate the one at which the accuracy
    "slows, becomes ragged, or starts to fall". Here that is the least rate at which the smoothed loss has made 90 %
    of its whole descent, but at most a third of the rate of the least loss, near which training may diverge. For
    MNIST and tables, with SGD, momentum and Adam, what 200 steps suggest mostly lay within a factor of three of the
    rate that trains best in a few epochs; the steepest descent, and a tenth of the rate of the least loss, were
    farther off, as the noise of single batches moves both. More steps suggest a lower rate, since more is learned on
    the way up. Weigh it against the figure.

    Parameters
    ----------
    network : MLP
        A copy of it is trained; it is not changed.
    data : (x, y), (x, y, weights), or batches of these
        As `train` takes it. Where it is short, it is gone through several times.
    lowest, highest : float
        The rates of the first step and of the last.
    steps : int
        At least 10. The test ends earlier if the smoothed loss exceeds 4 times its least value and three quarters of
        its descent are lost again, or if the training diverges.
    batch_size, seed, optimizer
        As `train` takes them; let them be those of the training to come.
    **settings
        Others that `train` takes, those that change the gradient: class_weight, augmentation, label_smoothing, mixup,
        adversarial, l1, l2, max_norm, clip_norm, clip_value.

    Returns
    -------
    RangeTest

    Raises
    ------
    SettingError
        If a setting is out of range, or has no meaning in a range test (schedule, epochs, validation, averaging …).
    DataError
        As `train`, and if the loss is not finite before the first step.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 500))
    >>> network = MLP([1, 16, 1], loss="squared_error", seed=0)
    >>> found = find_learning_rate(network, (x[:, None], np.sin(2 * x)), optimizer="adam")
    >>> 0.001 < found.suggestion < 0.1
    True
    """
    lowest, highest = positive("lowest", lowest), positive("highest", highest)
    if lowest >= highest:
        raise SettingError(f"lowest must be below highest: {lowest:g} is not below {highest:g}")
    steps = whole_number("steps", steps, minimum=10)
    for name in settings:
        if name not in STEP_SETTINGS:
            raise SettingError(unknown("setting of a range test", name, STEP_SETTINGS))
    rates = np.geomspace(lowest, highest, steps)
    watch = _Watch(steps)
    try:
        train(
            copy.deepcopy(network),
            data,
            learning_rate=_looked_up(rates),
            batch_size=batch_size,
            epochs=steps,  # an epoch has at least one step
            seed=seed,
            optimizer=optimizer,
            after_step=[watch],
            **settings,
        )
    except DivergenceError:
        if not watch.losses:
            raise DataError(
                "the loss is not finite before the first step: standardize the inputs (input_scaling) and real "
                "targets (target_scaling)"
            ) from None
    smoothed = np.array(watch.smoothed)
    seen = rates[: len(smoothed)]
    return RangeTest(seen, np.array(watch.losses), smoothed, _suggestion(seen, smoothed))


class _Watch:
    """Keeps the loss of every step, and its average, and ends the training when that has diverged."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        # An average over a twentieth of the range: less is ragged, more lags behind.
        self._keep = 1 - 1 / max(steps / 20, 2)
        self._sum = 0.0

    def __call__(self, state: TrainingState) -> bool:
        if not math.isfinite(state.loss):
            return True
        self.losses.append(state.loss)
        self._sum = self._keep * self._sum + (1 - self._keep) * state.loss
        # Without the division the average would begin at 0: D. Kingma, J. Ba, "Adam" (2015), section 3.
        self.smoothed.append(self._sum / (1 - self._keep ** len(self.losses)))
        return len(self.losses) == self.steps or self._diverged()

    def _diverged(self) -> bool:
        first, least, last = self.smoothed[0], min(self.smoothed), self.smoothed[-1]
        # 4 times the least loss; but some losses go down to 0, and others below.
        return last > least + 3 * max(abs(least), (first - least) / 4)


def _looked_up(rates: npt.NDArray[np.float64]) -> Callable[[int], float]:
    return lambda step: float(rates[step])


def _suggestion(rates: npt.NDArray[np.float64], smoothed: npt.NDArray[np.float64]) -> float:
    """Return the least rate at which the loss has made most of its descent."""
    least = int(np.argmin(smoothed))
    top = int(np.argmax(smoothed[: least + 1]))  # not the first one, which is that of a single batch
    descent = smoothed[top] - smoothed[least]
    if descent <= 0:
        return math.nan
    slowing = top + int(np.argmax(smoothed[top:] <= smoothed[top] - _DESCENT * descent))
    return float(max(min(rates[slowing], rates[least] / _MARGIN), rates[0]))
