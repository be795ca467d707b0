"""Streams: training data in batches that the user makes, which need never exist as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.frames import columns_of
from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray
from numlp.arrays.targets import target_rows
from numlp.data.preparation import Batch
from numlp.data.weights import as_weights
from numlp.errors import DataError, NumlpError
from numlp.network.predictor import Predictor
from numlp.network.scaling import Scaling

Source = Iterable[Any] | Callable[[int], Iterable[Any]]


class Stream:
    """Batches from an iterable of pairs (x, y) or triples (x, y, weights).

    Parameters
    ----------
    source : iterable that can be iterated again every epoch, or callable that returns an iterable for an epoch
    predictor : Predictor
        The batches must fit it.
    scaling_of : callable
        Returns the scaling of inputs of a dtype.
    smoothing, rest : float
        As for `Batches`.
    least_rows : int
        The smallest number of rows in a batch; batch normalization needs 2.
    """

    def __init__(
        self,
        source: Source,
        predictor: Predictor,
        scaling_of: Callable[[np.dtype[Any]], Scaling],
        *,
        smoothing: float = 0.0,
        rest: float = 0.0,
        least_rows: int = 1,
    ) -> None:
        self.source = source
        self.predictor = predictor
        self.scaling_of = scaling_of
        self.smoothing, self.rest = smoothing, rest
        self.least_rows = least_rows
        self.batch_size = 1  # buffers grow with the batches
        if self.steps == 0:
            raise DataError("data must hold at least one batch, (x, y), not none")

    @property
    def steps(self) -> int | None:
        """The number of batches in an epoch, if the source has a length."""
        length = getattr(self.source, "__len__", None)
        return None if length is None else int(length())

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch.

        Raises
        ------
        DataError
            If there are no batches, or one doesn't fit.
        """
        number, counts = 0, False
        try:
            items = iter(self.source(epoch) if callable(self.source) else self.source)
        except TypeError as error:
            raise DataError(f"data, if a function, must take the epoch and return its batches: {error}") from error
        for number, item in enumerate(items, start=1):
            try:
                batch = self._batch(item)
            except NumlpError as error:
                raise DataError(f"batch {number} of epoch {epoch + 1}: {error}") from error
            if self.steps is not None and number > self.steps:
                raise DataError(
                    f"epoch {epoch + 1} must have {self.steps} batches, the length of data, not more; correct __len__"
                )
            counts = counts or batch.weights is None or bool(batch.weights.any())
            yield batch
        if number and not counts:
            raise DataError(f"all weights of epoch {epoch + 1} are 0, so no row counted; give one a positive weight")
        if number == 0:
            raise DataError(
                f"epoch {epoch + 1} had no batches; give a list, or a function of the epoch that returns an iterator "
                "(a generator is used up after one epoch)"
            )

    def _batch(self, item: Any) -> Batch:
        if not isinstance(item, tuple | list) or len(item) not in (2, 3):
            raise DataError(f"a batch must be a pair (x, y) or a triple (x, y, weights), not {type(item).__name__}")
        dtype = self.predictor.dtype
        self.predictor.feature_names = self.predictor.feature_names or columns_of(item[0])
        x = dense(self.predictor.features(item[0], training=True))
        targets = self._targets(self.predictor.as_targets(item[1], self.predictor.class_names))
        if len(x) != len(targets):
            raise DataError(f"x and y must have the same number of rows, not {len(x)} and {len(targets)}")
        if len(x) < self.least_rows:
            raise DataError(
                f"batch normalization needs batches of {self.least_rows} rows or more, not {len(x)}: one row has no "
                "variance"
            )
        weights = as_weights(item[2], len(x), some=False).astype(dtype) if len(item) == 3 else None
        return Batch(self.scaling_of(x.dtype).apply(x, np.empty(x.shape, dtype)), targets, weights)

    def _targets(self, targets: AnyArray) -> npt.NDArray[np.floating[Any]]:
        rows = target_rows(targets, self.predictor.n_targets, self.predictor.dtype)
        return rows * (1 - self.smoothing) + self.smoothing * self.rest if self.smoothing else rows
