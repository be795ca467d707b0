"""Erasing: random rectangles of images filled with zeros.

Source: Z. Zhong et al., "Random erasing data augmentation" (2020).
"""

from __future__ import annotations

import numpy as np

from numlp.arrays import portable
from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.special import Array


class Erase:
    """A rectangle of zeros in some of up to `images` images. Too long a side is cut; the paper draws again."""

    def __init__(self, probability: float, height: int, width: int, images: int, arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        self.uniforms = 5  # random numbers for each image
        area, aspect, longest = height * width, -float(portable.log(0.3)), max(height, width)
        # Uniform numbers in [0, 1), times `_span` minus `_low`, are: below 0 to erase; a quarter of the rectangle's
        # area; the logarithm of its aspect's square root; its place between the image's edges, from −1 to 1.
        self._low = np.array([probability, -0.02 * area / 4, aspect / 2, 1, 1], np.float32)
        self._span = np.array([1, (0.33 - 0.02) * area / 4, aspect, 2, 2], np.float32)
        self._uniform = np.empty((images, self.uniforms), np.float32)
        self._extent = np.array([height, width], np.float32) / 2
        self._reach, self._room = np.empty((2, images, 2), np.float32)
        self._pixels = np.arange(longest, dtype=np.float32) + np.float32(0.5) - self._extent[:, None]
        self._distance = np.empty((images, 2, longest), np.float32)
        self._within = np.empty((images, 2, longest), np.bool_)
        self._mask = np.empty((images, height, width), np.bool_)

    def __call__(self, planes: Array, n: int, rng: np.random.Generator, own: slice) -> None:
        """Draw n rectangles; erase some of them in planes of shape (channels, own, height, width)."""
        height, width = planes.shape[2:]
        uniform = rng.random(dtype=np.float32, out=self._uniform[:n])
        np.multiply(uniform, self._span, out=uniform)
        np.subtract(uniform, self._low, out=uniform)
        chance, area, aspect, middle = uniform[:, :1], uniform[:, 1], uniform[:, 2], uniform[:, 3:]
        side, stretch, reach = np.sqrt(area, out=area), self._arithmetic.exp(aspect, aspect), self._reach[:n]
        np.multiply(side, stretch, out=reach[:, 0])
        np.divide(side, stretch, out=reach[:, 1])
        np.minimum(reach, self._extent, out=reach)
        np.multiply(middle, np.subtract(self._extent, reach, out=self._room[:n]), out=middle)
        # A spared image gets an empty rectangle.
        np.multiply(reach, np.less(chance, 0, out=chance), out=reach)
        distance = np.subtract(self._pixels, middle[:, :, None], out=self._distance[:n])
        within = np.less(np.abs(distance, out=distance), reach[:, :, None], out=self._within[:n])[own]
        rows, columns = within[:, 0, :height, None], within[:, 1, None, :width]
        np.copyto(planes, 0, where=np.logical_and(rows, columns, out=self._mask[: len(within)]))
