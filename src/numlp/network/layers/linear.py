"""Linear: the weights of a network."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers, products
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
    """

    kind = "linear"

    def __init__(self, fan_in: int, fan_out: int, initializer: Initializer, bias: bool = True) -> None:
        self.shapes = {"weight": (fan_in, fan_out)} | ({"bias": (fan_out,)} if bias else {})
        self.initializer = initializer

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.weight, self.bias = params["weight"], params.get("bias")
        self.weight_grad, self.bias_grad = grads["weight"], grads.get("bias")

    def initialize(self, rng: np.random.Generator) -> None:
        self.weight[...] = self.initializer(rng, *self.weight.shape)
        if self.bias is not None:
            self.bias[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        fan_in, fan_out = self.weight.shape
        by_row = buffers.empty((batch_size, fan_out), dtype), buffers.empty((batch_size, fan_in), dtype)
        self._buffers: tuple[Array, Array, Array] = *by_row, np.ones(batch_size, dtype)
        self._rows_at_once = products.rows_at_once(batch_size, fan_in, fan_out, self.weight.dtype)

    def resize(self, n: int) -> None:
        self._output, self._input_grad, self._ones = (buffer[:n] for buffer in self._buffers)

    def infer(self, x: Array) -> Array:
        z = np.dot(x, self.weight)
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def forward(self, x: Array) -> Array:
        self._input = x
        z = products.multiply(x, self.weight, self._output, self._rows_at_once)
        return z if self.bias is None else np.add(z, self.bias, out=z)

    def backward(self, delta: Array) -> Array:
        self.parameter_gradients(delta)
        return np.dot(delta, self.weight.T, out=self._input_grad)

    def parameter_gradients(self, delta: Array) -> None:
        np.dot(self._input.T, delta, out=self.weight_grad)
        if self.bias_grad is not None:
            # A product with ones: BLAS sums columns faster than a reduction along the first axis.
            np.dot(self._ones, delta, out=self.bias_grad)

    def sums_of_squares(self, out: Array) -> Array:
        """Write the sum of the squared weights into each unit, (fan_out,)."""
        sums: Array = np.einsum("ij,ij->j", self.weight, self.weight, out=out)
        return sums
