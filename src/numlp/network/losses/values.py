"""Losses for real targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import portable
from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array
from numlp.errors import SettingError
from numlp.network.losses.loss import Loss, mean
from numlp.network.scaling import Scaling
from numlp.settings.checks import positive, share
from numlp.settings.named import setting


class SquaredError(Loss):
    r""":math:`\tfrac12 \sum_k (z_k - t_k)^2`; gradient z − t. Its best prediction is the mean."""

    name = "squared_error"
    task = "regression"
    scales_targets = True

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        np.subtract(logits, targets, out=delta)
        arithmetic.sums_of_products(delta, delta, 1, losses)
        np.multiply(losses, 0.5, out=losses)


class AbsoluteError(Loss):
    r""":math:`\sum_k |z_k - t_k|`; gradient sign(z − t). Its best prediction is the median."""

    name = "absolute_error"
    task = "regression"
    scales_targets = True

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        np.subtract(logits, targets, out=delta)
        np.abs(delta, out=scratch)
        arithmetic.sums(scratch, 1, losses)
        np.sign(delta, out=delta)


@dataclass(frozen=True)
class Huber(Loss):
    r""":math:`\sum_k \tfrac12 c_k (2 e_k - c_k)` with e = z − t and c = e clipped to ±δ; gradient c.

    Squared for errors up to δ (in standard deviations if targets are standardized), absolute beyond. P. Huber,
    "Robust estimation of a location parameter" (1964).

    Parameters
    ----------
    delta : float
        Where the loss turns from squared to absolute, in units of (scaled) targets.
    """

    name = "huber"
    task = "regression"
    scales_targets = True
    delta: float = setting(1.0, positive)

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        # With c the error clipped to ±δ, the loss is ½ c (2e − c).
        np.subtract(logits, targets, out=scratch)
        np.clip(scratch, -self.delta, self.delta, out=delta)
        np.multiply(scratch, 2, out=scratch)
        np.subtract(scratch, delta, out=scratch)
        arithmetic.sums_of_products(delta, scratch, 1, losses)
        np.multiply(losses, 0.5, out=losses)


class Poisson(Loss):
    r""":math:`\sum_k e^{z_k} - t_k z_k`, for counts; the prediction is eᶻ; gradient eᶻ − t.

    The negative log-likelihood without the terms that don't depend on the network, so it may be negative.
    """

    name = "poisson"
    task = "regression"

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        with np.errstate(over="ignore"):
            arithmetic.exp(logits, out)

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        pooled: npt.NDArray[Any] = arithmetic.log_sum_exp(logits, 0)[0] - float(portable.log(len(logits)))
        return pooled

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        arithmetic.exp(logits, delta)
        np.multiply(logits, targets, out=scratch)
        np.subtract(delta, scratch, out=scratch)
        arithmetic.sums(scratch, 1, losses)
        np.subtract(delta, targets, out=delta)


def _levels(name: str, value: object) -> tuple[float, ...]:
    levels = tuple(share(name, level) for level in value) if isinstance(value, list | tuple) else ()
    if not levels or tuple(sorted(set(levels))) != levels:
        raise SettingError(f"{name} must be a list of increasing shares such as [0.1, 0.5, 0.9], not {value!r}")
    return levels


@dataclass(frozen=True)
class Quantile(Loss):
    r""":math:`\sum_{q,k} \max(q\,e_{qk}, (q - 1)\,e_{qk})` with e = t − z; gradient −q where e > 0, else 1 − q.

    Several levels at once, one block of outputs each: a share q of the targets lies below the prediction.
    R. Koenker, G. Bassett, "Regression quantiles" (1978).

    Parameters
    ----------
    levels : sequence of float
        The shares q, between 0 and 1, increasing.
    """

    name = "quantile"
    task = "regression"
    scales_targets = True
    levels: tuple[float, ...] = setting((0.1, 0.5, 0.9), _levels)

    @property
    def block_names(self) -> tuple[str, ...]:
        return tuple(f"quantile {level:g}" for level in self.levels)

    @property
    def point(self) -> int:
        return min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - 0.5))

    def covered(
        self, predictions: npt.NDArray[np.float64], targets: npt.NDArray[np.float64]
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which targets lie at or below each quantile."""
        return {f"coverage_{level:g}": targets <= predictions[:, i] for i, level in enumerate(self.levels)}

    @property
    def promised(self) -> dict[str, float]:
        return {f"coverage_{level:g}": level for level in self.levels}

    def corrections(
        self,
        logits: npt.NDArray[np.float64],
        targets: npt.NDArray[np.float64],
        quantile: Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.float64]],
        arithmetic: Arithmetic,
    ) -> npt.NDArray[np.float64]:
        """Return for each level that quantile of the residuals."""
        predictions = np.split(self.pool(logits, arithmetic), len(self.levels), axis=1)
        return np.concatenate([quantile(targets - z, q) for z, q in zip(predictions, self.levels, strict=True)])

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        width = targets.shape[1]
        for i, level in enumerate(self.levels):
            block = slice(i * width, (i + 1) * width)
            error, slope = scratch[:, block], delta[:, block]
            np.subtract(logits[:, block], targets, out=error)
            np.greater_equal(error, 0, out=slope)
            np.subtract(slope, level, out=slope)
        arithmetic.sums_of_products(delta, scratch, 1, losses)


