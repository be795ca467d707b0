"""Mistakes: the rows that a model was surest of and wrong about, or on which its values are farthest off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.targets import target_rows
from numlp.data.rows import Data
from numlp.judging.errors import Float64, judged_sample, outputs
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
    task, names = predictor.loss.task, np.array(predictor.classes, dtype=object)
    if task == "regression":
        truth = predictor.target_scaling.invert(targets.astype(np.float64))
        sizes = np.abs(predicted - truth)
        if predictor.n_targets > 1:
            scaled = [predictor.target_scaling.apply(part, np.empty(part.shape)) for part in (predicted, truth)]
            sizes = np.abs(scaled[0] - scaled[1])
        return tuple(
            Mistake(i, tuple(truth[i].tolist()), tuple(predicted[i].tolist()), float(sizes[i].max()))
            for i in _largest(sizes.max(axis=1), most)
        )
    if task == "labels" and predictor.n_targets > 1:
        has, wrong = targets > 0.5, np.abs(targets - predicted)
        return tuple(
            Mistake(i, tuple(names[has[i]]), tuple(names[predicted[i] > 0.5]), float(wrong[i].max()))
            for i in _largest(wrong.max(axis=1), most)
            if wrong[i].max() > 0.5
        )
    true, guess = _classes(predictor, targets), predicted.argmax(axis=1)
    sure = np.where(true == guess, -1.0, predicted.max(axis=1))
    return tuple(
        Mistake(i, (names[true[i]],), (names[guess[i]],), float(sure[i]))
        for i in _largest(sure, most)
        if sure[i] >= 0
    )


def _classes(predictor: Predictor, targets: AnyArray) -> AnyArray:
    if predictor.loss.task == "labels":
        return (targets[:, 0] > 0.5).astype(np.intp)
    return np.asarray(target_rows(targets, predictor.n_targets, predictor.dtype).argmax(axis=1))


def _largest(values: Float64, most: int) -> list[int]:
    found: list[int] = np.argsort(-values, kind="stable")[:most].tolist()
    return found
