"""Shape: the widths of a network's layers, the shape of a sample, and the names of inputs and classes."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from numlp.errors import SettingError
from numlp.settings import limits
from numlp.settings.checks import whole_number

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


def as_picture_shape(shape: Sequence[int]) -> PictureShape | None:
    """Return how the pixels of samples lie in an image, or None if samples of this shape aren't images.

    >>> as_picture_shape((3, 32, 32))
    PictureShape(height=32, width=32, channels=3, first=True)
    >>> as_picture_shape((784,))
    """
    if len(shape) == 2:
        return PictureShape(shape[0], shape[1])
    if len(shape) == 3 and shape[2] <= _MOST_CHANNELS:
        return PictureShape(shape[0], shape[1], shape[2])
    if len(shape) == 3 and shape[0] <= _MOST_CHANNELS:
        return PictureShape(shape[1], shape[2], shape[0], first=True)
    return None


def as_names(name: str, names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """Return `names` as a tuple of strings if there are `count` different names."""
    if names is None:
        return None
    if isinstance(names, str) or len(names) != count or len({str(n) for n in names}) != count:
        raise SettingError(f"{name} must be {count} different names, not {names!r}")
    return tuple(str(n) for n in names)


def as_sample_shape(name: str, shape: Sequence[int] | None, n_features: int) -> tuple[int, ...] | None:
    """Return the shape of one sample as a tuple if its size is the network's number of inputs."""
    if shape is None:
        return None
    if len(shape) > limits.RANK:  # a very long product would take long
        raise SettingError(f"{name} must have at most {limits.RANK} dimensions, not {len(shape):,}")
    sizes = tuple(whole_number(name, size) for size in shape)
    if math.prod(sizes) != n_features:
        raise SettingError(f"{name} must have the {n_features} features of layer_size, not shape {sizes}")
    return sizes


def as_layer_size(layer_size: Sequence[int]) -> tuple[int, ...]:
    """Return the widths of a network's layers, inputs first, if there are at least two, all positive."""
    if not isinstance(layer_size, list | tuple | np.ndarray) or len(layer_size) < 2:
        raise SettingError(f"layer_size must hold at least inputs and outputs, as in [784, 10], not {layer_size!r}")
    if len(layer_size) > limits.LAYERS:
        raise SettingError(f"layer_size must have at most {limits.LAYERS:,} entries, not {len(layer_size):,}")
    sizes = tuple(whole_number(f"layer_size[{i}]", width, maximum=limits.UNITS) for i, width in enumerate(layer_size))
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    if weights > limits.WEIGHTS:
        raise SettingError(
            f"layer_size {list(sizes)[:8]} gives {weights:,} weights, more than {limits.WEIGHTS:,}; make layers "
            "narrower"
        )
    return sizes
