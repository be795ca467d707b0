"""Flat: the layers of a network over one flat array of parameters and one of gradients."""

from __future__ import annotations

import math

import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import Array, all_finite
from numlp.network.layers import Layer, Linear, parameter_shapes, parameter_views
from numlp.network.summary import n_parameters


class Flat:
    """Layers that hold views of two flat arrays.

    All weights come first, then all biases and norms, so that one slice holds everything that decays.

    Attributes
    ----------
    params, grads : array, shape (n_parameters,)
        All parameters, and their gradients.
    layers : list of Layer
        In the order of the forward pass.
    n_weights : int
        The number of weights, the parameters without biases and norms.
    """

    layers: list[Layer]
    n_weights: int

    @property
    def params(self) -> Array:
        """All parameters, 1-D. Assigning copies the values into the array that the layers hold views of."""
        return self._params

    @params.setter
    def params(self, values: npt.ArrayLike) -> None:
        self._params[:] = values

    @property
    def grads(self) -> Array:
        """The gradients with respect to `params`, 1-D, from the last `loss_and_grad`."""
        return self._grads

    @grads.setter
    def grads(self, values: npt.ArrayLike) -> None:
        self._grads[:] = values

    @property
    def weights(self) -> Array:
        """All weights, the first part of `params`, without biases and norms."""
        return self.params[: self.n_weights]

    @property
    def linear_layers(self) -> list[Linear]:
        """The layers that have weights."""
        return [layer for layer in self.layers if isinstance(layer, Linear)]

    def is_finite(self) -> bool:
        """Return whether all parameters are finite."""
        return all_finite(self.params)

    def bind(self, layers: list[Layer], dtype: npt.DTypeLike) -> None:
        """Take layers, and make the two flat arrays that they hold views of."""
        self.layers = layers
        self._first = next(i for i, layer in enumerate(layers) if layer.shapes)
        count = n_parameters(layers)
        self._params, self._grads = buffers.zeros(count, dtype), buffers.zeros(count, dtype)
        views = [parameter_views(layers, flat) for flat in (self._params, self._grads)]
        for layer, params, grads in zip(layers, *views, strict=True):
            layer.bind(params, grads)
        matrices = (shape for layer in layers for shape in layer.shapes.values() if len(shape) == 2)
        self.n_weights = sum(math.prod(shape) for shape in matrices)
        self.begin_epoch(seed=0, epoch=0)

    def backward(self, delta: Array, input_gradient: bool = False) -> Array | None:
        """Fill `grads`, from ∂loss/∂logits after `forward`; return ∂loss/∂x on request. `delta` is overwritten."""
        for layer in reversed(self.layers[self._first + 1 :]):
            delta = layer.backward(delta)
        if not input_gradient:
            self.layers[self._first].parameter_gradients(delta)
            return None
        for layer in reversed(self.layers[: self._first + 1]):
            delta = layer.backward(delta)
        return delta

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make all that is random in an epoch's forward passes a function of (seed, epoch)."""
        rng = generator(seed, epoch, Role.NOISE)
        for layer in self.layers:
            layer.begin_epoch(rng)

    def named_parameters(self) -> dict[str, Array]:
        """Return the parameters by names such as "linear.0.weight": views of `params`."""
        views = [view for named in parameter_views(self.layers, self.params) for view in named.values()]
        return dict(zip(parameter_shapes(self.layers), views, strict=True))
