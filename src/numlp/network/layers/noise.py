"""Noise in training, nothing in use: dropout and Gaussian noise."""

import sys

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.randomness import fill_normal
from numlp.arrays.special import Array
from numlp.network.layers.layer import Layer

_LOW = 0 if sys.byteorder == "little" else 1  # which half of a float64 is the lower one
EVERY = slice(None)


class _Noise(Layer):
    """A layer of `width` units that draws random numbers in training.

    Parameters
    ----------
    width : int
    in_place : bool
        False for the network's inputs, which belong to the caller.
    own : slice
        Which of the units are here; random numbers are drawn for all of them, so that each gets the same anyhow.
    """

    def __init__(self, width: int, in_place: bool = True, own: slice = EVERY) -> None:
        self.width = width
        self.in_place = in_place
        self.own = own
        self._count = len(range(width)[own])

    def begin_epoch(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        shape = batch_size, self._count
        self._all_noise: Array = buffers.empty(shape, dtype)
        self._all_output: Array | None = None if self.in_place else buffers.empty(shape, dtype)

    def resize(self, n: int) -> None:
        self._noise = self._all_noise[:n]
        self._output = None if self._all_output is None else self._all_output[:n]

    def infer(self, x: Array) -> Array:
        return x


class Dropout(_Noise):
    """Sets each unit to 0 with probability `rate`, and divides the others by 1 − rate to keep their mean.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
    """

    kind = "dropout"

    def __init__(self, width: int, rate: float, in_place: bool = True, own: slice = EVERY) -> None:
        super().__init__(width, in_place, own)
        self.rate = rate

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        # Two units share one random number in [0, 1). Its upper 32 bits decide about one of them: they show to a
        # millionth whether it is below the rate. Its lower 32 bits, compared as an integer, decide about the other:
        # they are just as random, except for the last few bits of small numbers.
        self._all_drawn = buffers.empty((batch_size, (self.width + 1) // 2))
        limit = np.array([self.rate]).view(np.uint32)
        limit[_LOW] = int(self.rate * 2**32)
        self._limit = np.tile(limit, self._all_drawn.shape[1])[: self.width][self.own]

    def resize(self, n: int) -> None:
        super().resize(n)
        self._drawn = self._all_drawn[:n]
        self._bits = self._drawn.view(np.uint32)[:, : self.width][:, self.own]

    def forward(self, x: Array) -> Array:
        self._rng.random(out=self._drawn)
        np.greater_equal(self._bits, self._limit, out=self._noise)
        np.multiply(self._noise, 1 / (1 - self.rate), out=self._noise)
        return np.multiply(x, self._noise, out=x if self._output is None else self._output)

    def backward(self, delta: Array) -> Array:
        return np.multiply(delta, self._noise, out=delta)


class GaussianNoise(_Noise):
    """Adds normal noise of a given standard deviation to each unit.

    C. Bishop, "Training with noise is equivalent to Tikhonov regularization" (1995).
    """

    kind = "gaussian_noise"

    def __init__(self, width: int, deviation: float, in_place: bool = True, own: slice = EVERY) -> None:
        super().__init__(width, in_place, own)
        self.deviation = deviation

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._all_drawn: Array = self._all_noise
        if self._count != self.width:
            self._all_drawn = buffers.empty((batch_size, self.width), dtype)
        self._half = np.empty((self._all_drawn.size + 1) // 2, dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._drawn = self._all_drawn[:n]
        self._noise = self._drawn[:, self.own]

    def forward(self, x: Array) -> Array:
        fill_normal(self._rng, self._drawn, self._half, self.arithmetic)
        np.multiply(self._noise, self.deviation, out=self._noise)
        return np.add(x, self._noise, out=x if self._output is None else self._output)

    def backward(self, delta: Array) -> Array:
        return delta
