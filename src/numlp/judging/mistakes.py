"""Mistakes: the rows that a model was surest of and wrong about, or on which its values are farthest off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numlp.arrays.special import AnyArray, Array
from numlp.arrays.targets import target_rows
from numlp.data.rows import Data
from numlp.judging.errors import Float64, judged_sample, outputs, predicted_from, predictions, told
from numlp.network.predictor import Predictor
from numlp.settings.checks import whole_number


@dataclass(frozen=True)
class Mistake:
    """A row that a model predicts wrongly.

    Attributes
    ----------
    row : int
        Its number in the data, from 0.
    truth, predicted : tuple of str, or of float
        The class; the labels that the row has, which may be none; or the value of each target.
    size : float
        The probability of the wrong class or label; for values, the difference from the truth, of several targets the
        largest as a multiple of its standard deviation in training.
    """

    row: int
    truth: tuple[str, ...] | tuple[float, ...]
    predicted: tuple[str, ...] | tuple[float, ...]
    size: float


def surest_mistakes(predictor: Predictor, data: Data, *, most: int = 10) -> tuple[Mistake, ...]:
    """Return the rows that a model is wrong about although it is sure, or on which its values are farthest off.

    They are worth a look: often a label is wrong, a number is in another unit, or rows of their kind are rare.

    Parameters
    ----------
    predictor : MLP or Ensemble
    data : (x, y) or (x, y, weights)
        As for `evaluate`.
    most : int

    Returns
    -------
    tuple of Mistake
        The greatest first.

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([1, 2], class_names=["cat", "dog"])
    >>> net.params[:] = [-1, 1, 0, 0]
    >>> (mistake,) = surest_mistakes(net, ([[-1.0], [2.0]], ["cat", "cat"]))
    >>> mistake.row, mistake.truth, mistake.predicted, round(mistake.size, 3)
    (1, ('cat',), ('dog',), 0.982)
    """
    sample, targets, _ = judged_sample(predictor, data)
    sizes = np.concatenate(
        [_sizes(predictor, predicted, targets[part]) for part, predicted in predictions(predictor, sample.rows)]
    )
    rows = _largest(sizes, most)
    return _mistakes(predictor, rows, targets[rows], outputs(predictor, sample.rows[rows]), sizes[rows])


def surest_mistakes_of(
    predictor: Predictor, logits: Array, targets: AnyArray, *, most: int = 10
) -> tuple[Mistake, ...]:
    """Return what `surest_mistakes` does, from logits that were computed before, such as each by another network.

    Parameters
    ----------
    predictor : MLP or Ensemble
        With the loss and the classes of the networks that computed them.
    logits : array, shape (n, outputs)
        Divided by the temperature.
    targets : array, shape (n,) or (n, targets)
        As the loss takes them.
    most : int
    """
    predicted = predicted_from(predictor, logits)
    sizes = _sizes(predictor, predicted, targets)
    rows = _largest(sizes, most)
    return _mistakes(predictor, rows, targets[rows], predicted[rows], sizes[rows])


def _largest(sizes: Float64, most: int) -> AnyArray:
    return np.argsort(-sizes, kind="stable")[: min(whole_number("most", most), int((sizes > 0).sum()))]


def _mistakes(
    predictor: Predictor, rows: AnyArray, targets: AnyArray, predicted: Float64, sizes: Float64
) -> tuple[Mistake, ...]:
    names = np.array(predictor.classes, dtype=object)
    return tuple(
        Mistake(row, told(predictor, targets[i : i + 1]), _guess(predictor, predicted[i], names), float(sizes[i]))
        for i, row in enumerate(rows.tolist())
    )


def _sizes(predictor: Predictor, predicted: Float64, targets: AnyArray) -> Float64:
    """Return the size of each row's mistake, 0 for a row that is right."""
    if predictor.loss.task == "regression":
        truth = predictor.target_scaling.invert(targets.astype(np.float64))
        if predictor.n_targets > 1:
            scaling = predictor.target_scaling
            scaled = [scaling.apply(values, np.empty(values.shape)) for values in (predicted, truth)]
            return np.asarray(np.abs(scaled[0] - scaled[1]).max(axis=1), np.float64)
        return np.asarray(np.abs(predicted - truth)[:, 0])
    if predictor.loss.task == "labels" and predictor.n_targets > 1:
        sizes = np.abs(targets - predicted).max(axis=1)
        return np.where(sizes > 0.5, sizes, 0.0)
    wrong = predicted.argmax(axis=1) != _classes(predictor, targets)
    return np.where(wrong, predicted.max(axis=1), 0.0)


def _guess(predictor: Predictor, predicted: Float64, names: AnyArray) -> tuple[str, ...] | tuple[float, ...]:
    if predictor.loss.task == "regression":
        return tuple(predicted.tolist())
    if predictor.loss.task == "labels" and predictor.n_targets > 1:
        return tuple(names[predicted > 0.5])
    return (names[predicted.argmax()],)


def _classes(predictor: Predictor, targets: AnyArray) -> AnyArray:
    if predictor.loss.task == "labels":
        return (targets[:, 0] > 0.5).astype(np.intp)
    return np.asarray(target_rows(targets, predictor.n_targets, predictor.dtype).argmax(axis=1))
