"""Input features: what a network may compute from images before its first weights, without learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numlp.errors import DataError, SettingError
from numlp.network.shape import PictureShape, as_picture_shape
from numlp.settings import limits
from numlp.settings.checks import whole_number
from numlp.settings.named import Named, resolve, setting

FLAT = 0.05  # the energy that is added to that of the cells, so that flat parts of an image have no features


def _side(name: str, value: object) -> int:
    return whole_number(name, value, maximum=limits.SIDE)


def _even(name: str, value: object) -> int:
    number = whole_number(name, value, maximum=limits.SIDE)
    if number % 2:
        raise SettingError(f"{name} must be even, so that each direction has its opposite, not {value!r}")
    return number


@dataclass(frozen=True)
class OrientedGradients(Named):
    r"""Histograms of oriented gradients: how much brightness rises in each of K directions, in each cell of an image.

    With :math:`g_x, g_y` the differences of a pixel's two neighbors along a row and a column, where pixels outside
    the image are 0, the rise in direction :math:`\theta_k = 2 \pi k / K` is

    .. math:: a_k = \max(0, g_x \cos \theta_k + g_y \sin \theta_k), \qquad p_k = P_y a_k P_x^\top, \qquad
        P_{ij} = \max\left(0, 1 - \frac{|j - c_i|}{\text{cell}}\right).

    The triangular windows :math:`P` have their centers at :math:`c_i = (\text{cell} - 1) / 2 + \text{stride} \cdot
    i`, as far as these lie within the image, so that neighboring cells share the pixels between them. Several
    channels are added up. The features are

    .. math:: f_k = \frac{p_k}{\sqrt{E + 0.05}}, \qquad E = \sum_{3 \times 3\text{ cells}} \sum_k p_k^2,

    which makes them nearly independent of contrast. They lie in [0, 1]. For pixels from 0 to 1, the 0.05 only shows
    where the image is all but flat.

    N. Dalal, B. Triggs, "Histograms of oriented gradients for human detection" (2005), who also share pixels between
    neighboring cells and divide by the energy of blocks of cells.

    Parameters
    ----------
    orientations : int
        K, even.
    cell : int
        How far a cell's window reaches to either side of its center, in pixels.
    stride : int
        From one cell to the next, in pixels.

    Examples
    --------
    >>> OrientedGradients().grid((28, 28))
    (7, 7)
    >>> str(OrientedGradients(cell=6))
    'oriented_gradients(cell = 6)'
    """

    name = "oriented_gradients"
    orientations: int = setting(8, _even)
    cell: int = setting(4, _side)
    stride: int = setting(4, _side)

    def grid(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return the numbers of cells from top to bottom and from left to right of images of a height and a width."""
        height, width = ((2 * size - 1 - self.cell) // (2 * self.stride) + 1 for size in shape[:2])
        return height, width

    def width(self, shape: Sequence[int]) -> int:
        """Return the number of features of images of a height and a width."""
        height, width = self.grid(shape)
        return self.orientations * height * width


INPUT_FEATURES: dict[str, type[OrientedGradients]] = {"oriented_gradients": OrientedGradients}


def as_input_features(value: object) -> OrientedGradients:
    """Return features as settings of the registry's types.

    >>> as_input_features("oriented_gradients(orientations = 6)")
    OrientedGradients(orientations=6, cell=4, stride=4)
    """
    return resolve("input_features", value, INPUT_FEATURES)


def image_of(features: OrientedGradients, shape: Sequence[int] | None) -> PictureShape:
    """Return how the pixels of samples lie, if they are images from which the features can be computed.

    Raises
    ------
    SettingError
    """
    found = as_picture_shape(shape or ())
    if found is None:
        given = "rows of no known shape" if shape is None else f"rows of shape {tuple(shape)}"
        raise SettingError(
            f"input_features need images, with input_shape (height, width), (height, width, channels) or (channels, "
            f"height, width), not {given}: leave input_features out, or give input_shape"
        )
    height, width = found.height, found.width
    if not features.cell <= min(height, width) or max(height, width) > limits.SIDE:
        raise SettingError(
            f"input_features need images at least as high and wide as their cell of {features.cell} pixels, and at "
            f"most {limits.SIDE:,}, not images of {height} × {width} pixels"
        )
    if (count := features.width(found)) > limits.UNITS:
        raise SettingError(
            f"input_features give {count:,} numbers, more than {limits.UNITS:,}: make their stride larger"
        )
    return found


def check_images(found: Sequence[int], needed: Sequence[int]) -> None:
    """Refuse samples of another shape than the images that features are computed from; flat rows are taken as these.

    Raises
    ------
    DataError
    """
    apart = len(found) > 1 and [size for size in found if size > 1] != [size for size in needed if size > 1]
    if apart:  # which has other pixels side by side
        raise DataError(
            f"x has samples of shape {tuple(found)}, but input_features are computed from images of {tuple(needed)}"
        )
