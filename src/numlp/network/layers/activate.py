"""Activate: the nonlinearity of a network."""

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.activations import Activation
from numlp.network.layers.layer import Layer


class Activate(Layer):
    """Applies an activation function f to every unit, in place: a = f(z), ∂z = ∂a · f′(z).

    Parameters
    ----------
    activation : Activation
    width : int
        The number of units.
    """

    kind = "activate"

    def __init__(self, activation: Activation, width: int) -> None:
        self.activation = activation
        self.width = width

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        shape = batch_size, self.width
        self._buffers: tuple[Array, Array] = buffers.empty(shape, dtype), buffers.empty(shape, dtype)

    def resize(self, n: int) -> None:
        self._derivative, self._scratch = (buffer[:n] for buffer in self._buffers)

    def infer(self, x: Array) -> Array:
        self.activation(x, None, np.empty_like(x), self.arithmetic)
        return x

    def forward(self, x: Array) -> Array:
        # Overwrites z with f(z), and keeps f′(z).
        self.activation(x, self._derivative, self._scratch, self.arithmetic)
        return x

    def backward(self, delta: Array) -> Array:
        return np.multiply(delta, self._derivative, out=delta)
