"""Losses for classes and labels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array, row_max
from numlp.network.losses.loss import Loss


def _mean_sigmoid(logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
    """Return the logits of the mean probabilities, from the logarithms of p and 1 − p: they never overflow."""
    logarithms = (-arithmetic.softplus(sign * logits, np.empty_like(logits)) for sign in (-1, 1))
    yes, no = (arithmetic.log_sum_exp(each, 0)[0] for each in logarithms)
    pooled: npt.NDArray[Any] = yes - no
    return pooled


class SoftmaxCrossEntropy(Loss):
    r""":math:`-\sum_k t_k \log p_k` with p = softmax(z); gradient p − t where the targets of a row sum to 1.

    C. Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108 and 4.109.
    """

    name = "softmax_cross_entropy"
    task = "classification"
    initializer = "small_normal"  # all classes start out equally likely: no step is spent on undoing chance

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        arithmetic.softmax(logits, out)

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        likelihoods = logits - arithmetic.log_sum_exp(logits, 2)
        pooled: npt.NDArray[Any] = arithmetic.log_sum_exp(likelihoods, 0)[0]
        return pooled

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        row_max(logits, losses, scratch)  # for the moment, as what comes next
        np.subtract(logits, losses[:, None], out=delta)  # z − max z, so that exp can't overflow
        arithmetic.sums_of_products(targets, delta, 1, losses)  # Σ t (z − max z)
        sums = scratch.reshape(-1)[: len(losses)]  # contiguous, unlike a column
        arithmetic.exp(delta, delta)
        arithmetic.sums(delta, 1, sums)
        np.divide(delta, sums[:, None], out=delta)  # p
        np.subtract(delta, targets, out=delta)
        arithmetic.log(sums, sums)
        np.subtract(sums, losses, out=losses)  # log Σ exp(z − max z) − Σ t (z − max z)


class SigmoidBinaryCrossEntropy(Loss):
    r""":math:`-\sum_k t_k \log a_k + (1 - t_k) \log(1 - a_k)` with a = σ(z); gradient a − t.

    For labels that don't exclude each other, and for two classes with one output. C. Bishop (2006), eq. 4.90.
    """

    name = "sigmoid_binary_cross_entropy"
    task = "labels"
    initializer = "small_normal"  # all classes start out equally likely: no step is spent on undoing chance

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        arithmetic.sigmoid(logits, out)

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        return _mean_sigmoid(logits, arithmetic)

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        arithmetic.softplus(logits, scratch)
        np.multiply(logits, targets, out=delta)
        np.subtract(scratch, delta, out=scratch)
        arithmetic.sums(scratch, 1, losses)
        arithmetic.sigmoid(logits, delta)
        np.subtract(delta, targets, out=delta)


class SigmoidSquaredError(Loss):
    r""":math:`\tfrac12 \sum_k (a_k - t_k)^2` with a = σ(z); gradient (a − t) · a · (1 − a).

    The loss of the reference project. A class's probability is the share of its sigmoid, :math:`a_k / \sum_j a_j`; an
    ensemble averages the sigmoids.
    """

    name = "sigmoid_squared_error"
    task = "classification"

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        # From logarithms, since all sigmoids may underflow: log a = −log(1 + e⁻ᶻ).
        np.negative(logits, out=out)
        arithmetic.softplus(out, out)
        np.negative(out, out=out)
        arithmetic.softmax(out, out)

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        return _mean_sigmoid(logits, arithmetic)

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        arithmetic.sigmoid(logits, scratch)
        np.subtract(scratch, targets, out=delta)
        arithmetic.sums_of_products(delta, delta, 1, losses)
        np.multiply(losses, 0.5, out=losses)
        np.multiply(delta, scratch, out=delta)
        np.subtract(1, scratch, out=scratch)
        np.multiply(delta, scratch, out=delta)
