"""What every loss can do; a loss defines only what it does differently."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array
from numlp.errors import SettingError
from numlp.network.scaling import Scaling
from numlp.settings.named import Named

Task = Literal["classification", "labels", "regression"]


class Loss(Named, ABC):
    """A loss with its link.

    Attributes
    ----------
    task : "classification", "labels" or "regression"
        What the targets are: one of several classes, yes or no for each of several labels (or for one), real values.
    scales_targets : bool
        Whether targets may be standardized for training, and predictions scaled back; counts may not.
    initializer : str
        The initializer of the weights into the outputs, unless the user names one.
    """

    task: ClassVar[Task]
    scales_targets: ClassVar[bool] = False
    initializer: ClassVar[str] = "glorot_uniform"

    @property
    def block_names(self) -> tuple[str, ...]:
        """What the outputs for each target mean, such as "mean" and "variance"."""
        return ("value",)

    @property
    def blocks(self) -> int:
        """The number of outputs for each target."""
        return len(self.block_names)

    @property
    def point(self) -> int:
        """The index of the block that predicts the target itself."""
        return 0

    def check_outputs(self, count: int) -> None:
        """Raise `SettingError` for a number of outputs that a network with this loss can't have."""
        if count % self.blocks:
            raise SettingError(
                f"layer_size must end with a multiple of {self.blocks}, not with {count}: loss {self} has "
                f"{self.blocks} outputs for each target"
            )
        if self.task == "classification" and count == 1:
            raise SettingError(
                f"layer_size must not end with 1 for loss {self.name!r}, which has an output for each class: end it "
                "with 2, or take loss='sigmoid_binary_cross_entropy' for yes or no, 'squared_error' for real targets"
            )

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        """Write the predictions for logits, in the scale of scaled targets, into `out`, which may be `logits`."""
        np.copyto(out, logits)

    @abstractmethod
    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        """Write the loss of every row into `losses` and its gradient into `delta`, as numlp.network.losses says."""

    def unscale(self, predictions: Array, scaling: Scaling) -> npt.NDArray[np.float64]:
        """Return predictions, (n, blocks, targets), in the units of the targets."""
        return scaling.invert(predictions)

    def covered(
        self, predictions: npt.NDArray[np.float64], targets: npt.NDArray[np.float64]
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which targets, (n, targets), lie in the intervals that predictions, (n, blocks, targets), give."""
        return {}

    @property
    def promised(self) -> dict[str, float]:
        """The share of the targets that each interval of `covered` should hold; empty without intervals."""
        return {}

    def corrections(
        self,
        logits: npt.NDArray[np.float64],
        targets: npt.NDArray[np.float64],
        quantile: Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.float64]],
        arithmetic: Arithmetic,
    ) -> npt.NDArray[np.float64]:
        """Return what to add to the outputs, (outputs,), so that the intervals hold the promised shares.

        `logits` are those of each network, (networks, n, outputs); `targets` are scaled, (n, targets). `quantile`
        returns the quantile of each column of values, (n, targets), at a level.
        """
        raise NotImplementedError

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        """Return the logits, (n, outputs), of networks' mean prediction, from theirs, (networks, n, outputs)."""
        return mean(logits, arithmetic)


def mean(values: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
    """Return the mean over the first axis, that of networks."""
    flat = values.reshape(len(values), -1)
    sums = arithmetic.sums(flat, 0, np.empty(flat.shape[1], values.dtype))
    return np.divide(sums, len(values), out=sums).reshape(values.shape[1:])
