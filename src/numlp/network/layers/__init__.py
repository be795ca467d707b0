"""Layers: forward and backward, into buffers that they own.

A layer declares the shapes of its parameters, and the network binds it to views of its two flat arrays, `params` and
`grads`. Before training, `allocate` makes the layer's buffers for the largest batch, and `resize` cuts them to the
size of the next ones, so that a step finds everything in place: `forward` and `backward` allocate nothing, and the
next step overwrites what they return. `infer` keeps nothing and touches no buffer, so that any number of threads may
predict at once.
"""

import itertools
from collections.abc import Mapping, Sequence

from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, Activation
from numlp.network.encoding import Encoding
from numlp.network.features import OrientedGradients, as_input_features, image_of
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers.activate import Activate
from numlp.network.layers.encode import Encode
from numlp.network.layers.layer import Layer
from numlp.network.layers.linear import Linear
from numlp.network.layers.noise import Dropout, GaussianNoise
from numlp.network.layers.norm import BatchNorm, LayerNorm
from numlp.network.layers.oriented_gradients import GradientHistograms
from numlp.network.layers.parameters import parameter_shapes, parameter_views
from numlp.network.shape import as_layer_size
from numlp.settings.checks import choice
from numlp.settings.named import resolve

__all__ = [
    "ARCHITECTURE",
    "NORMALIZATIONS",
    "Activate",
    "BatchNorm",
    "Dropout",
    "Encode",
    "GaussianNoise",
    "GradientHistograms",
    "Layer",
    "LayerNorm",
    "Linear",
    "as_activations",
    "make_layers",
    "parameter_shapes",
    "parameter_views",
]

NORMALIZATIONS: Mapping[str, type[BatchNorm] | type[LayerNorm] | None] = {
    "none": None,
    "batch": BatchNorm,
    "layer": LayerNorm,
}

# The settings of `make_layers` besides shapes and activations.
ARCHITECTURE = (
    *("input_features", "initializer", "normalization"),
    *("dropout", "input_dropout", "noise", "input_noise"),
)


def as_activations(
    activation: str | Activation | Sequence[str | Activation], n_hidden: int
) -> tuple[Activation, ...]:
    """Return one activation for each hidden layer."""
    if isinstance(activation, list | tuple):
        if len(activation) != n_hidden:
            raise SettingError(
                f"activation must be one for all, or {n_hidden}, not {len(activation)}: {activation!r}"
            )
        return tuple(resolve("activation", each, ACTIVATIONS) for each in activation)
    return (resolve("activation", activation, ACTIVATIONS),) * n_hidden


def make_layers(
    layer_size: Sequence[int],
    activations: Sequence[Activation],
    *,
    encoding: Encoding | None = None,
    input_shape: Sequence[int] | None = None,
    input_features: str | OrientedGradients | None = None,
    output_initializer: str = "glorot_uniform",
    initializer: str | None = None,
    normalization: str = "none",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    noise: float = 0.0,
    input_noise: float = 0.0,
) -> list[Layer]:
    """Make the layers of a network, without any array yet.

    Inputs: encoding, noise, dropout, features of images. Each hidden layer: weights, normalization, activation,
    noise, dropout. Outputs: weights.
    """
    norm = choice("normalization", normalization, NORMALIZATIONS)
    layers: list[Layer] = [] if encoding is None else [Encode(encoding)]
    if encoding is not None:
        layer_size = [encoding.width, *layer_size[1:]]
    layers += _noisy(layer_size[0], input_noise, input_dropout, in_place=encoding is not None)
    if input_features is not None:
        if encoding is not None:
            raise SettingError("input_features need images, not the columns of a table: leave input_features out")
        features = as_input_features(input_features)
        histograms = GradientHistograms(features, image_of(features, input_shape))
        layers.append(histograms)
        layer_size = as_layer_size([histograms.width, *layer_size[1:]])
    of_inputs = input_features is None
    for (fan_in, fan_out), activation in zip(itertools.pairwise(layer_size[:-1]), activations, strict=True):
        fitting = choice("initializer", initializer or activation.initializer, INITIALIZERS)
        raw = of_inputs and not any(isinstance(layer, Linear) for layer in layers)
        layers.append(Linear(fan_in, fan_out, fitting, bias=norm is not BatchNorm, raw=raw))
        if norm is not None:
            layers.append(norm(fan_out))
        layers.append(Activate(activation, fan_out))
        layers += _noisy(fan_out, noise, dropout)
    fitting = choice("initializer", initializer or output_initializer, INITIALIZERS)
    return [*layers, Linear(layer_size[-2], layer_size[-1], fitting, raw=of_inputs and len(layer_size) == 2)]


def _noisy(width: int, deviation: float, rate: float, in_place: bool = True) -> list[Layer]:
    layers: list[Layer] = [GaussianNoise(width, deviation, in_place)] if deviation else []
    return [*layers, Dropout(width, rate, in_place)] if rate else layers
