"""Scores: metrics of classes and labels beyond the accuracy, and of values in their own units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_array
from numlp.judging.metrics import Weights, as_counts

Float64 = npt.NDArray[np.float64]


def root_mean_squared_error(targets: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None) -> float:
    r"""Return :math:`\sqrt{\sum_i w_i (t_i - y_i)^2 / \sum_i w_i}`, in the units of the targets.

    Of several targets, it is the mean of their errors.

    Parameters
    ----------
    targets, predictions : array_like, shape (n,) or (n, targets)
    weights : array_like, shape (n,), optional
        Here and below: how much each row counts.

    Examples
    --------
    >>> root_mean_squared_error([1.0, 2.0], [4.0, 6.0])
    3.5355339059327378
    """
    errors = as_array(targets, "targets").astype(np.float64) - as_array(predictions, "predictions")
    squares = exact.mean(np.square(errors), weights=as_counts(weights, len(errors)))
    return float(exact.mean(np.atleast_1d(np.sqrt(squares))))


def f1(labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int, weights: Weights = None) -> float:
    r"""Return the mean over classes of :math:`F_1 = 2 TP / (2 TP + FP + FN)`.

    It is the harmonic mean of precision and recall. All classes count alike, however many rows they have; a class
    that is neither true nor predicted in any row doesn't count. C. van Rijsbergen, "Information retrieval" (1979),
    chapter 7.

    Parameters
    ----------
    labels, predictions : array_like of int, shape (n,)
        Class indices.
    n_classes : int
    weights : array_like, shape (n,), optional

    Examples
    --------
    >>> round(f1([0, 0, 1, 1], [0, 1, 1, 1], n_classes=3), 4)
    0.7333
    """
    truth, guess = (as_array(a, "labels and predictions").astype(np.intp) for a in (labels, predictions))
    counts = as_counts(weights, len(truth))
    true, predicted = (np.bincount(classes, counts, n_classes) for classes in (truth, guess))
    hits = np.bincount(truth, counts * (truth == guess), n_classes)
    return f1_of_counts(true, predicted, hits)


def f1_of_counts(true: npt.NDArray[Any], predicted: npt.NDArray[Any], hits: npt.NDArray[Any]) -> float:
    """Return `f1` by how often each class is true, predicted, and both, shape (classes,) each.

    >>> f1_of_counts(np.array([2.0, 2.0]), np.array([1.0, 3.0]), np.array([1.0, 2.0])).__round__(4)
    0.7333
    """
    seen = true + predicted > 0
    return float(exact.mean(2 * hits[seen] / (true + predicted)[seen]))


def roc_auc(labels: npt.ArrayLike, scores: npt.ArrayLike, weights: Weights = None) -> float:
    """Return the probability that a row with the label scores higher than one without it, where ties count half.

    That is the area under the receiver operating characteristic. J. Hanley, B. McNeil, "The meaning and use of the
    area under a receiver operating characteristic (ROC) curve" (1982).

    Parameters
    ----------
    labels : array_like of bool, shape (n,)
    scores : array_like, shape (n,)
        Anything that grows with the probability of the label.
    weights : array_like, shape (n,), optional

    Returns
    -------
    float
        In [0, 1]; NaN unless there are rows of both kinds.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive = as_array(labels, "labels").astype(bool)
    counts = as_counts(weights, len(positive))
    _, ties = np.unique(as_array(scores, "scores"), return_inverse=True)
    with_label, without = (np.bincount(ties, counts * kind) for kind in (positive, ~positive))
    below = np.cumsum(without) - without / 2
    pairs = exact.total(with_label, folds=2) * exact.total(without, folds=2)
    return float(exact.total(with_label * below, folds=2) / pairs) if pairs else float("nan")


def mean_roc_auc(labels: npt.NDArray[Any], scores: npt.NDArray[Any], weights: Weights = None) -> float:
    """Return the mean area under the ROC curve over classes, each against all others, or over labels.

    Parameters
    ----------
    labels : array of bool, shape (n, classes)
        Classes that all rows have, or none, don't count; if that leaves no class, the result is NaN.
    scores : array, shape (n, classes)
    weights : array_like, shape (n,), optional

    Examples
    --------
    >>> labels = np.eye(3, dtype=bool)[[0, 1, 2, 2]]
    >>> mean_roc_auc(labels, np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.4, 0.5, 0.1]]))
    0.7638888888888888
    """
    areas = [roc_auc(labels[:, i], scores[:, i], weights) for i in range(labels.shape[1])]
    defined = [area for area in areas if not np.isnan(area)]
    return float(exact.mean(defined)) if defined else float("nan")
