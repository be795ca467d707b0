"""Noise in training, nothing in inference: dropout and Gaussian noise."""

import sys

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.randomness import fill_normal
from numlp.arrays.special import Array
from numlp.network.layers.layer import Layer

_LOW = 0 if sys.byteorder == "little" else 1  # which half of a float64 is the lower one


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
        self._noise: Array = buffers.empty((batch_size, self.width), dtype)
        self._output = None if self.in_place else buffers.empty(self._noise.shape, dtype)

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

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        # Two units share a random number in [0, 1): one is dropped if the number is below the rate, which its upper
        # 32 bits tell to a millionth, the other if the lower 32, which are as random but for the last few of small
        # numbers, are below that share of 2³²: integers, both.
        self._drawn = buffers.empty((batch_size, (self.width + 1) // 2))
        self._bits = self._drawn.view(np.uint32)[:, : self.width]
        limit = np.array([self.rate]).view(np.uint32)
        limit[_LOW] = int(self.rate * 2**32)
        self._limit = np.tile(limit, self._drawn.shape[1])[: self.width]

    def forward(self, x: Array, training: bool) -> Array:
        if not training:
            return x
        n = len(x)
        mask, drawn = self._noise[:n], self._drawn[:n]
        self._rng.random(out=drawn)
        np.greater_equal(self._bits[:n], self._limit, out=mask)
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
