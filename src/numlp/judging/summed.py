"""Summed figures: a model's metrics on rows of which only sums are kept, so that any number of them fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from numlp.arrays import exact
from numlp.arrays.special import AnyArray, Array
from numlp.judging.figures import Gathered
from numlp.judging.scores import f1_of_counts
from numlp.network.predictor import Predictor


class Summed:
    """Sums what the metrics of a model on rows need, as `Gathered` gathers it; all metrics but ROC AUC.

    Parameters
    ----------
    predictor : MLP or Ensemble
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._weight = 0.0
        self._sums: dict[str, Any] = {}

    def add(self, logits: Array, targets: AnyArray, weights: AnyArray | None) -> None:
        """Add rows, as `Gathered.add` takes them."""
        counts, *arrays = Gathered(self._predictor, 0, ranked=False).part(logits, targets, weights)
        self._weight += float(exact.total(counts, folds=2))
        if self._predictor.loss.task == "regression":
            self._add_values(counts, *arrays)
        else:
            self._add_classes(counts, *arrays)

    def result(self) -> dict[str, float]:
        """Return the metrics that make sense for the loss, by their names in `FIGURES`."""
        sums, weight = self._sums, self._weight
        if self._predictor.loss.task == "regression":
            squares, distances = sums.pop("squares"), sums.pop("distances")
            return {
                "root_mean_squared_error": float(np.mean(np.sqrt(squares / weight))),
                "mean_absolute_error": float(np.mean(distances / weight)),
                **{name: float(hits / weight) for name, hits in sums.items()},
            }
        if "either" in sums:
            hits, either = sums["hits"], sums["either"]
            seen = either > 0
            f1 = float(np.mean(2 * hits[seen] / either[seen])) if seen.any() else math.nan
        else:
            f1 = f1_of_counts(sums["true"], sums["predicted"], sums["hits"])
        return {"f1": f1, "log_loss": float(sums["losses"] / weight)}

    def _sum(self, name: str, amount: Any) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + amount

    def _add_classes(
        self, counts: AnyArray, truth: AnyArray, guess: AnyArray, scores: AnyArray, losses: AnyArray
    ) -> None:
        self._sum("losses", float(exact.total(counts * losses, folds=2)))
        if truth.ndim == 2 and truth.shape[1] > 1:
            both: AnyArray = truth & guess
            self._sum("hits", exact.total(counts[:, None] * both, folds=2))
            self._sum("either", exact.total(counts[:, None] * (truth.astype(int) + guess), folds=2))
            return
        true, predicted = (part.reshape(len(counts), -1)[:, 0].astype(np.intp) for part in (truth, guess))
        n = max(2, self._predictor.n_targets)
        self._sum("true", np.bincount(true, counts, n))
        self._sum("predicted", np.bincount(predicted, counts, n))
        self._sum("hits", np.bincount(true, counts * (true == predicted), n))

    def _add_values(self, counts: AnyArray, truth: AnyArray, values: AnyArray) -> None:
        loss = self._predictor.loss
        errors, column = truth - values[:, loss.point], counts[:, None]
        self._sum("squares", exact.total(column * np.square(errors), folds=2))
        self._sum("distances", exact.total(column * np.abs(errors), folds=2))
        for name, hits in loss.covered(values, truth).items():
            self._sum(name, float(exact.total(counts * exact.mean(hits, axis=1), folds=2)))
