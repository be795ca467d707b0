"""Recognized: which classes are predicted for which, and how often, of rows in memory or in chunks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.special import AnyArray
from numlp.data.chunked import chunks_of
from numlp.errors import NumlpWarning
from numlp.judging.metrics import as_counts
from numlp.network.predictor import Predictor


class Pairs(NamedTuple):
    """The pairs of a class and the prediction for it that occur.

    Attributes
    ----------
    truth, guess : int array, shape (pairs,)
    counts : array, shape (pairs,)
        Numbers of rows, int64, or sums of their weights, float64.
    """

    truth: npt.NDArray[np.intp]
    guess: npt.NDArray[np.intp]
    counts: npt.NDArray[Any]


def pairs(predictor: Predictor, data: Any) -> Pairs:
    """Return what a model predicts for the rows of every class, of classes or of a single label."""
    n = len(predictor.classes)
    keys: npt.NDArray[np.intp] = np.empty(0, np.intp)
    counts: npt.NDArray[Any] = np.empty(0)
    weighted = False
    for targets, logits, weights in _judged(predictor, data):
        if predictor.loss.task == "labels":
            truth, guess = targets[:, 0] > 0.5, logits[:, 0] > 0
        else:
            truth, guess = targets if targets.ndim == 1 else targets.argmax(axis=1), logits.argmax(axis=1)
        keys = np.concatenate([keys, truth.astype(np.intp) * n + guess])
        counts = np.concatenate([counts, as_counts(weights, len(truth))])
        keys, place = np.unique(keys, return_inverse=True)
        counts, weighted = np.bincount(place, counts), weights is not None
    return Pairs(keys // n, keys % n, counts if weighted else counts.astype(np.int64))


def label_accuracy(predictor: Predictor, data: Any) -> npt.NDArray[np.float64]:
    """Return the share of rows for which each of several labels is right."""
    hits, total = np.zeros(predictor.n_targets), np.zeros(())
    for targets, logits, weights in _judged(predictor, data):
        counts = as_counts(weights, len(targets))
        hits += exact.total(counts[:, None] * ((targets > 0.5) == (logits > 0)), folds=2)
        total += exact.total(counts, folds=2)
    return hits / total


def _judged(predictor: Predictor, data: Any) -> Iterator[tuple[AnyArray, AnyArray, Any]]:
    """Yield the targets, the logits and the weights of some rows after others."""
    for x, y, *weights in chunks_of(data):
        targets = predictor.as_targets(y, predictor.class_names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumlpWarning)  # what the rows are like, `evaluate` says
            features, start = predictor.features(x), 0
            for logits in predictor.chunks(features):
                part = slice(start, start + len(logits))
                yield targets[part], logits, weights[0][part] if weights else None
                start = part.stop
