"""Layers: forward and backward, into buffers that they own.

A layer declares the shapes of its parameters. The network binds it to views into its two flat arrays, `params` and
`grads`, and gives it buffers for its largest batch. While training, `forward` and `backward` write into those and
allocate nothing; what `forward` returns is overwritten by the next one. Otherwise (``training=False``) a layer
keeps nothing and touches none of its buffers, so that any number of threads may predict at once.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from numlp.activations import ACTIVATIONS, Activation
from numlp.checks import choice
from numlp.initializers import INITIALIZERS, Initializer
from numlp.special import Array


class Layer(Protocol):
    """What every layer can do."""

    @property
    def kind(self) -> str:
        """What the names of its parameters begin with."""
        ...

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

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        """Write the parameters' gradients; return the gradient with respect to the inputs, if it is wanted."""
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
    """

    kind = "linear"

    def __init__(self, fan_in: int, fan_out: int, initializer: Initializer) -> None:
        self.shapes = {"weight": (fan_in, fan_out), "bias": (fan_out,)}
        self.initializer = initializer

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.weight, self.bias = params["weight"], params["bias"]
        self._weight_grad, self._bias_grad = grads["weight"], grads["bias"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.weight[...] = self.initializer(rng, *self.weight.shape)
        self.bias[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        fan_in, fan_out = self.weight.shape
        self._output = np.empty((batch_size, fan_out), dtype)
        self._delta = np.empty((batch_size, fan_in), dtype)
        self._ones = np.ones(batch_size, dtype)

    def forward(self, x: Array, training: bool) -> Array:
        if training:
            self._input = x
            z = np.dot(x, self.weight, out=self._output[: len(x)])
        else:
            z = np.dot(x, self.weight)
        return np.add(z, self.bias, out=z)

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        n = len(delta)
        np.dot(self._input.T, delta, out=self._weight_grad)
        # A product with ones: BLAS sums columns faster than a reduction along the first axis.
        np.dot(self._ones[:n], delta, out=self._bias_grad)
        return np.dot(delta, self.weight.T, out=self._delta[:n]) if input_gradient else delta


class Activate:
    """A layer that applies an activation function to every unit, in place.

    Parameters
    ----------
    activation : Activation
    width : int
        The number of units.
    """

    kind = "activate"

    def __init__(self, activation: Activation, width: int) -> None:
        self.shapes: Mapping[str, tuple[int, ...]] = {}
        self.activation = activation
        self.width = width

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None: ...

    def initialize(self, rng: np.random.Generator) -> None: ...

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._slope = np.empty((batch_size, self.width), dtype)

    def forward(self, x: Array, training: bool) -> Array:
        self.activation.function(x, self._slope[: len(x)] if training else None)
        return x

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        return np.multiply(delta, self._slope[: len(delta)], out=delta)


def make_layers(layer_size: Sequence[int], activation: Activation, initializer: str | None) -> list[Layer]:
    """Make the layers of a network, without any array yet."""
    layers: list[Layer] = []
    last = len(layer_size) - 2
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(layer_size)):
        following = activation if i < last else ACTIVATIONS["identity"]
        layers.append(
            Linear(fan_in, fan_out, choice("initializer", initializer or following.initializer, INITIALIZERS))
        )
        if i < last:
            layers.append(Activate(following, fan_out))
    return layers


def parameter_shapes(layers: Sequence[Layer]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters by name: the layer's kind, its number among its kind, the parameter."""
    shapes: dict[str, tuple[int, ...]] = {}
    numbers = {layer.kind: itertools.count() for layer in layers}
    for layer in layers:
        number = next(numbers[layer.kind])
        shapes |= {f"{layer.kind}.{number}.{name}": shape for name, shape in layer.shapes.items()}
    return shapes
