"""Importance: how much worse a model predicts without what a column says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import AnyArray
from numlp.data.rows import Data
from numlp.judging.errors import Estimate, Float64, error_name, judged_sample, losses_and_errors, mean_error
from numlp.judging.samples import Sample
from numlp.network.predictor import Predictor
from numlp.settings import checks
from numlp.settings.checks import whole_number


@dataclass(frozen=True)
class ColumnImportance:
    """How much worse a model predicts when one column, or several at once, are permuted.

    Attributes
    ----------
    columns : tuple of str
        One, or a group that is permuted together.
    loss, error : Estimate
        By how much the mean loss and the error rise.
    """

    columns: tuple[str, ...]
    loss: Estimate
    error: Estimate


@dataclass(frozen=True)
class Importance:
    """The importance of each column of a table for a model.

    Attributes
    ----------
    columns : tuple of ColumnImportance
        The most important first, by the loss.
    metric : "error" or "root_mean_squared_error"
        What the error is: the share of rows that are wrong, 1 − accuracy; or that of values, in the targets' units.
    loss, error : float
        Those of the rows as they are.
    rows : int
        How many rows this was measured on.
    """

    columns: tuple[ColumnImportance, ...]
    metric: str
    loss: float
    error: float
    rows: int


def permutation_importance(
    predictor: Predictor,
    data: Data,
    *,
    groups: Sequence[Sequence[str]] = (),
    repeats: int = 5,
    rows: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Importance:
    r"""Return how much a model's loss and error rise when the values of a column are permuted among the rows.

    With rows :math:`x_i`, and :math:`x_i^{j\pi}` the row whose column j is that of row :math:`\pi(i)`,

    .. math:: I_j = \frac{1}{n} \sum_i \left( L(f(x_i^{j\pi}), y_i) - L(f(x_i), y_i) \right),

    the mean over several permutations π. A column that the model doesn't use has importance 0.

    The importance is that for *this model*. Where two columns say the same, the model may use either, and permuting
    one of them shows little: both look unimportant, though without both the model would fail. `related_columns` finds
    such columns; permute them together with `groups`. Permuting also makes rows that don't exist, such as children
    with a pension, on which the model was never trained.

    Use rows that the model wasn't trained on: on training rows, columns by which it learned those rows by heart look
    important.

    L. Breiman, "Random forests" (2001); A. Fisher, C. Rudin, F. Dominici, "All models are wrong, but many are
    useful" (2019). The interval is that of a two-sample U-statistic, by its projection on each row's part as the one
    that receives a value and as the one that gives it (W. Hoeffding, 1948); so it covers the choice of the rows and
    of the permutations. With few permutations it is a little too wide.

    Parameters
    ----------
    predictor : MLP or Ensemble
    data : (x, y) or (x, y, weights)
        As for `evaluate`; x may be a table, a frame or an array.
    groups : sequence of sequences of str
        Columns to permute together, besides each alone.
    repeats : int
        The number of permutations.
    rows : int
        The most rows to use, drawn at random.
    confidence : float
        Of the intervals.
    seed : int

    Returns
    -------
    Importance

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(500, 2))
    >>> net = MLP([2, 1], loss="squared_error", feature_names=["used", "unused"])
    >>> net.params[:] = [2, 0, 0]  # the prediction is 2 x₀
    >>> found = permutation_importance(net, (x, 2 * x[:, 0]))
    >>> [part.columns for part in found.columns], found.columns[1].loss.value
    ([('used',), ('unused',)], 0.0)
    """
    repeats = whole_number("repeats", repeats)
    z = NormalDist().inv_cdf((1 + checks.share("confidence", confidence)) / 2)
    sample, targets, weights = judged_sample(predictor, data, rows, seed)
    for name in (name for group in groups for name in group):
        sample.check(name)
    losses, errors = losses_and_errors(predictor, sample.rows, targets)
    counts = np.ones(len(losses)) if weights is None else weights
    root = predictor.loss.task == "regression"
    found = []
    for group in [*((name,) for name in sample.values), *map(tuple, groups)]:
        rises_of_loss, rises_of_error = _Rise(losses[:, None], counts, False), _Rise(errors, counts, root)
        for repeat in range(repeats):
            order = generator(seed, repeat + 1, Role.EXPLANATION).permutation(len(losses))
            other = losses_and_errors(predictor, _permuted(sample, group, order), targets)
            rises_of_loss.add(other[0][:, None], order)
            rises_of_error.add(other[1], order)
        found.append(ColumnImportance(group, rises_of_loss.result(z), rises_of_error.result(z)))
    found.sort(key=lambda part: -part.loss.value)
    loss = float(np.average(losses, weights=counts))
    return Importance(tuple(found), error_name(predictor), loss, mean_error(predictor, errors, counts), len(losses))


def _permuted(sample: Sample, names: Sequence[str], order: AnyArray) -> AnyArray:
    rows = sample.rows.copy()
    for name in names:
        rows[:, sample.places[name]] = sample.rows[order, sample.places[name]]
    return rows


class _Rise:
    """How much a mean over rows, or its root, rises: gathered over several permutations."""

    def __init__(self, before: Float64, counts: Float64, root: bool) -> None:
        self._before, self._counts, self._root = before * counts[:, None], counts[:, None], root
        # Sums over permutations: of each row as it receives a value; and of the rows that are given its value,
        # permuted and as they were.
        self._received, self._given, self._given_before = np.zeros((3, *before.shape))
        self._repeats = 0

    def add(self, after: Float64, order: AnyArray) -> None:
        """Add a permutation: row i received the values of row order[i]."""
        self._received += after * self._counts
        self._given[order] += after * self._counts
        self._given_before[order] += self._before
        self._repeats += 1

    def result(self, z: float) -> Estimate:
        received, given, given_before = (
            part / self._repeats for part in (self._received, self._given, self._given_before)
        )
        n, low, high = len(received), self._before.mean(axis=0), received.mean(axis=0)
        value = np.mean(np.sqrt(high) - np.sqrt(low) if self._root else high - low)
        # Each row's part in the two sums, by the derivative of the root. Taking the loss before from the loss after
        # takes out what both have in common.
        slopes = [1 / (2 * np.sqrt(mean)) if self._root else np.ones_like(mean) for mean in _positive(high, low)]
        parts = (received + given - 2 * high) * slopes[0] - (self._before + given_before - 2 * low) * slopes[1]
        error = math.sqrt(float(np.square(parts.mean(axis=1)).sum()) / max(1, n * (n - 1)))
        half = z * error if n > 1 else math.inf
        return Estimate(float(value), float(value) - half, float(value) + half)


def _positive(*means: Float64) -> list[Float64]:
    return [np.maximum(mean, np.finfo(np.float64).tiny) for mean in means]
