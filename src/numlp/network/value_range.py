"""Value range: the kind of number and the range of values that a network was trained on, stored with the model.

Pixels come as bytes, as numbers from 0 to 255, from 0 to 1, or from −1 to 1. A network that was trained on one of
these answers nonsense if it is asked with another. A network's range says what it knows, and how bytes are brought
there; `numlp.network.comparison` compares it with what a network is asked with.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray
from numlp.errors import SettingError
from numlp.network.scaling import Scaling

KINDS = ("bytes", "booleans", "whole numbers", "floats")
_CONVENTIONS = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))  # for the values of pixels
_NUMBERS = 1 << 18  # looked at together: few enough for the cache
_MANY = 64  # features that all lie in the range of a convention are pixels rather than the columns of a table
# How far beyond a range, in widths of the range, a value is far outside: pixels have natural bounds, but a column of
# a table may have a long tail.
_FAR_PIXEL, _FAR_COLUMN = 0.5, 10.0

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ValueRange:
    """What values a network was trained on.

    Attributes
    ----------
    kind : str
        "bytes" (`uint8`), "booleans", "whole numbers" or "floats".
    lowest, highest : float64 array, shape () or (features,)
        One pair for images, whose pixels share a unit; one for each column of a table. In the units of the data; for
        bytes in parts of 255.

    Examples
    --------
    >>> seen = value_range(np.array([[0.0, 20.0], [1.0, 90.0]]))
    >>> seen
    ValueRange(kind='floats', lowest=array([ 0., 20.]), highest=array([ 1., 90.]))
    """

    kind: str
    lowest: npt.NDArray[np.float64]
    highest: npt.NDArray[np.float64]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValueRange) and (self.kind, self.lowest.tolist(), self.highest.tolist()) == (
            other.kind,
            other.lowest.tolist(),
            other.highest.tolist(),
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        low, high = self.ends
        return f"{self.kind}{', read as' if self.kind == 'bytes' else ' from'} {low:.6g} to {high:.6g}"

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value of all features."""
        return float(self.lowest.min()), float(self.highest.max())

    @cached_property
    def convention(self) -> tuple[float, float] | None:
        """The values that black and white have by the convention that these values follow, if they follow one.

        >>> value_range(np.array([[[3, 200]]]), image=True).convention
        (0.0, 255.0)
        """
        lowest, highest = self.ends
        for low, high in _CONVENTIONS:
            tolerance = 1e-6 * (high - low)
            reached = high / 2 < highest <= high + tolerance
            if reached and low - tolerance <= lowest and (low == 0 or lowest <= low / 2):
                return low, high
        return None

    @cached_property
    def of_pixels(self) -> bool:
        """Whether all features share a unit."""
        return self.lowest.ndim == 0 or (self.lowest.size >= _MANY and self.convention is not None)

    @cached_property
    def limits(self) -> tuple[Float64, Float64]:
        """The values below and above which a value is far outside, in the shape of the range."""
        return self.widened(_FAR_PIXEL if self.of_pixels else _FAR_COLUMN)

    def widened(self, widths: float) -> tuple[Float64, Float64]:
        """Return the range with so many widths on both sides; nothing lies outside of a constant column."""
        low, high = self.lowest, self.highest
        if self.of_pixels:
            low, high = (np.full_like(low, end) for end in self.ends)
        with np.errstate(over="ignore"):  # of ranges that fill float64
            margin = np.where(high > low, widths * (high - low), np.inf)
            return low - margin, high + margin

    def byte_scaling(self, scaling: Scaling) -> Scaling:
        """Return the scaling of bytes, as parts of 255, that brings them to this range and then does as `scaling`."""
        if self.convention in (None, (0.0, 1.0)):
            return scaling
        low, high = self.convention
        return Scaling((scaling.shift - low) / (high - low), scaling.factor * (high - low))

    def scaling_behind(self, byte_scaling: Scaling) -> Scaling:
        """Return the scaling of which `byte_scaling` makes this one."""
        if self.convention in (None, (0.0, 1.0)):
            return byte_scaling
        low, high = self.convention
        return Scaling(byte_scaling.shift * (high - low) + low, byte_scaling.factor / (high - low))


def joined(ranges: Sequence[ValueRange]) -> ValueRange:
    """Return the range of the values in any of these ranges."""
    kinds = {each.kind for each in ranges}
    lowest = functools.reduce(np.minimum, [each.lowest for each in ranges])
    highest = functools.reduce(np.maximum, [each.highest for each in ranges])
    return ValueRange(kinds.pop() if len(kinds) == 1 else "floats", lowest, highest)


def value_range(x: AnyArray, *, image: bool = False) -> ValueRange:
    """Return the range of rows of finite numbers: one pair for images, otherwise one for each column.

    Bytes and booleans can't leave their range, so they aren't looked at.

    Parameters
    ----------
    x : array, shape (n, …), or sparse matrix, shape (n, features)
    image : bool
    """
    kind = kind_of(x.dtype)
    if kind in ("bytes", "booleans"):
        return ValueRange(kind, np.zeros(()), np.ones(()))
    low, high = _ends(x, None if image else 0)
    return ValueRange(kind, low.astype(np.float64), high.astype(np.float64))


def kind_of(dtype: np.dtype[Any]) -> str:
    """Return the kind of number in arrays of a dtype.

    >>> kind_of(np.dtype("uint8")), kind_of(np.dtype("uint16"))
    ('bytes', 'whole numbers')
    """
    if dtype == np.uint8:
        return "bytes"
    return {"b": "booleans", "f": "floats"}.get(dtype.kind, "whole numbers")


def _ends(x: Any, axis: int | None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lowest and the highest values, from pieces that fit the cache."""
    n, width = x.shape[0], math.prod(x.shape[1:])
    if is_sparse(x):
        rows = x.tocsr()
        low, high = np.zeros((2, width))  # most entries are 0
        np.minimum.at(low, rows.indices, rows.data)
        np.maximum.at(high, rows.indices, rows.data)
    else:
        low, high = np.asarray(np.inf), np.asarray(-np.inf)
        size = max(1, _NUMBERS // width)
        for start in range(0, n, size):
            rows = x[start : start + size].reshape(-1, width)
            low, high = np.minimum(low, rows.min(axis=axis)), np.maximum(high, rows.max(axis=axis))
    ends = (low, high) if axis == 0 else (low.min(), high.max())
    lowest, highest = (np.asarray(np.add(end, 0.0, dtype=np.float64)) for end in ends)  # zeros of one sign
    return lowest, highest


def as_value_range(name: str, given: ValueRange | None, width: int) -> ValueRange | None:
    """Return a range in float64, as model files store it, or None, if it fits `width` features."""
    if given is None:
        return None
    if not isinstance(given, ValueRange) or given.kind not in KINDS:
        raise SettingError(f"{name} must be a ValueRange of {', '.join(KINDS)}, not {given!r:.200}")
    try:
        low, high = (np.array(end, dtype=np.float64) for end in (given.lowest, given.highest))
    except (TypeError, ValueError) as error:
        raise SettingError(f"{name} must hold numbers, not {given!r:.200}") from error
    if low.shape != high.shape or low.shape not in ((), (width,)):
        raise SettingError(f"{name} must have one pair of values, or one for each of {width} features")
    if not np.all(np.isfinite(low) & np.isfinite(high) & (low <= high)):
        raise SettingError(f"{name} must be finite, with lowest at most highest")
    return ValueRange(given.kind, low, high)
