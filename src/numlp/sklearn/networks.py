"""Networks: made from an estimator's parameters, and kept in step with its attributes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array
from numlp.errors import SettingError
from numlp.network.features import as_input_features
from numlp.network.layers import Linear
from numlp.network.losses import Loss
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling
from numlp.sklearn.parameters import activations

_LEARNED = ("input_scaling", "feature_names", "class_names", "input_range")
_NETWORK_SETTINGS = ("initializer", "normalization", "dropout", "input_dropout", "noise", "input_noise")


def make_network(
    parameters: dict[str, Any],
    layer_size: tuple[int, ...],
    loss: Loss,
    dtype: npt.DTypeLike,
    random_state: np.random.RandomState,
    **settings: Any,
) -> MLP:
    """Return a network with the initial weights that scikit-learn would draw, unless an initializer is given."""
    network = MLP(
        layer_size,
        activation=activations("activation", parameters["activation"]),
        loss=loss,
        dtype=dtype,
        arithmetic=parameters.get("arithmetic", "ordinary"),
        **_images(parameters.get("input_features"), layer_size[0]),
        seed=seed_of(random_state),
        **{name: parameters[name] for name in _NETWORK_SETTINGS},
        **settings,
    )
    if parameters["initializer"] is None:
        # X. Glorot's bound, smaller for the logistic function; the output layer is drawn like the one before it.
        names = [activation.name for activation in network.activations] or ["identity"]
        for layer, name in zip(network.linear_layers, [*names, names[-1]], strict=False):
            bound = np.sqrt((2.0 if name == "sigmoid" else 6.0) / sum(layer.weight.shape))
            layer.weight[...] = _uniform(random_state, bound, layer.weight.shape)
            intercept = _uniform(random_state, bound, layer.weight.shape[1:])
            if layer.bias is not None:
                layer.bias[...] = intercept
    return network


def _images(features: Any, columns: int) -> dict[str, Any]:
    """Return the settings of a network for rows that are square images, if features of them are wanted.

    Raises
    ------
    SettingError
        If no square image has so many pixels.
    """
    if features is None:
        return {}
    side = math.isqrt(columns)
    if side * side != columns:
        raise SettingError(
            f"input_features must be None for X with {columns} columns, which aren't the pixels of a square image; "
            "numlp.MLP takes others, with input_shape"
        )
    return {"input_features": features, "input_shape": (side, side)}


def _uniform(random_state: np.random.RandomState, bound: float, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return what `random_state.uniform(-bound, bound, shape)` does, where its product and sum are rounded apart.

    A compiler for ARM64 joins them in NumPy's own loop, with other last bits.
    """
    drawn: npt.NDArray[np.float64] = random_state.random_sample(shape)
    return -bound + 2 * bound * drawn


def seed_of(random_state: np.random.RandomState) -> int:
    """Return a seed for randomness beyond scikit-learn's, without drawing from its generator."""
    copied = np.random.RandomState()
    copied.set_state(random_state.get_state())
    return int(copied.randint(2**31))


def adopt(estimator: Any, network: MLP) -> None:
    """Make an estimator's attributes views into a network's parameters."""
    estimator.network_ = network
    estimator.coefs_ = [layer.weight for layer in network.linear_layers]
    estimator.intercepts_ = [_intercept(network, layer) for layer in network.linear_layers]


def current_network(estimator: Any) -> MLP:
    """Return the network with the coefficients in the attributes, which users may have set."""
    network: MLP = estimator.network_
    layers = network.linear_layers
    count = estimator.n_layers_ - 1
    coefs, intercepts = estimator.coefs_[:count], estimator.intercepts_[:count]
    if len(coefs) == len(layers) and all(
        coef is layer.weight and intercept is _intercept(network, layer)
        for coef, intercept, layer in zip(coefs, intercepts, layers, strict=True)
    ):
        return network
    if [np.shape(coef) for coef in coefs] != [layer.weight.shape for layer in layers]:
        return _other_network(network, coefs, intercepts)
    for coef, intercept, layer in zip(coefs, intercepts, layers, strict=True):
        layer.weight[...] = coef
        _intercept(network, layer)[...] = intercept
    if estimator._state is not None and estimator._state.average is not None:
        estimator._state.average.mean[:] = network.params  # from which training would continue
    return network


def remade(estimator: Any, layer_size: tuple[int, ...], parameters: dict[str, Any]) -> MLP:
    """Return the network to continue with: the same weights under the current parameters."""
    network: MLP = estimator.network_
    before = estimator._made_with
    if layer_size != network.layer_size:
        raise ValueError(
            f"hidden_layer_sizes={parameters['hidden_layer_sizes']} does not fit the network to continue with, of "
            f"layers {list(network.layer_size)}: fit again with warm_start=False"
        )
    for name in ("loss", "normalization", "input_scaling", "dtype", "arithmetic", "input_features"):
        was, wanted = (_setting(each, name) for each in (before, parameters))
        if wanted != was:
            raise ValueError(
                f"{name} must stay {was!r} while the weights stay, not {wanted!r}: fit again with warm_start=False"
            )
    if all(parameters[name] == before[name] for name in ("activation", *_NETWORK_SETTINGS)):
        return network
    estimator._made_with = parameters
    learned = {name: getattr(network, name) for name in _LEARNED}
    other = make_network(parameters, layer_size, network.loss, network.dtype, np.random.RandomState(0), **learned)
    other.params = network.params
    if estimator._state is not None:
        estimator._state.network = other
        if estimator._state.average is not None:
            estimator._state.average.network = other
    return other


def _setting(parameters: dict[str, Any], name: str) -> Any:
    """Return a parameter, which estimators of earlier releases may lack, in one spelling."""
    value = parameters.get(name, "ordinary" if name == "arithmetic" else None)
    return str(as_input_features(value)) if name == "input_features" and value is not None else value


def _other_network(network: MLP, coefs: list[Array], intercepts: list[Array]) -> MLP:
    """Return a network of other sizes, such as the encoder of an autoencoder."""
    made = network.architecture
    if (made["normalization"], made["input_features"]) != ("none", None) or network.input_scaling != Scaling():
        raise SettingError(
            "coefs_ must keep their shapes in a network with normalization, input_features or input_scaling"
        )
    sizes = (len(coefs[0]), *(np.shape(coef)[1] for coef in coefs))
    other = MLP(
        sizes,
        activation=network.activations[: len(coefs) - 1],
        loss=network.loss,
        dtype=network.dtype,
        arithmetic=network.arithmetic.name,
    )
    for coef, intercept, layer in zip(coefs, intercepts, other.linear_layers, strict=True):
        layer.weight[...] = coef
        _intercept(other, layer)[...] = intercept
    return other


def _intercept(network: MLP, layer: Linear) -> Array:
    """Return a layer's bias, or the shift of the norm that takes its place."""
    if layer.bias is not None:
        return layer.bias
    norm: Any = network.layers[network.layers.index(layer) + 1]
    shift: Array = norm.shift
    return shift
