"""The learning-rate range test: which learning rate to try first."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import portable
from numlp.data.rows import Data
from numlp.data.streams import Source
from numlp.errors import DataError, DivergenceError, Interrupted, SettingError
from numlp.network.mlp import MLP
from numlp.settings.checks import positive, unknown, whole_number
from numlp.training.optimizer import Optimizer
from numlp.training.regularization import Regularization
from numlp.training.state import TrainingState
from numlp.training.training import train

_DESCENT = 0.9  # the share of the total descent of the loss that is complete at the suggested rate
_MARGIN = 3.0  # the least factor between the suggested rate and the rate of the lowest loss
# The settings of `train` that change the gradients.
STEP_SETTINGS = (
    "class_weight",
    "augmentation",
    "teacher",
    "distillation",
    *(field.name for field in fields(Regularization) if field.name != "averaging"),
)


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of a range test; `numlp.plots.learning_rates` draws it.

    Attributes
    ----------
    learning_rates : float64 array, shape (steps,)
        The learning rate of each step, ascending. If the loss diverged, there are fewer steps than requested.
    losses : float64 array, shape (steps,)
        The loss of each step's batch, before the step.
    smoothed : float64 array, shape (steps,)
        The exponential moving average of the losses.
    suggestion : float
        The learning rate to try first; NaN if the loss never fell.
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
    processes: int = 1,
    **settings: Any,
) -> RangeTest:
    r"""Suggest a learning rate: train briefly while raising the rate from step to step until the loss rises too.

    Step i of S has the rate :math:`a (b/a)^{i / (S - 1)}`, from the lowest, a, to the highest, b. At low rates the
    loss hardly moves; then it falls; in the end it stops falling and diverges. L. Smith, "Cyclical learning rates
    for training neural networks" (2017), section 3.3, takes as the largest useful rate the one at which the accuracy
    "slows, becomes ragged, or starts to fall". Here the suggestion is the lowest rate at which the smoothed loss has
    completed 90 % of its total descent, but at most a third of the rate with the lowest loss, near which training may
    diverge.

    On MNIST and tables, with SGD, momentum and Adam, the suggestions of 200 steps mostly lay within a factor of three
    of the rate that trains best in a few epochs. The rate of the steepest descent, and a tenth of the rate with the
    lowest loss, were farther off, because the noise of single batches moves both. More steps suggest a lower rate,
    since the network learns more on the way up. Look at the plot before you trust the suggestion.

    Parameters
    ----------
    network : MLP
        The test trains a copy and leaves the network unchanged.
    data : (x, y), (x, y, weights), or batches of these
        As for `train`. The test passes over short data several times.
    lowest, highest : float
        The rates of the first step and of the last.
    steps : int
        At least 10. The test ends early if the smoothed loss exceeds 4 times its lowest value and has lost three
        quarters of its descent again, or if training diverges.
    batch_size, seed, optimizer, processes
        As for `train`; choose those of the training run to come.
    **settings
        Further settings of `train` that change the gradient: class_weight, augmentation, label_smoothing, mixup,
        adversarial, l1, l2, max_norm, clip_norm, clip_value, teacher, distillation.

    Returns
    -------
    RangeTest

    Raises
    ------
    SettingError
        If a setting is out of range or doesn't apply to a range test (schedule, epochs, validation, averaging …).
    DataError
        As for `train`, and if the loss isn't finite before the first step.

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
        raise SettingError(f"lowest must be below highest = {highest:g}, not {lowest:g}")
    steps = whole_number("steps", steps, minimum=10)
    for name in settings:
        if name not in STEP_SETTINGS:
            raise SettingError(unknown("setting of a range test", name, STEP_SETTINGS))
    span = portable.log_of(highest) - portable.log_of(lowest)
    rates = (lowest * portable.exp(np.arange(steps) * (span / (steps - 1)))).astype(np.float64)
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
            processes=processes,
            after_step=[watch],
            **settings,
        )
    except Interrupted as stop:
        raise KeyboardInterrupt from stop.__cause__  # nothing is kept of a range test
    except DivergenceError:
        if not watch.losses:
            raise DataError(
                "the loss isn't finite before the first step: standardize the inputs (input_scaling) and real-valued "
                "targets (target_scaling)"
            ) from None
    smoothed = np.array(watch.smoothed)
    seen = rates[: len(smoothed)]
    return RangeTest(seen, np.array(watch.losses), smoothed, _suggestion(seen, smoothed))


class _Watch:
    """Records the loss of every step and its moving average; ends training when the average has diverged."""

    reads_network = False

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        # Average over a twentieth of the range: over less, the curve is ragged; over more, it lags behind.
        self._keep = 1 - 1 / max(steps / 20, 2)
        self._sum = 0.0

    def __call__(self, state: TrainingState) -> bool:
        if not math.isfinite(state.loss):
            return True
        self.losses.append(state.loss)
        self._sum = self._keep * self._sum + (1 - self._keep) * state.loss
        # Without the division the average would start near 0: D. Kingma, J. Ba, "Adam" (2015), section 3.
        self.smoothed.append(self._sum / (1 - portable.power(self._keep, len(self.losses))))
        return len(self.losses) == self.steps or self._diverged()

    def _diverged(self) -> bool:
        first, least, last = self.smoothed[0], min(self.smoothed), self.smoothed[-1]
        # Not simply 4 times the lowest loss: some losses fall to 0, others below.
        return last > least + 3 * max(abs(least), (first - least) / 4)


def _looked_up(rates: npt.NDArray[np.float64]) -> Callable[[int], float]:
    return lambda step: float(rates[step])


def _suggestion(rates: npt.NDArray[np.float64], smoothed: npt.NDArray[np.float64]) -> float:
    """Return the lowest rate at which the loss has completed most of its descent."""
    least = int(np.argmin(smoothed))
    top = int(np.argmax(smoothed[: least + 1]))  # not simply the first, which averages a single batch
    descent = smoothed[top] - smoothed[least]
    if descent <= 0:
        return math.nan
    slowing = top + int(np.argmax(smoothed[top:] <= smoothed[top] - _DESCENT * descent))
    return float(max(min(rates[slowing], rates[least] / _MARGIN), rates[0]))
