"""Flat: the layers of a network over one flat array of parameters and one of gradients, and back-propagation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.randomness import Role, generator
from numlp.arrays.special import Array, all_finite
from numlp.errors import DataError
from numlp.network.layers import Layer, Linear, parameter_shapes, parameter_views
from numlp.network.losses import Loss
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
    loss : Loss
    dtype : dtype
    arithmetic : Arithmetic
    layer_size : tuple of int
        The number of inputs first, of outputs last.
    row_losses, last_logits : array, shapes (n,) and (n, outputs)
        Of the last `loss_and_grad`.
    input_grad : array, shape (n, inputs), or None
        Of the last `loss_and_grad`, if asked for.
    """

    layers: list[Layer]
    n_weights: int
    loss: Loss
    dtype: np.dtype[Any]
    arithmetic: Arithmetic
    layer_size: tuple[int, ...]
    row_losses: Array
    last_logits: Array
    input_grad: Array | None

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

    def sum_of_squares(self, values: Array) -> float:
        """Return the sum of the squares of values for all parameters, (n_parameters,)."""
        return self.arithmetic.dot(values, values)

    def is_finite(self) -> bool:
        """Return whether all parameters are finite."""
        return all_finite(self.params)

    def bind(self, layers: list[Layer], flats: tuple[Array, Array] | None = None) -> None:
        """Take layers, and two flat arrays, `params` and `grads`, for them to hold views of; by default new ones."""
        self.layers = layers
        self._first = next(i for i, layer in enumerate(layers) if layer.shapes)
        count = n_parameters(layers)
        self._params: Array
        self._grads: Array
        self._params, self._grads = flats or (buffers.zeros(count, self.dtype), buffers.zeros(count, self.dtype))
        views = [parameter_views(layers, flat) for flat in (self._params, self._grads)]
        for layer, params, grads in zip(layers, *views, strict=True):
            layer.arithmetic = self.arithmetic
            layer.bind(params, grads)
        matrices = (shape for layer in layers for shape in layer.shapes.values() if len(shape) == 2)
        self.n_weights = sum(math.prod(shape) for shape in matrices)
        self._capacity = self._rows = 0
        self.begin_epoch(seed=0, epoch=0)

    def loss_and_grad(
        self, x: Array, targets: Array, weights: Array | None = None, *, input_gradient: bool = False
    ) -> float:
        """Return the mean loss of a batch, and fill `grads` with its gradient, by back-propagation.

        Parameters
        ----------
        x : array, shape (n, inputs), of the network's dtype
            Scaled inputs.
        targets : array, shape (n, targets)
            One-hot rows or other probabilities, 0 and 1, or scaled values: what the loss in `LOSSES` takes.
        weights : array, shape (n,), optional
            How much each row counts: the mean is Σ weight · loss / n.
        input_gradient : bool
            Whether to compute the gradient with respect to `x` as well.

        Returns
        -------
        float
            `last_logits`, `row_losses` and `input_grad` have more of it, until the next call.

        Examples
        --------
        >>> from numlp import MLP
        >>> net = MLP([2, 2])
        >>> loss = net.loss_and_grad(np.ones((3, 2), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1]])
        >>> net.params -= 0.1 * net.grads  # a step of gradient descent by hand
        """
        n, logits = self._rows_in_all(len(x)), self.forward(x)
        if targets.shape != self._target_shape:
            raise DataError(f"targets must be rows of shape {self._target_shape}, not {targets.shape}")
        losses, delta = self._losses, self._delta
        self.loss.value_and_grad(logits, targets, losses, delta, self._scratch, self.arithmetic)
        if weights is not None:
            np.multiply(delta, weights[:, None], out=delta)
        np.divide(delta, n, out=delta)
        self.row_losses, self.last_logits = losses, logits
        self.input_grad = self.backward(delta, input_gradient)
        return self._total(losses, weights) / n

    def _rows_in_all(self, n: int) -> int:
        """Return how many rows the batch has of which `n` are here."""
        return n

    def _total(self, losses: Array, weights: Array | None) -> float:
        """Return the weighted sum of the rows' losses."""
        return self.arithmetic.total(losses) if weights is None else self.arithmetic.dot(weights, losses)

    def forward(self, x: Array) -> Array:
        """Return the logits, (n, outputs), of scaled inputs, (n, inputs), as in training; `logits` is for use."""
        if len(x) != self._rows:
            self.resize(len(x))
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def allocate(self, batch_size: int) -> None:
        """Make all buffers for training with batches of up to `batch_size` rows."""
        outputs = buffers.empty((2, batch_size, self.layer_size[-1]), self.dtype)
        self._buffers: tuple[Array, Array, Array] = *outputs, buffers.empty(batch_size, self.dtype)
        self._capacity = batch_size
        for layer in self.layers:
            layer.allocate(batch_size, self.dtype)
            layer.resize(batch_size)  # which lets go of smaller buffers
        self.resize(batch_size)

    def resize(self, n: int) -> None:
        """Cut all buffers to `n` rows, so that a step finds its views in place; make larger ones where needed."""
        if n > self._capacity:
            self.allocate(n)
        self._delta, self._scratch, self._losses = (buffer[:n] for buffer in self._buffers)
        for layer in self.layers:
            layer.resize(n)
        self._rows, self._target_shape = n, (n, self.layer_size[-1] // self.loss.blocks)

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
        self.draw_from(generator(seed, epoch, Role.NOISE))

    def draw_from(self, rng: np.random.Generator) -> None:
        """Take all that is random in forward passes from a generator, in the order of the layers."""
        self.rng = rng
        for layer in self.layers:
            layer.begin_epoch(rng)

    def named_parameters(self) -> dict[str, Array]:
        """Return the parameters by names such as "linear.0.weight": views of `params`."""
        views = [view for named in parameter_views(self.layers, self.params) for view in named.values()]
        return dict(zip(parameter_shapes(self.layers), views, strict=True))
