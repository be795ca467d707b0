"""What every optimizer can do; an optimizer defines only what it does differently."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from operator import is_not
from typing import ClassVar

import numpy as np

from numlp.arrays import buffers, special
from numlp.arrays.pieces import piece_length, pieces
from numlp.arrays.portable import power
from numlp.arrays.special import Array
from numlp.settings.checks import nonnegative
from numlp.settings.named import Named, setting

FLUSHED = 32  # steps between two flushes of decayed averages


class State(dict[str, Array]):
    """What an optimizer keeps, arrays by name: the count of its steps, room for scratch, and running averages."""

    _cut: tuple[list[Array], list[list[Array]]] | None = None

    def pieces(self, params: Array, grads: Array) -> list[list[Array]]:
        """Return scratch, parameters, gradients and averages piece by piece; only another array is cut again."""
        arrays = [params, grads, *self.values()]
        if self._cut is None or len(arrays) != len(self._cut[0]) or any(map(is_not, arrays, self._cut[0])):
            averages = [array for name, array in self.items() if name not in ("count", "scratch")]
            self._cut = arrays, list(pieces(self["scratch"], params, grads, *averages))
        return self._cut[1]

    def __reduce__(self) -> tuple[type, tuple[dict[str, Array]]]:
        """Leave the pieces out of a copy: they would look into the arrays of the original."""
        return type(self), (dict(self),)


@dataclass(frozen=True, kw_only=True)
class Optimizer(Named, ABC):
    """Base class of the optimizers.

    Attributes
    ----------
    weight_decay : float
        Decoupled decay: each step also reduces every weight by this share times the learning rate, but leaves biases
        and norms alone. I. Loshchilov, F. Hutter, "Decoupled weight decay regularization" (2019).
    usual_rate : float
        The default learning rate, a starting point.
    """

    usual_rate: ClassVar[float]
    weight_decay: float = setting(0.0, nonnegative)

    def init(self, params: Array, averages: dict[str, Array] | None = None) -> State:
        """Return the initial state for parameters of this shape and dtype, with new averages or given ones."""
        scratch: Array = buffers.zeros(piece_length(params.size), params.dtype)
        if averages is None:
            averages = {name: buffers.zeros(params.shape, params.dtype) for name in self.averages()}
        return State({"count": np.zeros(1), "scratch": scratch} | averages)

    def update(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        """Take one step: change `params` and `state` in place, and leave `grads` unchanged."""
        count = state["count"]
        count[0] = number = count.item() + 1
        self.step(params, grads, state, learning_rate)
        if number % FLUSHED == 0:
            for name, decay in self.averages().items():
                special.flush(state[name], power(decay, FLUSHED))

    @abstractmethod
    def averages(self) -> dict[str, float]:
        """Return the names of the running averages in the state, and the factor by which each decays in a step."""

    @abstractmethod
    def step(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        """Take the step that `update` describes, apart from counting and flushing."""

    def decay(self, weights: Array, learning_rate: float) -> None:
        """Apply weight decay, before the step."""
        if self.weight_decay:
            np.multiply(weights, 1 - learning_rate * self.weight_decay, out=weights)
