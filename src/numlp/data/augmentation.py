r"""Augmentation: every image of a batch moved, bent, mirrored, partly erased and made noisy, at random.

A single map of the plane says where pixel t of the new image takes its value from in the old one,

.. math:: s(t) = A (t - c) + c + d + e(t), \qquad A = \mathrm{rotation \cdot shear \cdot scale \cdot mirror},

with the image's center c, a shift d and an elastic field e. The old image, 0 outside its edges, is read at s by
bilinear interpolation. One map for all moves means that an image is resampled, and so blurred, only once.

Each coordinate of s is a bilinear form in functions of the row i and of the column j of t,

.. math:: s_{ij} = \sum_{kl} R_{ik} F_{kl} C_{jl}.

The columns of R and C are Gaussian bumps, then i − c or j − c, then 1. The entries of F for two bumps are normal
random numbers and make the elastic field; the entries for the last two functions come from A and d. So two matrix
products give the coordinates of all pixels.

Sources: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual
document analysis" (2003), for elastic distortions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact, portable
from numlp.arrays.arithmetic import ORDINARY, Arithmetic
from numlp.arrays.randomness import fill_normal
from numlp.arrays.special import AnyArray, Array
from numlp.data.erasing import Erase
from numlp.errors import DataError, SettingError
from numlp.settings.checks import real
from numlp.settings.named import Check, Named, setting

Floats = npt.NDArray[np.float32]
_BLOCK = 2**15  # numbers resampled at a time: with all their buffers they fit a core's cache
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
    """The random changes of images, drawn separately for each; 0 switches a change off.

    A setting out of range raises a `SettingError`.

    Parameters
    ----------
    shift : float
        Largest shift along each axis, in pixels; uniform.
    rotation : float
        Largest rotation either way, in degrees; uniform.
    scale : float
        Height and width are each divided by an exp(u) of their own, u uniform from −scale to scale.
    shear : float
        Largest shift of a row against the next, in pixels; uniform.
    elastic : float
        Standard deviation of the elastic field along each axis, in pixels.
    elastic_width : float
        Standard deviation of the Gaussian bumps that make up the elastic field, in pixels; at least 0.5.
    flip : float
        Probability of mirroring the image left to right.
    erasing : float
        Probability of filling a rectangle, 2 to 33 % of the area and of aspect 0.3 to 1/0.3, with zeros.
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

    def bind(
        self, shape: tuple[int, ...], batch_size: int, unit: float = 1.0, arithmetic: Arithmetic = ORDINARY
    ) -> Augmenter:
        """Return an augmenter with buffers for images of one shape; refuse any other shape with a `DataError`.

        Parameters
        ----------
        shape : tuple of int
            (height, width), (height, width, channels) or (channels, height, width), with at most 4 channels.
        batch_size : int
            The largest number of images in a call.
        unit : float
            The range of the data, which scales `noise`: 255 for bytes.
        arithmetic : Arithmetic
        """
        return Augmenter(self, shape, batch_size, unit, arithmetic)


