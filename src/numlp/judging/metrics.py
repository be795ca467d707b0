"""Metrics: how good predictions are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_array
from numlp.settings.checks import whole_number

# How much each sample counts, shape (n,).
Weights = npt.NDArray[Any] | Sequence[float] | None


def accuracy(labels: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None) -> float:
    """Return the share of predictions that equal the label, in [0, 1].

    Here and below, `weights`, shape (n,), say how much each sample counts.

    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 0])
    0.75
    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 0], weights=[1, 1, 1, 3])
    0.5
    """
    hits = as_array(labels, "labels") == as_array(predictions, "predictions")
    return float(exact.mean(hits, weights=as_counts(weights, len(hits))))


def as_counts(weights: Weights, n: int) -> npt.NDArray[np.float64]:
    """Return how much each of `n` samples counts: 1, unless there are weights."""
    return np.ones(n) if weights is None else as_array(weights, "weights").astype(np.float64)


def confusion_matrix(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int, weights: Weights = None
) -> npt.NDArray[Any]:
    """Return how often each class (row) was predicted as each class (column).

    Parameters
    ----------
    labels, predictions : array_like of int, shape (n,)
        Class indices.
    n_classes : int
    weights : array_like, shape (n,), optional

    Returns
    -------
    array, shape (classes, classes)
        Counts of samples, int64, or sums of their weights, float64.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], n_classes=2)
    array([[1, 1],
           [0, 1]])
    """
    rows, columns = (as_array(a, "labels and predictions").astype(np.intp) for a in (labels, predictions))
    pairs = rows * n_classes + columns
    counts = np.bincount(pairs, as_counts(weights, len(pairs)), n_classes * n_classes).reshape(n_classes, n_classes)
    return counts.astype(np.int64) if weights is None else counts


def r2(targets: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None) -> float:
    r"""Return R², :math:`1 - \sum (t - y)^2 / \sum (t - \bar t)^2`, averaged over outputs.

    1 is perfect; predicting the mean of the targets gives 0. An output with constant targets counts as 1 if the
    predictions match them exactly, and as 0 otherwise.

    Parameters
    ----------
    targets, predictions : array_like, shape (n,) or (n, outputs)

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    >>> r2([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    0.0
    """
    t, y = (as_array(a, "targets and predictions").astype(np.float64) for a in (targets, predictions))
    w = as_counts(weights, len(t))
    residual = exact.mean(np.square(t - y), weights=w)
    total = exact.mean(np.square(t - exact.mean(t, weights=w)), weights=w)
    return determination(residual, total)


def determination(residual: npt.ArrayLike, total: npt.ArrayLike) -> float:
    """Return R² from the mean squares of the residuals and of the deviations from the mean, averaged over outputs.

    >>> determination([1.0, 0.0], [2.0, 0.0])
    0.75
    """
    residual, total = np.atleast_1d(residual), np.atleast_1d(total)
    ratio = np.divide(residual, total, out=(residual > 0).astype(np.float64), where=total > 0)
    return float(exact.mean(1.0 - ratio))


def mean_absolute_error(targets: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None) -> float:
    """Return the mean of the absolute errors, in the units of the targets.

    >>> mean_absolute_error([1.0, 2.0], [1.5, 2.5])
    0.5
    """
    errors = np.abs(as_array(targets, "targets").astype(np.float64) - as_array(predictions, "predictions"))
    return float(exact.mean(np.atleast_1d(exact.mean(errors, weights=as_counts(weights, len(errors))))))


def reliability(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 15, weights: Weights = None
) -> npt.NDArray[np.float64]:
    r"""Return the mean confidence and the accuracy of predictions, in bins of confidence.

    A row's confidence is the probability of its most probable class. Bin m of M holds the rows whose confidence lies
    in ((m − 1) / M, m / M].

    Parameters
    ----------
    probabilities : array_like, shape (n, classes)
    labels : array_like of int, shape (n,)
        Class indices.
    bins : int
    weights : array_like, shape (n,), optional
        How much each row counts.

    Returns
    -------
    float64 array, shape (3, bins)
        Each bin's share of all rows, its mean confidence and its accuracy; the last two are NaN for an empty bin.

    Examples
    --------
    >>> reliability([[0.7, 0.3], [0.1, 0.9], [0.8, 0.2]], [0, 1, 1], bins=2)
    array([[0.        , 1.        ],
           [       nan, 0.8       ],
           [       nan, 0.66666667]])
    """
    bins = whole_number("bins", bins)
    rows = as_array(probabilities, "probabilities").astype(np.float64)
    confidence, hit = rows.max(axis=1), rows.argmax(axis=1) == as_array(labels, "labels")
    counts = as_counts(weights, len(rows))
    index = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    totals = np.bincount(index, counts, bins)
    sums = np.stack([np.bincount(index, counts * values, bins) for values in (confidence, hit)])
    means = np.divide(sums, totals, out=np.full((2, bins), np.nan), where=totals > 0)
    return np.concatenate([totals[None] / exact.total(totals, folds=2), means])


def expected_calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 15, weights: Weights = None
) -> float:
    r"""Return the mean gap between the confidence and the accuracy of predictions, in [0, 1].

    :math:`\sum_m s_m |a_m - c_m|` over bins of equal width in confidence, with each bin's share of the rows s, its
    accuracy a and its mean confidence c. C. Guo et al., "On calibration of modern neural networks" (2017), eq. 3.

    Parameters
    ----------
    probabilities, labels, bins, weights
        As for `reliability`.

    Examples
    --------
    >>> round(expected_calibration_error([[0.7, 0.3], [0.1, 0.9], [0.8, 0.2]], [0, 1, 1], bins=2), 4)
    0.1333
    """
    share, confidence, right = reliability(probabilities, labels, bins, weights)
    return float(exact.total(np.nan_to_num(share * np.abs(right - confidence)), folds=2))
