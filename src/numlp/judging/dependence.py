"""Dependence: how a model's predictions change with one column, or with two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, gaps_in, kind_of
from numlp.judging.confusions import MOST_CLASSES
from numlp.judging.errors import Float64, output_names, outputs
from numlp.judging.samples import Sample, as_sample
from numlp.network.predictor import Predictor
from numlp.settings.checks import whole_number


@dataclass(frozen=True, eq=False)
class Dependence:
    """How predictions depend on a column.

    Attributes
    ----------
    column : str
    kind : "number", "text" or "date"
    values : array, shape (values,)
        Ascending numbers or dates, or texts from the most to the least frequent. If rows have gaps, the last is one:
        NaN, NaT or None.
    shares : array, shape (values,)
        The share of the rows that is next to each value; of texts, that holds it.
    outputs : tuple of str
        The classes, labels or targets; of more than 40, those with the highest mean prediction.
    probabilities : bool
        Whether the predictions are probabilities, of classes or labels; else they are values.
    mean, low, high : array, shape (values, outputs)
        The mean prediction over the rows, and the band of 80 % of the rows' own curves, each moved to the mean's
        level.
    """

    column: str
    kind: Kind
    values: AnyArray
    shares: Float64
    outputs: tuple[str, ...]
    probabilities: bool
    mean: Float64
    low: Float64
    high: Float64

    @property
    def swing(self) -> Float64:
        """By how much the mean prediction of each output changes, from the lowest to the highest, (outputs,)."""
        return np.asarray(self.mean.max(axis=0) - self.mean.min(axis=0))


@dataclass(frozen=True, eq=False)
class Interaction:
    """What two columns change together in predictions, beyond the sum of what each changes alone.

    Attributes
    ----------
    columns : tuple of str
        Two.
    values : tuple of array
        Those of the first column, (a,), and of the second, (b,), as in `Dependence`.
    outputs : tuple of str
        As in `Dependence`.
    effect : array, shape (a, b, outputs)
        What is added to the sum of both, in the units of the predictions.
    strength : float
        The root of the mean square of the effect, of the output where it is greatest.
    share : float
        The effect's share of the variance of the predictions' mean over both columns, Friedman's H²; in [0, 1].
    """

    columns: tuple[str, str]
    values: tuple[AnyArray, AnyArray]
    outputs: tuple[str, ...]
    effect: npt.NDArray[np.float64]
    strength: float
    share: float


def partial_dependence(
    predictor: Predictor, x: Any, column: str, *, points: int = 16, rows: int = 300, seed: int = 0
) -> Dependence:
    r"""Return the mean prediction if a column had one value in all rows, for each of several values.

    .. math:: \bar f_j(v) = \frac{1}{n} \sum_i f(x_i \text{ with } x_{ij} = v)

    is the partial dependence: J. Friedman, "Greedy function approximation: a gradient boosting machine" (2001). The
    band shows how the rows' own curves differ from it in shape, each less its mean: where it is wide, the effect of
    the column depends on other columns. A. Goldstein et al., "Peeking inside the black box: visualizing statistical
    learning with plots of individual conditional expectation" (2015).

    Where columns are related, some of the rows that it predicts can't exist, and it says nothing about them.

    Parameters
    ----------
    predictor : MLP or Ensemble
    x : Table, frame, array_like or sparse matrix
    column : str
        A column's name; for arrays without names "0", "1", ….
    points : int
        The most values: quantiles of numbers and dates, or the most frequent texts.
    rows : int
        The most rows to use, drawn at random.
    seed : int

    Returns
    -------
    Dependence

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([2, 1], loss="squared_error", feature_names=["rooms", "age"])
    >>> net.params[:] = [3, -1, 0]  # the prediction is 3 rooms − age
    >>> found = partial_dependence(net, [[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]], "rooms")
    >>> found.values, found.mean[:, 0]
    (array([1., 2., 4.]), array([-2.,  1.,  7.]))
    """
    points = whole_number("points", points)
    sample = as_sample(predictor, x, rows, seed)
    sample.check(column)
    values, shares = _grid(sample.values[column], points)
    chosen = _likeliest(predictor, sample)
    curves = _predicted(predictor, sample, {column: values}, chosen)
    mean = curves.mean(axis=1)
    own = curves - np.average(curves, axis=0, weights=shares) + np.average(mean, axis=0, weights=shares)
    low, high = np.quantile(own, [0.1, 0.9], axis=1)
    names, probabilities = _names(predictor, chosen), predictor.loss.task != "regression"
    return Dependence(column, kind_of(sample.values[column]), values, shares, names, probabilities, mean, low, high)


def interactions(
    predictor: Predictor, x: Any, columns: Sequence[str], *, points: int = 6, rows: int = 100, seed: int = 0
) -> tuple[Interaction, ...]:
    r"""Return how much each pair of columns does together, the strongest first.

    With the partial dependence on two columns :math:`\bar f_{jk}(v, w)`, the interaction is what is left of it
    without the mean over each: :math:`\bar f_{jk}(v, w) - \bar f_{jk}(\cdot, w) - \bar f_{jk}(v, \cdot) +
    \bar f_{jk}(\cdot, \cdot)`. It is 0 where the effects of both columns just add up. J. Friedman, B. Popescu,
    "Predictive learning via rule ensembles" (2008), section 8.1, whose H² is the share, here
    over all pairs of values rather than those in the rows.

    Parameters
    ----------
    predictor : MLP or Ensemble
    x : Table, frame, array_like or sparse matrix
    columns : sequence of str
        Those to pair, such as the most important ones: of k columns, k (k − 1) / 2 pairs are looked at.
    points, rows, seed
        As for `partial_dependence`, for each of both columns.

    Returns
    -------
    tuple of Interaction

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([2, 1], loss="squared_error")  # linear: no two columns interact
    >>> (pair,) = interactions(net, np.random.default_rng(0).normal(size=(50, 2)), ["0", "1"])
    >>> pair.columns, round(pair.share, 6)
    (('0', '1'), 0.0)
    """
    points = whole_number("points", points)
    sample = as_sample(predictor, x, rows, seed)
    for name in columns:
        sample.check(name)
    grids = {name: _grid(sample.values[name], points) for name in columns}
    chosen = _likeliest(predictor, sample)
    names = _names(predictor, chosen)
    found = []
    for one, other in combinations(grids, 2):
        (a, shares_a), (b, shares_b) = grids[one], grids[other]
        pairs = {one: np.repeat(a, len(b)), other: np.concatenate([b] * len(a))}
        means = _predicted(predictor, sample, pairs, chosen).mean(axis=1).reshape(len(a), len(b), -1)
        centred = means - np.einsum("a,b,abo->o", shares_a, shares_b, means)
        effect = centred - np.einsum("b,abo->ao", shares_b, centred)[:, None]
        effect -= np.einsum("a,abo->bo", shares_a, centred)
        squares, total = (np.einsum("a,b,abo->o", shares_a, shares_b, part**2) for part in (effect, centred))
        strongest = int(np.argmax(squares))
        share = squares[strongest] / total[strongest] if total[strongest] > 0 else 0.0
        strength = float(np.sqrt(squares[strongest]))
        found.append(Interaction((one, other), (a, b), names, effect, strength, float(share)))
    return tuple(sorted(found, key=lambda pair: -pair.strength))


def _grid(column: AnyArray, points: int) -> tuple[AnyArray, Float64]:
    """Return at most so many values of a column, and a gap if there is one, and the share of the rows at each."""
    gaps = gaps_in(column)
    known = column[~gaps]
    known = known.astype(np.int64) if known.dtype == bool else known
    counts: npt.NDArray[Any]
    if column.dtype.kind == "O":
        levels, counts = np.unique(known.astype(str), return_counts=True)
        most = np.argsort(-counts, kind="stable")[:points]
        values, counts = levels[most].astype(object), counts[most]
    elif len(known):
        values = np.unique(known)
        if len(values) > points:
            values = np.unique(_quantiles(known, points))
        middles = values[:-1] + (values[1:] - values[:-1]) / 2
        counts = np.bincount(np.searchsorted(middles.astype(known.dtype), known), minlength=len(values))
    else:
        values, counts = known, np.zeros(0)
    if gaps.any():
        values, counts = np.concatenate([values, column[gaps][:1]]), np.append(counts, gaps.sum())
    return values, counts / counts.sum()


def _quantiles(known: AnyArray, points: int) -> AnyArray:
    """Return values of a column at even steps of their ranks, without the outermost 1 % at either end."""
    ranks = np.linspace(0.01, 0.99, points) * (len(known) - 1)
    return np.sort(known)[np.round(ranks).astype(np.intp)]


def _likeliest(predictor: Predictor, sample: Sample) -> npt.NDArray[np.intp]:
    """Return the outputs to look at: of very many classes, all would take much memory, and nobody looks at them."""
    mean = outputs(predictor, sample.rows).mean(axis=0)
    return np.sort(np.argsort(-mean, kind="stable")[:MOST_CLASSES])


def _names(predictor: Predictor, chosen: npt.NDArray[np.intp]) -> tuple[str, ...]:
    names = output_names(predictor)
    return tuple(names[i] for i in chosen)


def _predicted(
    predictor: Predictor, sample: Sample, values: dict[str, AnyArray], chosen: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Return predictions, (values, rows, chosen), of rows in which columns have each of several values."""
    codes = {name: sample.codes(name, given) for name, given in values.items()}
    n_values = len(next(iter(codes.values())))
    curves = []
    for i in range(n_values):
        rows = sample.rows.copy()
        for name, given in codes.items():
            rows[:, sample.places[name]] = given[i]
        curves.append(outputs(predictor, rows)[:, chosen])
    return np.stack(curves)
