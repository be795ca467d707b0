"""Layers: forward and backward, into buffers that they own.

A layer declares the shapes of its parameters. The network binds it to views into its two flat arrays, `params` and
`grads`, and gives it buffers for its largest batch. While training, `forward` and `backward` write into those and
allocate nothing; what `forward` returns is overwritten by the next one. Otherwise (``training=False``) a layer
keeps nothing and touches none of its buffers, so that any number of threads may predict at once.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from numlp.activations import Activation
from numlp.initializers import Initializer
from numlp.special import Array


class Layer(Protocol):
    """What every layer can do."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its parameters, by name."""
        ...

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Take the arrays that hold the parameters and receive their gradients."""
        ...

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters their first values."""
        ...

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        """Make the buffers for training with batches of up to `batch_size` rows."""
        ...

    def forward(self, x: Array, training: bool) -> Array:
        """Return the outputs, (n, fan_out), for the inputs, (n, fan_in)."""
        ...

    def backward(self, delta: Array) -> Array:
        """Write the parameters' gradients; return the gradient with respect to the inputs."""
        ...


class Linear:
    """An affine map of every row, z = x W + b, with W of shape (fan_in, fan_out) and b of shape (fan_out,).

    Its gradients, with δ the gradient with respect to z: ∂W = xᵀ δ, ∂b = Σ_rows δ, ∂x = δ Wᵀ.

    Parameters
    ----------
    fan_in, fan_out : int
        Features in and out.
    initializer : Initializer
        Draws the first weights; biases begin at 0.
    is_first : bool
        Nobody asks the first layer for the gradient with respect to its inputs, the data: it is not computed.
    """

    def __init__(self, fan_in: int, fan_out: int, initializer: Initializer, *, is_first: bool = False) -> None:
        self.shapes = {"weight": (fan_in, fan_out), "bias": (fan_out,)}
        self.initializer = initializer
        self.is_first = is_first

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.weight, self.bias = params["weight"], params["bias"]
        self._weight_grad, self._bias_grad = grads["weight"], grads["bias"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.weight[...] = self.initializer(rng, *self.weight.shape)
        self.bias[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        fan_in, fan_out = self.weight.shape
        self._output = np.empty((batch_size, fan_out), dtype)
        self._delta = np.empty((0 if self.is_first else batch_size, fan_in), dtype)
        self._ones = np.ones(batch_size, dtype)

    def forward(self, x: Array, training: bool) -> Array:
        if training:
            self._input = x
            z = np.dot(x, self.weight, out=self._output[: len(x)])
        else:
            z = np.dot(x, self.weight)
        return np.add(z, self.bias, out=z)

    def backward(self, delta: Array) -> Array:
        n = len(delta)
        np.dot(self._input.T, delta, out=self._weight_grad)
        # A product with ones: BLAS sums columns faster than a reduction along the first axis.
        np.dot(self._ones[:n], delta, out=self._bias_grad)
        return delta if self.is_first else np.dot(delta, self.weight.T, out=self._delta[:n])


class Activate:
    """A layer that applies an activation function to every unit, in place.

    Parameters
    ----------
    activation : Activation
    width : int
        The number of units.
    """

    def __init__(self, activation: Activation, width: int) -> None:
        self.shapes: Mapping[str, tuple[int, ...]] = {}
        self.activation = activation
        self.width = width

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None: ...

    def initialize(self, rng: np.random.Generator) -> None: ...

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._scratch = np.empty((batch_size, self.width), dtype)

    def forward(self, x: Array, training: bool) -> Array:
        self.activation.forward(x)
        if training:
            self._output = x
        return x

    def backward(self, delta: Array) -> Array:
        self.activation.backward(delta, self._output, self._scratch[: len(delta)])
        return delta
