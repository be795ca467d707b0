"""Columns: how each column of a table becomes numbers, its codes.

A code is what a row of data holds for a network: a scaled number, the index of a level, a position in a cycle. The
network's first layer turns codes into inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays import portable
from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, as_text, gaps_in, kind_of
from numlp.errors import DataError
from numlp.network.scaling import Scaling

MOST = 1e18  # a larger code is cut: its square must be finite in float32
NARROWEST = float(np.finfo(np.float32).tiny)  # of a bin: one over its width must be finite in float32
_DAY = 86_400_000_000  # in microseconds
SHORTEST = 1 / _DAY  # of a period: a date has no finer parts
_GAP: dict[str, AnyArray] = {
    "number": np.array([np.nan]),
    "text": np.array([None], dtype=object),
    "date": np.array(["NaT"], dtype="datetime64[us]"),
}
_FAR = 10  # widths of the range of training: a column so far outside of it has other units, or is read wrongly
Odd = tuple[int, str]  # how many rows hold something that training hadn't seen, and an example


@dataclass(frozen=True)
class Number:
    """A column of numbers: z = (x − shift) · factor; a gap is 0, with a second code that is 1 there.

    Attributes
    ----------
    shift, factor : float
    gaps : bool
        Whether training had gaps, and so the second code.
    edges : tuple of float
        The ends of the bins of a piecewise-linear embedding, ascending, in the scale of z; empty without one.
    low, high : float
        The least and the largest number in training; equal if that isn't known.
    """

    name: str
    shift: float
    factor: float
    gaps: bool = False
    edges: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0

    kind: ClassVar[Kind] = "number"

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return 1 + self.gaps

    def codes(self, values: AnyArray) -> tuple[npt.NDArray[np.float64], Odd]:
        """Return the codes, (rows, n_codes), and how many rows have a gap that training hadn't."""
        gaps = gaps_in(values)
        scaling = Scaling(np.array([self.shift]), np.array([self.factor]))
        with np.errstate(over="ignore"):
            scaled = scaling.scaled(values[:, None], np.float64)[:, 0]
        codes = np.zeros((len(values), self.n_codes))
        codes[:, 0] = np.where(gaps, 0.0, np.clip(scaled, -MOST, MOST))
        if self.gaps:
            codes[:, 1] = gaps
        return codes, (0 if self.gaps else int(gaps.sum()), "a gap")

    def far(self, values: AnyArray) -> str | None:
        """Return in words how far outside of those of training most numbers are; None if they aren't."""
        return _far(self, values.astype(np.float64), "{:.6g}".format)


@dataclass(frozen=True)
class Category:
    """A column of texts: code i + 1 for level i, and 0 for all others, such as levels unseen in training.

    A column without any value in training has no levels, so that nothing depends on it.

    Attributes
    ----------
    levels : tuple of str or None
        None is the level of gaps.
    rare : tuple of str
        Levels of training that were too rare for a code of their own. Without any, code 0 means no level at all.
    width : int
        The width of the levels' learned embedding; 0 for one-hot codes.
    """

    name: str
    levels: tuple[str | None, ...]
    rare: tuple[str, ...] = ()
    width: int = 0

    kind: ClassVar[Kind] = "text"
    n_codes: ClassVar[int] = 1

    @cached_property
    def _code(self) -> dict[str | None, int]:
        if self.is_empty:
            return {None: 0}
        return dict.fromkeys(self.rare, 0) | {level: i + 1 for i, level in enumerate(self.levels)}

    @property
    def is_empty(self) -> bool:
        """Whether training had gaps alone."""
        return not (self.levels or self.rare)

    def codes(self, values: AnyArray) -> tuple[npt.NDArray[np.float64], Odd]:
        """Return the codes, (rows, 1), and how many rows hold other levels than those of training."""
        code = self._code
        found = np.fromiter((code.get(value, -1) for value in values), np.float64, len(values))
        odd = np.flatnonzero(found < 0)
        example = "" if not len(odd) else "a gap" if values[odd[0]] is None else repr(values[odd[0]])
        return np.maximum(found, 0)[:, None], (len(odd), example)


