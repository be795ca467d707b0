"""Splits: which rows train and which validate: shuffled and stratified, by group, or by time."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import AnyArray
from numlp.arrays.table import gaps_in
from numlp.errors import DataError, SettingError
from numlp.settings.checks import share as checked_share
from numlp.settings.checks import whole_number

Index = npt.NDArray[np.intp]
How = Literal["shuffled", "last"]

MOST_HELD_OUT = 10_000  # rows that validate by default; more make training poorer and hardly sharpen a metric
_TENTHS = 10  # strata of real values


class Fold(NamedTuple):
    """The rows that train and the rows that validate, as sorted indices.

    Attributes
    ----------
    training, validation : int array
    """

    training: Index
    validation: Index


def usual_share(n: int) -> float:
    """Return the share of n rows of a table that validate by default: a fifth, but at most 10,000 rows.

    >>> usual_share(500), usual_share(200_000)
    (0.2, 0.05)
    """
    return min(0.2, MOST_HELD_OUT / n)


def hold_out(
    n: int,
    share: float,
    seed: int,
    *,
    targets: AnyArray | None = None,
    groups: AnyArray | None = None,
    times: AnyArray | None = None,
) -> Fold:
    """Hold a share of n rows out for validation.

    Parameters
    ----------
    n : int
    share : float
        Of the rows, strictly between 0 and 1; a part of a row validates, too.
    seed : int
        The same seed gives the same rows.
    targets : array, shape (n,) or (n, targets), optional
        Integers and texts are classes, floats are values. Both parts have the same shares of classes, or of the
        tenths of the values. A class with a single row trains.
    groups : array, shape (n,), optional
        Rows of one group stay on one side; all gaps are one group. The parts come as close to `share`, and to the
        same shares of classes, as whole groups allow.
    times : array, shape (n,), optional
        The latest rows validate, whatever the seed; rows of one time stay on one side, and rows without a time train.

    Returns
    -------
    Fold

    Raises
    ------
    DataError
        If no row is left for one of the parts.
    SettingError
        If there is only one group or time.

    Examples
    --------
    >>> hold_out(10, 0.2, seed=0, targets=np.repeat([0, 1], 5)).validation
    array([4, 7])
    >>> hold_out(4, 0.5, seed=0, times=np.array([2021, 2024, 2023, 2022])).validation
    array([1, 2])
    """
    count = n - cut_off(n, share)
    _check_one(groups, times)
    if times is not None:
        return _fold(n, _blocks(times, [1 - share]) == 1)
    rng = generator(seed, 0, Role.SPLIT)
    strata = _strata(targets, n)
    if groups is not None:
        return _fold(n, _grouped(groups, strata, [1 - share, share], rng) == 1)
    order = _stratified(strata, rng)
    several = order[np.bincount(strata)[strata[order]] > 1]
    order = several if len(several) >= 2 * count else order
    # Systematic sampling: every 1/share-th row of the rows in the order of their strata.
    reached = (2 * np.arange(len(order) + 1) * count + len(order)) // (2 * len(order))
    chosen = np.zeros(n, bool)
    chosen[order[np.diff(reached) > 0]] = True
    return _fold(n, chosen)


def folds(
    n: int,
    k: int,
    seed: int,
    *,
    targets: AnyArray | None = None,
    groups: AnyArray | None = None,
    times: AnyArray | None = None,
) -> tuple[Fold, ...]:
    """Split n rows k times; without times, each row validates in exactly one fold and trains in all others.

    The only row of a class trains in all folds, unless that leaves a fold without validation rows, or rows are split
    by groups: a network that hasn't seen a class can't be judged on it.

    Parameters
    ----------
    n, k, seed : int
    targets, groups, times : array, optional
        As for `hold_out`. With times, the rows are cut into k + 1 blocks of consecutive times: each fold validates on
        a block and trains on all earlier ones, and the first block never validates.

    Returns
    -------
    tuple of Fold

    Raises
    ------
    SettingError
        If there are fewer rows, groups or times than the folds need.

    Examples
    --------
    >>> [fold.validation.tolist() for fold in folds(6, 3, seed=0, targets=np.array([0, 0, 0, 1, 1, 1]))]
    [[0, 3], [1, 4], [2, 5]]
    >>> for training, validation in folds(6, 2, seed=0, times=np.arange(6)):
    ...     print(training, validation)
    [0 1] [2 3]
    [0 1 2 3] [4 5]
    """
    whole_number("folds", k, minimum=2)
    _check_one(groups, times)
    if n < k:
        raise SettingError(f"folds must be at most the number of rows, {n}, not {k}")
    if times is not None:
        block = _blocks(times, [i / (k + 1) for i in range(1, k + 1)])
        return tuple(Fold(np.flatnonzero(block < i), np.flatnonzero(block == i)) for i in range(1, k + 1))
    rng = generator(seed, 0, Role.SPLIT)
    strata = _strata(targets, n)
    if groups is not None:
        part = _grouped(groups, strata, [1 / k] * k, rng)
    else:
        order, part = _stratified(strata, rng), np.full(n, -1)
        several = order[np.bincount(strata)[strata[order]] > 1]
        if targets is not None and targets.ndim == 1 and len(several) >= k:
            order = several
        part[order] = np.arange(len(order)) % k
    return tuple(_fold(n, part == i) for i in range(k))


def cut_off(n: int, share: float) -> int:
    """Return the number of training rows if a share of n rows validates, where a part of a row validates, too.

    Raises
    ------
    DataError
        If no row is left for one of the parts.

    >>> cut_off(10, 0.25)
    7
    """
    share = checked_share("validation", share)
    # Round first, so that 1 − 0.9 of 10 rows is 1 row, not 0.999….
    count = int(round((1 - share) * n, 6))
    if not 0 < count < n:
        raise DataError(
            f"validation {share:g} of {n} rows must leave rows for both training and validation; give more rows or "
            "another share"
        )
    return count


def _fold(n: int, validates: npt.NDArray[np.bool_]) -> Fold:
    return Fold(np.flatnonzero(~validates), np.flatnonzero(validates))


def _check_one(groups: AnyArray | None, times: AnyArray | None) -> None:
    if groups is not None and times is not None:
        raise SettingError("rows can be split by groups or by times, not by both: leave one out")


def _strata(targets: AnyArray | None, n: int) -> Index:
    """Return a number for the stratum of each row: its class, its combination of labels, or its tenth of values."""
    if targets is None:
        return np.zeros(n, np.intp)
    y = np.asarray(targets)
    if y.ndim == 2 and y.shape[1] > 1:
        if not np.all((y == 0) | (y == 1)):
            return np.zeros(n, np.intp)
        return np.unique(y, axis=0, return_inverse=True)[1].ravel().astype(np.intp)
    y = y.ravel()
    if y.dtype.kind == "f":
        return np.argsort(np.argsort(y, kind="stable")) * min(_TENTHS, max(1, n // _TENTHS)) // n
    _, where, counts = np.unique(y, return_inverse=True, return_counts=True)
    return np.zeros(n, np.intp) if 2 * np.sum(counts == 1) > n else where.astype(np.intp)


def _stratified(strata: Index, rng: np.random.Generator) -> Index:
    """Return the rows by strata, shuffled within each."""
    order = rng.permutation(len(strata))
    return order[np.argsort(strata[order], kind="stable")]


def _grouped(groups: AnyArray, strata: Index, shares: list[float], rng: np.random.Generator) -> Index:
    """Return each row's part: of each group, the largest first, the one that brings the counts closest to shares.

    The parts' counts of each stratum, and of rows, minimize Σ count² / (share · total), greedily. That sum is least
    where all counts are in proportion to the shares.
    """
    group = _numbered(groups)
    n_groups = int(group.max()) + 1
    if n_groups < len(shares):
        raise SettingError(
            f"splitting by groups into {len(shares)} parts needs as many groups, and there "
            f"{'is one' if n_groups == 1 else f'are {n_groups}'}: name another column"
        )
    table = np.zeros((n_groups, int(strata.max()) + 2))
    np.add.at(table, (group, strata), 1)
    table[:, -1] = table[:, :-1].sum(axis=1)
    order = rng.permutation(n_groups)
    order = order[np.argsort(-table[order, -1], kind="stable")]
    weights = 1 / (np.array(shares)[:, None] * np.maximum(table.sum(axis=0), 1))
    held = np.zeros((len(shares), table.shape[1]))
    part = np.empty(n_groups, np.intp)
    for number in order:
        counts = table[number]
        costs = np.cumsum((2 * held + counts) * counts * weights, axis=1)[:, -1]  # in one order on every machine
        part[number] = np.argmin(costs)
        held[part[number]] += counts
    for empty in np.flatnonzero(held[:, -1] == 0):  # two large groups, and a small share: the smaller one fills it
        part[order[-1]] = empty
    return part[group]


def _numbered(values: AnyArray) -> Index:
    """Return a number for each different value; all gaps are one value."""
    values = np.asarray(values)
    gaps = gaps_in(values) if values.dtype.kind in "OMf" else np.zeros(len(values), bool)
    number = np.zeros(len(values), np.intp)
    held = values[~gaps].astype(str) if values.dtype.kind == "O" else values[~gaps]
    number[~gaps] = np.unique(held, return_inverse=True)[1] + bool(gaps.any())
    return number


def _blocks(times: AnyArray, ends: list[float]) -> Index:
    """Return the block of each row: 0 is the earliest, and block i ends between two times, near the share ends[i]."""
    times = np.asarray(times)
    number = _numbered(times)
    has_gaps = times.dtype.kind in "Mf" and bool(gaps_in(times).any())
    n_times = int(number.max()) + 1 - has_gaps
    if n_times <= len(ends):
        raise SettingError(
            f"splitting by time into {len(ends) + 1} blocks needs as many different times, and there "
            f"{'is one' if n_times == 1 else f'are {n_times}'}: name another column"
        )
    until = np.cumsum(np.bincount(number))  # rows up to each time
    first, block = int(has_gaps), np.zeros(len(until), np.intp)
    for i, end in enumerate(ends):
        last = len(until) - 1 - (len(ends) - i)  # each later block needs a time
        cut = first + int(np.argmin(np.abs(until[first : last + 1] - end * len(times))))
        block[cut + 1 :] = i + 1
        first = cut + 1
    return block[number]
