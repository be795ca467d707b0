"""Calibration: probabilities and intervals that match how often the predictions are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact, portable
from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array
from numlp.arrays.targets import target_rows
from numlp.data.rows import Data, Rows, check_rows
from numlp.errors import DataError, SettingError
from numlp.judging.figures import Gathered
from numlp.judging.intervals import effective_rows
from numlp.judging.metrics import expected_calibration_error
from numlp.network.ensemble import Ensemble
from numlp.network.losses import LOSSES, Loss
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor

_LEAST, _MOST = 0.01, 100.0  # the range of temperatures to search
_HALVINGS = 60  # of that range, down to the resolution of float64
_FEWEST_ROWS = 10  # to calibrate intervals on: with fewer, the coverage is off by 15 points or more

# For each loss, the one that is the negative log-likelihood of its probabilities. The classes of a softmax exclude
# each other; a sigmoid judges each class separately.
_LIKELIHOODS = {
    "softmax_cross_entropy": "softmax_cross_entropy",
    "sigmoid_binary_cross_entropy": "sigmoid_binary_cross_entropy",
    "sigmoid_squared_error": "sigmoid_binary_cross_entropy",
}

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """The result of a calibration, measured on its data.

    Attributes
    ----------
    temperature : float
        Above 1 if the predictions were overconfident, below 1 if they were underconfident; always 1 for intervals.
    error_before, error_after : float
        For classes and labels the expected calibration error, in [0, 1], at temperature 1 and at `temperature`; see
        `numlp.judging.metrics.expected_calibration_error`. For intervals the largest difference, in [0, 1], between a
        coverage and the share that it promises.
    loss_before, loss_after : float
        For classes and labels the mean negative log-likelihood at the same two temperatures, in nats; for intervals
        the mean loss.
    """

    temperature: float
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float


def calibrate(predictor: Predictor, data: Data) -> Calibration:
    r"""Make probabilities or intervals match how often the predictions are right.

    **Probabilities.** The logits are divided by a temperature T before they become probabilities. T minimizes the
    negative log-likelihood of the targets t: with a softmax, :math:`-\sum_k t_k \log \mathrm{softmax}_k(z / T)`; with
    a sigmoid, which judges each class or label separately,
    :math:`-\sum_k t_k \log \sigma(z_k / T) + (1 - t_k) \log(1 - \sigma(z_k / T))`. Both are convex in 1/T, so
    bisection finds the only minimum from 0.01 to 100. Where every prediction is right, there is none: each target
    then moves by 1/(n + 1) towards equal probabilities, as if one more row were a guess (after J. Platt,
    "Probabilistic outputs for support vector machines", 1999). The predicted classes stay the same. C. Guo et al.,
    "On calibration of modern neural networks" (2017), section 4.2.

    **Intervals.** The biases of the outputs are shifted, for each target separately, so that the intervals hold the
    shares that they promise. With the Gaussian loss the variances v are multiplied by the quantile of
    :math:`(t - m)^2 / v` at the level 0.6827, the share of a normal distribution within one standard deviation. With
    the quantile loss each quantile of level q moves by the q-quantile of its residuals t − z. As in conformal
    prediction, the quantile at level q of n values is the one with the rank :math:`\lceil (n + 1) q \rceil`: a
    further row from the same source lies below it with a probability between q and q + 1/(n + 1). This holds on
    average over all rows, not for each kind of row. Where shifts bring levels closer together, quantiles of rows with
    little noise may cross. Y. Romano, E. Patterson, E. Candès, "Conformalized quantile regression"
    (2019).

    Parameters
    ----------
    predictor : MLP or Ensemble
        For classes and labels its `temperature` is set, whatever it was before. Model files store the temperature;
        further training resets it to 1. For intervals its parameters change, those of each member of an ensemble.
    data : (x, y) or (x, y, weights)
        Validation data, in the form that `train` takes. Training data won't do: networks are overconfident on it.

    Returns
    -------
    Calibration

    Raises
    ------
    SettingError
        If the loss predicts neither probabilities nor intervals.
    DataError
        For intervals: with fewer than 10 rows, or 1/q − 1 or 1/(1 − q) − 1 for a level q, if that is more. The
        predictor is left unchanged.

    Examples
    --------
    >>> from numlp import MLP
    >>> network = MLP([1, 1], loss="sigmoid_binary_cross_entropy", dtype="float64")
    >>> network.params[:] = 3, 0  # the logit is 3 x, but log 4 would be right
    >>> x, y = [[1.0]] * 5, [1, 1, 1, 1, 0]
    >>> calibration = calibrate(network, (x, y))
    >>> network.predict_proba(x)[0].round(4)
    array([0.2, 0.8])
    >>> round(calibration.error_before, 4), round(calibration.error_after, 4)
    (0.1526, 0.0)

    Quantiles that are 0, until they are calibrated on the targets 1, 2, …, 99:

    >>> network = MLP([1, 3], loss="quantile(levels = [0.1, 0.5, 0.9])", dtype="float64")
    >>> network.params[:] = 0
    >>> calibration = calibrate(network, (np.zeros((99, 1)), np.arange(1, 100)))
    >>> network.predict([[0.0]])
    array([[10., 50., 90.]])
    """
    if not predictor.loss.promised:
        return _calibrate_probabilities(predictor, data)
    rows = check_rows(predictor, data, predictor.class_names)
    networks: Sequence[Any] = predictor.members if isinstance(predictor, Ensemble) else (predictor,)
    logits = np.stack([np.concatenate(list(network.chunks(rows.x))) for network in networks]).astype(np.float64)
    found, corrections = fitted_intervals(predictor, logits, rows)
    shift_outputs(networks, corrections)
    return found


def fitted_intervals(predictor: Predictor, logits: Float64, rows: Rows) -> tuple[Calibration, Float64]:
    """Return what to add to the outputs' biases to fit logits, (networks, n, outputs), to rows; see `calibrate`."""
    loss, promised, n = predictor.loss, predictor.loss.promised, len(rows.targets)
    weights = np.ones(n) if rows.weights is None else rows.weights / rows.weights.max()
    counted = effective_rows(weights)
    least = max(_FEWEST_ROWS, *(math.ceil(1 / min(q, 1 - q) - 1 - 1e-9) for q in promised.values()))
    if counted < least - 1e-9:
        raise DataError(
            f"intervals need at least {least} rows to be calibrated on, not {counted:.4g}: give more rows"
        )

    def quantile(values: Float64, level: float) -> Float64:
        """Return the value of the rank ⌈(n + 1) level⌉ in each column."""
        order = np.argsort(values, axis=0, kind="stable")
        shares = np.cumsum(weights[order], axis=0) / exact.total(weights, folds=2)
        # Rounded sums must not reach the next rank.
        ranks = np.argmax(shares >= min(level * (1 + 1 / counted), 1) - 1e-9, axis=0)
        columns = np.arange(values.shape[1])
        found: Float64 = values[order[ranks, columns], columns]
        return found

    def figures(logits: Float64) -> tuple[float, float]:
        """Return the largest error of a coverage, and the mean loss."""
        pooled = loss.pool(logits, predictor.arithmetic)
        values, (delta, scratch) = np.empty(n), np.empty((2, *pooled.shape))
        loss.value_and_grad(pooled, rows.targets.astype(np.float64), values, delta, scratch, predictor.arithmetic)
        gathered = Gathered(predictor, n)
        gathered.add(pooled, rows.targets, weights)
        metrics = gathered.result()
        error = max(abs(metrics[name] - share) for name, share in promised.items())
        return error, float(exact.mean(values, weights=weights))

    corrections = loss.corrections(logits, rows.targets, quantile, predictor.arithmetic)
    (error, value), (error_after, value_after) = figures(logits), figures(logits + corrections)
    return Calibration(1.0, error, error_after, value, value_after), corrections


