"""Encoder: learns the encoding of a table's columns from training rows."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray, Array
from numlp.arrays.table import Table, as_table, gaps_in, kind_of
from numlp.errors import DataError
from numlp.network.columns import MOST, NARROWEST, Category, Column, Date, Number, days_of
from numlp.network.encoding import Encoding
from numlp.network.scaling import Scaling, standardize
from numlp.settings import limits
from numlp.settings.checks import choice, truth, whole_number
from numlp.settings.named import Named, setting

_TINY = np.finfo(np.float64).tiny
_YEAR = 365.2425  # days, on average
_CYCLES = (  # the shortest span in days that shows a cycle, and periods that draw its shape
    (180, (_YEAR, _YEAR / 2)),
    (14, (7.0, 7 / 2, 7 / 3)),
    (2, (1.0, 1 / 2)),
)


def _standard(values: AnyArray) -> Scaling:
    return standardize(values[:, None])


def _robust(values: AnyArray) -> Scaling:
    """Subtract the median and divide by the distance of the quartiles, or half that of the ends if it is 0."""
    low, first, middle, third, high = np.quantile(values.astype(np.float64), [0, 0.25, 0.5, 0.75, 1])
    spread = (third - first) or (high - low) / 2 or 1.0
    return Scaling(np.array([middle]), np.array([1 / spread]))


NUMBERS = {"standard": _standard, "robust": _robust}


def _numbers(name: str, value: object) -> str:
    choice(name, value, NUMBERS)
    return str(value)


@dataclass(frozen=True)
class ColumnEncoder(Named):
    """How to encode the columns of a table; the settings are those of `learn_encoding`."""

    name = "columns"
    numbers: str = setting("standard", _numbers)
    clip: bool = setting(True, truth)
    bins: int = setting(0, lambda name, value: whole_number(name, value, minimum=0, maximum=1024))
    one_hot: int = setting(32, lambda name, value: whole_number(name, value, minimum=0))
    width: int = setting(8, whole_number)
    least: int = setting(2, whole_number)

    def learn(self, x: Any) -> Encoding:
        """Return the encoding of the columns of training rows."""
        table = as_table(x)
        if len(table) == 0:
            raise DataError("x has no rows to learn an encoding from; give it at least one")
        encoding = Encoding(tuple(self._column(table, name) for name in table.columns), self.clip)
        if not encoding.width:
            raise DataError("x has no value in any column; give a table that isn't empty")
        _check_names(encoding)
        return encoding

    def _column(self, table: Table, name: str) -> Column:
        values = table[name]
        kind = kind_of(values)
        gaps = gaps_in(values)
        if gaps.all():  # of no kind yet
            return Category(name, ())
        if kind == "text":
            return self._category(name, values)
        if kind == "date":
            return _date(name, values[~gaps], bool(gaps.any()))
        return self._number(name, values[~gaps], bool(gaps.any()))

    def _number(self, name: str, values: AnyArray, gaps: bool) -> Number:
        values = values.astype(np.float64) if values.dtype == bool else values
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scaling = self._scaling(values)
            if not (np.isfinite([scaling.shift, scaling.factor]).all() and scaling.factor):
                scaling = Scaling(factor=1 / max(np.abs(values).max(), _TINY))  # at the ends of float64
        edges: tuple[float, ...] = ()
        if self.bins and len(np.unique(values)) > 2:
            edges = _edges(scaling.scaled(values[:, None], np.float64)[:, 0], self.bins)
        ends = float(values.min()), float(values.max())
        return Number(name, float(scaling.shift), float(scaling.factor), gaps, edges, *ends)

    def _scaling(self, values: AnyArray) -> Scaling:
        """Return the scaling of numbers; one of two numbers becomes 0, and the other 1."""
        low, *others = np.unique(values)
        if len(others) > 1:
            scaling = NUMBERS[self.numbers](values)
            return Scaling(scaling.shift.reshape(()), scaling.factor.reshape(()))
        spread = np.asarray(others[0], np.float64) - np.asarray(low, np.float64) if others else np.array(1.0)
        return Scaling(np.asarray(low, np.float64), 1 / spread)

    def _category(self, name: str, values: AnyArray) -> Category:
        counts = Counter(values.tolist())
        gaps = counts.pop(None, 0)
        levels: list[str | None] = sorted(level for level, count in counts.items() if count >= self.least)
        rare = tuple(sorted(level for level, count in counts.items() if count < self.least))
        if gaps:
            levels.append(None)
        return Category(name, tuple(levels), rare, self.width if len(levels) > self.one_hot else 0)


def _check_names(encoding: Encoding) -> None:
    """Refuse levels whose names no model file can hold, rather than after a training."""
    sizes = {
        column.name: len(json.dumps(json.dumps((column.levels, column.rare))))  # as in a header of JSON
        for column in encoding.columns
        if isinstance(column, Category)
    }
    if sum(sizes.values()) > limits.LEVEL_NAMES_BYTES:
        name = max(sizes, key=sizes.__getitem__)
        raise DataError(
            f"a model file holds {limits.LEVEL_NAMES_BYTES:,} bytes of levels' names, and these take "
            f"{sum(sizes.values()):,}, most of them in column {name!r:.200}: leave it out, or shorten its texts"
        )


ENCODINGS: dict[str, type[ColumnEncoder]] = {"columns": ColumnEncoder}


def learn_encoding(
    x: Any,
    *,
    numbers: str = "standard",
    clip: bool = True,
    bins: int = 0,
    one_hot: int = 32,
    width: int = 8,
    least: int = 2,
) -> Encoding:
    """Learn from training rows what a network does with each column of a table.

    Parameters
    ----------
    x : Table, frame, or array of shape (rows, columns)
        Frames are those of pandas, polars, pyarrow and whatever narwhals knows. Columns hold numbers and booleans,
        texts and categories, dates and times, with gaps.
    numbers : "standard" or "robust"
        Whether numbers lose their mean and are divided by their standard deviation, or lose their median and are
        divided by the distance of their quartiles. A column of two different numbers becomes 0 and 1.
    clip : bool
        Whether to clip scaled numbers smoothly, z / √(1 + (z / 10)²), which tames outliers.
    bins : int
        Above 0, numbers also get a piecewise-linear embedding, with up to so many bins that hold equally many rows.
    one_hot : int
        The most levels of a column for one-hot codes. Columns with more get a learned embedding.
    width : int
        Of the embeddings.
    least : int
        Levels that occur less often share the code of unseen ones, and so train it.

    Returns
    -------
    Encoding

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> ages, cities = np.array([20.0, 40.0, np.nan, 60.0]), np.array(["Ulm", "Ulm", "Bonn", "Bonn"])
    >>> people = Table({"age": ages, "city": cities})
    >>> encoding = learn_encoding(people)
    >>> encoding.names, encoding.n_codes, encoding.width
    (('age', 'city'), 3, 4)
    >>> from numlp import MLP
    >>> net = MLP([2, 16, 2], input_encoding=encoding)
    >>> net.predict(people).shape
    (4,)
    """
    return ColumnEncoder(numbers, clip, bins, one_hot, width, least).learn(x)


def _date(name: str, values: AnyArray, gaps: bool) -> Date:
    days = days_of(values)
    scaling, (low, high) = standardize(days[:, None]), (float(days.min()), float(days.max()))
    periods = tuple(
        period
        for shortest, cycle in _CYCLES
        for period in cycle
        if high - low >= shortest and np.ptp(days % period) > 0
    )
    return Date(name, float(scaling.shift[0]), float(scaling.factor[0]), periods, gaps, low, high)


def _edges(scaled: Array, bins: int) -> tuple[float, ...]:
    """Return the ends of bins that hold equally many rows, or none if there would be one bin."""
    codes = np.clip(scaled, -MOST, MOST)
    edges = np.unique(np.quantile(codes, np.linspace(0, 1, bins + 1)).astype(np.float32))
    edges = edges[np.diff(edges, prepend=-np.inf) >= NARROWEST]
    return tuple(edges.tolist()) if len(edges) > 2 else ()
