"""Outliers: the row of some data that a loss fails on, and the column that stands out in it."""

from __future__ import annotations

import math

import numpy as np

from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray
from numlp.data.rows import Rows
from numlp.judging.evaluation import evaluate_rows
from numlp.network.predictor import Predictor
from numlp.network.scaling import standardize


def describe_outlier(predictor: Predictor, rows: Rows) -> str:
    """Return which row has no finite loss, and which of its numbers lies farthest from those of the other rows.

    >>> from numlp import MLP
    >>> net = MLP([2, 1], loss="poisson", seed=0, feature_names=["age", "size"])
    >>> x = np.array([[3.0, 1.0], [4.0, 2.0], [9e4, 1.0]])
    >>> net.params[:] = 1
    >>> describe_outlier(net, Rows(x, np.ones((3, 1))))
    "row 2 (the first is row 0), where column 'age' is 90000"
    """
    with np.errstate(all="ignore"):
        row = _first_without_loss(predictor, rows)
    x, targets = dense(rows.x[row : row + 1]), rows.targets[row : row + 1]
    names = [f"column {name!r}" for name in predictor.feature_names or range(x.shape[1])]
    values, distances = [x[0]], [_distances(rows.x, x)]
    if targets.ndim == 2:
        names += ["the target" if targets.shape[1] == 1 else f"target {i}" for i in range(targets.shape[1])]
        values.append(predictor.target_scaling.invert(targets)[0])
        distances.append(_distances(rows.targets, targets))
    numbers, far = np.concatenate(values), np.concatenate(distances)
    farthest = int(np.argmax(far if far.any() else np.abs(numbers)))
    return f"row {row} (the first is row 0), where {names[farthest]} is {numbers[farthest]:.6g}"


def _first_without_loss(predictor: Predictor, rows: Rows) -> int:
    """Search by halves, so that all rows are evaluated but twice."""
    low, high = 0, rows.x.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        weights = None if rows.weights is None else rows.weights[low:middle]
        if math.isfinite(
            evaluate_rows(predictor, Rows(rows.x[low:middle], rows.targets[low:middle], weights))["loss"]
        ):
            low = middle
        else:
            high = middle
    return low


def _distances(data: AnyArray, row: AnyArray) -> AnyArray:
    """Return how many standard deviations a row's numbers lie from the means of their columns."""
    distances: AnyArray = np.abs(standardize(data).scaled(row, np.float64))[0]
    return distances
