"""Recognition: identifies a function of rows as an affine map, an activation, a norm or a link by its values.

Exporters write the same activation in many ways, as an operator of its own or as a formula; only the values are the
same. A function is a callable that takes rows, (`ROWS`, width), and is evaluated on trial rows: on a grid, far out,
and around the marks, (k, width), which are the points at which the graph's own constants may bend it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import ORDINARY
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, ELU, Activation, LeakyReLU
from numlp.network.layers.norm import EPSILON
from numlp.network.losses import LOSSES, Loss

Rows = npt.NDArray[np.float64]
Function = Callable[[Rows], Rows]

ROWS = 31  # prime, so that no reshape mistakes it for a number of features
_LARGE = 2.0**20
_SAFE = 50.0  # exponentials of numbers up to this overflow in no precision
_AROUND = 8  # rows around each mark
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


def affine(function: Function, marks: Rows) -> Affine | None:
    """Return the feature-wise affine map that a function represents, or None."""
    shape = (ROWS, marks.shape[1])
    # The points lie far apart: a large shift costs the factor no digits, and a clipped line doesn't pass for affine.
    at_zero, low, high = (_values(function, np.full(shape, x)) for x in (0.0, -_LARGE, _LARGE))
    if at_zero is None or low is None or high is None:
        return None
    factor, shift = (high[0] - low[0]) / (2 * _LARGE), at_zero[0]
    if not np.isfinite(factor).all():
        return None
    same = all(_same(_values(function, x), x * factor + shift, x, shift, factor) for x in _trials(marks))
    return Affine(factor, shift) if same else None


def activation(function: Function, marks: Rows) -> Activation | None:
    """Return the activation that a function represents, with its settings, or None."""
    x = _mixed(marks.shape[1])
    y = _values(function, x)
    if y is None:
        return None
    for candidate in _candidates(x, y):
        if all(_same(_values(function, x), _activated(candidate, x), x) for x in _trials(marks)):
            return candidate
    return None


def norm(function: Function, marks: Rows) -> Norm | None:
    """Return the normalization of rows that a function represents, or None."""
    width = marks.shape[1]
    x = np.random.default_rng(0).normal(size=(ROWS, width)) + 1
    x *= np.geomspace(1e-3, 1e3, ROWS)[:, None]  # small numbers reveal an ε other than numlp's
    y, normal = _values(function, x), _normal(x)
    if y is None or width == 1:
        return None
    around = normal - normal.mean(axis=0)
    scale = np.sum(around * y, axis=0) / np.sum(around**2, axis=0)
    shift = y.mean(axis=0) - scale * normal.mean(axis=0)
    single = np.eye(ROWS, width) * _LARGE  # one large number makes a norm's largest values
    for x in (x, single, *_trials(marks)):  # noqa: B020
        if not _same(_values(function, x), _normal(x) * scale + shift, x, shift, scale):
            return None
    return Norm(scale, shift)


def link(function: Function, marks: Rows, losses: Sequence[Loss]) -> Loss | None:
    """Return the first loss whose link, or its logarithm, a function represents, or None."""
    fitting = [loss for loss in losses if marks.shape[1] % loss.blocks == 0]
    for loss in fitting:
        for form in _forms(loss):
            if all(_same(_values(function, x, None), form(x), x) for x in _trials(marks)):
                return loss
    return None


def usual_losses() -> tuple[Loss, ...]:
    """Return the losses that can be recognized by their link alone."""
    return tuple(LOSSES[name]() for name in _CURVES)


def _forms(loss: Loss) -> Iterator[Function]:
    """Yield a loss's link, and the other outputs that classifiers have for it."""

    def linked(x: Rows) -> Rows:
        out = np.empty_like(x)
        loss.link(x, out, ORDINARY)
        return out

    yield linked
    if loss.name == "softmax_cross_entropy":
        yield lambda x: x - np.logaddexp.reduce(x, axis=1, keepdims=True)
    elif loss.task == "labels":  # no and yes of one label; of exactly two, all no and then all yes (skl2onnx)
        yield lambda x: 1 / (1 + np.exp(np.concatenate([x, -x], axis=1)))


def _activated(activation: Activation, x: Rows) -> Rows:
    z = x.copy()
    activation(z, None, np.empty_like(z), ORDINARY)
    return z


def _normal(x: Rows) -> Rows:
    centered = x - x.mean(axis=1, keepdims=True)
    return np.asarray(centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + EPSILON))


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


def trial_rows(marks: Rows) -> int:
    """Return the number of rows on which a function is tried."""
    return ROWS * (2 + len(marks) * _AROUND // ROWS + 1)


def _trials(marks: Rows) -> Iterator[Rows]:
    """Yield rows to try a function on: everywhere, far out, and around the marks at which it may bend."""
    width = marks.shape[1]
    yield _mixed(width)
    far = np.geomspace(60, _LARGE, ROWS // 2)
    yield np.repeat(np.concatenate([-far, [0], far])[:, None], width, axis=1)
    step, sorted_marks = 1e-3 * np.abs(marks) + 1e-6, np.sort(marks, axis=0)
    between = (sorted_marks + np.roll(sorted_marks, 1, axis=0)) / 2
    x = np.concatenate([marks, marks - step, marks + step, between, -marks, -marks - step, 2 * marks, -2 * marks])
    for start in range(0, len(x), ROWS):
        yield np.resize(x[start : start + ROWS], (ROWS, width))


def _values(function: Function, x: Rows, width: int | None = -1) -> Rows | None:
    """Return the function's values if they are floats in the shape of the rows, or of any width if it is None."""
    y = function(x)
    if y.dtype.kind != "f":
        return None
    if y.shape == (ROWS,):
        y = y[:, None]
    return y if y.shape == x.shape or (width is None and y.ndim == 2) else None


def _same(y: Rows | None, expected: Rows, x: Rows, shift: Rows | float = 0, unit: Rows | float = 1) -> bool:
    """Return whether values at x are the expected ones, as exactly as they vary: a large shift hides no difference.

    `unit` is by how much the values vary where x does so by 1. Formulas may overflow far out.
    """
    if y is None or y.shape != expected.shape:
        return False
    allowed = 1e-5 * np.abs(expected - shift) + 1e-6 * np.abs(unit) + 1e-14 * np.abs(shift)
    overflown = ~np.isfinite(y) & (np.abs(x).max(axis=1, keepdims=True) > _SAFE)
    return bool(np.all((np.abs(y - expected) <= allowed) | (y == expected) | overflown))
