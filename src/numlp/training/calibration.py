"""Calibration: probabilities that match how often the predictions are right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.arrays.targets import target_rows
from numlp.data.rows import Data, check_rows
from numlp.errors import DataError, SettingError
from numlp.judging.metrics import expected_calibration_error
from numlp.network.losses import LOSSES, Loss
from numlp.network.predictor import Predictor

_LEAST, _MOST = 0.01, 100.0  # the range of temperatures to search
_HALVINGS = 60  # of that range, down to the resolution of float64

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
        Above 1 if the predictions were overconfident, below 1 if they were underconfident.
    error_before, error_after : float
        The expected calibration error, in [0, 1], at temperature 1 and at `temperature`; see
        `numlp.judging.metrics.expected_calibration_error`.
    loss_before, loss_after : float
        The mean negative log-likelihood at the same two temperatures, in nats.
    """

    temperature: float
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float


def calibrate(predictor: Predictor, data: Data) -> Calibration:
    r"""Fit the temperature that divides the logits before they become probabilities, and set it.

    The temperature T minimizes the negative log-likelihood of the targets t: with a softmax,
    :math:`-\sum_k t_k \log \mathrm{softmax}_k(z / T)`; with a sigmoid, which judges each class or label separately,
    :math:`-\sum_k t_k \log \sigma(z_k / T) + (1 - t_k) \log(1 - \sigma(z_k / T))`. Both are convex in 1/T, so
    bisection finds the only minimum. The predicted classes stay the same. C. Guo et al., "On calibration of modern
    neural networks" (2017), section 4.2.

    Parameters
    ----------
    predictor : MLP or Ensemble
        Its `temperature` is set, whatever it was before. Model files store the temperature; further training resets
        it to 1.
    data : (x, y) or (x, y, weights)
        Validation data, in the form that `train` takes. Training data won't do: networks are overconfident on it.

    Returns
    -------
    Calibration

    Raises
    ------
    SettingError
        If the loss is one for real-valued targets.
    DataError
        If the likelihood still grows at the lowest temperature, 0.01. It does if every prediction is right: such
        rows can't show how much confidence is too much. The predictor is left unchanged. (If predictions are worse
        than guessing, the temperature ends at 100, which makes the probabilities nearly equal.)

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
    """
    likelihood = _likelihood(predictor.loss)
    rows = check_rows(predictor, data, predictor.class_names)
    logits = np.concatenate(list(predictor.chunks(rows.x))).astype(np.float64)
    n, width = logits.shape
    targets = target_rows(rows.targets, width, np.float64)
    weights = np.ones(n) if rows.weights is None else rows.weights
    weights = weights / weights.sum()
    values, (delta, scratch) = np.empty(n), np.empty((2, n, width))

    def loss_and_slope(temperature: float) -> tuple[float, float]:
        """Return the loss and its derivative with respect to 1/T: the gradient by the logits, times the logits."""
        likelihood.value_and_grad(logits / temperature, targets, values, delta, scratch)
        return float(weights @ values), float(weights @ np.vecdot(delta, logits))

    def error(temperature: float) -> float:
        probabilities = np.empty_like(logits)
        predictor.loss.link(logits / temperature, probabilities)
        if predictor.loss.task == "labels":  # each label is a decision between two classes
            both = np.stack([1 - probabilities, probabilities], axis=2).reshape(-1, 2)
            return expected_calibration_error(both, targets.ravel() > 0.5, weights=np.repeat(weights, width))
        return expected_calibration_error(probabilities, targets.argmax(axis=1), weights=weights)

    with np.errstate(under="ignore", over="ignore"):
        loss, slope = loss_and_slope(_LEAST)
        if slope < 0 or loss == 0:
            raise DataError(
                f"the likelihood still grows at the lowest temperature, {_LEAST:g}: if every prediction is right, "
                "calibrate on more rows that the network was not trained on; otherwise, the logits are close to 0"
            )
        low, high = math.log(_LEAST), math.log(_MOST)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            slope = loss_and_slope(math.exp(middle))[1]
            if slope == 0:
                break
            low, high = (middle, high) if slope > 0 else (low, middle)
        temperature = math.exp(middle)
        found = Calibration(
            temperature, error(1.0), error(temperature), loss_and_slope(1.0)[0], loss_and_slope(temperature)[0]
        )
    predictor.temperature = temperature
    return found


def _likelihood(loss: Loss) -> Loss:
    if loss.task == "regression":
        raise SettingError(
            f"predictor must have a loss for classes or labels, not {loss.name!r}: calibration needs probabilities"
        )
    if loss.name not in _LIKELIHOODS:
        raise SettingError(
            f"predictor must have one of the losses {', '.join(_LIKELIHOODS)}, not {loss.name!r}: a temperature is "
            "fitted to their likelihoods"
        )
    return LOSSES[_LIKELIHOODS[loss.name]]()
