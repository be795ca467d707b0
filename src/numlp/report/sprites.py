"""Sprites: many small pictures in one PNG, as a data URL."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import numpy.typing as npt

_LEVELS = 63  # for each sign; finer shades cost bytes and are invisible
_POSITIVE, _NEGATIVE = (214, 69, 51), (47, 127, 214)


def data_url(png: bytes) -> str:
    """Return a PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def sheet(pictures: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Arrange pictures, (n, height, width), in a nearly square grid; empty places are 0.

    >>> sheet(np.arange(1, 4).reshape(3, 1, 1))
    array([[1, 2],
           [3, 0]])
    """
    n, height, width = pictures.shape
    columns = columns_of(n, height, width)
    rows = -(-n // columns)
    full = np.zeros((rows * columns, height, width), pictures.dtype)
    full[:n] = pictures
    return full.reshape(rows, columns, height, width).transpose(0, 2, 1, 3).reshape(rows * height, columns * width)


def columns_of(n: int, height: int, width: int) -> int:
    """Return the number of pictures in each row of a `sheet`."""
    return max(1, math.ceil(math.sqrt(n * height / width)))


def grey(pictures: npt.NDArray[np.uint8]) -> str:
    """Return byte pictures, (n, height, width), as a lossless sprite."""
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(sheet(pictures))).save(written, "png", optimize=True)
    return data_url(written.getvalue())


def signed(pictures: npt.NDArray[np.floating], largest: float) -> str:
    """Return pictures of signed numbers, (n, height, width), as a sprite: red is positive, blue negative.

    0 is transparent and so takes the page's color; ± `largest` and everything beyond is opaque.
    """
    from PIL import Image

    steps = np.clip(np.rint(pictures / largest * _LEVELS), -_LEVELS, _LEVELS).astype(np.int16)
    levels = np.arange(-_LEVELS, _LEVELS + 1)
    image = Image.fromarray((sheet(steps) + _LEVELS).astype(np.uint8), "P")
    image.putpalette([part for level in levels for part in (_POSITIVE if level > 0 else _NEGATIVE)])
    alpha = bytes(np.rint(np.abs(levels) / _LEVELS * 255).astype(np.uint8).tolist())
    written = io.BytesIO()
    image.save(written, "png", optimize=True, transparency=alpha)
    return data_url(written.getvalue())
