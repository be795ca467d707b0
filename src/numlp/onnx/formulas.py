"""Formulas: layers, activations and links of losses as equivalent ONNX nodes.

The names are those of `ACTIVATIONS` and `LOSSES`. Each new entry there needs a line here, as a test ensures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import SettingError
from numlp.network.activations import Activation
from numlp.network.features import FLAT
from numlp.network.layers import GradientHistograms
from numlp.network.layers.norm import EPSILON
from numlp.network.losses import Loss
from numlp.onnx.graph import Graph


def single(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return numbers in float32, the precision of the file."""
    with np.errstate(over="ignore"):
        rounded = np.asarray(values).astype(np.float32)
    if not np.isfinite(rounded).all():
        raise SettingError("model must not hold numbers beyond the range of float32, in which ONNX files compute")
    return rounded


def gradient_histograms(graph: Graph, x: str, layer: GradientHistograms) -> str:
    """Add histograms of oriented gradients of rows of pixels: the rises in all directions are one convolution."""
    (height, width, channels, first), directions = layer.shape, layer.features.orientations
    if not first and channels > 1:
        x = graph("Transpose", graph("Reshape", x, np.array([-1, height, width, channels])), perm=[0, 3, 1, 2])
    kernel = np.zeros((directions, 1, 3, 3))
    for k, (cosine, sine) in enumerate([*layer.turns, *((-cosine, -sine) for cosine, sine in layer.turns)]):
        kernel[k, 0, 1] = -cosine, 0, cosine
        kernel[k, 0, :, 1] += -sine, 0, sine
    image = graph("Reshape", x, np.array([-1, 1, height, width]))
    rises = graph("Relu", graph("Conv", image, single(kernel), pads=[1, 1, 1, 1]))
    pooled = graph("MatMul", graph("MatMul", single(layer.down), rises), single(layer.across))
    if channels > 1:
        several = graph("Reshape", pooled, np.array([-1, channels, directions, *layer.grid]))
        pooled = graph("ReduceSum", several, np.array([1]), keepdims=0)
    around = np.ones((1, directions, 3, 3))
    energy = graph("Conv", graph("Mul", pooled, pooled), single(around), pads=[1, 1, 1, 1])
    divided = graph("Div", pooled, graph("Sqrt", graph("Add", energy, single(FLAT))))
    return graph("Reshape", divided, np.array([-1, layer.width]))


def activate(graph: Graph, z: str, activation: Activation) -> str:
    """Add an activation function."""
    return _found("activation", activation.name, _ACTIVATIONS)(graph, z, activation)


def link(graph: Graph, logits: str, loss: Loss, n_targets: int) -> str:
    """Add the link, which turns logits into predictions on the scale of the scaled targets."""
    return _found("loss", loss.name, _LINKS)(graph, logits, n_targets)


def pool(graph: Graph, members: list[str], loss: Loss, n_targets: int) -> str:
    """Add the pooling of the members' logits, each (n, outputs), into the logits of their joint prediction."""
    return _found("loss", loss.name, _POOLS)(graph, members, n_targets)


def batch_norm(graph: Graph, x: str, parameters: Mapping[str, str]) -> str:
    """Add a normalization by the statistics of the training batches."""
    names = [parameters[name] for name in ("scale", "shift", "mean", "variance")]
    return graph("BatchNormalization", x, *names, epsilon=EPSILON)


def layer_norm(graph: Graph, x: str, parameters: Mapping[str, str]) -> str:
    """Add a normalization of each row."""
    return graph("LayerNormalization", x, parameters["scale"], parameters["shift"], epsilon=EPSILON)


def columns(graph: Graph, x: str, start: int, stop: int) -> str:
    """Add the selection of some columns."""
    return graph("Slice", x, np.array([start]), np.array([stop]), np.array([1]))


def _found(kind: str, name: str, registry: Mapping[str, Callable[..., str]]) -> Callable[..., str]:
    if name not in registry:
        raise SettingError(f"{kind} must be one of {', '.join(registry)} for ONNX, not {name!r}")
    return registry[name]


def _gelu(graph: Graph, z: str) -> str:
    curve = graph("Erf", graph("Mul", z, single(math.sqrt(0.5))))
    return graph("Mul", graph("Mul", z, single(0.5)), graph("Add", curve, single(1)))


def _gelu_tanh(graph: Graph, z: str) -> str:
    cube = graph("Mul", graph("Mul", graph("Mul", z, z), z), single(0.044715))
    curve = graph("Tanh", graph("Mul", graph("Add", z, cube), single(math.sqrt(2 / math.pi))))
    return graph("Mul", graph("Mul", z, single(0.5)), graph("Add", curve, single(1)))


