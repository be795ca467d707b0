"""Losses: what the network is trained to make small.

A loss owns its link, the function that turns the network's last sums (the logits) into predictions: each is only
right beside the other, and together they have a simpler and stabler gradient than apart.

``value_and_grad(logits, targets, delta, scratch)`` returns the loss **summed over the rows** and writes its gradient
with respect to the logits into `delta`. All four arrays have shape (n, outputs); `scratch` may be overwritten.
Targets are rows: one-hot (or any probabilities) for classes, values for regression.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from numlp.special import Array, sigmoid, softmax


@dataclass(frozen=True)
class Loss:
    """A loss with its link.

    Attributes
    ----------
    name : str
        Its name in `LOSSES`, in recipes and in model files.
    task : "classification" or "regression"
        What the targets are: classes or real values.
    link : callable
        ``link(logits, out)``: predictions from logits.
    value_and_grad : callable
        ``value_and_grad(logits, targets, delta, scratch)``: see the module.
    """

    name: str
    task: Literal["classification", "regression"]
    link: Callable[[Array, Array], object]
    value_and_grad: Callable[[Array, Array, Array, Array], float]


def _softmax_cross_entropy(logits: Array, targets: Array, delta: Array, scratch: Array) -> float:
    r""":math:`-\sum_k t_k \log p_k` with p = softmax(z); gradient p − t where the targets of a row sum to 1.

    C. Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108 and 4.109.
    """
    column = scratch[:, :1]
    np.maximum.reduce(logits, axis=1, keepdims=True, out=column)
    np.subtract(logits, column, out=delta)
    log_likelihood = np.vdot(targets, delta)
    np.exp(delta, out=delta)
    np.add.reduce(delta, axis=1, keepdims=True, out=column)
    np.divide(delta, column, out=delta)
    np.subtract(delta, targets, out=delta)
    np.log(column, out=column)
    return float(np.add.reduce(column, axis=None) - log_likelihood)


def _sigmoid_squared_error(logits: Array, targets: Array, delta: Array, scratch: Array) -> float:
    r""":math:`\tfrac12 \sum_k (a_k - t_k)^2` with a = σ(z); gradient (a − t) · a · (1 − a)."""
    sigmoid(logits, out=scratch)
    np.subtract(scratch, targets, out=delta)
    value = 0.5 * float(np.vdot(delta, delta))
    np.multiply(delta, scratch, out=delta)
    np.subtract(1, scratch, out=scratch)
    np.multiply(delta, scratch, out=delta)
    return value


def _squared_error(logits: Array, targets: Array, delta: Array, scratch: Array) -> float:
    r""":math:`\tfrac12 \sum_k (z_k - t_k)^2`; gradient z − t."""
    np.subtract(logits, targets, out=delta)
    return 0.5 * float(np.vdot(delta, delta))


def _identity(logits: Array, out: Array) -> None:
    np.copyto(out, logits)


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("softmax_cross_entropy", "classification", softmax, _softmax_cross_entropy),
        Loss("sigmoid_squared_error", "classification", sigmoid, _sigmoid_squared_error),
        Loss("squared_error", "regression", _identity, _squared_error),
    )
}