def shift_outputs(networks: Sequence[MLP], corrections: Float64) -> None:
    """Add corrections to the biases of the networks' outputs, once to a network that is there several times."""
    for network in {id(network): network for network in networks}.values():
        bias = network.linear_layers[-1].bias
        assert bias is not None
        bias += corrections


def _calibrate_probabilities(predictor: Predictor, data: Data) -> Calibration:
    _likelihood(predictor.loss)  # or raise, before any work
    rows = check_rows(predictor, data, predictor.class_names)
    found = fitted_temperature(
        predictor.loss, np.concatenate(list(predictor.chunks(rows.x))), rows, predictor.arithmetic
    )
    predictor.temperature = found.temperature
    return found


def fitted_temperature(loss: Loss, logits: Array, rows: Rows, arithmetic: Arithmetic) -> Calibration:
    """Return the temperature that fits logits, (n, outputs), to the targets of rows; see `calibrate`."""
    likelihood = _likelihood(loss)
    logits = logits.astype(np.float64)
    n, width = logits.shape
    targets = wanted = target_rows(rows.targets, width, np.float64)
    weights = np.ones(n) if rows.weights is None else rows.weights
    weights = weights / exact.total(weights, folds=2)
    values, (delta, scratch) = np.empty(n), np.empty((2, n, width))

    def loss_and_slope(temperature: float) -> tuple[float, float]:
        """Return the loss and its derivative with respect to 1/T: the gradient by the logits, times the logits."""
        likelihood.value_and_grad(logits / temperature, wanted, values, delta, scratch, arithmetic)
        slopes = exact.total(delta * logits, 1, folds=2)
        return float(exact.total(weights * values, folds=2)), float(exact.total(weights * slopes, folds=2))

    def error(temperature: float) -> float:
        probabilities = np.empty_like(logits)
        loss.link(logits / temperature, probabilities, arithmetic)
        if loss.task == "labels":  # each label is a decision between two classes
            both = np.stack([1 - probabilities, probabilities], axis=2).reshape(-1, 2)
            return expected_calibration_error(both, targets.ravel() > 0.5, weights=np.repeat(weights, width))
        return expected_calibration_error(probabilities, targets.argmax(axis=1), weights=weights)

    with np.errstate(under="ignore", over="ignore"):
        if loss_and_slope(_LEAST)[1] <= 0:
            rest = 0.5 if loss.task == "labels" else 1 / width
            wanted = targets + (rest - targets) / (n + 1)
        low, high = portable.log_of(_LEAST), portable.log_of(_MOST)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            slope = loss_and_slope(portable.exp_of(middle))[1]
            if slope == 0:
                break
            low, high = (middle, high) if slope > 0 else (low, middle)
        temperature, wanted = portable.exp_of(middle), targets
        return Calibration(
            temperature, error(1.0), error(temperature), loss_and_slope(1.0)[0], loss_and_slope(temperature)[0]
        )


def _likelihood(loss: Loss) -> Loss:
    if loss.task == "regression":
        raise SettingError(
            f"predictor must have a loss for classes, labels or intervals, not {loss.name!r}: calibration needs "
            "probabilities, or the losses quantile or gaussian_negative_log_likelihood"
        )
    if loss.name not in _LIKELIHOODS:
        raise SettingError(
            f"predictor must have one of the losses {', '.join(_LIKELIHOODS)}, not {loss.name!r}: a temperature is "
            "fitted to their likelihoods"
        )
    return LOSSES[_LIKELIHOODS[loss.name]]()
