"""Learner: learns from training rows, all at once or chunk by chunk, what a network does with a table's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray, Array
from numlp.arrays.table import Kind, gaps_in, kind_of
from numlp.errors import DataError
from numlp.network.columns import MOST, NARROWEST, Category, Column, Date, Number, days_of
from numlp.network.moments import Moments
from numlp.network.scaling import Scaling, standardized
from numlp.settings import limits

_TINY = np.finfo(np.float64).tiny
_YEAR = 365.2425  # days, on average
_CYCLES = (  # the shortest span in days that shows a cycle, and periods that draw its shape
    (180, (_YEAR, _YEAR / 2)),
    (14, (7.0, 7 / 2, 7 / 3)),
    (2, (1.0, 1 / 2)),
)
_PERIODS = tuple(period for _, cycle in _CYCLES for period in cycle)


class ColumnLearner:
    """Learns what a network does with one column.

    Parameters
    ----------
    name : str
        Of the column.
    numbers, bins, one_hot, width, least
        As for `numlp.learn_encoding`.
    every : int
        Quantiles are those of every so many-th number.
    """

    def __init__(
        self, name: str, numbers: str, bins: int, one_hot: int, width: int, least: int, every: int = 1
    ) -> None:
        self._name, self._numbers, self._bins, self._every = name, numbers, bins, every
        self._one_hot, self._width, self._least = one_hot, width, least
        self._kind: Kind | None = None
        self._gaps, self._held = False, 0
        self._moments = Moments()
        self._ends: tuple[Any, Any] | None = None
        self._different: AnyArray | None = None  # of numbers, up to three
        self._kept: list[AnyArray] = []
        self._levels: Counter[str] = Counter()
        self._names = 0  # bytes of levels
        self._places = dict.fromkeys(_PERIODS, (np.inf, -np.inf))

    def see(self, values: AnyArray) -> None:
        """Look at the column's values in some rows."""
        gaps = gaps_in(values)
        self._gaps = self._gaps or bool(gaps.any())
        if gaps.all():  # of no kind yet
            return
        self._kind, held = kind_of(values), values[~gaps]
        if self._kind == "text":
            self._see_texts(held)
        elif self._kind == "date":
            self._see_dates(days_of(held))
        else:
            self._see_numbers(held.astype(np.float64) if held.dtype == bool else held)
        self._held += len(held)

    def column(self) -> Column:
        """Return what has been learned."""
        if self._kind is None:
            return Category(self._name, ())
        if self._kind == "text":
            return self._category()
        return self._date() if self._kind == "date" else self._number()

    def _see_texts(self, texts: AnyArray) -> None:
        before = len(self._levels)
        self._levels.update(texts.tolist())
        if len(self._levels) == before:
            return
        if len(self._levels) > limits.LEVELS // 8:
            self._names = sum(len(level) for level in self._levels)
            if self._names > limits.LEVEL_NAMES_BYTES:
                raise DataError(
                    f"column {self._name!r:.200} has {len(self._levels):,} different texts or more, which no model "
                    "file holds: leave it out with `drop`"
                )

    def _see_dates(self, days: Array) -> None:
        self._moments.see(days[:, None])
        self._widen(days)
        for period, (low, high) in self._places.items():
            places = days % period
            self._places[period] = min(low, float(places.min())), max(high, float(places.max()))

    def _see_numbers(self, values: AnyArray) -> None:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._moments.see(values[:, None])
        self._widen(values)
        if self._different is None or len(self._different) < 3:
            found = np.unique(values)
            self._different = found[:3] if self._different is None else np.union1d(self._different, found[:3])
        if self._bins or self._numbers == "robust":
            self._kept.append(values[-self._held % self._every :: self._every].copy())

    def _widen(self, values: AnyArray) -> None:
        ends = values.min(), values.max()
        self._ends = ends if self._ends is None else (min(self._ends[0], ends[0]), max(self._ends[1], ends[1]))

    def _number(self) -> Number:
        assert self._ends is not None
        assert self._different is not None
        low, high = self._ends
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scaling = self._scaling(self._different)
            if not (np.isfinite([scaling.shift, scaling.factor]).all() and scaling.factor):
                most = np.abs(np.array([low, high])).max()  # at the ends of float64
                scaling = Scaling(factor=1 / max(most, _TINY))
        edges: tuple[float, ...] = ()
        if self._bins and len(self._different) > 2:
            edges = _edges(scaling.scaled(np.concatenate(self._kept)[:, None], np.float64)[:, 0], self._bins)
        ends = float(low) + 0.0, float(high) + 0.0  # zeros of one sign
        return Number(self._name, float(scaling.shift), float(scaling.factor), self._gaps, edges, *ends)

    def _scaling(self, different: AnyArray) -> Scaling:
        """Return the scaling of numbers; one of two numbers becomes 0, and the other 1."""
        low, *others = different
        if len(others) > 1:
            scaling = NUMBERS[self._numbers](self._moments, self._kept)
            return Scaling(scaling.shift.reshape(()), scaling.factor.reshape(()))
        spread = np.asarray(others[0], np.float64) - np.asarray(low, np.float64) if others else np.array(1.0)
        return Scaling(np.asarray(low, np.float64) + 0.0, 1 / spread)

    def _category(self) -> Category:
        counts = self._levels
        levels: list[str | None] = [*sorted(level for level, count in counts.items() if count >= self._least)]
        rare = tuple(sorted(level for level, count in counts.items() if count < self._least))
        if self._gaps:
            levels.append(None)
        return Category(self._name, tuple(levels), rare, self._width if len(levels) > self._one_hot else 0)

    def _date(self) -> Date:
        assert self._ends is not None
        low, high = (float(end) for end in self._ends)
        periods = tuple(
            period
            for shortest, cycle in _CYCLES
            for period in cycle
            if high - low >= shortest and self._places[period][1] > self._places[period][0]
        )
        scaling = standardized(self._moments)
        return Date(self._name, float(scaling.shift[0]), float(scaling.factor[0]), periods, self._gaps, low, high)


