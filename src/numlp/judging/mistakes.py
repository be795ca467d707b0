"""Mistakes: the rows that a model was surest of and wrong about, or on which its values are farthest off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.targets import target_rows
from numlp.data.rows import Data
from numlp.judging.errors import Float64, judged_sample, outputs, told
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
    most = whole_number("most", most)
    sample, targets, _ = judged_sample(predictor, data)
    predicted = outputs(predictor, sample.rows)
    names = np.array(predictor.classes, dtype=object)
    if predictor.loss.task == "regression":
        truth = predictor.target_scaling.invert(targets.astype(np.float64))
        sizes = np.abs(predicted - truth)
        if predictor.n_targets > 1:
            scaled = [predictor.target_scaling.apply(part, np.empty(part.shape)) for part in (predicted, truth)]
            sizes = np.abs(scaled[0] - scaled[1])
        sizes = sizes.max(axis=1)
        wrong = sizes > 0
    elif predictor.loss.task == "labels" and predictor.n_targets > 1:
        sizes = np.abs(targets - predicted).max(axis=1)
        wrong = sizes > 0.5
    else:
        sizes = predicted.max(axis=1)
        wrong = predicted.argmax(axis=1) != _classes(predictor, targets)
    order = np.argsort(np.where(wrong, -sizes, np.inf), kind="stable")
    return tuple(
        Mistake(i, told(predictor, targets[i : i + 1]), _guess(predictor, predicted[i], names), float(sizes[i]))
        for i in order[: min(most, int(wrong.sum()))].tolist()
    )


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
