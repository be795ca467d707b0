"""Metrics: how good predictions are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.inputs import as_array
from numlp.arrays.special import Array
from numlp.network.losses import Loss
from numlp.settings.checks import whole_number

_KEPT = 1 << 14  # the smallest number of logits that a tally buffers before it counts them

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
    return float(np.average(hits, weights=as_counts(weights, len(hits))))


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
    residual = np.tensordot(w, (t - y) ** 2, axes=1)
    total = np.tensordot(w, (t - np.average(t, axis=0, weights=w)) ** 2, axes=1)
    return _determination(residual, total)


def _determination(residual: npt.ArrayLike, total: npt.ArrayLike) -> float:
    residual, total = np.atleast_1d(residual), np.atleast_1d(total)
    ratio = np.divide(residual, total, out=(residual > 0).astype(np.float64), where=total > 0)
    return float(np.mean(1.0 - ratio))


def mean_absolute_error(targets: npt.ArrayLike, predictions: npt.ArrayLike, weights: Weights = None) -> float:
    """Return the mean of the absolute errors, in the units of the targets.

    >>> mean_absolute_error([1.0, 2.0], [1.5, 2.5])
    0.5
    """
    errors = np.abs(as_array(targets, "targets").astype(np.float64) - as_array(predictions, "predictions"))
    return float(np.mean(np.average(errors, axis=0, weights=as_counts(weights, len(errors)))))


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
    return np.concatenate([totals[None] / totals.sum(), means])


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
    return float(np.nansum(share * np.abs(right - confidence)))


class Tally:
    """The mean loss, and the accuracy or R², of the rows added so far. Adding rows allocates nothing.

    Rows are buffered and counted many at a time, because the overhead of NumPy's calls exceeds the counting itself.

    Parameters
    ----------
    loss : Loss
        Determines the score: "r2" for real-valued targets, else "accuracy"; for labels, the share that is right.
    batch_size : int
        The largest number of rows in a call of `add`; more rows make the buffers grow.
    n_outputs : int
    dtype : dtype of the logits
    """

    def __init__(self, loss: Loss, batch_size: int, n_outputs: int, dtype: npt.DTypeLike) -> None:
        self.loss = loss
        self.score = "r2" if loss.task == "regression" else "accuracy"
        self._n_outputs, self._dtype = n_outputs, dtype
        self._allocate(max(batch_size, _KEPT // n_outputs))
        self._column = np.empty(n_outputs // loss.blocks)
        self._origin: Array = np.zeros(self._column.size, dtype)
        self.reset()

    def _allocate(self, size: int) -> None:
        n_targets = self._n_outputs // self.loss.blocks
        self._logits, self._rows, self._other = np.empty((3, size, self._n_outputs), self._dtype)
        self._targets = np.empty((size, n_targets), self._dtype)
        self._values, self._weights, self._hit = np.empty((3, size), self._dtype)
        self._guess, self._truth = np.empty((2, size), np.intp)

    def reset(self) -> None:
        """Forget all rows."""
        self._kept = 0
        self._weight = 0.0
        self._loss = 0.0
        self._hits = 0.0
        self._squares, self._sum, self._residual = (np.zeros(self._column.size) for _ in range(3))

    def add(self, values: Array, logits: Array, targets: Array, weights: Array | None = None) -> None:
        """Add rows.

        Parameters
        ----------
        values : array, shape (n,)
            The losses of the rows.
        logits : array, shape (n, outputs)
        targets : array, shape (n, targets)
        weights : array, shape (n,), optional
            How much each row counts.
        """
        start, stop = self._kept, self._kept + len(values)
        if stop > len(self._values):
            self._count()
            if len(values) > len(self._values):
                self._allocate(len(values))
            start, stop = 0, len(values)
        self._values[start:stop] = values
        self._logits[start:stop] = logits
        self._targets[start:stop] = targets
        self._weights[start:stop] = 1 if weights is None else weights
        self._kept = stop

    def _count(self) -> None:
        """Count the buffered rows."""
        n, self._kept = self._kept, 0
        if not n:
            return
        logits, targets, weights = self._logits[:n], self._targets[:n], self._weights[:n]
        if self.score == "r2" and not self._weight:
            # Sum the targets as differences from the first: squares of large numbers lose their digits.
            np.copyto(self._origin, targets[0])
        self._weight += float(np.add.reduce(weights))
        self._loss += float(np.dot(weights, self._values[:n]))
        if self.loss.task == "classification":
            self._add_classes(logits, targets, weights)
        elif self.loss.task == "labels":
            self._add_labels(logits, targets, weights)
        else:
            self._add_values(logits, targets, weights)

    def _add_classes(self, logits: Array, targets: Array, weights: Array) -> None:
        guess, truth, hit = self._guess[: len(logits)], self._truth[: len(logits)], self._hit[: len(logits)]
        np.argmax(logits, axis=1, out=guess)
        np.argmax(targets, axis=1, out=truth)
        np.equal(guess, truth, out=hit)
        self._hits += float(np.dot(weights, hit))

    def _add_labels(self, logits: Array, targets: Array, weights: Array) -> None:
        rows, truth, hit = self._rows[: len(logits)], self._other[: len(logits)], self._hit[: len(logits)]
        np.greater(logits, 0, out=rows)
        np.greater(targets, 0.5, out=truth)
        np.equal(rows, truth, out=rows)
        np.mean(rows, axis=1, out=hit)
        self._hits += float(np.dot(weights, hit))

    def _add_values(self, logits: Array, targets: Array, weights: Array) -> None:
        n, width = targets.shape
        column, rows, other = weights[:, None], self._rows[:n], self._other[:n, :width]
        self.loss.link(logits, rows)
        point = rows[:, self.loss.point * width : (self.loss.point + 1) * width]
        np.subtract(point, targets, out=point)
        np.multiply(point, point, out=point)
        np.multiply(point, column, out=point)
        self._residual += np.add.reduce(point, axis=0, dtype=np.float64, out=self._column)
        np.subtract(targets, self._origin, out=point)
        np.multiply(point, column, out=other)
        self._sum += np.add.reduce(other, axis=0, dtype=np.float64, out=self._column)
        np.multiply(point, other, out=other)
        self._squares += np.add.reduce(other, axis=0, dtype=np.float64, out=self._column)

    def result(self) -> dict[str, float]:
        """Return ``{"loss": …, "accuracy": …}`` or ``{"loss": …, "r2": …}``, all 0 before any row counts."""
        self._count()
        weight = self._weight or 1.0
        if self.score == "accuracy":
            score = self._hits / weight
        else:
            # With constant targets, rounding may leave a difference just below 0.
            total = np.maximum(self._squares - self._sum**2 / weight, 0.0)
            score = _determination(self._residual, total)
        return {"loss": self._loss / weight, self.score: score}
