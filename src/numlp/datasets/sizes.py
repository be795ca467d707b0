"""Sizes: about how much memory the rows of files would take, told before they are read."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path

from numlp.datasets.array_files import npz_size, read_npy
from numlp.datasets.engine import connected, listed_paths
from numlp.datasets.folder import is_idx, stored_folder
from numlp.datasets.idx import described_idx
from numlp.datasets.opening import paths_of
from numlp.datasets.sources import SOURCES
from numlp.datasets.suffixes import TABLES, suffix_of
from numlp.errors import DataWarning, FileFormatError

_CELL = 12  # bytes of a cell of a table: its value, and its code
_READ = 16  # more while DuckDB reads texts
_PACKED = 5  # text is about so many times as large as what it packs into
_HEAD = 1 << 16  # bytes that are looked at


def size_in_memory(name: str) -> int:
    """Return about how many bytes the rows of a file, or of all files of a pattern, would take in memory.

    0 if numlp reads them into memory anyway: named data sets and ``.npz``.
    """
    path = Path(name)
    if name in SOURCES:
        return 0
    if path.is_dir() or (path.exists() and is_idx(path.name)):
        headers = [described_idx(files["images"]) for files in (stored_folder(path) or {}).values()]
        return sum(math.prod(shape) * dtype.itemsize for shape, dtype in headers)
    if path.suffix.lower() == ".npy":
        return read_npy(path).nbytes
    suffix = suffix_of(path)
    if suffix is None:
        return 0
    paths = paths_of(path)
    return _of_parquet(paths) if TABLES[suffix] == "parquet" else sum(map(_of_text, paths))


def size_of_samples(name: str) -> int:
    """Return about how many bytes the samples of a file would take in memory, which stand there without targets."""
    path = Path(name)
    if path.suffix.lower() in (".npy", ".npz") or suffix_of(path) is not None:
        return size_in_memory(name)
    try:
        shape, dtype = described_idx(path)
    except FileFormatError:
        return 0  # the reader says what it is
    return math.prod(shape) * dtype.itemsize


def tell_of_npz(name: str, memory: int) -> None:
    """Warn if an ``.npz`` archive unpacks to more than so many bytes, since it is read into memory whole."""
    if Path(name).suffix.lower() == ".npz" and (size := npz_size(Path(name))) > memory:
        warnings.warn(
            f"{name} unpacks to {size >> 20:,} MiB, and is read into memory whole: save its arrays as .npy files to "
            "have them read a part at a time",
            DataWarning,
            stacklevel=4,
        )


def _of_parquet(paths: list[Path]) -> int:
    with connected(paths, "a Parquet file", ("parquet",)) as connection:
        files = listed_paths(paths)
        query = (
            f"SELECT sum(CASE WHEN column_id = 0 THEN row_group_num_rows END) * (1 + max(column_id)), "
            f"sum(CASE WHEN type = 'BYTE_ARRAY' THEN total_uncompressed_size END) FROM parquet_metadata({files})"
        )
        cells, texts = connection.execute(query).fetchone()
    return int(cells or 0) * _CELL + int(texts or 0)


def _of_text(path: Path) -> int:
    packed = path.suffix.lower() in (".gz", ".zst")
    try:
        size = os.path.getsize(path) * (_PACKED if packed else 1)
        with open(path, "rb") as file:
            head = b"" if packed else file.read(_HEAD)
    except OSError:
        return 0  # the reader says why
    separators = max((head.count(sign) for sign in (b",", b";", b"\t", b"|")), default=0)
    cells = (separators + head.count(b"\n")) / len(head) if head else 1 / 6
    return int(size * (1 + cells * (_CELL + _READ)))
