"""Confusions: which classes are taken for which, for any number of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.inputs import as_array
from numlp.judging.metrics import Weights, as_counts, confusion_matrix

MOST_CLASSES = 40  # that a confusion matrix shows: with more, it is illegible


def class_accuracy(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int, weights: Weights = None
) -> npt.NDArray[np.float64]:
    """Return each class's recall, the share of its samples that were recognized; NaN for a class without samples.

    >>> class_accuracy([0, 0, 1], [0, 1, 1], n_classes=3)
    array([0.5, 1. , nan])
    """
    truth = as_array(labels, "labels").astype(np.intp)
    counts = as_counts(weights, len(truth))
    totals = np.bincount(truth, counts, n_classes)
    hits = np.bincount(truth, counts * (truth == as_array(predictions, "predictions")), n_classes)
    with np.errstate(invalid="ignore"):
        return hits / totals


def confusions(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[Any]]:
    """Return the pairs of different classes that occur as truth and prediction, the most frequent first.

    Unlike a confusion matrix, they take memory for the rows and not for the square of the classes.

    Parameters
    ----------
    labels, predictions : array_like of int, shape (n,)
        Class indices.
    weights : array_like, shape (n,), optional

    Returns
    -------
    true, predicted, counts : arrays, shape (pairs,)
        Counts of samples, int64, or sums of their weights, float64.

    Examples
    --------
    >>> confusions([0, 0, 1, 2], [1, 1, 1, 0])
    (array([0, 2]), array([1, 0]), array([2, 1]))
    """
    truth, guess = (as_array(a, "labels and predictions").astype(np.intp) for a in (labels, predictions))
    wrong = truth != guess
    pairs, inverse = np.unique(np.stack([truth[wrong], guess[wrong]]), axis=1, return_inverse=True)
    counts = np.bincount(inverse, None if weights is None else as_array(weights, "weights")[wrong], pairs.shape[1])
    order = np.argsort(-counts, kind="stable")
    return pairs[0, order], pairs[1, order], counts[order]


def most_confused(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int, most: int
) -> npt.NDArray[np.intp]:
    """Return the classes, in order and at most so many, that take part in the most mistakes.

    >>> most_confused([0, 1, 2, 3], [0, 3, 2, 1], n_classes=4, most=2)
    array([1, 3])
    """
    truth, guess = (as_array(a, "labels and predictions").astype(np.intp) for a in (labels, predictions))
    wrong = truth != guess
    mistakes = sum(np.bincount(classes[wrong], minlength=n_classes) for classes in (truth, guess))
    return np.sort(np.argsort(-mistakes, kind="stable")[:most])


def confusion_among(
    chosen: npt.NDArray[np.intp], labels: npt.ArrayLike, predictions: npt.ArrayLike
) -> npt.NDArray[Any]:
    """Return the confusion matrix of some classes: of the rows with both truth and prediction among them.

    >>> confusion_among(np.array([1, 3]), [0, 1, 3, 3], [0, 1, 1, 0])
    array([[1, 0],
           [1, 0]])
    """
    both = np.stack([np.asarray(labels, dtype=np.intp), np.asarray(predictions, dtype=np.intp)])
    truth, guess = np.searchsorted(chosen, both[:, np.isin(both, chosen).all(axis=0)])
    return confusion_matrix(truth, guess, len(chosen))
