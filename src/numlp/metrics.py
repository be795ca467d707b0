"""How good predictions are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numlp.losses import Loss
from numlp.special import Array


def accuracy(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """The share of predictions that equal the label, in [0, 1].

    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 0])
    0.75
    """
    return float(np.mean(np.asarray(labels) == np.asarray(predictions)))


def confusion_matrix(labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int) -> npt.NDArray[np.int64]:
    """How often each class (row) was predicted to be each class (column).

    Parameters
    ----------
    labels, predictions : array_like of int, shape (n,)
        Class indices.
    n_classes : int

    Returns
    -------
    int64 array, shape (classes, classes)

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], n_classes=2)
    array([[1, 1],
           [0, 1]])
    """
    pairs = np.asarray(labels, dtype=np.intp) * n_classes + np.asarray(predictions, dtype=np.intp)
    return np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes).astype(np.int64)


def class_accuracy(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The share of each class's samples that were recognised (its recall); NaN for a class without samples.

    >>> class_accuracy(np.array([[1, 1], [0, 1]]))
    array([0.5, 1. ])
    """
    totals = confusion.sum(axis=1)
    shares = np.full(len(totals), np.nan)
    np.divide(np.diag(confusion), totals, out=shares, where=totals > 0)
    return shares


def r2(targets: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    r"""The coefficient of determination, :math:`1 - \sum (t - y)^2 / \sum (t - \bar t)^2`, averaged over outputs.

    1 is perfect, 0 is what the mean of the targets reaches. Outputs whose targets are constant count as 1 if they
    are met exactly and as 0 otherwise.

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
    t, y = (np.asarray(a, dtype=np.float64) for a in (targets, predictions))
    residual = ((t - y) ** 2).sum(axis=0)
    total = ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    return _determination(residual, total)


def _determination(residual: npt.ArrayLike, total: npt.ArrayLike) -> float:
    residual, total = np.atleast_1d(residual), np.atleast_1d(total)
    ratio = np.divide(residual, total, out=(residual > 0).astype(np.float64), where=total > 0)
    return float(np.mean(1.0 - ratio))


def mean_absolute_error(targets: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """The mean of the absolute differences, in the units of the targets.

    >>> mean_absolute_error([1.0, 2.0], [1.5, 2.5])
    0.5
    """
    return float(np.mean(np.abs(np.asarray(targets, dtype=np.float64) - np.asarray(predictions))))


class Tally:
    """The mean loss, and the accuracy or R², of the batches added so far; adding one allocates nothing.

    Parameters
    ----------
    loss : Loss
        Says what the score is: "accuracy" for classification, "r2" for regression.
    batch_size : int
        The largest number of rows added at a time.
    n_outputs : int
    dtype : dtype of the logits
    """

    def __init__(self, loss: Loss, batch_size: int, n_outputs: int, dtype: npt.DTypeLike) -> None:
        self.loss = loss
        self.score = "accuracy" if loss.task == "classification" else "r2"
        self._guess = np.empty(batch_size, np.intp)
        self._truth = np.empty(batch_size, np.intp)
        self._hit = np.empty(batch_size, np.bool_)
        self._rows: Array = np.empty((batch_size, n_outputs), dtype)
        self._column = np.empty(n_outputs)
        self._origin: Array = np.zeros(n_outputs, dtype)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.count = 0
        self._loss = 0.0
        self._hits = 0
        self._squares, self._sum, self._residual = (np.zeros(len(self._column)) for _ in range(3))

    def add(self, loss: float, logits: Array, targets: Array) -> None:
        """Count a batch: its mean loss, its logits and targets, both (n, outputs)."""
        n = len(logits)
        if self.count == 0:
            # Targets are summed as differences from the first one: squares of large numbers lose their digits.
            np.copyto(self._origin, targets[0])
        self.count += n
        self._loss += loss * n
        if self.score == "accuracy":
            guess, truth, hit = self._guess[:n], self._truth[:n], self._hit[:n]
            np.argmax(logits, axis=1, out=guess)
            np.argmax(targets, axis=1, out=truth)
            np.equal(guess, truth, out=hit)
            self._hits += int(np.count_nonzero(hit))
        else:
            rows = self._rows[:n]
            np.subtract(targets, self._origin, out=rows)
            self._sum += np.add.reduce(rows, axis=0, dtype=np.float64, out=self._column)
            np.multiply(rows, rows, out=rows)
            self._squares += np.add.reduce(rows, axis=0, dtype=np.float64, out=self._column)
            self.loss.link(logits, rows)
            np.subtract(rows, targets, out=rows)
            np.multiply(rows, rows, out=rows)
            self._residual += np.add.reduce(rows, axis=0, dtype=np.float64, out=self._column)

    def result(self) -> dict[str, float]:
        """Return ``{"loss": …, "accuracy": …}`` or ``{"loss": …, "r2": …}``."""
        if self.score == "accuracy":
            score = self._hits / self.count
        else:
            # Rounding may leave a little less than nothing of constant targets.
            total = np.maximum(self._squares - self._sum**2 / self.count, 0.0)
            score = _determination(self._residual, total)
        return {"loss": self._loss / self.count, self.score: score}