@dataclass(frozen=True)
class Date:
    """A column of dates or times: the time since 1970 in days, scaled, and its place in cycles such as the week.

    For each period p in days there are two codes, cos 2πt/p and sin 2πt/p. A gap is 0 in all of them, with a last
    code that is 1 there.

    Attributes
    ----------
    shift, factor : float
        Of the time in days.
    periods : tuple of float
        In days.
    gaps : bool
    low, high : float
        The first and the last time in training, in days; equal if they aren't known.
    """

    name: str
    shift: float
    factor: float
    periods: tuple[float, ...] = ()
    gaps: bool = False
    low: float = 0.0
    high: float = 0.0

    kind: ClassVar[Kind] = "date"

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return 1 + 2 * len(self.periods) + self.gaps

    def codes(self, values: AnyArray) -> tuple[npt.NDArray[np.float64], Odd]:
        """Return the codes, (rows, n_codes), and how many rows have a gap that training hadn't."""
        gaps = gaps_in(values)
        days = np.where(gaps, 0, days_of(values))
        codes = np.zeros((len(values), self.n_codes))
        with np.errstate(over="ignore"):
            codes[:, 0] = np.clip((days - self.shift) * self.factor, -MOST, MOST)
        for i, period in enumerate(self.periods):
            angle = 2 * np.pi * (days / period % 1)
            codes[:, 1 + 2 * i], codes[:, 2 + 2 * i] = portable.cos(angle), portable.sin(angle)
        codes[gaps] = 0
        if self.gaps:
            codes[:, -1] = gaps
        return codes, (0 if self.gaps else int(gaps.sum()), "a gap")

    def far(self, values: AnyArray) -> str | None:
        """Return in words how far outside of those of training most dates are; None if they aren't."""
        return _far(self, np.where(gaps_in(values), np.nan, days_of(values)), _day)


Column = Number | Category | Date
COLUMNS: dict[str, type[Number] | type[Category] | type[Date]] = {"number": Number, "text": Category, "date": Date}


def _far(column: Number | Date, values: AnyArray, shown: Callable[[float], str]) -> str | None:
    held = values[~np.isnan(values)]
    reach = _FAR * (column.high - column.low)
    outside = (held < column.low - reach) | (held > column.high + reach)
    if not reach or not 2 * outside.sum() > len(held):
        return None
    return (
        f"goes from {shown(held.min())} to {shown(held.max())}, far outside of the {shown(column.low)} to "
        f"{shown(column.high)} of training"
    )


def _day(days: float) -> str:
    return str(np.datetime64(round(days), "D"))


def days_of(values: AnyArray) -> npt.NDArray[np.float64]:
    """Return dates as days since 1970.

    >>> days_of(np.array(["1970-01-03T12"], dtype="datetime64[us]"))
    array([2.5])
    """
    return values.astype("datetime64[us]").astype(np.int64) / _DAY


def fitting(column: Column, values: AnyArray) -> AnyArray:
    """Return the values of a column as its kind: numbers as texts where those are levels, and gaps as any kind.

    Raises
    ------
    DataError
        If the column is of another kind.
    """
    found = kind_of(values)
    if found == column.kind:
        return values
    if gaps_in(values).all():
        return np.repeat(_GAP[column.kind], len(values))
    if column.kind == "text" and (found == "number" or (isinstance(column, Category) and column.is_empty)):
        texts = np.full(len(values), None, dtype=object)
        known = ~gaps_in(values)
        texts[known] = [as_text(value) for value in values[known]]
        return texts
    raise DataError(
        f"column {column.name!r} holds {found}s, but the network was trained on {column.kind}s; convert it first"
    )


def total(columns: Sequence[Column]) -> int:
    """Return the number of codes of columns."""
    return sum(column.n_codes for column in columns)
