"""Losses for classes and labels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array, row_max, sigmoid, softmax, softplus
from numlp.network.losses.loss import Loss


def _mean_sigmoid(logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the logits of the mean probabilities, from the logarithms of p and 1 − p: they never overflow."""
    yes, no = (np.logaddexp.reduce(-softplus(sign * logits), axis=0) for sign in (-1, 1))
    pooled: npt.NDArray[Any] = yes - no
    return pooled


class SoftmaxCrossEntropy(Loss):
    r""":math:`-\sum_k t_k \log p_k` with p = softmax(z); gradient p − t where the targets of a row sum to 1.

    C. Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108 and 4.109.
    """

    name = "softmax_cross_entropy"
    task = "classification"
    initializer = "small_normal"  # all classes start out equally likely: no step is spent on undoing chance

    def link(self, logits: Array, out: Array) -> None:
        softmax(logits, out=out)

    def pool(self, logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
        likelihoods = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
        pooled: npt.NDArray[Any] = np.logaddexp.reduce(likelihoods, axis=0)
        return pooled

    def value_and_grad(self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array) -> None:
        row_max(logits, losses, scratch)
        np.subtract(logits, losses[:, None], out=delta)  # z − max z, so that exp can't overflow
        np.vecdot(targets, delta, out=losses)
        sums = scratch.reshape(-1)[: len(losses)]  # contiguous, unlike a column
        np.exp(delta, out=delta)
        np.add.reduce(delta, axis=1, out=sums)
        np.divide(delta, sums[:, None], out=delta)  # p
        np.subtract(delta, targets, out=delta)
        np.log(sums, out=sums)
        np.subtract(sums, losses, out=losses)  # log Σ exp(z − max z) − Σ t (z − max z)


class SigmoidBinaryCrossEntropy(Loss):
    r""":math:`-\sum_k t_k \log a_k + (1 - t_k) \log(1 - a_k)` with a = σ(z); gradient a − t.

    For labels that don't exclude each other, and for two classes with one output. C. Bishop (2006), eq. 4.90.
    """

    name = "sigmoid_binary_cross_entropy"
    task = "labels"
    initializer = "small_normal"  # all classes start out equally likely: no step is spent on undoing chance

    def link(self, logits: Array, out: Array) -> None:
        sigmoid(logits, out=out)

    def pool(self, logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return _mean_sigmoid(logits)

    def value_and_grad(self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array) -> None:
        softplus(logits, out=scratch)
        np.multiply(logits, targets, out=delta)
        np.subtract(scratch, delta, out=scratch)
        np.add.reduce(scratch, axis=1, out=losses)
        sigmoid(logits, out=delta)
        np.subtract(delta, targets, out=delta)


class SigmoidSquaredError(Loss):
    r""":math:`\tfrac12 \sum_k (a_k - t_k)^2` with a = σ(z); gradient (a − t) · a · (1 − a).

    The loss of the reference project. A class's probability is the share of its sigmoid, :math:`a_k / \sum_j a_j`; an
    ensemble averages the sigmoids.
    """

    name = "sigmoid_squared_error"
    task = "classification"

    def link(self, logits: Array, out: Array) -> None:
        # From logarithms, since all sigmoids may underflow: log a = −log(1 + e⁻ᶻ).
        np.negative(logits, out=out)
        softplus(out, out=out)
        np.negative(out, out=out)
        softmax(out, out=out)

    def pool(self, logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return _mean_sigmoid(logits)

    def value_and_grad(self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array) -> None:
        sigmoid(logits, out=scratch)
        np.subtract(scratch, targets, out=delta)
        np.vecdot(delta, delta, out=losses)
        np.multiply(losses, 0.5, out=losses)
        np.multiply(delta, scratch, out=delta)
        np.subtract(1, scratch, out=scratch)
        np.multiply(delta, scratch, out=delta)
