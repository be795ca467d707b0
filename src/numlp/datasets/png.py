"""PNG images as samples for prediction."""

import io
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from numlp.errors import DataError, FileFormatError
from numlp.settings import limits
from numlp.settings.checks import missing
from numlp.settings.texts import read_bytes

_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def read_png(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return an image as one sample, (1, features): in color if samples are (height, width, 3), else in gray.

    Its size is checked before its pixels are unpacked, so they never take more memory than a sample.

    Parameters
    ----------
    path : path
    shape : tuple of int
        The shape of a sample: (height, width), (height, width, 3) or (features,).

    Raises
    ------
    FileFormatError, DataError
    """
    try:
        from PIL.PngImagePlugin import PngImageFile
    except ImportError as error:
        raise missing("Pillow", "reading images", "app") from error

    mode = "RGB" if len(shape) == 3 and shape[2] == 3 else "L"
    try:
        # Pillow reads as many bytes as the file's lengths claim; from memory it gets no more than there are.
        with PngImageFile(io.BytesIO(read_bytes(path, limits.IMAGE_BYTES))) as image:
            width, height = image.size
            fits = (height, width) == shape[:2] if len(shape) > 1 else height * width == shape[0]
            if not fits:
                wanted = "×".join(str(size) for size in shape)
                raise DataError(f"{path} has {height}×{width} pixels, but the network takes {wanted}; resize it")
            if image.mode not in _MODES:
                raise DataError(f"{path} has pixels of mode {image.mode}; save it with 8 bits a channel")
            pixels = np.asarray(image.convert(mode))
    except DataError:
        raise
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise FileFormatError(f"{path} isn't a PNG image, or is damaged: {error}") from error
    if pixels.size != np.prod(shape):
        raise DataError(f"{path} is an image of {pixels.size} values, but the network takes samples of shape {shape}")
    return pixels.reshape(1, -1)
