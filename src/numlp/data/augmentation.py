r"""Augmentation: every image of a batch moved, bent, mirrored, partly erased and made noisy, at random.

Where pixel t of the new image finds its value in the old one is one map of the plane. With c the image's centre,

.. math:: s(t) = A (t - c) + c + d + e(t), \qquad A = \mathrm{rotation \cdot shear \cdot scale \cdot mirror},

d a shift and e an elastic field. The old image is read at s by bilinear interpolation, and is zero outside. As all is
one map, an image is resampled, and thereby blurred, once.

Each coordinate of s is a bilinear form in functions of the row i and of the column j of t,

.. math:: s_{ij} = \sum_{kl} R_{ik} F_{kl} C_{jl}:

the columns of R and C are Gaussian bumps, then i − c or j − c, then 1. The entries of F for two bumps are normal
random numbers and make the elastic field; those for the last two functions are the entries of A and d. So two
products of matrices give the coordinates of all pixels.

Sources: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual
document analysis" (2003), for elastic distortions; Z. Zhong et al., "Random erasing data augmentation" (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.arrays.randomness import fill_normal
from numlp.arrays.special import AnyArray, Array
from numlp.errors import DataError, SettingError
from numlp.settings.checks import real
from numlp.settings.named import Check, Named, setting

Floats = npt.NDArray[np.float32]
_BLOCK = 2**15  # numbers that are resampled at a time: with all buffers for them, what a core's cache holds
_LARGEST = 2**21  # numbers of an image: the index of any of its pixels must be exact in float32


def _within(low: float, high: float) -> Check:
    """Return a check that a number lies in [low, high]."""
    wanted = f"a number from {low:g} to {high:g}" + ("" if low else " (0 switches it off)")

    def check(name: str, value: object) -> float:
        number = real(name, value, wanted)
        if not low <= number <= high:
            raise SettingError(f"{name} must be {wanted}, not {value!r}")
        return number

    return check


@dataclass(frozen=True)
class Images(Named):
    """What may happen to an image, drawn anew for each; 0 switches off. A `SettingError` says what is out of range.

    Parameters
    ----------
    shift : float
        Pixels to move by along each axis at most; uniform.
    rotation : float
        Degrees to turn by, either way, at most; uniform.
    scale : float
        Height and width are each divided by an exp(u) of their own, u from −scale to scale, uniform.
    shear : float
        Pixels that a row slides against the next at most; uniform.
    elastic : float
        Pixels: the standard deviation of the elastic field along each axis.
    elastic_width : float
        Pixels: the standard deviation of the Gaussian bumps that the elastic field consists of; at least 0.5.
    flip : float
        Probability of the mirror image, left for right.
    erasing : float
        Probability that a rectangle, 2 to 33 % of the area and of aspect 0.3 to 1/0.3, is filled with zeros.
    noise : float
        Standard deviation of Gaussian noise, for bytes in parts of 255, else in the units of the data.

    Examples
    --------
    >>> augment = Images(flip=1).bind((2, 3), batch_size=1)
    >>> pixels = np.array([[1, 2, 3, 4, 5, 6]], dtype=np.uint8)
    >>> augment(pixels, np.empty((1, 6), np.float32), np.random.default_rng(0))
    array([[3., 2., 1., 6., 5., 4.]], dtype=float32)
    """

    name = "images"
    shift: float = setting(0.0, _within(0, 1e6))
    rotation: float = setting(0.0, _within(0, 180))
    scale: float = setting(0.0, _within(0, 5))
    shear: float = setting(0.0, _within(0, 1e6))
    elastic: float = setting(0.0, _within(0, 1e6))
    elastic_width: float = setting(4.0, _within(0.5, 1e6))
    flip: float = setting(0.0, _within(0, 1))
    erasing: float = setting(0.0, _within(0, 1))
    noise: float = setting(0.0, _within(0, 1e6))

    def bind(self, shape: tuple[int, ...], batch_size: int, unit: float = 1.0) -> Augmenter:
        """Make the buffers for images of one shape; a `DataError` says if that is none of images.

        Parameters
        ----------
        shape : tuple of int
            (height, width), (height, width, channels) or (channels, height, width), with at most 4 channels.
        batch_size : int
            The most images in a call.
        unit : float
            The range of the data, of which `noise` is a part: 255 for bytes.
        """
        return Augmenter(self, shape, batch_size, unit)


class Augmenter:
    """Settings bound to a shape of images, with all buffers: a call allocates nothing. `Images.bind` makes it."""

    def __init__(self, settings: Images, shape: tuple[int, ...], batch_size: int, unit: float) -> None:
        self._shape = (1, *shape) if len(shape) == 2 else tuple(shape)
        self._channel_axis = 3 if len(shape) == 3 and shape[2] <= 4 else 1  # in rows of that shape
        if len(self._shape) != 3 or self._shape[self._channel_axis - 1] > 4 or not 0 < math.prod(shape) <= _LARGEST:
            raise DataError(
                "augmentation needs images: (height, width), (height, width, channels) or (channels, height, width), "
                f"of at most 4 channels and {_LARGEST} numbers; rows of shape {tuple(shape)} are none"
            )
        height, width, channels = self._shape if self._channel_axis == 3 else (*self._shape[1:], self._shape[0])
        self._block = images = max(1, min(batch_size, _BLOCK // math.prod(shape)))
        moves = settings.shift, settings.rotation, settings.scale, settings.shear, settings.elastic, settings.flip
        self._warp = Warp(settings, channels, height, width, images) if any(moves) else None
        self._erase = Erase(settings.erasing, height, width, images) if settings.erasing else None
        self._noise = settings.noise * float(unit)
        self._normal = np.empty((images if settings.noise else 0, math.prod(shape)), np.float32)
        self._half = np.empty((self._normal.size + 1) // 2, np.float32)

    def __call__(self, x: AnyArray, out: Array, rng: np.random.Generator) -> Array:
        """Write the changed rows of `x` into `out`, and return it.

        The result is a function of `x` and the state of `rng`, not of `batch_size`.

        Parameters
        ----------
        x : array, shape (n, features)
            Of any numeric dtype; stays as it is.
        out : float array, shape (n, features)
            In the units of `x`: bytes become 0.0 to 255.0.
        rng : Generator
        """
        for start in range(0, len(x), self._block):
            rows = out[start : start + self._block]
            source, target = self._planes(x[start : start + self._block]), self._planes(rows)
            if self._warp is None:
                np.copyto(target, source, casting="same_kind")
            else:
                self._warp.sample(source, self._warp.coordinates(len(rows), rng), target)
            if self._erase is not None:
                self._erase(target, rng)
            if self._noise:
                normal = self._normal[: len(rows)]
                fill_normal(rng, normal, self._half)
                np.add(rows, np.multiply(normal, self._noise, out=normal), out=rows)
        return out

    def _planes(self, rows: AnyArray) -> AnyArray:
        # A view: to split an axis never takes a copy.
        return np.moveaxis(rows.reshape(-1, *self._shape), self._channel_axis, 0)


class Warp:
    """Shift, rotation, scale, shear, elastic field and mirror image, for up to `images` images in one pass."""

    def __init__(self, settings: Images, channels: int, height: int, width: int, images: int) -> None:
        self._elastic = settings.elastic
        self._rows, self._columns = _functions(height, settings), np.ascontiguousarray(_functions(width, settings).T)
        terms = self._rows.shape[1], self._columns.shape[0]
        # A uniform number in [0, 1) times `_span` minus `_low` lies in ± its setting, or is below 0 for a flip.
        turn, scale, shift = math.radians(settings.rotation), settings.scale, settings.shift
        self._low = np.array([turn, settings.shear, scale, scale, settings.flip, shift, shift], np.float32)
        self._span = 2 * self._low
        self._span[4] = 1
        # A pixel of zeros before the image and two behind: coordinates clipped to there read zeros, without a mask.
        self._padded = np.zeros((channels, images, height + 3, width + 3), np.float32)
        self._centre = np.array([(height + 1) / 2, (width + 1) / 2], np.float32)
        self._last = np.array([height + 1, width + 1], np.float32).reshape(2, 1, 1)
        # The four neighbours of a point have one index in common, into four views that begin a pixel or row apart.
        self._stride = width + 3
        starts, planes = (0, 1, self._stride, self._stride + 1), self._padded.reshape(channels, -1)
        self._corners = [[plane[start:] for start in starts] for plane in planes]
        self._first = np.arange(images, dtype=np.float32).reshape(-1, 1, 1) * ((height + 3) * self._stride)
        self._uniform = np.empty((images, len(self._low)), np.float32)
        self._turn, self._down = np.empty((images, 3), np.float32), np.empty((images, 2), np.float32)
        self._normal = np.empty((images, 2, terms[0] - 2, terms[1] - 2), np.float32)
        self._half_normal = np.empty((self._normal.size + 1) // 2, np.float32)
        self._forms = np.zeros((images, 2, *terms), np.float32)
        self._half = np.empty((images, 2, terms[0], width), np.float32)
        self._coordinates, self._whole = np.empty((2, images, 2, height, width), np.float32)
        self._index = np.empty((images, height, width), np.intp)
        self._values = np.empty((2, 2, images, height, width), np.float32)

    def coordinates(self, n: int, rng: np.random.Generator) -> Floats:
        """Draw n maps; return (n, 2, height, width), the row and column of s in the padded image for each pixel."""
        forms, turn = self._forms[:n], self._turn[:n]
        uniform = rng.random(dtype=np.float32, out=self._uniform[:n])
        np.multiply(uniform, self._span, out=uniform)
        np.subtract(uniform, self._low, out=uniform)
        angle, shear, scale_y, scale_x, flip = (uniform[:, i : i + 1] for i in range(5))
        np.exp(uniform[:, 2:4], out=uniform[:, 2:4])
        np.copysign(scale_x, flip, out=scale_x)
        # The columns of A say where (y, x) a step to the next column leads, across, and one to the next row, down.
        np.cos(angle, out=turn[:, 1:2])
        np.negative(np.sin(angle, out=turn[:, :1]), out=turn[:, 2:])
        across, upright = turn[:, :2], turn[:, 1:]
        down = np.multiply(across, shear, out=self._down[:n])
        np.add(down, upright, out=down)
        np.multiply(across, scale_x, out=forms[:, :, -1, -2])
        np.multiply(down, scale_y, out=forms[:, :, -2, -1])
        np.add(uniform[:, 5:], self._centre, out=forms[:, :, -1, -1])
        if self._elastic:
            normal = self._normal[:n]
            fill_normal(rng, normal, self._half_normal)
            np.multiply(normal, self._elastic, out=forms[:, :, :-2, :-2])
        half = self._half[:n]
        np.matmul(forms.reshape(-1, len(self._columns)), self._columns, out=half.reshape(-1, half.shape[-1]))
        return np.matmul(self._rows, half, out=self._coordinates[:n])

    def sample(self, source: AnyArray, coordinates: Floats, out: Array) -> None:
        """Write into `out`, as `source` (channels, n, height, width), what is at the coordinates; these are lost."""
        n = len(coordinates)
        np.copyto(self._padded[:, :n, 1:-2, 1:-2], source, casting="same_kind")
        np.maximum(coordinates, 0, out=coordinates)
        np.minimum(coordinates, self._last, out=coordinates)
        whole = np.floor(coordinates, out=self._whole[:n])
        part = np.subtract(coordinates, whole, out=coordinates)
        position = np.multiply(whole[:, 0], self._stride, out=whole[:, 0])
        np.add(position, whole[:, 1], out=position)
        np.add(position, self._first[:n], out=position)
        index, values = self._index[:n], self._values[:, :, :n]
        np.copyto(index, position, casting="unsafe")
        left, right = values[:, 0], values[:, 1]
        for corners, plane in zip(self._corners, out, strict=True):
            for i, corner in enumerate(corners):
                # mode="clip" skips the checks of indices, which are right by construction, and a temporary copy.
                np.take(corner, index, out=values[i // 2, i % 2], mode="clip")
            np.subtract(right, left, out=right)
            np.multiply(right, part[:, 1], out=right)
            top, bottom = np.add(left, right, out=left)
            np.subtract(bottom, top, out=bottom)
            np.multiply(bottom, part[:, 0], out=bottom)
            np.add(top, bottom, out=plane)


def _functions(size: int, settings: Images) -> Floats:
    """Return a row for each pixel along an axis: Gaussian bumps (if there is an elastic field), i − c, and 1."""
    i, width = np.arange(size, dtype=np.float64)[:, None], settings.elastic_width
    bumps = np.empty((size, 0))
    if settings.elastic:
        # The bumps reach one width over the edges. Rows of length 1 give the field one deviation everywhere.
        centres = -width + 0.8 * width * np.arange(math.ceil((size - 1 + 2 * width) / (0.8 * width)) + 1)
        bumps = np.exp(-((i - centres) ** 2) / (2 * width**2))
        bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    return np.hstack([bumps, i - (size - 1) / 2, np.ones((size, 1))]).astype(np.float32)


class Erase:
    """A rectangle of zeros in some of up to `images` images. A side too long is cut, where the paper draws again."""

    def __init__(self, probability: float, height: int, width: int, images: int) -> None:
        area, aspect, longest = height * width, -math.log(0.3), max(height, width)
        # Uniform numbers in [0, 1) times `_span` minus `_low` are: below 0 to erase; a quarter of the rectangle's
        # area; the logarithm of its aspect's square root; its place, from −1 to 1, between the edges of the image.
        self._low = np.array([probability, -0.02 * area / 4, aspect / 2, 1, 1], np.float32)
        self._span = np.array([1, (0.33 - 0.02) * area / 4, aspect, 2, 2], np.float32)
        self._uniform = np.empty((images, 5), np.float32)
        self._extent = np.array([height, width], np.float32) / 2
        self._reach, self._room = np.empty((2, images, 2), np.float32)
        self._pixels = np.arange(longest, dtype=np.float32) + np.float32(0.5) - self._extent[:, None]
        self._distance = np.empty((images, 2, longest), np.float32)
        self._within = np.empty((images, 2, longest), np.bool_)
        self._mask = np.empty((images, height, width), np.bool_)

    def __call__(self, planes: Array, rng: np.random.Generator) -> None:
        """Erase in planes of shape (channels, n, height, width)."""
        _, n, height, width = planes.shape
        uniform = rng.random(dtype=np.float32, out=self._uniform[:n])
        np.multiply(uniform, self._span, out=uniform)
        np.subtract(uniform, self._low, out=uniform)
        chance, area, aspect, middle = uniform[:, :1], uniform[:, 1], uniform[:, 2], uniform[:, 3:]
        side, stretch, reach = np.sqrt(area, out=area), np.exp(aspect, out=aspect), self._reach[:n]
        np.multiply(side, stretch, out=reach[:, 0])
        np.divide(side, stretch, out=reach[:, 1])
        np.minimum(reach, self._extent, out=reach)
        np.multiply(middle, np.subtract(self._extent, reach, out=self._room[:n]), out=middle)
        # Whoever is spared gets a rectangle that reaches nothing.
        np.multiply(reach, np.less(chance, 0, out=chance), out=reach)
        distance = np.subtract(self._pixels, middle[:, :, None], out=self._distance[:n])
        within = np.less(np.abs(distance, out=distance), reach[:, :, None], out=self._within[:n])
        rows, columns = within[:, 0, :height, None], within[:, 1, None, :width]
        np.copyto(planes, 0, where=np.logical_and(rows, columns, out=self._mask[:n]))


AUGMENTATIONS: dict[str, type[Images]] = {"images": Images}
