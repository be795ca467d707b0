"""Figures: a model's metrics on rows beyond loss and score, gathered a chunk of rows at a time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact, portable
from numlp.arrays.special import AnyArray, Array
from numlp.judging.metrics import mean_absolute_error
from numlp.judging.scores import f1, mean_roc_auc, root_mean_squared_error
from numlp.network.predictor import Predictor

# ROC AUC ranks the probabilities of all rows at once, and is left out where they would take much memory.
_MOST_SCORES = 1 << 25


class Figure(NamedTuple):
    """How a metric is shown: its name for people, what it means, and whether it is a share, shown in percent."""

    title: str
    meaning: str = ""
    share: bool = False


FIGURES = {
    "loss": Figure("loss"),
    "accuracy": Figure("accuracy", share=True),
    "r2": Figure("R²", "1 is perfect"),
    "root_mean_squared_error": Figure("RMSE", "in the units of the target"),
    "mean_absolute_error": Figure("MAE", "in the units of the target"),
    "f1": Figure("F1", "mean over the classes", share=True),
    "roc_auc": Figure("ROC AUC", "0.5 is chance, 1 perfect"),
    "log_loss": Figure("log-loss", "in nats"),
}


def figure_of(name: str) -> Figure:
    """Return how to show a metric; the coverage of an interval loss names the share that is right.

    >>> figure_of("r2").title, figure_of("coverage_0.9").title
    ('R²', 'below quantile 0.9')
    """
    if name == "coverage":
        return Figure("within ±1 sd", "68.27 % is right", share=True)
    level = name.removeprefix("coverage_")
    if level != name:
        return Figure(f"below quantile {level}", f"{100 * float(level):g} % is right", share=True)
    return FIGURES.get(name, Figure(name.replace("_", " ")))


def meaning(name: str, predictor: Predictor) -> str:
    """Return what a metric of a model means, in a few words.

    >>> from numlp.network.mlp import MLP
    >>> meaning("f1", MLP([2, 3])), meaning("f1", MLP([2, 3], loss="sigmoid_binary_cross_entropy"))
    ('mean over the classes', 'mean over the labels')
    >>> meaning("r2", MLP([2, 3], loss="squared_error"))
    'mean over the targets'
    """
    loss, several = predictor.loss, predictor.n_targets > 1
    if name == "loss" and not predictor.target_scaling.is_identity:
        return "of scaled targets"
    if loss.task == "labels" and several and name == "f1":
        return "mean over the labels"
    if loss.task == "regression" and several and name in ("r2", "root_mean_squared_error", "mean_absolute_error"):
        return "mean over the targets"
    return figure_of(name).meaning


def shown(name: str, value: float | None) -> str:
    """Return a metric as text, shares in percent.

    >>> shown("accuracy", 0.98091), shown("loss", 0.123456), shown("r2", None), shown("mean_absolute_error", 1234.56)
    ('98.09 %', '0.1235', '–', '1,235')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if figure_of(name).share:
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if 999.95 <= abs(value) < 1e15 else f"{value:.4g}"


class Gathered:
    """Gathers what the metrics of a model on rows need, for `result` to compute them.

    Parameters
    ----------
    predictor : MLP or Ensemble
    n : int
        The number of rows to be added.
    ranked : bool
        Whether to keep what ranks them, for ROC AUC.
    """

    def __init__(self, predictor: Predictor, n: int, *, ranked: bool = True) -> None:
        self._predictor = predictor
        self._ranked = ranked and n * predictor.n_targets <= _MOST_SCORES
        self._parts: list[tuple[AnyArray, ...]] = []

    def add(self, logits: Array, targets: AnyArray, weights: AnyArray | None) -> None:
        """Add rows: logits, (n, outputs), divided by the temperature; targets and weights as `Rows` holds them."""
        self._parts.append(self.part(logits, targets, weights))

    def part(self, logits: Array, targets: AnyArray, weights: AnyArray | None) -> tuple[AnyArray, ...]:
        """Return what is to be known of rows: their weights, and of classes, the true and the predicted ones, what
        ranks them, and their log-losses; or the true and the predicted values.
        """
        loss, scaling, task = self._predictor.loss, self._predictor.target_scaling, self._predictor.loss.task
        counts = np.ones(len(logits)) if weights is None else np.array(weights, dtype=np.float64)
        if task == "regression":
            linked = self._predictor.link(logits).reshape(len(logits), loss.blocks, -1)
            return counts, scaling.invert(targets.astype(np.float64)), loss.unscale(linked, scaling)
        scores = logits if task == "labels" else self._predictor.link(logits)
        kept = scores.copy() if self._ranked else scores[:, :0]
        if task == "labels":
            truth: AnyArray = targets > 0.5
            guess: AnyArray = logits > 0
        else:
            truth = targets if targets.ndim == 1 else targets.argmax(axis=1)
            guess = logits.argmax(axis=1)
        return counts, np.array(truth), guess, kept, self._log_losses(logits, targets)

    def _log_losses(self, logits: Array, targets: AnyArray) -> AnyArray:
        """Return each row's negative log-likelihood in nats: of its class, or the mean over its labels."""
        losses, arithmetic = np.empty(len(logits)), self._predictor.arithmetic
        size = max(1, (1 << 20) // logits.shape[1])
        for start in range(0, len(logits), size):
            part = slice(start, start + size)
            z, t = logits[part].astype(np.float64), targets[part]
            if self._predictor.loss.task == "labels":
                losses[part] = exact.mean(arithmetic.softplus(z, np.empty_like(z)) - t * z, axis=1)
                continue
            p = np.empty_like(z)
            self._predictor.loss.link(z, p, arithmetic)
            likelihoods = portable.log(np.maximum(p, np.finfo(np.float64).tiny))
            if t.ndim == 1:
                losses[part] = -likelihoods[np.arange(len(t)), t]
            else:
                losses[part] = -exact.total(t * likelihoods, 1, folds=2)
        return losses

    def result(self) -> dict[str, float]:
        """Return the metrics that make sense for the loss, by their names in `FIGURES`."""
        weights, *arrays = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        if self._predictor.loss.task == "regression":
            return self._of_values(weights, *arrays)
        truth, guess, scores, losses = arrays
        found = {"f1": self._f1(truth, guess, weights)}
        if self._ranked:
            labels = truth if truth.ndim == 2 else truth[:, None] == np.arange(scores.shape[1])
            found["roc_auc"] = mean_roc_auc(labels, scores, weights)
        return found | {"log_loss": float(exact.mean(losses, weights=weights))}

    def _f1(self, truth: AnyArray, guess: AnyArray, weights: AnyArray) -> float:
        """Return the mean over the classes, two for a single label; for several labels, the mean of having each."""
        if truth.ndim == 1:
            return f1(truth, guess, self._predictor.n_targets, weights)
        if truth.shape[1] == 1:
            return f1(truth[:, 0], guess[:, 0], 2, weights)
        hits, either = (exact.mean(both, weights=weights) for both in (truth & guess, truth.astype(int) + guess))
        seen = either > 0
        return float(exact.mean(2 * hits[seen] / either[seen])) if seen.any() else float("nan")

    def _of_values(self, weights: AnyArray, truth: AnyArray, values: npt.NDArray[Any]) -> dict[str, float]:
        loss = self._predictor.loss
        point = values[:, loss.point]
        found = {
            "root_mean_squared_error": root_mean_squared_error(truth, point, weights),
            "mean_absolute_error": mean_absolute_error(truth, point, weights),
        }
        return found | {
            name: float(exact.mean(exact.mean(hits, axis=1), weights=weights))
            for name, hits in loss.covered(values, truth).items()
        }
