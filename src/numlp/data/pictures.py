"""Pictures: rows of features as images, where the features are pixels."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.network.predictor import Predictor

_LEAST_SIDE = 8  # 4, 9, 16 … inputs are more likely the columns of a table
_MOST_CHANNELS = 4


class PictureShape(NamedTuple):
    """How the features of a row lie in an image.

    Attributes
    ----------
    height, width : int
        In pixels.
    channels : int
        1 for gray.
    first : bool
        Whether the channels come before height and width.
    """

    height: int
    width: int
    channels: int = 1
    first: bool = False


def picture_shape(predictor: Predictor) -> PictureShape | None:
    """Return how a predictor's inputs lie in an image, or None if they aren't an image.

    Samples of shape (height, width), (height, width, channels) or (channels, height, width) are images. Flat samples
    without feature names are images if their size is a square, 8 × 8 or larger.

    Examples
    --------
    >>> from numlp import MLP
    >>> picture_shape(MLP([784, 10]))
    PictureShape(height=28, width=28, channels=1, first=False)
    >>> picture_shape(MLP([12, 2], input_shape=(2, 2, 3))).channels
    3
    >>> picture_shape(MLP([5, 2]))
    """
    shape = predictor.input_shape or ()
    if len(shape) == 2:
        return PictureShape(*shape)
    if len(shape) == 3 and shape[2] <= _MOST_CHANNELS:
        return PictureShape(*shape)
    if len(shape) == 3 and shape[0] <= _MOST_CHANNELS:
        return PictureShape(shape[1], shape[2], shape[0], first=True)
    side = math.isqrt(predictor.layer_size[0])
    square = side * side == predictor.layer_size[0] and side >= _LEAST_SIDE
    return PictureShape(side, side) if square and predictor.feature_names is None else None


def as_pictures(rows: npt.NDArray[np.floating], shape: PictureShape) -> npt.NDArray[np.floating]:
    """Return rows, (n, features), as images with the channels side by side, (n, height, width · channels).

    >>> as_pictures(np.arange(8.0)[None], PictureShape(2, 2, 2))[0]
    array([[0., 2., 1., 3.],
           [4., 6., 5., 7.]])
    """
    height, width, channels, first = shape
    if first:
        pixels = rows.reshape(-1, channels, height, width).transpose(0, 2, 1, 3)
    else:
        pixels = rows.reshape(-1, height, width, channels).transpose(0, 1, 3, 2)
    return pixels.reshape(-1, height, channels * width)
