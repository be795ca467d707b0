"""The IDX format of MNIST: a header with the type and the sizes, then the numbers, big-endian; gzipped or not.

Nothing is trusted: the header must fit the bytes that follow, and no more is unpacked than the header announces.
Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
"""

import contextlib
import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.stored import Opened, Stored, StoredRows
from numlp.errors import FileFormatError, OutputError
from numlp.files.kinds import refused
from numlp.settings import limits

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], sha256: str | None = None) -> npt.NDArray[Any]:
    """Read an array from an IDX file, gzipped or not.

    Parameters
    ----------
    path : path
    sha256 : str, optional
        The expected hash of the decompressed bytes, header included.

    Returns
    -------
    array
        In the machine's byte order.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, longer than its header says, not an IDX file, or has another hash.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "two-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    ...     read_idx(f"{folder}/two-idx1-ubyte")
    array([7, 9], dtype=uint8)
    """
    path = Path(path)
    with _opened(path) as (content, _, most):
        array, digest = _read(content, most)
    if sha256 is not None and digest != sha256:
        raise FileFormatError(
            f"{path} has the wrong content: its SHA-256 must be {sha256}, not {digest}; remove the file, and numlp "
            "finds the data elsewhere or downloads it again"
        )
    return array


def described_idx(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and the type of the array in an IDX file, by its header."""
    with _opened(path) as (content, _, _most):
        shape, dtype, _header_bytes = _header(content)
        return shape, dtype


def stored_idx(path: Path) -> Stored:
    """Return the array of an IDX file, whose rows are read when needed; a gzipped file is unpacked to a disk first.

    Raises
    ------
    FileFormatError
    """
    with _opened(path) as (content, zipped, most):
        shape, dtype, header = _header(content)
        row, size = math.prod(shape[1:]) * dtype.itemsize, math.prod(shape) * dtype.itemsize
        if not size:
            raise ValueError(f"the header announces no numbers {shape}")
        if size > most or (not zipped and len(header) + size != most):
            raise ValueError(f"the header announces {size:,} bytes {shape}, but the file holds another number")
        if not zipped:
            return Stored(Opened(open(path, "rb", buffering=0), str(path)), dtype, shape, len(header))
        rows = StoredRows(shape[1:], dtype.newbyteorder("="))
        filled = 0
        while piece := content.read(max(1, _CHUNK // row) * row):
            filled += len(piece)
            if filled > size or len(piece) % row:
                break
            rows.append(np.frombuffer(piece, dtype).reshape(-1, *shape[1:]))
        if filled != size:
            few = "more" if filled > size else f"{filled:,}"
            raise ValueError(f"truncated or too long: the header announces {size:,} bytes {shape}, but {few} follow")
        return rows.finished()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[io.BufferedIOBase, bool, int]]:
    """Yield a file's bytes, unpacked, whether gzip has packed them, and how many they may be."""
    try:
        packed_size = path.stat().st_size
        with open(path, "rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            content: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if zipped else raw
            yield content, zipped, limits.unpacked(packed_size) if zipped else packed_size
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path} is a damaged or truncated gzip file: {error}") from error
    except OutputError:
        raise
    except OSError as error:
        raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise refused(path, "an IDX file", ("idx", "gzip"), error, unknown=f"{path}: {error}") from error


def _header(content: io.BufferedIOBase) -> tuple[tuple[int, ...], np.dtype[Any], bytes]:
    """Return the shape, the type of the numbers as they are written, and the header itself."""
    magic = content.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise ValueError(
            f"not an IDX file: it must begin with 0000, a type and a rank, not with {magic.hex() or 'nothing'}"
        )
    sizes = content.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError("truncated in the header")
    return struct.unpack(f">{magic[3]}I", sizes), np.dtype(_TYPES[magic[2]]), magic + sizes


def _read(content: io.BufferedIOBase, most: int) -> tuple[npt.NDArray[Any], str]:
    """Return the array and the hash of all bytes, or raise a ValueError that says what is wrong."""
    shape, dtype, header = _header(content)
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise ValueError(f"truncated: the header announces {size:,} bytes {shape}, but the file can't hold so many")
    try:
        data = np.empty(size, np.uint8)  # in huge pages, if available; pages that no bytes arrive for stay untouched
    except MemoryError as error:
        raise ValueError(f"the header announces {size:,} bytes {shape}, more than the memory holds") from error
    view, filled, digest = data.data, 0, hashlib.sha256(header)
    with ThreadPoolExecutor(1) as hashing:  # while the next bytes are unpacked
        while count := content.readinto(view[filled : filled + _CHUNK]):
            hashing.submit(digest.update, view[filled : filled + count])
            filled += count
    if filled < size:
        raise ValueError(f"truncated: the header announces {size:,} bytes {shape}, but {filled:,} follow")
    if content.read(1):
        raise ValueError(f"too long: the header announces {size:,} bytes {shape}, but more follow")
    return data.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False), digest.hexdigest()
