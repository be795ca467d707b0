"""Rows: a network as a rank has it, whole, for its own rows of every batch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.arithmetic import PORTABLE
from numlp.arrays.products import Products
from numlp.arrays.special import Array
from numlp.network.flat import Flat
from numlp.network.layers import (
    Activate,
    BatchNorm,
    Dropout,
    Encode,
    GaussianNoise,
    GradientHistograms,
    Layer,
    LayerNorm,
    Linear,
)
from numlp.network.mlp import MLP
from numlp.parallel.ranks import RowShares

_NUMBERS = 2  # that travel with the gradients: the loss, and whether a rank wishes to end training


class OwnRows(Flat):
    """A network that learns from its own rows of a batch, and gets the loss and the gradients of the whole batch.

    In ordinary arithmetic, partial sums of all gradients travel at once, when the backward pass is through. In
    portable arithmetic, each sum is exact before it is rounded, so that every layer exchanges its own.

    Parameters
    ----------
    network : MLP
        Its parameters are those of this one; the gradients have an array of their own.
    shares : RowShares

    Attributes
    ----------
    wish : bool
        Whether this rank wishes to end training.
    wished : bool
        Whether any rank had that wish in the last `loss_and_grad`.
    """

    def __init__(self, network: MLP, shares: RowShares) -> None:
        self.loss, self.layer_size = network.loss, network.layer_size
        self.dtype, self.arithmetic = network.dtype, network.arithmetic
        self._shares, self._exact = shares, network.arithmetic is PORTABLE
        self.wish = self.wished = False
        self._in_all = 0
        count = network.params.size
        self._sums: Array = buffers.zeros(count + _NUMBERS, network.dtype)
        self._message = self._sums[count:] if self._exact else self._sums
        layers = [_of_rows(layer, shares, self._exact) for layer in network.layers]
        self.bind(layers, (network.params, self._sums[:count]))

    def take(self, n: int) -> slice:
        """Turn to a batch of `n` rows, and return which of them this rank has."""
        own = self._shares.own(n)
        if n != self._in_all:
            self._in_all = n
            self.resize(own.stop - own.start)
        return own

    def loss_and_grad(
        self, x: Array, targets: Array, weights: Array | None = None, *, input_gradient: bool = False
    ) -> float:
        """Return the mean loss of the batch of which these are the own rows, and fill `grads` with its gradient."""
        mine = super().loss_and_grad(x, targets, weights, input_gradient=input_gradient)
        self._sums[-_NUMBERS:] = mine, self.wish
        self._shares.ranks.total(self._message)
        loss, wishes = self._sums[-_NUMBERS:].tolist()
        self.wished = wishes > 0
        return mine if self._exact else loss

    def _rows_in_all(self, n: int) -> int:
        return self._in_all

    def _total(self, losses: Array, weights: Array | None) -> float:
        if not self._exact:
            return super()._total(losses, weights)
        if weights is None:
            return self.arithmetic.total(losses, count=self._in_all, exchange=self._shares)
        return self.arithmetic.dot(weights, losses, count=self._in_all, exchange=self._shares)


class _Linear(Linear):
    def __init__(self, layer: Linear, shares: RowShares) -> None:
        fan_in, fan_out = layer.shapes["weight"]
        super().__init__(fan_in, fan_out, layer.initializer, "bias" in layer.shapes, layer.raw)
        self._shares = shares

    def _make_products(self, batch_size: int, dtype: npt.DTypeLike) -> Products:
        fan_in, fan_out = self.weight.shape
        return self.arithmetic.products(batch_size, fan_in, fan_out, dtype, raw=self.raw, shares=self._shares)


class _BatchNorm(BatchNorm):
    """Batch normalization over the rows of all ranks."""

    kind: ClassVar[str] = BatchNorm.kind

    def __init__(self, width: int, shares: RowShares, exact: bool) -> None:
        super().__init__(width)
        self._shares, self._exact = shares, exact

    def resize(self, n: int) -> None:
        super().resize(n)
        self._n = self._shares.count  # the statistics are those of the whole batch

    def _sums(self, x: Array, out: Array) -> Array:
        return self.arithmetic.sums(x, 0, out, count=self._shares.count, exchange=self._shares)

    def _sums_of_products(self, a: Array, b: Array, out: Array) -> Array:
        return self.arithmetic.sums_of_products(a, b, 0, out, count=self._shares.count, exchange=self._shares)

    def backward(self, delta: Array) -> Array:
        delta = super().backward(delta)
        if not (self._exact or self._shares.first):  # for the total of all ranks, which have the same
            self._scale_grad.fill(0)
            self._shift_grad.fill(0)
        return delta


class _ExactLayerNorm(LayerNorm):
    """Layer normalization whose parameters' gradients are exact sums over the rows of all ranks."""

    kind: ClassVar[str] = LayerNorm.kind

    def __init__(self, width: int, shares: RowShares) -> None:
        super().__init__(width)
        self._shares = shares

    def _sums(self, x: Array, out: Array) -> Array:
        return self.arithmetic.sums(x, 0, out, count=self._shares.count, exchange=self._shares)

    def _sums_of_products(self, a: Array, b: Array, out: Array) -> Array:
        return self.arithmetic.sums_of_products(a, b, 0, out, count=self._shares.count, exchange=self._shares)