class Augmenter:
    """Settings bound to a shape of images, with all buffers: a call allocates nothing. `Images.bind` makes one."""

    def __init__(
        self, settings: Images, shape: tuple[int, ...], batch_size: int, unit: float, arithmetic: Arithmetic
    ) -> None:
        self._arithmetic = arithmetic
        self._shape = (1, *shape) if len(shape) == 2 else tuple(shape)
        self._channel_axis = 3 if len(shape) == 3 and shape[2] <= 4 else 1  # in rows of that shape
        if len(self._shape) != 3 or self._shape[self._channel_axis - 1] > 4 or not 0 < math.prod(shape) <= _LARGEST:
            raise DataError(
                "augmentation needs images of shape (height, width), (height, width, channels) or (channels, height, "
                f"width), with at most 4 channels and {_LARGEST} numbers, not rows of shape {tuple(shape)}"
            )
        height, width, channels = self._shape if self._channel_axis == 3 else (*self._shape[1:], self._shape[0])
        self._block = images = max(1, min(batch_size, _BLOCK // math.prod(shape)))
        moves = settings.shift, settings.rotation, settings.scale, settings.shear, settings.elastic, settings.flip
        self._warp = Warp(settings, channels, height, width, images, arithmetic) if any(moves) else None
        self._erase = Erase(settings.erasing, height, width, images, arithmetic) if settings.erasing else None
        self._noise = settings.noise * float(unit)
        self._normal = np.empty((images if settings.noise else 0, math.prod(shape)), np.float32)
        self._half = np.empty((self._normal.size + 1) // 2, np.float32)
        self._skipped = np.empty(self._draws(images), np.float32)

    def __call__(self, x: AnyArray, out: Array, rng: np.random.Generator, own: slice = slice(None)) -> Array:
        """Write the changed rows of `x` into `out`, and return it.

        The result depends on `x` and the state of `rng`, not on `batch_size`.

        Parameters
        ----------
        x : array, shape (n, features)
            Of any numeric dtype; it is not changed.
        out : float array, shape (n, features)
            In the units of `x`: bytes become 0.0 to 255.0.
        rng : Generator
            Numbers are drawn for all rows.
        own : slice
            Which rows to write; the others are left alone.
        """
        first, last, _ = own.indices(len(x))
        for start in range(0, len(x), self._block):
            n = min(self._block, len(x) - start)
            part = slice(max(first - start, 0), min(last - start, n))  # of the block: the rows to write
            if part.start >= part.stop:
                rng.random(dtype=np.float32, out=self._skipped[: self._draws(n)])
                continue
            rows = out[start : start + n][part]
            source, target = self._planes(x[start : start + n][part]), self._planes(rows)
            if self._warp is None:
                np.copyto(target, source, casting="same_kind")
            else:
                self._warp.sample(source, self._warp.coordinates(n, rng, part), target)
            if self._erase is not None:
                self._erase(target, n, rng, part)
            if self._noise:
                normal = self._normal[:n]
                fill_normal(rng, normal, self._half, self._arithmetic)
                np.add(rows, np.multiply(normal[part], self._noise, out=normal[part]), out=rows)
        return out

    def _draws(self, n: int) -> int:
        """Return how many random numbers a block of `n` images takes."""
        warp, erase = self._warp, self._erase
        fields = [self._normal[:n].size, 0 if warp is None else warp.normals(n)]
        uniform = (0 if warp is None else warp.uniforms) + (0 if erase is None else erase.uniforms)
        return n * uniform + sum(size + size % 2 for size in fields)

    def _planes(self, rows: AnyArray) -> AnyArray:
        # A view: splitting an axis never copies.
        return np.moveaxis(rows.reshape(-1, *self._shape), self._channel_axis, 0)


class Warp:
    """Shift, rotation, scale, shear, elastic field and mirror image, for up to `images` images in one pass."""

    def __init__(
        self, settings: Images, channels: int, height: int, width: int, images: int, arithmetic: Arithmetic
    ) -> None:
        self._elastic, self._arithmetic = settings.elastic, arithmetic
        self._rows, self._columns = _functions(height, settings), np.ascontiguousarray(_functions(width, settings).T)
        terms = self._rows.shape[1], self._columns.shape[0]
        self.uniforms = 7  # random numbers for each image, apart from the normal ones
        # A uniform number in [0, 1), times `_span` minus `_low`, lies within ± its setting, or is below 0 for a flip.
        turn, scale, shift = math.radians(settings.rotation), settings.scale, settings.shift
        self._low = np.array([turn, settings.shear, scale, scale, settings.flip, shift, shift], np.float32)
        self._span = 2 * self._low
        self._span[4] = 1
        # One pixel of zeros before the image and two behind it: coordinates clipped there read 0 without a mask.
        self._padded = np.zeros((channels, images, height + 3, width + 3), np.float32)
        self._centre = np.array([(height + 1) / 2, (width + 1) / 2], np.float32)
        self._last = np.array([height + 1, width + 1], np.float32).reshape(2, 1, 1)
        # The four neighbors of a point share one index, into four views that begin a pixel or a row apart.
        self._stride = width + 3
        starts, planes = (0, 1, self._stride, self._stride + 1), self._padded.reshape(channels, -1)
        self._corners = [[plane[start:] for start in starts] for plane in planes]
        self._first = np.arange(images, dtype=np.float32).reshape(-1, 1, 1) * ((height + 3) * self._stride)
        self._uniform = np.empty((images, self.uniforms), np.float32)
        self._turn, self._down = np.empty((images, 3), np.float32), np.empty((images, 2), np.float32)
        self._normal = np.empty((images, 2, terms[0] - 2, terms[1] - 2), np.float32)
        self._half_normal = np.empty((self._normal.size + 1) // 2, np.float32)
        self._forms = np.zeros((images, 2, *terms), np.float32)
        self._half = np.empty((images, 2, terms[0], width), np.float32)
        self._coordinates, self._whole = np.empty((2, images, 2, height, width), np.float32)
        self._index = np.empty((images, height, width), np.intp)
        self._values = np.empty((2, 2, images, height, width), np.float32)

    def normals(self, n: int) -> int:
        """Return how many normal numbers `n` maps take."""
        return self._normal[:n].size if self._elastic else 0

    def coordinates(self, n: int, rng: np.random.Generator, own: slice = slice(None)) -> Floats:
        """Draw n maps; return the rows and columns of s in the padded image for some, (own, 2, height, width)."""
        forms, turn = self._forms[:n], self._turn[:n]
        uniform = rng.random(dtype=np.float32, out=self._uniform[:n])
        np.multiply(uniform, self._span, out=uniform)
        np.subtract(uniform, self._low, out=uniform)
        angle, shear, scale_y, scale_x, flip = (uniform[:, i : i + 1] for i in range(5))
        self._arithmetic.exp(uniform[:, 2:4], uniform[:, 2:4])
        np.copysign(scale_x, flip, out=scale_x)
        # The columns of A say where a step to the next column leads in (y, x), across, and one to the next row, down.
        self._arithmetic.cos(angle, turn[:, 1:2])
        np.negative(self._arithmetic.sin(angle, turn[:, :1]), out=turn[:, 2:])
        across, upright = turn[:, :2], turn[:, 1:]
        down = np.multiply(across, shear, out=self._down[:n])
        np.add(down, upright, out=down)
        np.multiply(across, scale_x, out=forms[:, :, -1, -2])
        np.multiply(down, scale_y, out=forms[:, :, -2, -1])
        np.add(uniform[:, 5:], self._centre, out=forms[:, :, -1, -1])
        if self._elastic:
            normal = self._normal[:n]
            fill_normal(rng, normal, self._half_normal, self._arithmetic)
            np.multiply(normal, self._elastic, out=forms[:, :, :-2, :-2])
        half = self._half[:n]
        terms, columns = self._columns.shape
        self._arithmetic.product(forms.reshape(-1, terms), self._columns, half.reshape(-1, columns))
        half = half[own]
        return self._arithmetic.products_with(self._rows, half, self._coordinates[: len(half)])

    def sample(self, source: AnyArray, coordinates: Floats, out: Array) -> None:
        """Sample `source`, (channels, n, height, width), at the coordinates into `out`; overwrite the coordinates."""
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
                # mode="clip" skips a temporary copy and the check of indices, which are valid by construction.
                np.take(corner, index, out=values[i // 2, i % 2], mode="clip")
            np.subtract(right, left, out=right)
            np.multiply(right, part[:, 1], out=right)
            top, bottom = np.add(left, right, out=left)
            np.subtract(bottom, top, out=bottom)
            np.multiply(bottom, part[:, 0], out=bottom)
            np.add(top, bottom, out=plane)


def _functions(size: int, settings: Images) -> Floats:
    """Return a row for each pixel along an axis: Gaussian bumps (for an elastic field only), i − c, and 1."""
    i, width = np.arange(size, dtype=np.float64)[:, None], settings.elastic_width
    bumps = np.empty((size, 0))
    if settings.elastic:
        # The bumps reach one width beyond the edges. Rows of norm 1 give the field the same deviation everywhere.
        centres = -width + 0.8 * width * np.arange(math.ceil((size - 1 + 2 * width) / (0.8 * width)) + 1)
        distances = (i - centres) / width
        bumps = portable.exp(-0.5 * distances * distances).astype(np.float64)
        bumps /= np.sqrt(exact.total(bumps * bumps, 1))[:, None]
    return np.hstack([bumps, i - (size - 1) / 2, np.ones((size, 1))]).astype(np.float32)


AUGMENTATIONS: dict[str, type[Images]] = {"images": Images}
