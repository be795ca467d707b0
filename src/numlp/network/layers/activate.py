"""Activate: the nonlinearity of a network."""

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.activations import Activation
from numlp.network.layers.layer import Layer


class Activate(Layer):
    """Applies an activation function to every unit, in place.

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
        self._slope: Array = buffers.empty((batch_size, self.width), dtype)
        self._scratch = buffers.empty(self._slope.shape, dtype)

    def forward(self, x: Array, training: bool) -> Array:
        if training:
            self.activation(x, self._slope[: len(x)], self._scratch[: len(x)])
        else:
            self.activation(x, None, np.empty_like(x))
        return x

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        return np.multiply(delta, self._slope[: len(delta)], out=delta)
