"""Layers of a part of a network: those of a whole one, narrower, with exchanges between the members of a team."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.initializers import Initializer
from numlp.network.layers import LayerNorm, Linear
from numlp.parallel.team import EVERY, Gather, Team, Total


class FirstLinear(Linear):
    """The columns of the first weights that lead to a member's units. Every member has all inputs.

    Each member's δ Wᵀ is a partial sum of the gradient with respect to the inputs; all members get the total.
    """

    def __init__(self, team: Team, fan_in: int, own: slice, initializer: Initializer, bias: bool) -> None:
        super().__init__(fan_in, own.stop - own.start, initializer, bias)
        self._team = team

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._total = Total(self._team, batch_size * self.weight.shape[0], dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._total.resize((n, self.weight.shape[0]))

    def backward(self, delta: Array) -> Array:
        np.dot(delta, self.weight.T, out=self._total.partial)
        self._total.send()
        self.parameter_gradients(delta)  # meanwhile the others send theirs
        return self._total.receive(self._input_grad)


class MiddleLinear(FirstLinear):
    """The columns of weights between hidden layers that lead to a member's units.

    Each member gives the activations of its own units and gets all, and gets δ Wᵀ for its own.
    """

    def __init__(
        self, team: Team, fan_in: int, given: slice, own: slice, initializer: Initializer, bias: bool
    ) -> None:
        super().__init__(team, fan_in, own, initializer, bias)
        self._given = given

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._gather = Gather(self._team, batch_size, self.weight.shape[0], self._given, dtype)
        self._all_below: Array = buffers.empty((batch_size, self._given.stop - self._given.start), dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._gather.resize(n)
        self._total.resize((n, self.weight.shape[0]), (EVERY, self._given))
        self._input_grad = self._all_below[:n]

    def forward(self, x: Array) -> Array:
        return super().forward(self._gather(x))


class LastLinear(Linear):
    """The rows of the last weights that lead from a member's units, with all biases.

    Each member's x W is a partial sum of the outputs, of which all get the total. The gradients need no exchange.
    """

    def __init__(self, team: Team, given: slice, fan_out: int, initializer: Initializer) -> None:
        super().__init__(given.stop - given.start, fan_out, initializer)
        self._team = team

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        fan_out = self.weight.shape[1]
        self._total = Total(self._team, batch_size * fan_out, dtype)
        self._squares = Total(self._team, fan_out, dtype)
        self._squares.resize((fan_out,))

    def resize(self, n: int) -> None:
        super().resize(n)
        self._total.resize((n, self.weight.shape[1]))

    def forward(self, x: Array) -> Array:
        self._input = x
        np.dot(x, self.weight, out=self._total.partial)
        self._total.send()
        z = self._total.receive(self._output)
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def sums_of_squares(self, out: Array) -> Array:
        super().sums_of_squares(self._squares.partial)
        self._squares.send()
        return self._squares.receive(out)


class PartLayerNorm(LayerNorm):
    """A layer norm over the units of all members."""

    kind: ClassVar[str] = LayerNorm.kind

    def __init__(self, team: Team, width: int, own: slice) -> None:
        super().__init__(own.stop - own.start)
        self._team, self._width = team, width

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._totals = [Total(self._team, batch_size, dtype) for _ in range(2)]

    def resize(self, n: int) -> None:
        super().resize(n)
        for total in self._totals:
            total.resize((n, 1))

    def _means(self, x: Array, out: Array) -> None:
        # Of two exchanges in a row, the second must not overwrite what others still read of the first.
        total = self._totals[0]
        self._totals.reverse()
        np.add.reduce(x, axis=1, keepdims=True, out=total.partial)
        total.send()
        np.divide(total.receive(out), self._width, out=out)
