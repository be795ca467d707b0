"""Pictures: rows of features as images, where the features are pixels."""

import math

import numpy as np
import numpy.typing as npt

from numlp.network.layers import GradientHistograms
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.network.shape import PictureShape, as_picture_shape

_LEAST_SIDE = 8  # 4, 9, 16 … inputs are more likely the columns of a table


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
    shape = as_picture_shape(predictor.input_shape or ())
    if shape is not None:
        return shape
    side = math.isqrt(predictor.layer_size[0])
    square = side * side == predictor.layer_size[0] and side >= _LEAST_SIDE
    return PictureShape(side, side) if square and predictor.feature_names is None else None


def weight_shape(network: MLP) -> PictureShape | None:
    """Return how the weights into one unit of the first layer lie in an image, or None if the inputs aren't one.

    Weights into oriented gradients are an image of cells, with one channel for each direction.

    >>> from numlp import MLP
    >>> weight_shape(MLP([784, 10], input_shape=(28, 28), input_features="oriented_gradients"))
    PictureShape(height=7, width=7, channels=8, first=True)
    """
    for layer in network.layers:
        if isinstance(layer, GradientHistograms):
            return PictureShape(*layer.grid, layer.features.orientations, first=True)
    return picture_shape(network)


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