def _robust(moments: Moments, kept: Sequence[AnyArray]) -> Scaling:
    """Subtract the median and divide by the distance of the quartiles, or half that of the ends if it is 0."""
    values = np.concatenate(kept)
    low, first, middle, third, high = _quantiles(values.astype(np.float64), np.array([0, 0.25, 0.5, 0.75, 1]))
    spread = (third - first) or (high - low) / 2 or 1.0
    return Scaling(np.array([middle]), np.array([1 / spread]))


def _standard(moments: Moments, kept: Sequence[AnyArray]) -> Scaling:
    return standardized(moments)


def _quantiles(values: npt.NDArray[np.float64], levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return quantiles, between two values in proportion: the same bits with every release of NumPy."""
    # Adding 0 gives zeros one sign, whichever of them sorting puts first.
    ordered, places = np.sort(values) + 0.0, levels * (len(values) - 1)
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, len(values) - 1)
    found: npt.NDArray[np.float64] = ordered[low] + (ordered[high] - ordered[low]) * (places - low)
    return found


def _edges(scaled: Array, bins: int) -> tuple[float, ...]:
    """Return the ends of bins that hold equally many rows, or none if there would be one bin."""
    codes = np.clip(scaled, -MOST, MOST).astype(np.float64)
    edges = np.unique(_quantiles(codes, np.arange(bins + 1) / bins).astype(np.float32) + np.float32(0))
    edges = edges[np.diff(edges, prepend=-np.inf) >= NARROWEST]
    return tuple(edges.tolist()) if len(edges) > 2 else ()


NUMBERS: dict[str, Callable[[Moments, Sequence[AnyArray]], Scaling]] = {"standard": _standard, "robust": _robust}
