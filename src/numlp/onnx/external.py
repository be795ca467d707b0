"""External data: the numbers of a graph that lie in files beside it, as PyTorch writes them by default.

Such a file must lie in the same folder, and constants together may take no more bytes than it has, so that reading a
graph costs no more than its files are large.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.files.folders import part_of
from numlp.settings import limits

_LONGEST = 255  # characters of a file's name
AS_ONE_FILE = "export the model as one file (in PyTorch, with external_data=False)"


class External:
    """The files beside a graph.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    size : int
        The bytes of the files that have been read from, by name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._left: dict[str, int] = {}  # bytes that may still be read, by the file's name
        self.size = 0

    def array(self, tensor: TensorProto, title: str, shape: tuple[int, ...], item: int) -> AnyArray:
        """Return a constant whose numbers lie in a file beside the graph.

        Parameters
        ----------
        tensor : TensorProto
        title : str
            For messages.
        shape : tuple of int
        item : int
            The bytes of one number.

        Raises
        ------
        FileFormatError
            If the file is missing or lies elsewhere, or doesn't hold these numbers.
        """
        entries = {entry.key: entry.value for entry in tensor.external_data}
        name, length = str(entries.get("location", "")), item * math.prod(shape)
        path = self._path(name, title)
        offset = _whole(entries.get("offset", "0"))
        claimed = _whole(entries.get("length", str(length)))
        size = path.stat().st_size
        if name not in self._left:
            self._left[name] = size
            self.size += size
        if offset is None or claimed != length or offset + length > size:
            raise FileFormatError(
                f"{title} has the shape {shape!s:.200}, but {path} doesn't hold that many numbers where it says: the "
                "two files don't belong together, or are damaged"
            )
        self._left[name] -= length
        if self._left[name] < 0:
            raise FileFormatError(f"{title} and others claim more bytes than {path} has")
        try:
            with path.open("rb") as file:
                file.seek(offset)
                raw = file.read(length)
        except OSError as error:
            raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
        if len(raw) != length:
            raise FileFormatError(f"{path} changed while it was read")
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        stored = np.dtype(np.uint8) if dtype == np.bool_ else dtype.newbyteorder("<")
        return np.frombuffer(raw, stored).astype(dtype, copy=False).reshape(shape)

    def _path(self, name: str, title: str) -> Path:
        if not 0 < len(name.encode()) <= _LONGEST or name in (".", "..") or any(mark in name for mark in "/\\:\0"):
            raise FileFormatError(
                f"{title} is stored in {name!r:.200}, which isn't a file in the model's folder: {AS_ONE_FILE}"
            )
        path = part_of(self.folder, name)
        if not path.is_file():
            raise FileFormatError(
                f"{title} is stored in the file {name!r:.200}, which must lie beside the model, but doesn't: put it "
                f"there, or {AS_ONE_FILE}"
            )
        if path.stat().st_size > limits.EXTERNAL_BYTES:
            raise FileFormatError(f"{path} must have at most {limits.EXTERNAL_BYTES:,} bytes")
        return path


def _whole(text: str | bytes) -> int | None:
    """Return a whole number of at most 18 digits, or None if the text isn't one."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else None