class _ExactEncode(Encode):
    """An encoding whose embeddings' gradients are exact sums over the rows of all ranks."""

    def __init__(self, layer: Encode, shares: RowShares) -> None:
        super().__init__(layer.encoding)
        self._shares = shares

    def _sums_by_index(self, index: npt.NDArray[np.intp], rows: Array, out: Array) -> None:
        self.arithmetic.sums_by_index(index, rows, out, count=self._shares.count, exchange=self._shares)


class _Dropout(Dropout):
    """Dropout with the random numbers that one process draws for these rows."""

    def __init__(self, layer: Dropout, shares: RowShares) -> None:
        super().__init__(layer.width, layer.rate, layer.in_place)
        self._shares = shares

    def forward(self, x: Array) -> Array:
        own = self._shares.own(self._shares.count)
        drawn = self._drawn.shape[1]  # numbers for a row, of which each moves the generator on by one
        advance = self._rng.bit_generator.advance  # type: ignore[attr-defined]
        advance(own.start * drawn)
        found = super().forward(x)
        advance((self._shares.count - own.stop) * drawn)
        return found


class _GaussianNoise(GaussianNoise):
    """Noise drawn for all rows of the batch, because pairs of normal numbers lie half a batch apart."""

    def __init__(self, layer: GaussianNoise, shares: RowShares) -> None:
        super().__init__(layer.width, layer.deviation, layer.in_place)
        self._shares = shares

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        rows = self._shares.ranks.size * (batch_size + 1)  # another rank may have one row more
        self._all_drawn = buffers.empty((rows, self.width), dtype)
        self._half = np.empty((self._all_drawn.size + 1) // 2, dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        count = self._shares.count
        self._drawn = self._all_drawn[:count]
        self._noise = self._drawn[self._shares.own(count)]


def _of_rows(layer: Layer, shares: RowShares, exact: bool) -> Layer:
    """Return a layer that does for the own rows what a whole network's layer does for all."""
    if isinstance(layer, Linear):
        return _Linear(layer, shares)
    if isinstance(layer, BatchNorm):
        return _BatchNorm(layer.scale.size, shares, exact)
    if isinstance(layer, LayerNorm):
        return _ExactLayerNorm(layer.scale.size, shares) if exact else LayerNorm(layer.scale.size)
    if isinstance(layer, Encode):
        return _ExactEncode(layer, shares) if exact else Encode(layer.encoding)
    if isinstance(layer, GradientHistograms):
        return GradientHistograms(layer.features, layer.shape)
    if isinstance(layer, Dropout):
        return _Dropout(layer, shares)
    if isinstance(layer, GaussianNoise):
        return _GaussianNoise(layer, shares)
    assert isinstance(layer, Activate)
    return Activate(layer.activation, layer.width)
