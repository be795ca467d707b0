"""Initializers: first weights, scaled so that signals neither die nor explode on their way through the layers.

An initializer is a function ``(rng, fan_in, fan_out, arithmetic)`` that returns a float64 array of shape (fan_in,
fan_out), so networks of every dtype get the same draws.

Sources: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
K. He et al., "Delving deep into rectifiers" (2015); Y. LeCun et al., "Efficient backprop" (1998); A. Saxe et al.,
"Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2014); G. Yang et al., "Tensor
programs V: tuning large neural networks via zero-shot hyperparameter transfer" (2022).
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import Arithmetic

Initializer = Callable[[np.random.Generator, int, int, Arithmetic], npt.NDArray[np.float64]]


def he_normal(rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic) -> npt.NDArray[np.float64]:
    """Normal with variance 2 / fan_in, which preserves the signal's magnitude through ReLU (He et al.)."""
    return arithmetic.random_normal(rng, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


def he_uniform(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Uniform with variance 2 / fan_in, that is, within ±√(6 / fan_in) (He et al.)."""
    return _uniform(rng, math.sqrt(6.0 / fan_in), fan_in, fan_out)


def glorot_normal(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Normal with variance 2 / (fan_in + fan_out), a compromise between forward and backward signals (Glorot)."""
    return arithmetic.random_normal(rng, math.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


def glorot_uniform(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot)."""
    return _uniform(rng, math.sqrt(6.0 / (fan_in + fan_out)), fan_in, fan_out)


def lecun_normal(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Normal with variance 1 / fan_in, which preserves the signal's magnitude through linear units (LeCun et al.)."""
    return arithmetic.random_normal(rng, math.sqrt(1.0 / fan_in), (fan_in, fan_out))


def lecun_uniform(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Uniform with variance 1 / fan_in, that is, within ±√(3 / fan_in) (LeCun et al.)."""
    return _uniform(rng, math.sqrt(3.0 / fan_in), fan_in, fan_out)


def small_normal(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Normal with variance 1 / fan_in²: makes the first values of outputs all but 0 (Yang et al.)."""
    return arithmetic.random_normal(rng, 1.0 / fan_in, (fan_in, fan_out))


def orthogonal(
    rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic
) -> npt.NDArray[np.float64]:
    """Orthonormal rows or columns, whichever are fewer, uniform among all such matrices (Saxe et al.)."""
    tall = arithmetic.random_normal(rng, 1.0, (max(fan_in, fan_out), min(fan_in, fan_out)))
    q = arithmetic.orthonormal(tall)
    return q if fan_in >= fan_out else q.T


def zeros(rng: np.random.Generator, fan_in: int, fan_out: int, arithmetic: Arithmetic) -> npt.NDArray[np.float64]:
    """All 0: fine for a single layer, but hidden units that begin alike stay alike."""
    return np.zeros((fan_in, fan_out))


def _uniform(rng: np.random.Generator, limit: float, fan_in: int, fan_out: int) -> npt.NDArray[np.float64]:
    # The generator's own `uniform` may fuse this multiplication with the addition, which rounds once, not twice.
    return rng.random((fan_in, fan_out)) * (2 * limit) - limit


INITIALIZERS: dict[str, Initializer] = {
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "orthogonal": orthogonal,
    "small_normal": small_normal,
    "zeros": zeros,
}