_WITHIN_ONE_DEVIATION = 0.6826894921370859  # erf(√½), the share of a normal distribution
_LEAST_RATIO = 1e-6  # of a corrected variance to the one before, since no variance may be 0


class GaussianNegativeLogLikelihood(Loss):
    r""":math:`\tfrac12 \sum_k s_k + (t_k - m_k)^2 e^{-s_k}`: a mean m and a variance eˢ for every target.

    Two blocks, m and s. Gradients (m − t) e⁻ˢ and ½ (1 − (t − m)² e⁻ˢ). D. Nix, A. Weigend, "Estimating the mean and
    variance of the target probability distribution" (1994).
    """

    name = "gaussian_negative_log_likelihood"
    task = "regression"
    scales_targets = True

    @property
    def block_names(self) -> tuple[str, ...]:
        return ("mean", "variance")

    def link(self, logits: Array, out: Array, arithmetic: Arithmetic) -> None:
        half = logits.shape[1] // 2
        np.copyto(out[:, :half], logits[:, :half])
        with np.errstate(over="ignore"):
            arithmetic.exp(logits[:, half:], out[:, half:])

    def value_and_grad(
        self, logits: Array, targets: Array, losses: Array, delta: Array, scratch: Array, arithmetic: Arithmetic
    ) -> None:
        half = targets.shape[1]
        log_variance, error, precision = logits[:, half:], scratch[:, :half], scratch[:, half:]
        by_mean, by_variance = delta[:, :half], delta[:, half:]
        np.subtract(logits[:, :half], targets, out=error)
        np.negative(log_variance, out=precision)
        arithmetic.exp(precision, precision)
        np.multiply(error, precision, out=by_mean)
        np.multiply(error, by_mean, out=by_variance)
        np.add(log_variance, by_variance, out=precision)
        arithmetic.sums(precision, 1, losses)
        np.multiply(losses, 0.5, out=losses)
        np.multiply(by_variance, -0.5, out=by_variance)
        np.add(by_variance, 0.5, out=by_variance)

    def covered(
        self, predictions: npt.NDArray[np.float64], targets: npt.NDArray[np.float64]
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which targets lie within one standard deviation of the mean."""
        middle, variance = predictions[:, 0], predictions[:, 1]
        return {"coverage": np.abs(targets - middle) <= np.sqrt(variance)}

    @property
    def promised(self) -> dict[str, float]:
        return {"coverage": _WITHIN_ONE_DEVIATION}

    def corrections(
        self,
        logits: npt.NDArray[np.float64],
        targets: npt.NDArray[np.float64],
        quantile: Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.float64]],
        arithmetic: Arithmetic,
    ) -> npt.NDArray[np.float64]:
        """Return 0 for the means and log a for the variances, which become a times as large.

        The mixture of several networks has the variance a v + d, with v their mean variance and d the variance of
        their means; it covers a target if (t − m)² ≤ a v + d.
        """
        means, log_variances = np.split(logits, 2, axis=2)
        middle, spread = _moments(means, arithmetic)
        errors = targets - middle
        variances = mean(arithmetic.exp(log_variances, np.empty_like(log_variances)), arithmetic)
        ratios = np.maximum(quantile((errors * errors - spread) / variances, self.promised["coverage"]), _LEAST_RATIO)
        return np.concatenate([np.zeros_like(ratios), arithmetic.log(ratios, ratios)])

    def unscale(self, predictions: Array, scaling: Scaling) -> npt.NDArray[np.float64]:
        middle, variance = predictions[:, 0], predictions[:, 1]
        return np.stack([scaling.invert(middle), variance / (scaling.factor * scaling.factor)], axis=1)

    def pool(self, logits: npt.NDArray[Any], arithmetic: Arithmetic) -> npt.NDArray[Any]:
        """Return mean and variance of the mixture: the members' mean variance, plus the variance of their means."""
        means, log_variances = np.split(logits, 2, axis=2)
        middle, spread = _moments(means, arithmetic)
        variance = mean(arithmetic.exp(log_variances, np.empty_like(log_variances)), arithmetic) + spread
        return np.concatenate([middle, arithmetic.log(variance, variance)], axis=1)


def _moments(values: npt.NDArray[Any], arithmetic: Arithmetic) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the mean and the variance over the first axis, that of networks."""
    middle = mean(values, arithmetic)
    return middle, mean(np.square(values - middle), arithmetic)
