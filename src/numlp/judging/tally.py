"""Tally: the figures of an epoch, counted as its batches come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.exact import Shares
from numlp.arrays.special import Array
from numlp.judging.metrics import determination
from numlp.network.losses import Loss

_KEPT = 1 << 14  # the smallest number of logits that a tally buffers before it counts them


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
    arithmetic : Arithmetic
    shares : Shares, optional
        The exchange with the processes that have the other rows of each batch. All get the figures of all rows.
    """

    def __init__(
        self,
        loss: Loss,
        batch_size: int,
        n_outputs: int,
        dtype: npt.DTypeLike,
        arithmetic: Arithmetic,
        shares: Shares | None = None,
    ) -> None:
        self.loss, self._arithmetic, self._shares = loss, arithmetic, shares
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
        self._kept = self._kept_in_all = 0
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
        rows = len(values) if self._shares is None else self._shares.count
        if self._kept_in_all + rows > len(self._values):
            self._count()
            if rows > len(self._values):
                self._allocate(rows)
        start, stop = self._kept, self._kept + len(values)
        self._values[start:stop] = values
        self._logits[start:stop] = logits
        self._targets[start:stop] = targets
        self._weights[start:stop] = 1 if weights is None else weights
        self._kept, self._kept_in_all = stop, self._kept_in_all + rows

    def _count(self) -> None:
        """Count the buffered rows."""
        n, self._kept = self._kept, 0
        self._rows_in_all, self._kept_in_all = self._kept_in_all, 0
        if not self._rows_in_all:
            return
        logits, targets, weights = self._logits[:n], self._targets[:n], self._weights[:n]
        if self.score == "r2" and not self._weight:
            # Sum the targets as differences from the first: squares of large numbers lose their digits.
            self._take_origin(targets)
        self._weight += self._arithmetic.total(weights, count=self._rows_in_all, exchange=self._shares)
        self._loss += self._dot(weights, self._values[:n])
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
        self._hits += self._dot(weights, hit)

    def _add_labels(self, logits: Array, targets: Array, weights: Array) -> None:
        rows, truth, hit = self._rows[: len(logits)], self._other[: len(logits)], self._hit[: len(logits)]
        np.greater(logits, 0, out=rows)
        np.greater(targets, 0.5, out=truth)
        np.equal(rows, truth, out=rows)
        self._arithmetic.sums(rows, 1, hit)
        np.divide(hit, rows.shape[1], out=hit)
        self._hits += self._dot(weights, hit)

    def _add_values(self, logits: Array, targets: Array, weights: Array) -> None:
        n, width = targets.shape
        column, rows, other = weights[:, None], self._rows[:n], self._other[:n, :width]
        self.loss.link(logits, rows, self._arithmetic)
        point = rows[:, self.loss.point * width : (self.loss.point + 1) * width]
        np.subtract(point, targets, out=point)
        np.multiply(point, point, out=point)
        np.multiply(point, column, out=point)
        self._residual += self._sums(point)
        np.subtract(targets, self._origin, out=point)
        np.multiply(point, column, out=other)
        self._sum += self._sums(other)
        np.multiply(point, other, out=other)
        self._squares += self._sums(other)

    def _take_origin(self, targets: Array) -> None:
        """Take the first row of all."""
        self._origin.fill(0)
        if self._shares is None or self._shares.first:
            np.copyto(self._origin, targets[0])
        if self._shares is not None:
            np.copyto(self._origin, self._shares.total(self._origin))

    def _dot(self, a: Array, b: Array) -> float:
        return self._arithmetic.dot(a, b, count=self._rows_in_all, exchange=self._shares)

    def _sums(self, x: Array) -> Array:
        return self._arithmetic.sums(x, 0, self._column, count=self._rows_in_all, exchange=self._shares)

    def result(self) -> dict[str, float]:
        """Return ``{"loss": …, "accuracy": …}`` or ``{"loss": …, "r2": …}``, all 0 before any row counts."""
        self._count()
        weight = self._weight or 1.0
        if self.score == "accuracy":
            score = self._hits / weight
        else:
            # With constant targets, rounding may leave a difference just below 0.
            total = np.maximum(self._squares - self._sum * self._sum / weight, 0.0)
            score = determination(self._residual, total)
        return {"loss": self._loss / weight, self.score: score}
