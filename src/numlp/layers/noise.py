"""Noise in training, nothing in inference: dropout and Gaussian noise."""

import numpy as np
import numpy.typing as npt

from numlp.layers.layer import Layer
from numlp.randomness import fill_normal
from numlp.special import Array


class _Noise(Layer):
    """A layer of `width` units that draws random numbers while it trains.

    Parameters
    ----------
    width : int
    in_place : bool
        False for the network's inputs, which are not its own.
    """

    def __init__(self, width: int, in_place: bool) -> None:
        self.width = width
        self.in_place = in_place

    def begin_epoch(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._noise = np.empty((batch_size, self.width), dtype)
        self._output = None if self.in_place else np.empty_like(self._noise)

    def _out(self, x: Array) -> Array:
        return x if self._output is None else self._output[: len(x)]


class Dropout(_Noise):
    """Sets each unit to 0 with probability `rate`, and makes up for it by dividing the others by 1 − rate.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
    """

    kind = "dropout"

    def __init__(self, width: int, rate: float, in_place: bool = True) -> None:
        super().__init__(width, in_place)
        self.rate = rate

    def forward(self, x: Array, training: bool) -> Array:
        if not training:
            return x
        mask = self._noise[: len(x)]
        self._rng.random(dtype=mask.dtype, out=mask)
        np.greater_equal(mask, self.rate, out=mask)
        np.multiply(mask, 1 / (1 - self.rate), out=mask)
        return np.multiply(x, mask, out=self._out(x))

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        return np.multiply(delta, self._noise[: len(delta)], out=delta)


class GaussianNoise(_Noise):
    """Adds normal noise of a standard deviation to each unit.

    C. Bishop, "Training with noise is equivalent to Tikhonov regularization" (1995).
    """

    kind = "gaussian_noise"

    def __init__(self, width: int, deviation: float, in_place: bool = True) -> None:
        super().__init__(width, in_place)
        self.deviation = deviation

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._half = np.empty((self._noise.size + 1) // 2, dtype)

    def forward(self, x: Array, training: bool) -> Array:
        if not training:
            return x
        noise = self._noise[: len(x)]
        fill_normal(self._rng, noise, self._half)
        np.multiply(noise, self.deviation, out=noise)
        return np.add(x, noise, out=self._out(x))

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        return delta
