"""Inspection: what happens inside a trained network. Nothing here changes the network or touches its buffers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.inputs import as_array
from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray, Array
from numlp.errors import SettingError
from numlp.network.layers import Activate, BatchNorm, GradientHistograms, LayerNorm, Linear
from numlp.network.layers.norm import EPSILON
from numlp.network.mlp import MLP


def hidden_activations(network: MLP, x: npt.ArrayLike) -> list[Array]:
    """Return the activations of every hidden layer.

    Parameters
    ----------
    network : MLP
    x : array_like, shape (n, …), or sparse matrix
        Raw features; the activations of all rows are held in memory at once.

    Returns
    -------
    list of array, shape (n, width)
        One for each hidden layer, after its activation.

    Examples
    --------
    >>> [layer.shape for layer in hidden_activations(MLP([4, 8, 6, 3]), np.ones((2, 4)))]
    [(2, 8), (2, 6)]
    """
    z, found = _scaled(network, x), []
    for layer in network.layers:
        z = layer.infer(z)
        if isinstance(layer, Activate):
            found.append(z.copy())
    return found


def dead_units(activations: Array) -> npt.NDArray[np.bool_]:
    """Return which units are dead: they give the same value for every row, so nothing can depend on them.

    A ReLU unit is dead if it is 0 for all rows, a sigmoid unit if it is 1 (or 0) for all. Values count as the same if
    they differ by at most a millionth of the layer's largest absolute value.

    Parameters
    ----------
    activations : array, shape (n, width)
        As `hidden_activations` returns them.

    Returns
    -------
    bool array, shape (width,)

    Examples
    --------
    >>> dead_units(np.array([[0.0, 1.0], [0.0, 2.0]]))
    array([ True, False])
    """
    still: npt.NDArray[np.bool_] = np.ptp(activations, axis=0) <= 1e-6 * np.abs(activations).max()
    return still


def histogram(values: npt.NDArray[Any], bins: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of values in each of several bins of equal width, (bins,), and the bins' edges, (bins + 1,).

    The bins span the values; if the values are all but equal, like those of saturated units, the bins span a width of
    1 around them.

    Examples
    --------
    >>> histogram(np.array([0.0, 0.1, 1.0, 2.0]), 2)
    (array([0.5, 0.5]), array([0., 1., 2.]))
    >>> histogram(np.array([1.0, 1.0 - 1e-16]), 2)[1]
    array([0.5, 1. , 1.5])
    """
    flat = values.ravel().astype(np.float64)
    low, high = float(flat.min()), float(flat.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(flat, bins, (low, high))
    return counts / flat.size, edges


def saliency(network: MLP, x: npt.ArrayLike, outputs: npt.ArrayLike | None = None) -> Array:
    r"""Return the gradient of one logit of each row with respect to the row's scaled inputs.

    :math:`\partial z_k / \partial x` says by how much the logit of class k rises with each input: a first-order
    explanation of the answer. The inputs are the *scaled* ones, which are all of similar magnitude: gradients with
    respect to raw features of different units could not be compared.

    K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks: visualising image classification
    models and saliency maps" (2014).

    Parameters
    ----------
    network : MLP
    x : array_like, shape (n, …), or sparse matrix
    outputs : array_like of int, shape (n,), optional
        The output of each row to explain; by default the one with the largest logit.

    Returns
    -------
    array, shape (n, inputs)

    Raises
    ------
    DataError
        If `x` does not fit the network.
    SettingError
        If `outputs` isn't one valid index for each row.

    Examples
    --------
    >>> network = MLP([2, 2], dtype="float64")
    >>> network.params[:] = [1, 0, 0, 2, 0, 0]  # the logits are x₀ and 2 x₁
    >>> saliency(network, [[3.0, 1.0], [1.0, 1.0]])
    array([[1., 0.],
           [0., 2.]])
    """
    z, slopes = _scaled(network, x), []
    for layer in network.layers:
        if isinstance(layer, Activate):
            slope = np.empty_like(z)
            layer.activation(z, slope, np.empty_like(z), layer.arithmetic)
            slopes.append(slope)
        elif isinstance(layer, LayerNorm):
            mean, inverse = z.mean(axis=1, keepdims=True), 1 / np.sqrt(z.var(axis=1, keepdims=True) + EPSILON)
            slopes.append(np.concatenate([(z - mean) * inverse, inverse], axis=1))  # x̂ and its scale
            z = layer.infer(z)
        elif isinstance(layer, GradientHistograms):
            histograms = _copied(layer, z)
            z = histograms.forward(z)
        else:
            z = layer.infer(z)
    wanted = z.argmax(axis=1) if outputs is None else as_array(outputs, "outputs")
    if wanted.shape != (len(z),) or wanted.min() < 0 or wanted.max() >= z.shape[1]:
        raise SettingError(
            f"outputs must be one index from 0 to {z.shape[1] - 1} for each of {len(z)} rows, not {wanted!r:.200}"
        )
    delta: Array = np.zeros_like(z)
    delta[np.arange(len(z)), wanted] = 1
    for layer in reversed(network.layers):
        if isinstance(layer, Linear):
            delta = delta @ layer.weight.T
        elif isinstance(layer, Activate):
            delta = delta * slopes.pop()
        elif isinstance(layer, BatchNorm):
            delta = delta * (layer.scale / np.sqrt(layer.variance + EPSILON))
        elif isinstance(layer, LayerNorm):
            seen = slopes.pop()
            normal, inverse = seen[:, :-1], seen[:, -1:]
            g = delta * layer.scale
            shared = normal * (g * normal).mean(axis=1, keepdims=True)
            delta = (g - g.mean(axis=1, keepdims=True) - shared) * inverse
        elif isinstance(layer, GradientHistograms):
            delta = histograms.backward(delta)
    return delta


def _copied(layer: GradientHistograms, x: Array) -> GradientHistograms:
    """Return a layer of its own for these rows: the network's has the buffers of its training."""
    copied = GradientHistograms(layer.features, layer.shape)
    copied.arithmetic = layer.arithmetic
    copied.bind({}, {})
    copied.allocate(len(x), x.dtype)
    copied.resize(len(x))
    return copied


def gradient_norms(network: MLP) -> dict[str, float]:
    """Return the Euclidean norm of the gradient of every layer's weights, after the last step.

    Returns
    -------
    dict
        The keys are "layer 1", "layer 2", …; the last is the output layer.

    Examples
    --------
    >>> network = MLP([2, 3, 2])
    >>> loss = network.loss_and_grad(np.ones((1, 2), np.float32), np.eye(2, dtype=np.float32)[:1])
    >>> list(gradient_norms(network))
    ['layer 1', 'layer 2']
    """
    norms, start = {}, 0
    for number, layer in enumerate(network.linear_layers, start=1):  # all weights come first, in order
        gradient = network.grads[start : start + layer.weight.size]
        norms[f"layer {number}"] = math.sqrt(network.arithmetic.dot(gradient, gradient))
        start += layer.weight.size
    return norms


def _scaled(network: MLP, x: npt.ArrayLike) -> Array:
    rows: AnyArray = dense(network.features(x, training=True))
    return network.scaling_of(rows.dtype).apply(rows, np.empty(rows.shape, network.dtype))
