"""Activation functions: each beside its derivative, in place.

``function(z, slope)`` overwrites pre-activations with activations. In training it also writes the derivative at each
of them into `slope`, an array of the same shape; the backward pass is then one product for all activations. For
inference `slope` is None.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numlp.special import Array, sigmoid


@dataclass(frozen=True)
class Activation:
    """A function of one variable, with its derivative, and the initialiser that suits it.

    Attributes
    ----------
    name : str
        Its name in `ACTIVATIONS`, in recipes and in model files.
    function : callable
        ``function(z, slope)``: see the module.
    initializer : str
        The initialiser of the weights before it, unless the user names one.
    """

    name: str
    function: Callable[[Array, Array | None], object]
    initializer: str


def _identity(z: Array, slope: Array | None) -> None:
    if slope is not None:
        slope.fill(1)


def _relu(z: Array, slope: Array | None) -> None:
    if slope is not None:
        # As floats: a product of floats takes less time than one with a boolean array or a masked copy.
        np.greater(z, 0, out=slope)
    np.maximum(z, 0, out=z)


def _sigmoid(z: Array, slope: Array | None) -> None:
    sigmoid(z, out=z)
    if slope is not None:
        np.subtract(1, z, out=slope)
        np.multiply(slope, z, out=slope)


def _tanh(z: Array, slope: Array | None) -> None:
    np.tanh(z, out=z)
    if slope is not None:
        np.multiply(z, z, out=slope)
        np.subtract(1, slope, out=slope)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("identity", _identity, "glorot_uniform"),
        Activation("relu", _relu, "he_normal"),
        Activation("sigmoid", _sigmoid, "glorot_uniform"),
        Activation("tanh", _tanh, "glorot_uniform"),
    )
}
