"""Stored arrays: rows in a file that are read a slice at a time, since they needn't fit into memory."""

from __future__ import annotations

import math
import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError, OutputError, SettingError

_LASTING = Path("/var/tmp")  # noqa: S108  # which is on a disk where /tmp may be in memory


class Opened:
    """A file that several threads read at once, and that must stay as it is.

    Parameters
    ----------
    file : file, opened for reading bytes without a buffer
    name : str
        What to call it in messages.
    """

    def __init__(self, file: Any, name: str = "a file") -> None:
        self._file, self._name = file, name
        self._lock = threading.Lock()  # the place to read from belongs to the file
        self._seen = self._state()
        weakref.finalize(self, file.close)

    def write(self, data: memoryview) -> None:
        """Write bytes after those that are there."""
        while len(data):
            data = data[self._file.write(data) :]
        self._seen = self._state()

    def read(self, place: int, out: memoryview) -> None:
        """Fill `out` with the bytes from a place on.

        Raises
        ------
        FileFormatError
            If the file has changed since it was opened, or can't be read.
        """
        try:
            self._read(place, out)
        except OSError as error:  # of the disk, or of the network to it
            raise FileFormatError(f"can't read {self._name}: {error.strerror or error}") from error

    def _read(self, place: int, out: memoryview) -> None:
        with self._lock:
            if self._state() != self._seen:
                raise FileFormatError(
                    f"{self._name} was changed or removed while it was read: put it back, and resume"
                )
            self._file.seek(place)
            filled = 0
            while filled < len(out):
                count = self._file.readinto(out[filled:])
                if not count:
                    raise FileFormatError(f"{self._name} ends too early, after {place + filled:,} bytes")
                filled += count

    def _state(self) -> tuple[int, ...]:
        found = os.fstat(self._file.fileno())
        return found.st_nlink, found.st_size, found.st_mtime_ns


class Stored:
    """Rows of numbers in a file, read a slice at a time.

    Parameters
    ----------
    file : Opened
    dtype : dtype
    shape : tuple of int
        (n, …); the rows lie one after the other, in C order.
    offset : int
        Where the first number is.

    Examples
    --------
    >>> rows = StoredRows((2,), "float32")
    >>> rows.append(np.ones((3, 2)))
    >>> rows.append(np.zeros((2, 2)))
    >>> rows.finished()[2:4]
    array([[1., 1.],
           [0., 0.]], dtype=float32)
    """

    def __init__(self, file: Opened, dtype: npt.DTypeLike, shape: Sequence[int], offset: int = 0) -> None:
        self._file, self._offset = file, offset
        self._written = np.dtype(dtype)
        self.dtype = self._written.newbyteorder("=")
        self.shape = tuple(shape)
        self.ndim = len(self.shape)
        self.row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: slice) -> AnyArray:
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise SettingError(f"stored rows are read one after the other, not in steps of {step}")
        found = np.empty((max(stop - start, 0), *self.shape[1:]), self.dtype)
        self.read(start, found)
        return found

    def read(self, start: int, out: AnyArray) -> None:
        """Read as many rows as `out` has, which is in C order, from row `start` on."""
        if out.size:
            self._file.read(self._offset + start * self.row_bytes, out.reshape(-1).view(np.uint8).data)
        if self._written != self.dtype:
            out.byteswap(inplace=True)

    def shaped(self, *shape: int) -> Stored:
        """Return the same rows, each in another shape."""
        return Stored(self._file, self._written, (len(self), *shape), self._offset)

    def part(self, start: int, stop: int) -> Stored:
        """Return some of the rows, where they lie."""
        offset = self._offset + start * self.row_bytes
        return Stored(self._file, self._written, (stop - start, *self.shape[1:]), offset)


class StoredRows:
    """A file to fill with rows. It is gone with the last `Stored` of it, however the program ends.

    Parameters
    ----------
    shape : tuple of int
        Of a row.
    dtype : dtype
    """

    def __init__(self, shape: Sequence[int], dtype: npt.DTypeLike) -> None:
        self._shape, self._dtype, self._rows = tuple(shape), np.dtype(dtype), 0
        self._folder = scratch()
        try:
            file = tempfile.TemporaryFile(buffering=0, prefix="numlp-", dir=self._folder)  # noqa: SIM115
        except OSError as error:
            raise no_room(self._folder, error) from error
        self._file = Opened(file)

    def append(self, rows: AnyArray) -> None:
        """Write rows after those that are there.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        try:
            self._file.write(np.ascontiguousarray(rows, self._dtype).reshape(-1).view(np.uint8).data)
        except OSError as error:
            raise no_room(self._folder, error) from error
        self._rows += len(rows)

    def finished(self) -> Stored:
        """Return the rows for reading."""
        return Stored(self._file, self._dtype, (self._rows, *self._shape))


def scratch() -> str:
    """Return the folder for rows that don't fit into memory: TMPDIR, or that for large temporary files."""
    lasting = not os.environ.get("TMPDIR") and _LASTING.is_dir() and os.access(_LASTING, os.W_OK)
    return str(_LASTING) if lasting else tempfile.gettempdir()


def no_room(folder: str, error: object) -> OutputError:
    """Return the error for a folder that can't take rows that don't fit into memory."""
    reason = getattr(error, "strerror", None) or error
    return OutputError(
        f"can't write to {folder} what doesn't fit into memory: {reason}; set the environment variable TMPDIR to a "
        "folder on a disk with more room"
    )
