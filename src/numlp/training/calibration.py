"""Calibration: probabilities that are right as often as they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.data.rows import Data, check_rows
from numlp.errors import DataError, SettingError
from numlp.judging.metrics import expected_calibration_error
from numlp.network.losses import LOSSES, Loss
from numlp.network.predictor import Predictor

_LEAST, _MOST = 0.01, 100.0  # the temperatures between which the best is looked for
_HALVINGS = 60  # of that range: until it is as narrow as float64 tells apart

# The loss that is the negative log-likelihood of a loss's probabilities: those of a softmax exclude each other, a
# sigmoid judges every class by itself.
_LIKELIHOODS = {
    "softmax_cross_entropy": "softmax_cross_entropy",
    "sigmoid_binary_cross_entropy": "sigmoid_binary_cross_entropy",
    "sigmoid_squared_error": "sigmoid_binary_cross_entropy",
}

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What a calibration found, on the data that it was given.

    Attributes
    ----------
    temperature : float
        Above 1, the predictions were too sure; below 1, not sure enough.
    error_before, error_after : float
        The expected calibration error, in [0, 1], at temperature 1 and at this one; see
        `numlp.judging.metrics.expected_calibration_error`.
    loss_before, loss_after : float
        The mean negative log-likelihood, in nats.
    """

    temperature: float
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float


def calibrate(predictor: Predictor, data: Data) -> Calibration:
    r"""Find the temperature by which logits are best divided before they become probabilities, and set it.

    The temperature T minimises the negative log-likelihood of the targets t under the probabilities that
    `Predictor.predict_proba` gives: with a softmax, :math:`-\sum_k t_k \log \mathrm{softmax}_k(z / T)`; with a
    sigmoid, which judges every class or label by itself,
    :math:`-\sum_k t_k \log \sigma(z_k / T) + (1 - t_k) \log(1 - \sigma(z_k / T))`. Both are convex in 1/T, so that
    halving an interval finds the only minimum. The predicted classes stay the same. C. Guo et al., "On calibration
    of modern neural networks" (2017), section 4.2.

    Parameters
    ----------
    predictor : MLP or Ensemble
        Its `temperature` is set; the one that it had does not matter. Model files keep it, and training it further
        resets it to 1.
    data : (x, y) or (x, y, weights)
        As `train` takes it: the validation data. On training data networks are surer than anywhere else.

    Returns
    -------
    Calibration

    Raises
    ------
    SettingError
        If the loss is one for real targets.
    DataError
        If the likelihood still grows at the lowest temperature, 0.01, as it does where no row is predicted wrong:
        such rows can't tell how sure is too sure. The predictor is left as it was. (Where predictions are worse than
        none, the temperature ends at 100, and the probabilities are next to equal.)

    Examples
    --------
    >>> from numlp import MLP
    >>> network = MLP([1, 1], loss="sigmoid_binary_cross_entropy", dtype="float64")
    >>> network.params[:] = 3, 0  # the logit is 3 x, where log 4 would be right
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
    targets = (np.eye(width)[rows.targets] if rows.targets.ndim == 1 else rows.targets).astype(np.float64)
    weights = np.ones(n) if rows.weights is None else rows.weights
    weights = weights / weights.sum()
    values, (delta, scratch) = np.empty(n), np.empty((2, n, width))

    def loss_and_slope(temperature: float) -> tuple[float, float]:
        """Return the loss, and its derivative with respect to 1/T: that of a loss by its logits, times these."""
        likelihood.value_and_grad(logits / temperature, targets, values, delta, scratch)
        return float(weights @ values), float(weights @ np.vecdot(delta, logits))

    def error(temperature: float) -> float:
        probabilities = np.empty_like(logits)
        predictor.loss.link(logits / temperature, probabilities)
        if predictor.loss.task == "labels":  # every label is a decision between two classes
            both = np.stack([1 - probabilities, probabilities], axis=2).reshape(-1, 2)
            return expected_calibration_error(both, targets.ravel() > 0.5, weights=np.repeat(weights, width))
        return expected_calibration_error(probabilities, targets.argmax(axis=1), weights=weights)

    with np.errstate(under="ignore", over="ignore"):
        loss, slope = loss_and_slope(_LEAST)
        if slope < 0 or loss == 0:
            raise DataError(
                f"the likelihood still grows at temperature {_LEAST:g}: either no row is predicted wrong, then "
                "calibrate on more rows, which the network was not trained on; or the logits are next to 0"
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
        raise SettingError(f"loss {loss.name!r} has real targets: only probabilities can be calibrated")
    if loss.name not in _LIKELIHOODS:
        raise SettingError(f"loss {loss.name!r} has no likelihood that a temperature could be fitted to")
    return LOSSES[_LIKELIHOODS[loss.name]]()
