"""A case: what every contender trains, in terms that mean the same to all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]
# Called with the mean loss of every epoch; a true return value ends the training.
AfterEpoch = Callable[[float], object]
# From rows in [0, 1], float32, to the probabilities of the classes, both NumPy arrays.
Predict = Callable[[Rows], Rows]


@dataclass(frozen=True)
class Case:
    """A ReLU network with softmax and cross-entropy in float32, trained in minibatches in a new order every epoch.

    Attributes
    ----------
    hidden : tuple of int
        The widths of the hidden layers.
    batch_size : int
        The last batch of an epoch holds the remaining rows.
    optimizer : "sgd", "adam" or "adamw"
        AdamW decays weights by 0.01.
    learning_rate : float
        Constant, or the peak of the schedule.
    schedule : "constant" or "one_cycle"
        One cycle: linearly up from 0 in the first fifth of all steps, then linearly down to 0.
    momentum : float
        Nesterov's momentum, for SGD.
    beta2 : float
        For Adam.
    dropout : float
        On the output of every hidden layer.
    batch_norm : bool
        Before every ReLU.
    label_smoothing : float
    standardize : bool
        Subtract each pixel's mean and divide by one standard deviation for all pixels, instead of using [0, 1].
    epochs : int
    seed : int
    """

    hidden: tuple[int, ...]
    batch_size: int
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    schedule: str = "constant"
    momentum: float = 0.0
    beta2: float = 0.999
    dropout: float = 0.0
    batch_norm: bool = False
    label_smoothing: float = 0.0
    standardize: bool = False
    epochs: int = 1_000_000
    seed: int = 0

    def layer_size(self, inputs: int = 784, classes: int = 10) -> list[int]:
        """Return the widths of all layers."""
        return [inputs, *self.hidden, classes]

    def learning_rates(self, steps: int, first: int = 0, count: int | None = None) -> npt.NDArray[np.float32]:
        """Return the learning rates of `count` steps out of `steps`, starting at step `first`."""
        step = np.arange(first, steps if count is None else first + count)
        if self.schedule == "constant":
            return np.full(len(step), self.learning_rate, np.float32)
        top = max(0.2 * steps - 1, 0.5)
        share = np.minimum(step / top, (steps - 1 - step) / max(steps - 1 - top, 0.5))
        return (self.learning_rate * share).astype(np.float32)


def standard_scale(x: Rows) -> tuple[npt.NDArray[np.float32], np.float32]:
    """Return each pixel's mean and one standard deviation for all pixels, in units of [0, 1], from rows of bytes."""
    total, squares = np.zeros((2, x.shape[1]))
    for start in range(0, len(x), 100):  # few enough to stay in the cache and for float32 to hold their sums exactly
        rows = x[start : start + 100].astype(np.float32)
        total += rows.sum(axis=0)
        squares += np.einsum("ij,ij->j", rows, rows)
    mean, square = total / len(x), squares / len(x)
    return (mean / 255).astype(np.float32), np.float32(np.sqrt(np.mean(square - mean**2)) / 255)
