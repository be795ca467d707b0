"""Activation functions: each beside its derivative, in place.

``activation(z, derivative, scratch, arithmetic)`` overwrites pre-activations with activations. In training it also
writes the derivative at each of them into `derivative`, so that the backward pass is one product whatever the
activation. In use `derivative` is None. All three arrays have one shape, and `scratch` may be overwritten.
`arithmetic` computes exponentials and their kin.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array, normal
from numlp.settings.checks import fraction, positive
from numlp.settings.named import Named, setting


class Activation(Named, ABC):
    """A function of one variable, with its derivative, and the initializer of weights that suits it."""

    initializer: ClassVar[str] = "he_normal"

    @abstractmethod
    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        """Turn `z` into activations, and write the derivatives into `derivative` unless it is None."""


class Identity(Activation):
    """f(z) = z."""

    name = "identity"
    initializer = "glorot_uniform"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        if derivative is not None:
            derivative.fill(1)


class ReLU(Activation):
    """f(z) = max(z, 0). V. Nair, G. Hinton, "Rectified linear units improve restricted Boltzmann machines" (2010)."""

    name = "relu"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        # NumPy multiplies two arrays of floats faster than it multiplies by booleans or copies under a mask.
        if derivative is None:
            np.maximum(z, 0, out=z)
        else:
            np.greater(z, 0, out=derivative)
            np.multiply(z, derivative, out=z)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """f(z) = max(z, slope · z). A. Maas et al., "Rectifier nonlinearities improve acoustic models" (2013).

    Parameters
    ----------
    slope : float, in [0, 1)
        The slope of the line below zero.
    """

    name = "leaky_relu"
    slope: float = setting(0.01, fraction)

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        if derivative is not None:
            np.greater(z, 0, out=derivative)
            np.maximum(derivative, self.slope, out=derivative)
        np.multiply(z, self.slope, out=scratch)
        np.maximum(z, scratch, out=z)


@dataclass(frozen=True)
class ELU(Activation):
    """f(z) = z if z > 0 else α (eᶻ − 1). D.-A. Clevert et al., "Fast and accurate deep network learning" (2016).

    Parameters
    ----------
    alpha : float
        Very negative z approach −α.
    """

    name = "elu"
    alpha: float = setting(1.0, positive)

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        np.minimum(z, 0, out=scratch)
        arithmetic.expm1(scratch, scratch)
        np.multiply(scratch, self.alpha, out=scratch)
        if derivative is not None:  # 1 above zero, and α eᶻ below
            np.greater(z, 0, out=derivative)
            np.multiply(derivative, 1 - self.alpha, out=derivative)
            np.add(derivative, self.alpha, out=derivative)
            np.add(derivative, scratch, out=derivative)
        np.maximum(z, 0, out=z)
        np.add(z, scratch, out=z)


_SELU_CURVE, _SELU_SCALE = ELU(1.6732632423543772), 1.0507009873554805


class SELU(Activation):
    """f(z) = λ ELU(z), with λ and α that keep mean 0 and variance 1. G. Klambauer et al. (2017)."""

    name = "selu"
    initializer = "lecun_normal"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        _SELU_CURVE(z, derivative, scratch, arithmetic)
        np.multiply(z, _SELU_SCALE, out=z)
        if derivative is not None:
            np.multiply(derivative, _SELU_SCALE, out=derivative)


class GELU(Activation):
    r"""f(z) = z Φ(z) with Φ(z) = ½ (1 + erf(z / √2)), the probability that a standard normal variable is below z.

    D. Hendrycks, K. Gimpel, "Gaussian error linear units" (2016). `numlp.arrays.special.normal` computes Φ, and names
    the source of its approximation.
    """

    name = "gelu"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        tail = np.empty_like(z) if derivative is None else derivative
        np.subtract(0, z, out=z)  # −z; where z is 0, this is 0 and never −0
        normal(z, tail, scratch, arithmetic.exp)
        np.copysign(tail, z, out=tail)
        if derivative is not None:  # Φ(z) + z φ(z), but for the 1 in Φ(z) = 1 − Φ(−z) above zero
            np.multiply(scratch, z, out=scratch)
            np.subtract(tail, scratch, out=scratch)
        # z Φ(z) = max(z, 0) − |z| Φ(−|z|) keeps its digits far below zero, too.
        np.multiply(tail, z, out=tail)
        np.minimum(z, 0, out=z)
        np.add(z, tail, out=z)
        if derivative is not None:
            np.less(z, 0, out=derivative)
            np.add(derivative, scratch, out=derivative)
        np.negative(z, out=z)


class GELUTanh(Activation):
    r"""GELU by an approximation, as PyTorch's ``GELU(approximate="tanh")``.

    f(z) = :math:`\tfrac12 z (1 + \tanh(\sqrt{2/\pi}\,(z + 0.044715\, z^3)))`. D. Hendrycks, K. Gimpel, "Gaussian
    error linear units" (2016), who give it. It differs from `GELU` by up to 5e-4.
    """

    name = "gelu_tanh"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        cubic, rate = 0.044715, 0.7978845608028654
        np.multiply(z, z, out=scratch)
        if derivative is not None:  # the inner derivative, times z / 2
            np.multiply(scratch, 3 * cubic * rate / 2, out=derivative)
            np.add(derivative, rate / 2, out=derivative)
            np.multiply(derivative, z, out=derivative)
        np.multiply(scratch, cubic * rate, out=scratch)
        np.add(scratch, rate, out=scratch)
        np.multiply(scratch, z, out=scratch)
        arithmetic.tanh(scratch, scratch)
        # tanh' = (1 − tanh)(1 + tanh), one factor at a time
        np.subtract(1, scratch, out=scratch)
        if derivative is not None:
            np.multiply(derivative, scratch, out=derivative)
        np.subtract(2, scratch, out=scratch)
        if derivative is not None:
            np.multiply(derivative, scratch, out=derivative)
        np.multiply(scratch, 0.5, out=scratch)
        if derivative is not None:
            np.add(derivative, scratch, out=derivative)
        np.multiply(z, scratch, out=z)


class SiLU(Activation):
    """f(z) = z σ(z), also called swish. S. Elfwing et al., "Sigmoid-weighted linear units" (2018)."""

    name = "silu"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        arithmetic.sigmoid(z, scratch)
        if derivative is not None:  # σ (1 + z (1 − σ))
            np.subtract(1, scratch, out=derivative)
            np.multiply(derivative, z, out=derivative)
            np.add(derivative, 1, out=derivative)
            np.multiply(derivative, scratch, out=derivative)
        np.multiply(z, scratch, out=z)


class Mish(Activation):
    """f(z) = z ω with ω = tanh(log(1 + eᶻ)). D. Misra, "Mish: a self regularized non-monotonic activation" (2020)."""

    name = "mish"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        if derivative is not None:
            arithmetic.sigmoid(z, derivative)
            np.multiply(derivative, z, out=derivative)
        arithmetic.softplus(z, scratch)
        arithmetic.tanh(scratch, scratch)
        np.multiply(z, scratch, out=z)
        if derivative is not None:  # ω + z σ(z) (1 − ω)(1 + ω)
            np.subtract(1, scratch, out=scratch)
            np.multiply(derivative, scratch, out=derivative)
            np.subtract(2, scratch, out=scratch)
            np.multiply(derivative, scratch, out=derivative)
            np.subtract(scratch, 1, out=scratch)
            np.add(derivative, scratch, out=derivative)


class Tanh(Activation):
    """f(z) = tanh(z)."""

    name = "tanh"
    initializer = "glorot_uniform"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        arithmetic.tanh(z, z)
        if derivative is not None:
            np.multiply(z, z, out=derivative)
            np.subtract(1, derivative, out=derivative)


class Sigmoid(Activation):
    """f(z) = σ(z) = 1 / (1 + e⁻ᶻ)."""

    name = "sigmoid"
    initializer = "glorot_uniform"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        arithmetic.sigmoid(z, z)
        if derivative is not None:
            np.subtract(1, z, out=derivative)
            np.multiply(derivative, z, out=derivative)


class Softplus(Activation):
    """f(z) = log(1 + eᶻ), a smooth ReLU. C. Dugas et al. (2001)."""

    name = "softplus"

    def __call__(self, z: Array, derivative: Array | None, scratch: Array, arithmetic: Arithmetic) -> None:
        if derivative is not None:
            arithmetic.sigmoid(z, derivative)
        arithmetic.softplus(z, z)


ACTIVATIONS: dict[str, type[Activation]] = {
    activation.name: activation
    for activation in (Identity, ReLU, LeakyReLU, ELU, SELU, GELU, GELUTanh, SiLU, Mish, Tanh, Sigmoid, Softplus)
}
