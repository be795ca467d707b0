"""Histograms of oriented gradients: a first layer without parameters, for images."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers, portable
from numlp.arrays.special import Array
from numlp.network.features import FLAT, OrientedGradients
from numlp.network.layers.layer import Layer
from numlp.network.shape import PictureShape

_BLOCK = 1 << 18  # numbers of planes at a time: so few that they stay in a core's cache


class _Room(NamedTuple):
    """Arrays for some images.

    Attributes
    ----------
    planes, others : array, shape (n, 2 + K/2, height, width)
        The differences along rows and columns, and the rises in the first half of the directions; `others` are those
        of one of several channels, or on the way back their slopes.
    plane : array, shape (n, height, width)
    halfway, cells : array, shapes (n, 2 + K/2, height, columns of cells), and with rows of cells in place of height
        Sums of planes over windows along rows, and along both.
    roots, spread, square : array, shape (n, rows of cells, columns of cells)
    slopes : array, shape (n, K, rows of cells, columns of cells)
        Of the loss, with respect to the histograms before they are divided.
    """

    planes: Array
    others: Array
    plane: Array
    halfway: Array
    cells: Array
    roots: Array
    spread: Array
    square: Array
    slopes: Array


class GradientHistograms(Layer):
    r"""Turns the pixels of images into their histograms of oriented gradients; see `OrientedGradients`.

    The rise in the opposite direction is :math:`\max(0, -d) = \max(0, d) - d`, and sums over windows are linear. So
    half of the rises suffice: the histograms of the others are these, less those of the differences themselves.

    Back-propagation to the pixels, which only adversarial training and explanations need, computes the rises again.

    Parameters
    ----------
    features : OrientedGradients
    shape : PictureShape
        Of the images.

    Attributes
    ----------
    grid : (int, int)
        The numbers of cells from top to bottom and from left to right.
    width : int
        The number of features: for each direction, those of all cells.
    turns : list of (float, float)
        The cosine and the sine of the first half of the directions.
    down, across : array, shapes (rows of cells, height) and (width, columns of cells)
        The windows along columns and along rows.
    """

    kind = "oriented_gradients"

    def __init__(self, features: OrientedGradients, shape: PictureShape) -> None:
        self.features, self.shape = features, shape
        self.grid = features.grid(shape)
        self.width = features.width(shape)
        self._half = features.orientations // 2

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        angles = 2 * math.pi * np.arange(self._half) / self.features.orientations
        turns = zip(portable.cos(angles).tolist(), portable.sin(angles).tolist(), strict=True)
        self.turns: list[tuple[float, float]] = list(turns)
        height, width = self.shape[:2]
        self.down, self.across = self._windows(height, self.grid[0]), self._windows(width, self.grid[1]).T

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        shape = batch_size, self.features.orientations, *self.grid
        self._all_pooled: Array = buffers.empty(shape, dtype)
        self._all_outputs: Array = buffers.empty(shape, dtype)
        self._all_roots: Array = buffers.empty((batch_size, *self.grid), dtype)
        self._all_gradients: Array = buffers.empty((batch_size, math.prod(self.shape[:3])), dtype)
        self._room, self._matrices = self._make_room(batch_size, dtype), self._matrices_in(dtype)

    def resize(self, n: int) -> None:
        self._pooled, self._outputs, self._roots = self._all_pooled[:n], self._all_outputs[:n], self._all_roots[:n]
        self._rows, self._gradients = self._outputs.reshape(n, self.width), self._all_gradients[:n]

    def infer(self, x: Array) -> Array:
        out = np.empty((len(x), self.features.orientations, *self.grid), x.dtype)
        room, matrices = self._make_room(len(x), x.dtype), self._matrices_in(x.dtype)
        for part in _blocks(len(x), room):
            cut = _cut(room, len(out[part]))
            self._pool(x[part], matrices, cut, out[part])
            _normalize(out[part], cut, cut.roots, out[part])
        return out.reshape(len(x), self.width)

    def forward(self, x: Array) -> Array:
        self._input = x
        for part in _blocks(len(x), self._room):
            pooled = self._pooled[part]
            room = _cut(self._room, len(pooled))
            self._pool(x[part], self._matrices, room, pooled)
            _normalize(pooled, room, self._roots[part], self._outputs[part])
        return self._rows

    def backward(self, delta: Array) -> Array:
        deltas = delta.reshape(self._outputs.shape)
        for part in _blocks(len(delta), self._room):
            room = _cut(self._room, len(delta[part]))
            self._normalize_back(deltas[part], part, room)
            self._pool_back(self._input[part], room, self._gradients[part])
        return self._gradients

    def _make_room(self, rows: int, dtype: npt.DTypeLike) -> _Room:
        (height, width), (down, across) = self.shape[:2], self.grid
        planes, directions = self._half + 2, self.features.orientations
        n = max(1, min(rows, _BLOCK // (planes * height * width)))
        shapes = (
            *((n, planes, height, width), (n, planes, height, width), (n, height, width)),
            *((n, planes, height, across), (n, planes, down, across)),
            *([(n, down, across)] * 3),
            (n, directions, down, across),
        )
        return _Room(*(buffers.empty(shape, dtype) for shape in shapes))

    def _matrices_in(self, dtype: npt.DTypeLike) -> tuple[Array, Array]:
        """Return the windows along columns, (rows of cells, height), and along rows, (width, columns of cells)."""
        down, across = (np.ascontiguousarray(each, dtype) for each in (self.down, self.across))
        return down, across

    def _windows(self, size: int, count: int) -> npt.NDArray[np.float64]:
        """Return the triangular windows of so many cells along an axis of so many pixels, (count, size)."""
        cell, stride = self.features.cell, self.features.stride
        centers = (cell - 1) / 2 + stride * np.arange(count)
        found: npt.NDArray[np.float64] = np.maximum(0, 1 - np.abs(np.arange(size) - centers[:, None]) / cell)
        return found

    def _images(self, rows: Array) -> list[Array]:
        """Return views of the channels of rows, each (n, height, width)."""
        height, width, channels, first = self.shape
        if first:
            return list(rows.reshape(-1, channels, height, width).swapaxes(0, 1))
        return list(np.moveaxis(rows.reshape(-1, height, width, channels), -1, 0))

    def _pool(self, x: Array, matrices: tuple[Array, Array], room: _Room, out: Array) -> None:
        """Write the histograms of images, before they are divided."""
        down, across = matrices
        first, *others = self._images(x)
        planes, half = self._rises(first, room.planes, room.plane), self._half
        for image in others:
            np.add(planes, self._rises(image, room.others, room.plane), out=planes)
        self.arithmetic.product(
            planes.reshape(-1, planes.shape[-1]), across, room.halfway.reshape(-1, across.shape[1])
        )
        cells = self.arithmetic.products_with(down, room.halfway, room.cells)
        for k, (cosine, sine) in enumerate(self.turns):
            rise, fall = out[:, k], out[:, half + k]
            np.copyto(rise, cells[:, 2 + k])
            np.multiply(cells[:, 0], cosine, out=fall)
            np.add(fall, np.multiply(cells[:, 1], sine, out=room.square), out=fall)
            np.subtract(rise, fall, out=fall)

    def _rises(self, image: Array, planes: Array, plane: Array) -> Array:
        """Write the differences of images and their rises in half of the directions."""
        along, down = planes[:, 0], planes[:, 1]
        np.copyto(along[:, :, :-1], image[:, :, 1:])
        along[:, :, -1] = 0
        np.subtract(along[:, :, 1:], image[:, :, :-1], out=along[:, :, 1:])
        np.copyto(down[:, :-1], image[:, 1:])
        down[:, -1] = 0
        np.subtract(down[:, 1:], image[:, :-1], out=down[:, 1:])
        for k, (cosine, sine) in enumerate(self.turns):
            rise = np.multiply(along, cosine, out=planes[:, 2 + k])
            np.add(rise, np.multiply(down, sine, out=plane), out=rise)
            np.maximum(rise, 0, out=rise)
        return planes

    def _normalize_back(self, delta: Array, part: slice, room: _Room) -> None:
        """Write the slopes of the histograms before they are divided, from those after."""
        pooled, roots, slopes, energy = self._pooled[part], self._roots[part], room.slopes, room.roots
        energy.fill(0)
        for k in range(self.features.orientations):
            np.add(energy, np.multiply(delta[:, k], self._outputs[part, k], out=room.square), out=energy)
        # Of the energy around each cell, −Σ δ f / 2r², and of each cell's own, times 2.
        np.divide(energy, roots, out=energy)
        np.divide(energy, roots, out=energy)
        shared = np.negative(_around(energy, room.spread, energy), out=energy)
        np.divide(delta, roots[:, None], out=slopes)
        for k in range(self.features.orientations):
            np.add(slopes[:, k], np.multiply(pooled[:, k], shared, out=room.square), out=slopes[:, k])

    def _pool_back(self, x: Array, room: _Room, out: Array) -> None:
        """Write the gradient with respect to the pixels, from the slopes of the histograms."""
        (down, across), half = self._matrices, self._half
        cells, slopes, square, plane = room.cells, room.slopes, room.square, room.plane
        cells[:, :2] = 0
        for k, (cosine, sine) in enumerate(self.turns):
            rise, fall = slopes[:, k], slopes[:, half + k]
            np.add(rise, fall, out=cells[:, 2 + k])
            np.subtract(cells[:, 0], np.multiply(fall, cosine, out=square), out=cells[:, 0])
            np.subtract(cells[:, 1], np.multiply(fall, sine, out=square), out=cells[:, 1])
        halfway, spread = self.arithmetic.products_with(down.T, cells, room.halfway), room.others
        self.arithmetic.product(halfway.reshape(-1, across.shape[1]), across.T, spread.reshape(-1, across.shape[0]))
        for image, gradient in zip(self._images(x), self._images(out), strict=True):
            planes = self._rises(image, room.planes, plane)
            along, downward = planes[:, 0], planes[:, 1]
            np.copyto(planes[:, :2], spread[:, :2])
            for k, (cosine, sine) in enumerate(self.turns):
                slope = np.greater(planes[:, 2 + k], 0, out=planes[:, 2 + k])
                np.multiply(slope, spread[:, 2 + k], out=slope)
                np.add(along, np.multiply(slope, cosine, out=plane), out=along)
                np.add(downward, np.multiply(slope, sine, out=plane), out=downward)
            gradient.fill(0)
            np.add(gradient[:, :, 1:], along[:, :, :-1], out=gradient[:, :, 1:])
            np.subtract(gradient[:, :, :-1], along[:, :, 1:], out=gradient[:, :, :-1])
            np.add(gradient[:, 1:], downward[:, :-1], out=gradient[:, 1:])
            np.subtract(gradient[:, :-1], downward[:, 1:], out=gradient[:, :-1])


def _blocks(n: int, room: _Room) -> list[slice]:
    """Return parts of so many rows, for which there is room."""
    block = len(room.planes)
    return [slice(start, start + block) for start in range(0, n, block)]


def _cut(room: _Room, n: int) -> _Room:
    """Return room for so many rows, or fewer than there is room for."""
    return room if n == len(room.planes) else _Room(*(array[:n] for array in room))


def _normalize(pooled: Array, room: _Room, roots: Array, out: Array) -> None:
    """Divide histograms, (n, K, rows, columns), by the roots of the energies around their cells, and keep these."""
    np.multiply(pooled[:, 0], pooled[:, 0], out=roots)
    for k in range(1, pooled.shape[1]):
        np.add(roots, np.multiply(pooled[:, k], pooled[:, k], out=room.square), out=roots)
    _around(roots, room.spread, roots)
    np.add(roots, FLAT, out=roots)
    np.sqrt(roots, out=roots)
    np.divide(pooled, roots[:, None], out=out)


def _around(cells: Array, spread: Array, out: Array) -> Array:
    """Write the sums over 3 × 3 cells, (n, rows, columns), of which those outside are 0; `out` may be `cells`."""
    np.copyto(spread, cells)
    np.add(spread[:, :, 1:], cells[:, :, :-1], out=spread[:, :, 1:])
    np.add(spread[:, :, :-1], cells[:, :, 1:], out=spread[:, :, :-1])
    np.copyto(out, spread)
    np.add(out[:, 1:], spread[:, :-1], out=out[:, 1:])
    np.add(out[:, :-1], spread[:, 1:], out=out[:, :-1])
    return out
