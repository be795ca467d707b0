"""Recognition: identifies a function of rows as an affine map, an activation, a norm or a link by its values.

Exporters write the same activation in many ways, as an operator of its own or as a formula; only the values are the
same. A function is a callable that takes rows, (`ROWS`, width), and is evaluated on trial rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import sigmoid
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, ELU, Activation, LeakyReLU
from numlp.network.layers.norm import EPSILON
from numlp.network.losses import LOSSES, Loss

Rows = npt.NDArray[np.float64]
Function = Callable[[Rows], Rows]

ROWS = 31  # prime, so that no reshape mistakes it for a number of features
_LARGE = 2.0**20
_CURVES = ("softmax_cross_entropy", "sigmoid_binary_cross_entropy", "poisson")


@dataclass(frozen=True, eq=False)
class Affine:
    """y = x · factor + shift, both of shape (width,)."""

    factor: Rows
    shift: Rows


@dataclass(frozen=True, eq=False)
class Norm:
    """y = x̂ · scale + shift, both of shape (width,), where x̂ is the row as `LayerNorm` normalizes it."""

    scale: Rows
    shift: Rows


def affine(function: Function, width: int) -> Affine | None:
    """Return the feature-wise affine map that a function represents, or None."""
    # The points lie far apart: a large shift costs the factor no digits, and a clipped line doesn't pass for affine.
    at_zero, low, high = (_values(function, np.full((ROWS, width), x)) for x in (0.0, -_LARGE, _LARGE))
    if at_zero is None or low is None or high is None:
        return None
    factor, shift = (high[0] - low[0]) / (2 * _LARGE), at_zero[0]
    x = _mixed(width)
    return Affine(factor, shift) if _same(_values(function, x), x * factor + shift) else None


def activation(function: Function, width: int) -> Activation | None:
    """Return the activation that a function represents, with its settings, or None."""
    x = _mixed(width)
    y = _values(function, x)
    if y is None:
        return None
    for candidate in _candidates(x, y):
        z = x.copy()
        candidate(z, None, np.empty_like(z))
        if _same(y, z):
            return candidate
    return None


def norm(function: Function, width: int) -> Norm | None:
    """Return the normalization of rows that a function represents, or None."""
    x = np.random.default_rng(0).normal(size=(ROWS, width)) + 1
    x *= np.geomspace(1e-3, 1e3, ROWS)[:, None]  # small numbers reveal an ε other than numlp's
    centered = x - x.mean(axis=1, keepdims=True)
    normal = centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + EPSILON)
    y = _values(function, x)
    if y is None or width == 1:
        return None
    around = normal - normal.mean(axis=0)
    scale = np.sum(around * y, axis=0) / np.sum(around**2, axis=0)
    shift = y.mean(axis=0) - scale * normal.mean(axis=0)
    return Norm(scale, shift) if _same(y, normal * scale + shift) else None


def link(function: Function, width: int, losses: Sequence[Loss]) -> Loss | None:
    """Return the first loss whose link, or its logarithm, a function represents, or None."""
    x = _mixed(width)
    y = _values(function, x, None)
    for loss in losses:
        if width % loss.blocks == 0:
            expected = np.empty_like(x)
            loss.link(x, expected)
            if _same(y, expected) or any(_same(y, other) for other in _other_forms(loss, x)):
                return loss
    return None


def usual_losses() -> tuple[Loss, ...]:
    """Return the losses that can be recognized by their link alone."""
    return tuple(LOSSES[name]() for name in _CURVES)


def _other_forms(loss: Loss, x: Rows) -> Iterator[Rows]:
    """Yield other outputs that classifiers have for the same loss."""
    if loss.name == "softmax_cross_entropy":
        yield x - np.logaddexp.reduce(x, axis=1, keepdims=True)
    elif loss.task == "labels" and x.shape[1] == 1:
        yield np.concatenate([1 - sigmoid(x), sigmoid(x)], axis=1)


def _candidates(x: Rows, y: Rows) -> Iterator[Activation]:
    for entry in ACTIVATIONS.values():
        yield entry()
    lowest = np.unravel_index(np.argmin(x), x.shape)
    for setting, entry in ((y[lowest] / x[lowest], LeakyReLU), (-y[lowest], ELU)):
        with contextlib.suppress(SettingError):
            yield entry(float(str(np.float32(setting))))  # 0.2, if the file has the nearest float32


def _mixed(width: int) -> Rows:
    """Return rows of numbers from −50 to 50, most of them small, in a different order in each column."""
    x = np.concatenate([np.linspace(-6, 6, ROWS - 4), [-50.0, -20.0, 20.0, 50.0]])
    return np.asarray(x[(np.arange(ROWS)[:, None] + 7 * np.arange(width)) % ROWS])


def _values(function: Function, x: Rows, width: int | None = -1) -> Rows | None:
    """Return the function's values if they are floats in the shape of the rows, or of any width if it is None."""
    y = function(x)
    if y.dtype.kind != "f":
        return None
    if y.shape == (ROWS,):
        y = y[:, None]
    return y if y.shape == x.shape or (width is None and y.ndim == 2) else None


def _same(one: Rows | None, other: Rows) -> bool:
    return one is not None and one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-6)
