"""The ground of images: whether ink is light on dark, as in MNIST, or dark on light, as on paper."""

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import DataError
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.network.shape import PictureShape

_MOSTLY = 0.8  # of the pixels at the border
_INK = 0.9  # of what is opaque
_DARK, _LIGHT = 0.45, 0.55  # of ink
_DARK_GROUND, _LIGHT_GROUND = 0.25, 0.75


def ground_of(pixels: npt.NDArray[np.uint8]) -> str | None:
    """Return "dark" or "light" if that is what the border of a gray image is, else None.

    >>> ground_of(np.zeros((8, 8), np.uint8)), ground_of(np.full((8, 8), 128, np.uint8))
    ('dark', None)
    """
    border = _border(pixels) / 255
    for name, share in (("dark", border < _DARK_GROUND), ("light", border > _LIGHT_GROUND)):
        if share.mean() >= _MOSTLY:
            return name
    return None


def trained_ground(predictor: Predictor, shape: PictureShape) -> str | None:
    """Return the ground of the gray images that a network was trained on, "unknown" if it doesn't know them.

    A network that standardizes its inputs knows the mean of every pixel.
    """
    network = predictor.members[0] if isinstance(predictor, Ensemble) else predictor
    if not isinstance(network, MLP) or network.input_scaling.shift.size != shape.height * shape.width:
        return "unknown"
    low, high = 0.0, 1.0
    if network.input_range is not None:
        if network.input_range.convention is None:
            return None  # `predict` says that the network doesn't know bytes
        low, high = network.input_range.convention
    mean = (network.input_scaling.shift - low) / (high - low)
    border = _border(mean.reshape(shape.height, shape.width)).mean()
    return "dark" if border < _DARK_GROUND else "light" if border > _LIGHT_GROUND else None


def laid(image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], str]:
    """Return an image, (height, width, 4), without transparency, and the ground it was laid over: where ink shows.

    Raises
    ------
    DataError
        If nothing is opaque, or its color doesn't tell which ground makes it visible.
    """
    color, opacity = image[..., :3] / 255, image[..., 3:] / 255
    total = opacity.sum()
    if total == 0:
        raise DataError("is transparent everywhere")
    brightness = color @ np.array([[0.299], [0.587], [0.114]])  # ITU-R BT.601, as in Pillow
    for ground, value, ink in (("white", 1.0, brightness < _DARK), ("black", 0.0, brightness > _LIGHT)):
        if (opacity * ink).sum() >= _INK * total:
            return np.rint(255 * (color * opacity + value * (1 - opacity))).astype(np.uint8), ground
    raise DataError(
        "is transparent, and its ink is neither dark nor light; save it without transparency, on the ground that the "
        "training images have"
    )


def _border(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    inside = np.zeros(pixels.shape, bool)
    inside[1:-1, 1:-1] = True
    return pixels[~inside]
