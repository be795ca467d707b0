"""Shapes: the small data sets that the page begins with, made so that the page can move, thin and blur them itself.

Each row is a point and a jitter: the page adds the jitter, times the spread that the reader chooses, to the point. So
one set of numbers gives the data for every spread, and the first rows are data of every size: classes take turns, and
points are drawn independently.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import PORTABLE

ROWS = 625  # of which a fifth validates: 500 train
CLASSES = ("blue", "orange")  # as the page draws them
_DIGITS = 4  # behind the point; cells of a CSV file stay short

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """A small data set.

    Attributes
    ----------
    title : str
    columns : tuple of str
        The names of the inputs.
    target : str
        The name of the target.
    points, jitter : float64 array, shape (n, inputs), or (n, 1) for a curve
        Where the rows lie, and where the spread moves them: their inputs for classes, their values for a curve.
    y : array, shape (n,)
        Class indices, or for a curve the inputs' true values.
    spread : float
        How much of the jitter the page adds at first.
    """

    title: str
    columns: tuple[str, ...]
    target: str
    points: Floats
    jitter: Floats
    y: npt.NDArray[Any]
    spread: float

    @property
    def is_curve(self) -> bool:
        """Whether the targets are values."""
        return self.y.dtype.kind == "f"

    def described(self) -> dict[str, Any]:
        """Return the set as JSON can hold it."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "target": self.target,
            "classes": None if self.is_curve else list(CLASSES),
            "points": _packed(self.points),
            "jitter": _packed(self.jitter),
            "y": _packed(self.y),
            "spread": self.spread,
        }


def _packed(array: npt.NDArray[Any]) -> str:
    """Return numbers as little-endian float64 in base64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def _spirals(u: Floats, arm: npt.NDArray[np.int64]) -> Floats:
    """Two arms of one and a half turns, the second one half a turn further."""
    turned = np.sqrt(u[:, 0]) * 3 * math.pi
    angle = turned + math.pi * arm
    return (turned / (3 * math.pi))[:, None] * _direction(angle)


def _circles(u: Floats, ring: npt.NDArray[np.int64]) -> Floats:
    """A disk within a ring."""
    radius = np.where(ring == 0, 0.45 * np.sqrt(u[:, 1]), 0.75 + 0.2 * u[:, 1])
    return radius[:, None] * _direction(2 * math.pi * u[:, 0])


def _xor(u: Floats, which: npt.NDArray[np.int64]) -> Floats:
    """Four squares: the classes lie across from each other."""
    x = 2 * u - 1
    x[:, 1] = np.where((x[:, 0] * x[:, 1] > 0) == (which == 0), x[:, 1], -x[:, 1])
    return x + 0.08 * np.sign(x)


def _gauss(u: Floats, which: npt.NDArray[np.int64]) -> Floats:
    """Two clouds, each around a point."""
    middle: Floats = np.array([0.45, 0.35])
    return np.where(which[:, None] == 1, middle, -middle)


def _direction(angle: Floats) -> Floats:
    cosine, sine = np.empty_like(angle), np.empty_like(angle)
    PORTABLE.cos(angle, cosine)
    PORTABLE.sin(angle, sine)
    return np.stack([cosine, sine], axis=1)


def _rounded(x: Floats) -> Floats:
    return np.round(x, _DIGITS) + 0.0  # never −0


def _classes(title: str, place: Callable[[Floats, npt.NDArray[np.int64]], Floats], spread: float, seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    which = np.arange(ROWS) % 2
    points = _rounded(place(rng.random((ROWS, 2)), which))
    jitter = _rounded(PORTABLE.random_normal(rng, 1.0, (ROWS, 2)))
    return Shape(title, ("x", "y"), "color", points, jitter, which, spread)


def _sine() -> Shape:
    rng = np.random.default_rng(5)
    x = _rounded(2 * rng.random((ROWS, 1)) - 1)
    value = np.empty(ROWS)
    PORTABLE.sin(2 * math.pi * x[:, 0], value)
    jitter = _rounded(PORTABLE.random_normal(rng, 1.0, (ROWS, 1)))
    return Shape("a sine to fit", ("x",), "height", x, jitter, _rounded(value), 0.15)


def shapes() -> dict[str, Shape]:
    """Return the data sets by name.

    Examples
    --------
    >>> for name, shape in shapes().items():
    ...     print(name, shape.points.shape, "values" if shape.is_curve else "classes")
    spirals (625, 2) classes
    circles (625, 2) classes
    xor (625, 2) classes
    gauss (625, 2) classes
    sine (625, 1) values
    """
    return {
        "spirals": _classes("two spirals", _spirals, 0.02, seed=1),
        "circles": _classes("a disk in a ring", _circles, 0.05, seed=2),
        "xor": _classes("xor: four squares", _xor, 0.05, seed=3),
        "gauss": _classes("gauss: two clouds", _gauss, 0.25, seed=4),
        "sine": _sine(),
    }
