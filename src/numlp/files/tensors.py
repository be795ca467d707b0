"""safetensors files, opened only after a check of their header."""

import os
from pathlib import Path
from typing import Any

from numlp.errors import FileFormatError
from numlp.files.kinds import refused
from numlp.settings import limits
from numlp.settings.texts import parse_json

_DTYPES = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64")  # those that NumPy has


def open_tensors(path: str | os.PathLike[str], kind: str, header_bytes: int = limits.HEADER_BYTES) -> Any:
    """Open a safetensors file as a context manager; its `keys`, `metadata`, `get_slice` and `get_tensor` read it.

    safetensors itself checks that the tensors fit the file. This function first checks what safetensors doesn't: the
    length of the header, that its keys are all different, and the number, types and ranks of the tensors.

    Parameters
    ----------
    path : path
    kind : str
        What the file should be, for messages: "model file".
    header_bytes : int
        The largest allowed size of the header.

    Raises
    ------
    FileFormatError
        If the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileFormatError(f"there is no {kind} {path}")
    try:
        _check_header(path, header_bytes)
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError, ValueError) as error:
        raise refused(path, f"a {kind}", ("model", "checkpoint", "snapshots", "tensors"), error) from error


def _check_header(path: str | os.PathLike[str], most: int) -> None:
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(most, os.fstat(file.fileno()).st_size - 8):
            raise ValueError(f"its header claims {length:,} bytes, more than the file has or may have")
        header = parse_json(file.read(length).decode(), limits.TENSORS)
    if not isinstance(header, dict):
        raise ValueError("its header isn't a JSON object")
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if not isinstance(shape, list) or len(shape) > limits.RANK or entry.get("dtype") not in _DTYPES:
            raise ValueError(f"{name!r:.80} isn't a tensor that NumPy can hold")


def tensor_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[list[int], str]]:
    """Return the shape and the dtype of every tensor in a file, without reading the tensors."""
    with open_tensors(path, "model file") as file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: (list(part.get_shape()), str(part.get_dtype())) for name, part in slices.items()}
