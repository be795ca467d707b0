"""Errors: what a model predicts for rows, and how wrong it is on each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray, Array
from numlp.arrays.targets import target_rows
from numlp.data.rows import Data, pair
from numlp.data.weights import as_weights
from numlp.errors import DataError
from numlp.judging.samples import Sample, as_sample
from numlp.network.predictor import Predictor, chunk_rows

Float64 = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A value, and the interval that it lies in.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float


def output_names(predictor: Predictor) -> tuple[str, ...]:
    """Return the names of what `outputs` returns: the classes or labels, or those of the targets.

    >>> from numlp import MLP
    >>> output_names(MLP([2, 2])), output_names(MLP([2, 2], loss="squared_error"))
    (('0', '1'), ('target 1', 'target 2'))
    """
    if predictor.loss.task != "regression":
        return predictor.classes
    return tuple(f"target {i + 1}" for i in range(predictor.n_targets)) if predictor.n_targets > 1 else ("target",)


def outputs(predictor: Predictor, rows: AnyArray) -> Float64:
    """Return what a model predicts for rows as its layers take them, (n, outputs).

    That is the probability of each class or label, or each target's value in its own units.
    """
    return np.concatenate([predicted for _, predicted in predictions(predictor, rows)])


def predictions(predictor: Predictor, rows: AnyArray) -> Iterator[tuple[slice, Float64]]:
    """Yield parts of the rows, and what `outputs` returns for them: all at once take rows × outputs in memory."""
    for part, logits in _chunks(predictor, rows):
        yield part, predicted_from(predictor, logits)


def predicted_from(predictor: Predictor, logits: Array) -> Float64:
    """Return what `outputs` returns, from logits that are divided by the temperature."""
    if predictor.loss.task != "regression":
        return predictor.probabilities(logits).astype(np.float64)
    linked = predictor.link(logits).reshape(len(logits), predictor.loss.blocks, -1)
    return predictor.loss.unscale(linked, predictor.target_scaling)[:, predictor.loss.point].astype(np.float64)


def losses_and_errors(predictor: Predictor, rows: AnyArray, targets: AnyArray) -> tuple[Float64, Float64]:
    """Return the loss of every row, (n,), and its errors, (n, 1) or (n, targets).

    The errors are 1 for a wrong class and 0 for a right one; the share of wrong labels; or the squares of the
    differences between targets and predictions, in the units of the targets.
    """
    losses, errors = [], []
    for part, logits in _chunks(predictor, rows):
        truth = target_rows(targets[part], predictor.n_targets, logits.dtype)
        values = np.empty(len(logits), logits.dtype)
        delta, scratch = np.empty((2, *logits.shape), logits.dtype)
        predictor.loss.value_and_grad(logits, truth, values, delta, scratch, predictor.arithmetic)
        losses.append(values.astype(np.float64))
        errors.append(_errors(predictor, logits, truth))
    return np.concatenate(losses), np.concatenate(errors)


def mean_error(predictor: Predictor, errors: Float64, weights: Float64 | None = None) -> float:
    """Return the error of rows: the share of wrong ones, or the root of the mean square, averaged over targets."""
    means = np.average(errors, axis=0, weights=weights)
    return float(np.mean(np.sqrt(means) if predictor.loss.task == "regression" else means))


def error_name(predictor: Predictor) -> str:
    """Return what `mean_error` is called."""
    return "root_mean_squared_error" if predictor.loss.task == "regression" else "error"


def judged_sample(
    predictor: Predictor, data: Data, most: int | None = None, seed: int = 0
) -> tuple[Sample, AnyArray, Float64 | None]:
    """Return the rows of data, their targets and their weights (of mean 1), or at most so many, drawn at random."""
    x, y, *rest = pair(data)
    sample = as_sample(predictor, x, most, seed)
    targets = predictor.as_targets(y, predictor.class_names)
    n = as_length(x)
    if len(targets) != n:
        raise DataError(f"x and y must have the same number of rows, not {n} and {len(targets)}")
    weights = as_weights(rest[0], n)[sample.index] if rest and rest[0] is not None else None
    return sample, targets[sample.index], None if weights is None else weights / weights.mean()


def told(predictor: Predictor, targets: AnyArray) -> tuple[str, ...] | tuple[float, ...]:
    """Return the target of a row as people know it: its class, its labels, or its values.

    `targets`, of one row, are those that the loss takes.
    """
    if predictor.loss.task == "regression":
        return tuple(predictor.target_scaling.invert(targets.astype(np.float64))[0].tolist())
    truth = target_rows(targets, predictor.n_targets, predictor.dtype)[0]
    if predictor.loss.task == "classification":
        return (predictor.classes[int(truth.argmax())],)
    if predictor.n_targets == 1:
        return (predictor.classes[int(truth[0] > 0.5)],)
    return tuple(name for name, value in zip(predictor.classes, truth, strict=True) if value > 0.5)


def as_length(x: Any) -> int:
    """Return the number of rows of a table, a frame, an array or a sparse matrix."""
    return int(x.shape[0]) if hasattr(x, "shape") else len(x)


def described(result: Any) -> Any:
    """Return a result of this wing as JSON can hold it: gaps and numbers that aren't finite are None.

    >>> described(Estimate(0.5, 0.0, float("inf")))
    {'value': 0.5, 'low': 0.0, 'high': None}
    """
    if dataclasses.is_dataclass(result):
        return {field.name: described(getattr(result, field.name)) for field in dataclasses.fields(result)}
    if isinstance(result, np.ndarray):
        if result.dtype.kind == "M":
            return [None if np.isnat(value) else str(value) for value in result]
        return described(result.tolist())
    if isinstance(result, list | tuple):
        return [described(part) for part in result]
    if isinstance(result, np.datetime64):
        return None if np.isnat(result) else str(result)
    if isinstance(result, np.generic):
        return described(result.item())
    return None if isinstance(result, float) and not np.isfinite(result) else result


def _chunks(predictor: Predictor, rows: AnyArray) -> Iterator[tuple[slice, Array]]:
    """Yield parts of the rows, and their logits, divided by the temperature."""
    size = chunk_rows(predictor.layer_size)
    for start in range(0, max(1, len(rows)), size):  # no rows are one part, too
        part = slice(start, start + size)
        with np.errstate(all="ignore"):
            yield part, predictor.logits(rows[part]) / np.asarray(predictor.temperature, predictor.dtype)


def _errors(predictor: Predictor, logits: Array, truth: AnyArray) -> Float64:
    if predictor.loss.task == "regression":
        values = predictor.target_scaling.invert(truth.astype(np.float64))
        return np.square(values - predicted_from(predictor, logits))
    if predictor.loss.task == "labels":
        return np.asarray(((logits > 0) != (truth > 0.5)).mean(axis=1, keepdims=True), np.float64)
    return np.asarray(logits.argmax(axis=1) != truth.argmax(axis=1), np.float64)[:, None]