_ACTIVATIONS: dict[str, Callable[[Graph, str, Any], str]] = {
    "identity": lambda graph, z, _: z,
    "relu": lambda graph, z, _: graph("Relu", z),
    "leaky_relu": lambda graph, z, settings: graph("LeakyRelu", z, alpha=settings.slope),
    "elu": lambda graph, z, settings: graph("Elu", z, alpha=settings.alpha),
    "selu": lambda graph, z, _: graph("Selu", z),
    "gelu": lambda graph, z, _: _gelu(graph, z),
    "gelu_tanh": lambda graph, z, _: _gelu_tanh(graph, z),
    "silu": lambda graph, z, _: graph("Mul", z, graph("Sigmoid", z)),
    "mish": lambda graph, z, _: graph("Mul", z, graph("Tanh", graph("Softplus", z))),
    "tanh": lambda graph, z, _: graph("Tanh", z),
    "sigmoid": lambda graph, z, _: graph("Sigmoid", z),
    "softplus": lambda graph, z, _: graph("Softplus", z),
}


def _mean_and_variance(graph: Graph, logits: str, n_targets: int) -> str:
    mean, logarithm = (columns(graph, logits, i * n_targets, (i + 1) * n_targets) for i in (0, 1))
    return graph("Concat", mean, graph("Exp", logarithm), axis=1)


def _same(graph: Graph, logits: str, _: int) -> str:
    return logits


def _sigmoid(graph: Graph, logits: str, _: int) -> str:
    """Add σ(z) = exp(−log(1 + e⁻ᶻ)), since Sigmoid has no correct digits for small probabilities in onnxruntime."""
    return graph("Exp", _log_sigmoid(graph, logits))


def _log_sigmoid(graph: Graph, logits: str) -> str:
    return graph("Neg", graph("Softplus", graph("Neg", logits)))


_LINKS: dict[str, Callable[[Graph, str, int], str]] = {
    "softmax_cross_entropy": lambda graph, logits, _: graph("Softmax", logits, axis=1),
    "sigmoid_binary_cross_entropy": _sigmoid,
    "sigmoid_squared_error": lambda graph, logits, _: graph("Softmax", _log_sigmoid(graph, logits), axis=1),
    "squared_error": _same,
    "absolute_error": _same,
    "huber": _same,
    "poisson": lambda graph, logits, _: graph("Exp", logits),
    "quantile": _same,
    "gaussian_negative_log_likelihood": _mean_and_variance,
}


def _log_of_sum(graph: Graph, members: list[str]) -> str:
    """Add the logarithm of the sum of the exponentials."""
    stacked = graph("Concat", *(graph("Unsqueeze", member, np.array([0])) for member in members), axis=0)
    return graph("ReduceLogSumExp", stacked, axes=[0], keepdims=0)


def _mean(graph: Graph, members: list[str], _: int) -> str:
    return graph("Mean", *members)


def _mean_softmax(graph: Graph, members: list[str], _: int) -> str:
    return _log_of_sum(graph, [graph("LogSoftmax", logits, axis=1) for logits in members])


def _mean_sigmoid(graph: Graph, members: list[str], _: int) -> str:
    no = [graph("Neg", graph("Softplus", logits)) for logits in members]
    yes = [_log_sigmoid(graph, logits) for logits in members]
    return graph("Sub", _log_of_sum(graph, yes), _log_of_sum(graph, no))


def _mean_exponential(graph: Graph, members: list[str], _: int) -> str:
    return graph("Sub", _log_of_sum(graph, members), single(math.log(len(members))))


def _mixture(graph: Graph, members: list[str], n_targets: int) -> str:
    means = [columns(graph, logits, 0, n_targets) for logits in members]
    variances = [graph("Exp", columns(graph, logits, n_targets, 2 * n_targets)) for logits in members]
    mean = graph("Mean", *means)
    deviations = [graph("Sub", each, mean) for each in means]
    among = graph("Mean", *(graph("Mul", deviation, deviation) for deviation in deviations))
    return graph("Concat", mean, graph("Log", graph("Add", graph("Mean", *variances), among)), axis=1)


_POOLS: dict[str, Callable[[Graph, list[str], int], str]] = {
    "softmax_cross_entropy": _mean_softmax,
    "sigmoid_binary_cross_entropy": _mean_sigmoid,
    "sigmoid_squared_error": _mean_sigmoid,
    "squared_error": _mean,
    "absolute_error": _mean,
    "huber": _mean,
    "poisson": _mean_exponential,
    "quantile": _mean,
    "gaussian_negative_log_likelihood": _mixture,
}
