"""Activation functions: forward and backward as one pair, both in place.

`forward(z)` overwrites pre-activations with activations. `backward(delta, output, scratch)` multiplies the
gradient with respect to the activations by the function's derivative, so that `delta` becomes the gradient with
respect to the pre-activations. It knows the derivative from the activations alone, so that no pre-activation is
kept; `scratch` is a buffer of the same shape that it may overwrite.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numlp.special import Array, sigmoid


@dataclass(frozen=True)
class Activation:
    """A function of one variable, its derivative, and the initialiser that suits it.

    Attributes
    ----------
    name : str
        Its name in `ACTIVATIONS`, in recipes and in model files.
    forward : callable
        ``forward(z)``: f(z), in place.
    backward : callable
        ``backward(delta, output, scratch)``: delta · f'(z), in place, with f' expressed by ``output = f(z)``.
    initializer : str
        The initialiser of the weights before it, unless the user names one.
    """

    name: str
    forward: Callable[[Array], object]
    backward: Callable[[Array, Array, Array], object]
    initializer: str


def _identity_forward(z: Array) -> None: ...


def _identity_backward(delta: Array, output: Array, scratch: Array) -> None: ...


def _relu_forward(z: Array) -> None:
    np.maximum(z, 0, out=z)


def _relu_backward(delta: Array, output: Array, scratch: Array) -> None:
    # The mask as floats: a product of floats takes less time than one with a boolean array or a masked copy.
    np.greater(output, 0, out=scratch)
    np.multiply(delta, scratch, out=delta)


def _sigmoid_forward(z: Array) -> None:
    sigmoid(z, out=z)


def _sigmoid_backward(delta: Array, output: Array, scratch: Array) -> None:
    np.subtract(1, output, out=scratch)
    np.multiply(scratch, output, out=scratch)
    np.multiply(delta, scratch, out=delta)


def _tanh_forward(z: Array) -> None:
    np.tanh(z, out=z)


def _tanh_backward(delta: Array, output: Array, scratch: Array) -> None:
    np.multiply(output, output, out=scratch)
    np.subtract(1, scratch, out=scratch)
    np.multiply(delta, scratch, out=delta)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("identity", _identity_forward, _identity_backward, "glorot_uniform"),
        Activation("relu", _relu_forward, _relu_backward, "he_normal"),
        Activation("sigmoid", _sigmoid_forward, _sigmoid_backward, "glorot_uniform"),
        Activation("tanh", _tanh_forward, _tanh_backward, "glorot_uniform"),
    )
}
