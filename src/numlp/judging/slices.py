"""Slices: the parts of a table on which a model is worst."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import gaps_in
from numlp.data.rows import Data
from numlp.judging.errors import Estimate, Float64, error_name, judged_sample, losses_and_errors, mean_error
from numlp.judging.intervals import effective_rows, mean_interval, wilson_interval
from numlp.judging.samples import text_of
from numlp.network.predictor import Predictor
from numlp.settings import checks
from numlp.settings.checks import whole_number

_FEW = 10  # up to so many different numbers are slices of their own


@dataclass(frozen=True)
class Slice:
    """The rows for which a column has a certain value, or lies between two values.

    Attributes
    ----------
    column : str
    condition : str
        In words: "is Ulm", "is missing", "from 20 to 35".
    rows : int
    error : Estimate
    """

    column: str
    condition: str
    rows: int
    error: Estimate


@dataclass(frozen=True)
class Slices:
    """The slices on which a model is worse than on all rows.

    Attributes
    ----------
    slices : tuple of Slice
        The worst first. Those that may be worse by chance are left out, so there may be none.
    metric : "error" or "root_mean_squared_error"
        What the error is: the share of rows that are wrong, or that of values.
    error : float
        That of all rows.
    rows : int
    examined : int
        How many slices were looked at.
    """

    slices: tuple[Slice, ...]
    metric: str
    error: float
    rows: int
    examined: int


def worst_slices(
    predictor: Predictor, data: Data, *, most: int = 10, bins: int = 5, least: int = 20, confidence: float = 0.95
) -> Slices:
    r"""Return the slices of a table on which a model's error is highest.

    The slices of a column are its levels and its gaps; numbers with more than ten different values, and dates, are
    cut into bins of about equally many rows.

    Small slices must not win by chance. So slices are ranked by the lower ends of their errors' intervals: Wilson's
    with a correction for continuity, of :math:`p \pm 1 / 2n`, for a share p of wrong rows (R. Newcombe, "Two-sided
    confidence intervals for the single proportion", 1998); :math:`\bar e \pm z s / \sqrt n` for mean squared
    errors. As many slices are looked at, the confidence of each interval is :math:`1 - (1 - c) / m` for m slices, so
    that all of them hold at once with confidence c (C. Bonferroni, 1936). Only slices whose interval lies above the
    error of all rows are returned.

    Parameters
    ----------
    predictor : MLP or Ensemble
    data : (x, y) or (x, y, weights)
        As for `evaluate`; best rows that the model wasn't trained on.
    most : int
        The most slices to return.
    bins : int
        Of numbers and dates.
    least : int
        Slices with fewer rows are left out.
    confidence : float
        Of all intervals at once.

    Returns
    -------
    Slices

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([1, 2], feature_names=["city"])
    >>> net.params[:] = [0, 0, 1, 0]  # always the first class
    >>> x = np.repeat([0.0, 1.0], 50)[:, None]
    >>> (worst,) = worst_slices(net, (x, x[:, 0].astype(int))).slices
    >>> f"{worst.column} {worst.condition}: {worst.error.value:.0%} of {worst.rows} rows are wrong"
    'city is 1: 100% of 50 rows are wrong'
    """
    most, bins, least = (whole_number(*each) for each in (("most", most), ("bins", bins), ("least", least)))
    sample, targets, weights = judged_sample(predictor, data)
    _, errors = losses_and_errors(predictor, sample.rows, targets)
    overall = mean_error(predictor, errors, weights)
    found = [
        (name, condition, chosen)
        for name, values in sample.values.items()
        for condition, chosen in _conditions(values, bins)
        if len(chosen) >= least
    ]
    confidence = 1 - (1 - checks.share("confidence", confidence)) / max(1, len(found))
    counts = np.ones(len(errors)) if weights is None else weights
    slices = [
        Slice(name, condition, len(chosen), _error(predictor, errors[chosen], counts[chosen], confidence))
        for name, condition, chosen in found
        if counts[chosen].any()
    ]
    worse = sorted((one for one in slices if one.error.low > overall), key=lambda one: -one.error.low)
    return Slices(tuple(worse[:most]), error_name(predictor), overall, len(errors), len(slices))


def _conditions(values: AnyArray, bins: int) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """Yield the slices of a column: what they are called, and which rows are in them."""
    gaps = gaps_in(values)
    known = values[~gaps]
    if gaps.any():
        yield "is missing", np.flatnonzero(gaps)
    different = known[:0]
    if values.dtype.kind == "O":
        different = np.array(sorted(set(known.tolist())), dtype=object)
    elif len(known):
        different = np.unique(known)
    if len(different) <= (len(known) if values.dtype.kind == "O" else _FEW):
        yield from _levels(values, different)
        return
    ranks = np.round(np.linspace(0, len(known) - 1, bins + 1)).astype(np.intp)
    edges = np.unique(np.sort(known)[ranks])
    for i, (low, high) in enumerate(pairwise(edges)):
        last = i == len(edges) - 2
        chosen = (values >= low) & ((values <= high) if last else (values < high))
        yield f"from {text_of(low)} {'to' if last else 'to below'} {text_of(high)}", np.flatnonzero(chosen)


def _levels(values: AnyArray, different: AnyArray) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    places = {level: i for i, level in enumerate(different.tolist())}
    codes = np.array([places.get(value, -1) for value in values.tolist()])
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(different) + 1))
    for level, (start, stop) in zip(different, pairwise(edges), strict=True):
        yield f"is {text_of(level)}", order[start:stop]


def _error(predictor: Predictor, errors: Float64, counts: Float64, confidence: float) -> Estimate:
    """Return the error of a slice's rows and its interval; of several targets, the root of the mean over all."""
    each = errors.mean(axis=1)
    mean = float(np.average(each, weights=counts))
    if predictor.loss.task != "regression":  # of several labels, a row's share of wrong ones varies less than this
        n = effective_rows(counts)
        low, _ = wilson_interval(max(mean - 0.5 / n, 0.0), n, confidence)
        _, high = wilson_interval(min(mean + 0.5 / n, 1.0), n, confidence)
        return Estimate(mean, low, high)
    low, high = mean_interval(each, counts, confidence)
    return Estimate(math.sqrt(mean), math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0)))
