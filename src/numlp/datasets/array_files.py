"""NumPy's .npy and .npz files: reading executes nothing and reserves no more memory than the file can fill."""

import contextlib
import math
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.stored import Opened, Stored
from numlp.errors import FileFormatError
from numlp.files.kinds import refused
from numlp.settings import limits
from numlp.settings.checks import listed

_MAGIC = b"\x93NUMPY"
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's own; the memory of others is not bounded


def read_npy(path: Path) -> AnyArray:
    """Return the array of an .npy file, memory-mapped, so rows are read when needed.

    Raises
    ------
    FileFormatError
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                if zipfile.is_zipfile(file):
                    raise FileFormatError(f"{path} is an .npz archive; give it that suffix")
                raise ValueError("it doesn't begin like an .npy file")
            file.seek(0)
            _check(file, os.fstat(file.fileno()).st_size)
        return _of_characters(np.load(path, mmap_mode="r", allow_pickle=False))
    except FileFormatError:
        raise
    except Exception as error:  # NumPy raises a dozen kinds on broken files
        raise _refused(path, error) from error


def stored_npy(path: Path) -> Stored:
    """Return the array of an .npy file, whose rows are read when needed, without a map of the whole file.

    Raises
    ------
    FileFormatError
        If it is broken, or its rows don't lie one after the other, in C order.
    """
    read_npy(path)  # checks it
    file = open(path, "rb", buffering=0)  # noqa: SIM115
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read_header(file)
    if (in_columns and len(shape) > 1) or not shape or dtype.kind not in "buif":
        raise FileFormatError(
            f"{path} must hold rows of numbers in C order to be read a part at a time: save "
            "np.ascontiguousarray(x), or read it into memory"
        )
    return Stored(Opened(file, str(path)), dtype, shape, file.tell())


def npz_size(path: Path) -> int:
    """Return how many bytes the arrays in an .npz archive take; 0 if it can't be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return 0  # the reader says why


def npz_names(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an .npz archive.

    Raises
    ------
    FileFormatError
    """
    with _opened(path) as (archive, _):
        return tuple(member.filename.removesuffix(".npy") for member in archive.infolist())


def read_npz(path: Path, names: Sequence[str]) -> dict[str, AnyArray]:
    """Return the arrays with these names of an .npz archive, without unpacking others or writing anything.

    Raises
    ------
    FileFormatError
    """
    with _opened(path) as (archive, size):
        counts = Counter(member.filename.removesuffix(".npy") for member in archive.infolist())
        for name in names:
            if counts[name] != 1:
                found = "several arrays" if counts[name] else "no array"
                raise FileFormatError(f"{path} has {found} {name!r}; it holds {listed(counts) or 'none'}")
        return {name: _member(archive, f"{name}.npy", size) for name in names}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """Yield the archive of an .npz file, and the file's size."""
    try:
        with open(path, "rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                raise FileFormatError(f"{path} is a single array; give it the suffix .npy")
            with zipfile.ZipFile(file) as archive:
                yield archive, os.fstat(file.fileno()).st_size
    except FileFormatError:
        raise
    except Exception as error:  # NumPy, zipfile and the decompressor raise a dozen kinds on broken files
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> FileFormatError:
    if isinstance(error, FileNotFoundError):
        return FileFormatError(f"there is no file {path}")
    return refused(path, "a file of plain NumPy arrays (numbers or text)", ("npy", "npz"), f"{error!s:.200}")


def _member(archive: zipfile.ZipFile, name: str, size: int) -> AnyArray:
    """Return an array of an archive of `size` bytes."""
    described = archive.getinfo(name)
    if described.compress_type not in _PACKINGS:
        raise ValueError(f"{name} is compressed by a method that NumPy doesn't use")
    if described.compress_size > size or described.file_size > limits.unpacked(described.compress_size):
        raise ValueError(f"{name} claims {described.file_size:,} bytes, in a file of {size:,}")
    with archive.open(described) as member:
        _check(member, described.file_size)
        return _of_characters(np.lib.format.read_array(member, allow_pickle=False))


def _of_characters(array: AnyArray) -> AnyArray:
    """Return an array, and refuse text with invalid characters, which NumPy would accept."""
    if array.dtype.kind == "U":
        codes = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).view(np.uint32)
        if np.any((codes > sys.maxunicode) | (codes >> 11 == 0xD800 >> 11)):
            raise ValueError("its text holds invalid characters")
    return array


def _check(file: IO[bytes], size: int) -> None:
    """Refuse a header that doesn't fit a file of `size` bytes, or describes anything but plain numbers or text."""
    version, _ = np.lib.format.read_magic(file)
    start = file.read(2 if version == 1 else 4)
    length = int.from_bytes(start, "little")
    if length > limits.ARRAY_HEADER_BYTES:
        raise ValueError(f"its header claims {length:,} bytes")
    file.seek(-len(start), os.SEEK_CUR)
    # Versions 2 and 3 differ only in the names of fields, and arrays with fields are refused.
    read_header = np.lib.format.read_array_header_1_0 if version == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype.kind in "OV" or dtype.itemsize == 0:
        raise ValueError(f"it holds {dtype!s:.80}")
    if len(shape) > limits.RANK or any(side < 0 for side in shape):
        raise ValueError(f"its shape is {shape!s:.200}")
    if max(math.prod(shape), 1) * dtype.itemsize > size:
        raise ValueError(f"it has too few bytes for its shape {shape!s:.200}")
    file.seek(0)
