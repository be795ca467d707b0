"""Linear: the weights of a network."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.products import Products
from numlp.arrays.special import Array
from numlp.network.initializers import Initializer
from numlp.network.layers.layer import Layer


class Linear(Layer):
    """An affine map of every row, z = x W + b, with W of shape (fan_in, fan_out) and b of shape (fan_out,).

    Its gradients, with δ the gradient with respect to z: ∂W = xᵀ δ, ∂b = Σ_rows δ, ∂x = δ Wᵀ.

    Parameters
    ----------
    fan_in, fan_out : int
        Features in and out.
    initializer : Initializer
        Draws the first weights; biases begin at 0.
    bias : bool
        Without it, z = x W. Batch norm subtracts the mean, so a bias before it would have no effect.
    raw : bool
        Whether x are the network's inputs, whose columns may have different units.
    """

    kind = "linear"

    def __init__(
        self, fan_in: int, fan_out: int, initializer: Initializer, bias: bool = True, raw: bool = False
    ) -> None:
        self.shapes = {"weight": (fan_in, fan_out)} | ({"bias": (fan_out,)} if bias else {})
        self.initializer, self.raw = initializer, raw

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.weight, self.bias = params["weight"], params.get("bias")
        self.weight_grad, self.bias_grad = grads["weight"], grads.get("bias")

    def initialize(self, rng: np.random.Generator) -> None:
        fan_in, fan_out = self.weight.shape
        self.weight[...] = self.initializer(rng, fan_in, fan_out, self.arithmetic)
        if self.bias is not None:
            self.bias[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        fan_in, fan_out = self.weight.shape
        self._buffers: tuple[Array, Array] = (
            buffers.empty((batch_size, fan_out), dtype),
            buffers.empty((batch_size, fan_in), dtype),
        )
        self._products = self._make_products(batch_size, dtype)

    def _make_products(self, batch_size: int, dtype: npt.DTypeLike) -> Products:
        fan_in, fan_out = self.weight.shape
        return self.arithmetic.products(batch_size, fan_in, fan_out, dtype, raw=self.raw)

    def resize(self, n: int) -> None:
        self._output, self._input_grad = (buffer[:n] for buffer in self._buffers)
        self._products.resize(n)

    def infer(self, x: Array) -> Array:
        z = self.arithmetic.product(x, self.weight, np.empty((len(x), self.weight.shape[1]), x.dtype))
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def forward(self, x: Array) -> Array:
        z = self._products.outputs(x, self.weight, self._output)
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def backward(self, delta: Array) -> Array:
        self.parameter_gradients(delta)
        return self._products.input_gradient(self._input_grad)

    def parameter_gradients(self, delta: Array) -> None:
        self._products.take(delta)
        self._write_gradients()

    def _write_gradients(self) -> None:
        self._products.weight_gradient(self.weight_grad)
        if self.bias_grad is not None:
            self._products.bias_gradient(self.bias_grad)

    def sums_of_squares(self, out: Array) -> Array:
        """Write the sum of the squared weights into each unit, (fan_out,)."""
        return self.arithmetic.sums_of_products(self.weight, self.weight, 0, out)
