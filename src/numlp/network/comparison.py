"""Comparison of what a network is asked with and what it was trained on."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from types import FrameType

import numpy as np

from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray
from numlp.errors import DataWarning
from numlp.network.scaling import data_range
from numlp.network.value_range import ValueRange, joined, kind_of

_FAR_ANYWHERE = 100.0  # widths of the range: a pixel so far beyond it is no accident
_NARROW = 0.01  # of the range: pixels that fill no more were made for a smaller one
_NUMBERS = 1 << 18  # looked at together: few enough for the cache
_FEW_ROWS, _FEW_COLUMNS = 8, 0.05  # in so few rows, so small a share of the columns may be far outside by chance


def compare(
    rows: AnyArray, trained: ValueRange | None, *, names: Sequence[str] | None = None, what: str = "x"
) -> None:
    """Warn with a `DataWarning` if rows, (n, …), are unlike what a network was trained on; see `Comparison`.

    `names` are those of the features, `what` that of the rows.
    """
    if trained is None:
        return
    comparison, size = Comparison(trained), max(1, _NUMBERS // math.prod(rows.shape[1:]))
    for start in range(0, rows.shape[0], size):
        comparison.see(dense(rows[start : start + size]))
    comparison.warn(names, what)


class Comparison:
    """Compares rows, a chunk at a time, with the range of values that a network was trained on.

    Rows that are merely unusual pass. What doesn't pass: pixels that lie half a width of the range beyond it, and
    columns of which most values lie ten widths beyond theirs; pixels that fill less than a hundredth of the range, as
    0 to 1 does of 0 to 255; pixels from 0 to 1 for a network that knows negative ones; and bytes for a network whose
    range isn't one that pixels have by convention.

    Parameters
    ----------
    trained : ValueRange

    Examples
    --------
    >>> from numlp.network.value_range import value_range
    >>> comparison = Comparison(value_range(np.zeros((2, 8, 8), np.uint8), image=True))
    >>> comparison.see(np.array([[0.0] * 63 + [200.0]]))
    >>> print(comparison.note())
    x holds floats from 0 to 200, but the network was trained on bytes, read as 0 to 1: bring x to that range, or give images as bytes (uint8)
    """  # noqa: E501

    def __init__(self, trained: ValueRange) -> None:
        self.trained = trained
        self._low, self._high = trained.limits
        self._given: ValueRange | None = None
        self._rows, self._fractions = 0, False
        self._far = np.zeros(self._low.shape, np.intp)  # rows that are far outside, in each column

    def see(self, rows: AnyArray) -> None:
        """Look at more rows, shape (n, features)."""
        trained, kind = self.trained, kind_of(rows.dtype)
        if kind == trained.kind == "bytes":
            return
        axis = None if trained.lowest.ndim == 0 else 0
        low, high = (np.asarray(end, np.float64) for end in (rows.min(axis=axis), rows.max(axis=axis)))
        seen = ValueRange(kind, low / data_range(rows.dtype), high / data_range(rows.dtype))
        self._given = seen if self._given is None else joined([self._given, seen])
        self._rows += len(rows)
        if kind == "bytes":  # every convention has room for bytes
            return
        if axis == 0:
            columns = np.flatnonzero((low < self._low) | (high > self._high))
            if columns.size:
                part, low, high = rows[:, columns], self._low[columns], self._high[columns]
                self._far[columns] += ((part < low) | (part > high)).sum(axis=0)
        if not self._fractions and self._is_narrow:
            self._fractions = bool(np.any(rows != np.floor(rows)))

    def warn(self, names: Sequence[str] | None = None, what: str = "x") -> None:
        """Warn if the rows don't pass; the warning points to the line that called numlp."""
        note = self.note(names, what)
        if note is None:
            return
        frame: FrameType | None = sys._getframe()
        level = 1
        while frame is not None and str(frame.f_globals.get("__name__")).startswith("numlp."):
            frame, level = frame.f_back, level + 1
        warnings.warn(note, DataWarning, stacklevel=level)

    def note(self, names: Sequence[str] | None = None, what: str = "x") -> str | None:
        """Return what the user should know, or None; `names` are those of the features, `what` that of the rows."""
        found = self._found(names)
        return None if found is None else f"{what} {found}"

    def _found(self, names: Sequence[str] | None) -> str | None:
        trained, given = self.trained, self._given
        if given is None:
            return None
        if given.kind == "bytes":
            if trained.convention is None:
                return self._told("give x in the units of the training data, a table as x.astype(float)")
            flags = trained.kind != "bytes" and trained.convention == (0.0, 1.0) and given.ends[1] == 1 / 255
            return self._told("give 0 and 255, or floats") if flags else None
        if not trained.of_pixels:
            return self._told_of_columns(names) if self._is_far else None
        low, high = given.ends
        lacks_negative = trained.ends[0] < 0 == low and 0.5 < high <= 1
        narrow = self._is_narrow and high > low and (self._fractions or self._far.ndim == 0)
        if not (self._is_far or narrow or lacks_negative):
            return None
        if trained.convention is None:
            return self._told("give x in the units of the training data")
        return self._told("bring x to that range, or give images as bytes (uint8)")

    @property
    def _is_far(self) -> bool:
        """Whether values are farther outside than those of unusual rows."""
        assert self._given is not None
        if self._far.ndim == 0:
            return bool(self._given.lowest < self._low or self._given.highest > self._high)
        if not self._far.any():
            return False
        if self.trained.of_pixels:
            low, high = self.trained.widened(_FAR_ANYWHERE)
            if np.any((self._given.lowest < low) | (self._given.highest > high)):
                return True
        columns = 2 * self._far > self._rows
        return bool(columns.any()) and (self._rows >= _FEW_ROWS or bool(columns.mean() >= _FEW_COLUMNS))

    @property
    def _is_narrow(self) -> bool:
        assert self._given is not None
        (low, high), (least, most) = self._given.ends, self.trained.ends
        return self.trained.of_pixels and high - low <= _NARROW * (most - least)

    def _told(self, remedy: str) -> str:
        assert self._given is not None
        return f"holds {self._given}, but the network was trained on {self.trained}: {remedy}"

    def _told_of_columns(self, names: Sequence[str] | None) -> str:
        assert self._given is not None
        columns = np.flatnonzero(2 * self._far > self._rows)
        first = int(columns[0])
        column = first if names is None else repr(names[first])
        others = f" (and in {len(columns) - 1} others)" if len(columns) > 1 else ""
        given, trained = (
            f"{one.lowest[first]:.6g} to {one.highest[first]:.6g}" for one in (self._given, self.trained)
        )
        return (
            f"goes from {given} in column {column}{others}, far outside of what the network was trained on, "
            f"{trained}: give x in the units of the training data"
        )
