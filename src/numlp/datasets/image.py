"""Images as samples for prediction: formats that Pillow reads itself, without other programs."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.data.pictures import picture_shape
from numlp.datasets.ground import ground_of, laid, trained_ground
from numlp.errors import DataError, FileFormatError, NumlpError
from numlp.files.kinds import refused
from numlp.network.predictor import Predictor
from numlp.network.shape import PictureShape
from numlp.settings import limits
from numlp.settings.checks import listed, missing
from numlp.settings.texts import read_bytes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_PLUGINS = (  # the first bytes, those from the ninth on, and what reads the format
    (b"\x89PNG", b"", "PngImageFile"),
    (b"\xff\xd8\xff", b"", "JpegImageFile"),
    (b"RIFF", b"WEBP", "WebPImageFile"),
    (b"GIF8", b"", "GifImageFile"),
    (b"BM", b"", "BmpImageFile"),
)
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # by the number of channels
_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_LEAST_16 = 1 << 12  # the brightest pixel of an image that uses its 16 bits


def read_image(path: Path, predictor: Predictor) -> npt.NDArray[np.uint8]:
    """Return an image as one sample, (1, features), gray or in color, channels first or last as the network takes it.

    Its size is checked before its pixels are unpacked, so they never take more memory than a sample. Of several
    frames the first is read. A photograph is turned as its EXIF data says. A transparent image is laid over white if
    its ink is dark, over black if it is light. A gray image is inverted if its ground is light and that of the
    training images dark, or the other way round.

    Raises
    ------
    FileFormatError, DataError

    Warns
    -----
    UserWarning
        If the image was changed, or the network doesn't know the ground of its training images.
    """
    shape = picture_shape(predictor)
    try:
        # Pillow reads as many bytes as a file's lengths claim; from memory it gets no more than there are.
        content = read_bytes(path, limits.IMAGE_BYTES)
        with _opened(content) as image:
            _check_size(path, image.size, shape, predictor)
            shape = shape or PictureShape(image.height, image.width)
            pixels, notes = _pixels(path, image, shape.channels)
    except NumlpError:
        raise
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except Exception as error:  # Pillow raises a dozen kinds on broken files
        wanted = f"an image ({', '.join(suffix[1:].upper() for suffix in SUFFIXES)})"
        raise refused(path, wanted, ("png", "jpeg", "webp", "gif", "bmp"), error) from error
    if pixels.shape[:2] != (shape.height, shape.width):
        raise DataError(f"{path} lies on its side, as its EXIF data says; turn it")
    if shape.channels == 1:
        trained, found = trained_ground(predictor, shape), ground_of(pixels)
        if trained == "unknown":
            warnings.warn(
                "the network doesn't record whether its training images were light on dark or dark on light; images "
                "are left as they are",
                stacklevel=2,
            )
        elif None not in (trained, found) and trained != found:
            pixels = 255 - pixels
            notes.append(f"inverted, since its ground is {found} and that of the training images {trained}")
    if notes:
        warnings.warn(f"{path}: {'; '.join(notes)}", stacklevel=2)
    pixels = pixels.reshape(shape.height, shape.width, shape.channels)
    return (pixels.transpose(2, 0, 1) if shape.first else pixels).reshape(1, -1)


def _opened(content: bytes) -> Any:
    """Return an image whose pixels are still packed."""
    try:
        from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
    except ImportError as error:
        raise missing("Pillow", "reading images", "app") from error
    if content.count(b"\xff\xda") > limits.SCANS and content.startswith(b"\xff\xd8"):
        raise ValueError(f"it has more than {limits.SCANS:,} scans")
    modules = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin, GifImagePlugin, BmpImagePlugin)
    for (first, ninth, plugin), module in zip(_PLUGINS, modules, strict=True):
        if content.startswith(first) and content.startswith(ninth, 8):
            return getattr(module, plugin)(io.BytesIO(content))
    raise ValueError("it begins like no such file")


def _check_size(path: Path, size: tuple[int, int], shape: PictureShape | None, predictor: Predictor) -> None:
    """Refuse an image whose pixels aren't as many as the network takes, or whose sides don't fit even if turned."""
    width, height = size
    if shape is None:
        fits = height * width == predictor.layer_size[0]
    else:
        fits = sorted((height, width)) == sorted((shape.height, shape.width))
    if fits:
        return
    if predictor.feature_names is not None:
        raise DataError(
            f"{path} is an image, but the network takes rows of a table; give it a .csv file with the columns "
            f"{listed(predictor.feature_names)}"
        )
    wanted = "×".join(str(side) for side in predictor.input_shape or predictor.layer_size[:1])
    raise DataError(f"{path} has {height}×{width} pixels, but the network takes {wanted}; resize it")


def _pixels(path: Path, image: Any, channels: int) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Return the pixels, (height, width) or (height, width, channels), and what was done to them."""
    from PIL import Image, ImageOps

    mode = image.mode
    upright = ImageOps.exif_transpose(image)
    if mode.startswith("I") and not upright.has_transparency_data:
        return _of_16_bits(path, np.asarray(upright), channels)
    if mode not in _EIGHT_BITS:
        raise DataError(f"{path} has pixels of mode {mode}; save it in gray or RGB, with 8 bits a channel")
    if channels in (1, 3) and upright.has_transparency_data:
        rgba = np.asarray(upright.convert("RGBA"))
        if rgba[..., 3].min() < 255:
            try:
                opaque, ground = laid(rgba)
            except DataError as error:
                raise DataError(f"{path} {error}") from error
            gray = Image.fromarray(opaque).convert(_MODES[channels])
            return np.asarray(gray), [f"laid over {ground}, since it is transparent"]
    return np.asarray(upright.convert(_MODES[channels])), []


def _of_16_bits(path: Path, pixels: npt.NDArray[Any], channels: int) -> tuple[npt.NDArray[np.uint8], list[str]]:
    if channels != 1 or pixels.min() < 0 or not _LEAST_16 <= pixels.max() < 1 << 16:
        raise DataError(
            f"{path} has gray pixels of 16 bits, from {pixels.min()} to {pixels.max()} of 65,535; bring them "
            "to 8 bits, 0 to 255"
        )
    return np.rint(pixels / 257).astype(np.uint8), []
