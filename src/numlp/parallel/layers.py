"""Layers of a part of a network: those of a whole one, narrower, with exchanges between the members of a team."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.products import Products
from numlp.arrays.special import Array
from numlp.network.initializers import Initializer
from numlp.network.layers import LayerNorm, Linear
from numlp.parallel.team import EVERY, Exchange, Gather, Team, Total


class FirstLinear(Linear):
    """The columns of the first weights that lead to a member's units. Every member has all inputs.

    Each member's δ Wᵀ is a partial sum of the gradient with respect to the inputs; all members get the total.

    Parameters
    ----------
    team : Team
    fan_in, fan_out : int
        Of the whole layer.
    own : slice
        The member's units.
    initializer, bias, raw
        As for `Linear`.
    """

    def __init__(
        self,
        team: Team,
        fan_in: int,
        fan_out: int,
        own: slice,
        initializer: Initializer,
        bias: bool = True,
        raw: bool = False,
    ) -> None:
        super().__init__(fan_in, own.stop - own.start, initializer, bias, raw)
        self._team, self._widths = team, (fan_in, fan_out)

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        count, sums = batch_size * self._widths[0], self._products.dtype_of_inputs
        self._total = Total(self._team, count, sums)
        self._all_sums: npt.NDArray[Any] = buffers.empty(count, sums)

    def _make_products(self, batch_size: int, dtype: npt.DTypeLike) -> Products:
        exchange = Exchange(self._team, 1)
        fan_in, fan_out = self.weight.shape
        return self.arithmetic.products(
            batch_size, fan_in, fan_out, dtype, widths=self._widths, raw=self.raw, exchange=exchange
        )

    def resize(self, n: int) -> None:
        super().resize(n)
        self._resize(n, EVERY)

    def _resize(self, n: int, given: slice) -> None:
        """Cut the buffers of totals, of which this member wants the given inputs."""
        fan_in, sums = self._widths[0], self._products.dtype_of_inputs
        self._total.resize((n, fan_in), (EVERY, given), sums)
        width = len(range(fan_in)[given])
        self._sums = self._all_sums[: n * width].reshape(n, width).view(sums)

    def backward(self, delta: Array) -> Array:
        self._products.take(delta)
        self._products.input_sums(self._total.partial)
        self._total.send()
        self._write_gradients()  # meanwhile the others send theirs
        return self._products.rounded_inputs(self._total.receive(self._sums), self._input_grad)


class MiddleLinear(FirstLinear):
    """The columns of weights between hidden layers that lead to a member's units.

    Each member gives the activations of its own units and gets all, and gets δ Wᵀ for its own, which are `given`.
    """

    def __init__(
        self,
        team: Team,
        fan_in: int,
        fan_out: int,
        given: slice,
        own: slice,
        initializer: Initializer,
        bias: bool = True,
    ) -> None:
        super().__init__(team, fan_in, fan_out, own, initializer, bias)
        self._given = given

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._gather = Gather(self._team, batch_size, self.weight.shape[0], self._given, dtype)
        self._all_below: Array = buffers.empty((batch_size, self._given.stop - self._given.start), dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._gather.resize(n)
        self._resize(n, self._given)
        self._input_grad = self._all_below[:n]

    def forward(self, x: Array) -> Array:
        return super().forward(self._gather(x))


class LastLinear(Linear):
    """The rows of the last weights that lead from a member's units, with all biases.

    Each member's x W is a partial sum of the outputs, of which all get the total. The gradients need no exchange.
    """

    def __init__(self, team: Team, fan_in: int, fan_out: int, given: slice, initializer: Initializer) -> None:
        super().__init__(given.stop - given.start, fan_out, initializer)
        self._team, self._widths = team, (fan_in, fan_out)

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._exchange = Exchange(self._team, self._widths[1])
        super().allocate(batch_size, dtype)
        count, sums = batch_size * self._widths[1], self._products.dtype_of_outputs
        self._total = Total(self._team, count, sums)
        self._all_sums: npt.NDArray[Any] = buffers.empty(count, sums)

    def _make_products(self, batch_size: int, dtype: npt.DTypeLike) -> Products:
        fan_in, fan_out = self.weight.shape
        return self.arithmetic.products(
            batch_size, fan_in, fan_out, dtype, widths=self._widths, exchange=self._exchange
        )

    def resize(self, n: int) -> None:
        super().resize(n)
        fan_out, sums = self._widths[1], self._products.dtype_of_outputs
        self._total.resize((n, fan_out), EVERY, sums)
        self._sums = self._all_sums[: n * fan_out].reshape(n, fan_out).view(sums)

    def forward(self, x: Array) -> Array:
        self._products.output_sums(x, self.weight, self._total.partial)
        self._total.send()
        z = self._products.rounded_outputs(self._total.receive(self._sums), self._output)
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def sums_of_squares(self, out: Array) -> Array:
        weight, exchange = self.weight, self._exchange
        return self.arithmetic.sums_of_products(weight, weight, 0, out, count=self._widths[0], exchange=exchange)


class PartLayerNorm(LayerNorm):
    """A layer norm over the units of all members."""

    kind: ClassVar[str] = LayerNorm.kind

    def __init__(self, team: Team, width: int, own: slice) -> None:
        super().__init__(own.stop - own.start)
        self._team, self._width = team, width

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._exchange = Exchange(self._team, batch_size)

    def _means(self, x: Array, out: Array) -> None:
        self.arithmetic.sums(x, 1, out[:, 0], count=self._width, exchange=self._exchange)
        np.divide(out, self._width, out=out)
