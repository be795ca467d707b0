"""Explanation: what each column of one row contributes to a model's prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.randomness import Role, generator
from numlp.errors import DataError, SettingError
from numlp.judging.errors import output_names, outputs
from numlp.judging.samples import as_sample
from numlp.network.predictor import Predictor
from numlp.settings.checks import unknown, whole_number

_ROWS = 4096  # predicted at a time


@dataclass(frozen=True)
class Contribution:
    """What a column of a row contributes to a prediction.

    Attributes
    ----------
    column : str
    value : float, str, datetime64, or None
        What the row has there; None for a gap.
    amount : float
        In the units of the prediction.
    error : float
        The standard error of the amount.
    """

    column: str
    value: Any
    amount: float
    error: float


@dataclass(frozen=True)
class Explanation:
    """Why a model predicts what it does for one row: prediction = mean + the sum of all amounts.

    Attributes
    ----------
    output : str
        The class, label or target that is explained.
    prediction : float
        Its probability or value for the row.
    mean : float
        The mean prediction for the rows that it is compared with.
    contributions : tuple of Contribution
        The largest first.
    """

    output: str
    prediction: float
    mean: float
    contributions: tuple[Contribution, ...]


def explain_row(
    predictor: Predictor, row: Any, background: Any, *, output: str | None = None, rows: int = 200, seed: int = 0
) -> Explanation:
    r"""Return what each column of one row contributes to the prediction, compared with that for other rows.

    The contributions are Shapley values: with columns put in a random order, a row of the background becomes the
    row to explain, one column after another, and each column is given the change that it makes,

    .. math:: \phi_j = \mathbb{E}_{\pi, z} \left[ f(x_{S \cup j}, z_{\setminus S \setminus j})
        - f(x_S, z_{\setminus S}) \right], \qquad f(x) = \mathbb{E}_z f(z) + \sum_j \phi_j,

    where S are the columns before j in the order π. The sum is exact, whatever the sample; each amount is a mean over
    rows z of the background, each with one order and its reverse. A column that the model doesn't use is given
    nothing; two that it uses alike, the same.

    E. Štrumbelj, I. Kononenko, "Explaining prediction models and individual predictions with feature contributions"
    (2014); L. Shapley, "A value for n-person games" (1953); the reversed orders: R. Mitchell et al., "Sampling
    permutations for Shapley value estimation" (2022).

    It explains the model, not the world: a column with a large amount need not be a cause. Rows between two others
    may be such as don't exist, where columns are related.

    Parameters
    ----------
    predictor : MLP or Ensemble
    row : Table, frame or array_like, of one row
    background : Table, frame, array_like or sparse matrix
        Rows to compare with, such as those of training.
    output : str, optional
        The class, label or target to explain; by default the most probable class or label, or the first target.
    rows : int
        The most rows of the background to use, drawn at random.
    seed : int

    Returns
    -------
    Explanation

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([2, 1], loss="squared_error", feature_names=["rooms", "age"])
    >>> net.params[:] = [3, -1, 0]  # the prediction is 3 rooms − age
    >>> why = explain_row(net, [[4.0, 10.0]], [[2.0, 10.0], [2.0, 20.0]])
    >>> why.prediction, why.mean, [(part.column, part.amount) for part in why.contributions]
    (2.0, -9.0, [('rooms', 6.0), ('age', 5.0)])
    """
    one = as_sample(predictor, row)
    others = as_sample(predictor, background, whole_number("rows", rows), seed)
    if len(one) != 1:
        raise DataError(f"row must be one row, as a table or an array with a first axis of length 1, not {len(one)}")
    if one.rows.dtype != others.rows.dtype and np.uint8 in (one.rows.dtype, others.rows.dtype):
        raise DataError(f"row and background must be of one dtype, not {one.rows.dtype} and {others.rows.dtype}")
    names = output_names(predictor)
    if output is not None and output not in names:
        raise SettingError(unknown("output", output, names))
    if output is None:
        of_values = predictor.loss.task == "regression"
        output = names[0 if of_values else int(outputs(predictor, one.rows)[0].argmax())]
    chosen = names.index(output)
    widths = [place.stop - place.start for place in one.places.values()]
    rng = generator(seed, 1, Role.EXPLANATION)
    k, samples = len(widths), []
    start, end = np.empty(len(others)), np.empty(len(others))
    for i, other in enumerate(others.rows):
        rank = rng.permutation(k)
        ways = []
        for order in (rank, k - 1 - rank):
            # Row s of the path has the first s columns of the order from the row to explain.
            switched = np.arange(k + 1)[:, None] > order
            path = np.where(np.repeat(switched, widths, axis=1), one.rows, other)
            values = np.concatenate(
                [outputs(predictor, path[at : at + _ROWS])[:, chosen] for at in range(0, k + 1, _ROWS)]
            )
            start[i], end[i] = values[0], values[-1]
            ways.append(np.diff(values)[order])
        samples.append((ways[0] + ways[1]) / 2)
    amounts = np.mean(samples, axis=0)
    errors = np.std(samples, axis=0, ddof=1) / np.sqrt(len(samples)) if len(samples) > 1 else np.full(k, np.nan)
    contributions = [
        Contribution(name, _value(values[0]), float(amount), float(error))
        for (name, values), amount, error in zip(one.values.items(), amounts, errors, strict=True)
    ]
    contributions.sort(key=lambda part: -abs(part.amount))
    return Explanation(output, float(end.mean()), float(start.mean()), tuple(contributions))


def _value(value: Any) -> Any:
    """Return what a row has in a column; None for a gap."""
    if value is None or value != value:
        return None
    return value.item() if isinstance(value, np.number | np.bool_) else value
