"""Relations: columns of a table that say the same, so that a model may use either."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table, as_table, gaps_in
from numlp.settings import checks

_MOST_ROWS = 5000


def related_columns(x: Any, least: float = 0.9) -> tuple[tuple[str, ...], ...]:
    r"""Return groups of columns that say almost the same.

    Two columns of numbers or dates are related if the absolute value of Spearman's correlation, that of their ranks,
    is at least so high. Columns are also related if the value of each determines that of the other, as a country's
    name and its code do, unless most values occur only once. What is related to the same column is in one group.

    C. Spearman, "The proof and measurement of association between two things" (1904).

    Parameters
    ----------
    x : Table, frame, or array of shape (rows, columns)
        The first 5,000 rows are looked at.
    least : float, between 0 and 1

    Returns
    -------
    tuple of tuples of str
        Only groups of at least two columns, in the table's order.

    Examples
    --------
    >>> metres = np.arange(1.0, 9.0)
    >>> table = Table({"metres": metres, "feet": 3.28 * metres, "odd": np.array([3, 1, 2, 3, 0, 2, 4, 1])})
    >>> related_columns(table)
    (('metres', 'feet'),)
    """
    least = checks.share("least", least)
    table = as_table(x)[:_MOST_ROWS]
    numbers = [name for name, kind in table.kinds.items() if kind != "text"]
    pairs = []
    if len(numbers) > 1:
        ranks = np.stack([_ranks(table[name]) for name in numbers], axis=1)
        sizes = np.linalg.norm(ranks, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            high = np.abs(ranks.T @ ranks / np.outer(sizes, sizes)) >= least
        pairs += [(numbers[i], numbers[j]) for i, j in zip(*np.nonzero(np.triu(high, 1)), strict=True)]
    pairs += _equal(table)
    group = {name: {name} for name in table.columns}
    for one, other in pairs:
        merged = group[one] | group[other]
        for name in merged:
            group[name] = merged
    groups = {tuple(name for name in table.columns if name in members) for members in map(frozenset, group.values())}
    place = {name: i for i, name in enumerate(table.columns)}
    return tuple(sorted((found for found in groups if len(found) > 1), key=lambda found: place[found[0]]))


def _ranks(values: AnyArray) -> npt.NDArray[np.float64]:
    """Return the ranks of numbers or dates, less their mean; those of equal ones are their mean, those of gaps 0."""
    ranks, known = np.zeros(len(values)), ~gaps_in(values)
    _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    mean = np.cumsum(counts) - (counts + 1) / 2
    ranks[known] = mean[place] - mean[place].mean() if known.any() else 0
    return ranks


def _equal(table: Table) -> list[tuple[str, str]]:
    """Return the pairs of columns, one of texts at least, of which each determines the other."""
    kinds, levels = table.kinds, {}
    if "text" not in kinds.values():
        return []
    for name in table.columns:
        known: dict[Any, int] = {}
        column = table[name].tolist()
        levels[name] = np.array([known.setdefault(value if value == value else None, len(known)) for value in column])
    counts = {name: int(places.max(initial=0)) + 1 for name, places in levels.items()}
    return [
        (one, other)
        for one, other in combinations(table.columns, 2)
        if "text" in (kinds[one], kinds[other])
        and 1 < counts[one] == counts[other] <= len(table) / 2
        # Levels are numbered in the order of their first rows, so that equal columns have equal numbers.
        and np.array_equal(levels[one], levels[other])
    ]
