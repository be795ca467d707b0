"""Shared by the tests of data sets: a writer of IDX bytes, and a data set small enough to send around."""

import gzip
import hashlib
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from numlp.datasets import sources
from numlp.datasets.folder import FILES
from numlp.datasets.sources import Source

IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _idx_bytes(array: np.ndarray) -> bytes:
    code = IDX_CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[np.ndarray], bytes]:
    return _idx_bytes


@pytest.fixture(scope="session")
def tiny_files() -> dict[str, bytes]:
    """The four files of a data set with 20 training and 6 test images of 2 × 2 pixels, not gzipped."""
    files = {}
    for (images, labels), n in zip(FILES.values(), (20, 6), strict=True):
        files[images] = _idx_bytes(np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2))
        files[labels] = _idx_bytes(np.arange(n, dtype=np.uint8) % 3)
    return files


@pytest.fixture(scope="session")
def tiny(tiny_files) -> Source:
    return Source(
        name="tiny",
        title="A tiny data set",
        license="MIT",
        class_names=("ant", "bee", "cat"),
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in tiny_files.items()},
        mirrors=(),
    )


@pytest.fixture(scope="session")
def write_folder() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """Write a folder of gzipped files, with the suffix .gz."""

    def write(folder: Path, files: Mapping[str, bytes]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1))
        return folder

    return write


@pytest.fixture
def cache(monkeypatch, tmp_path) -> Path:
    """The folder of numlp in an empty cache; no other place of the user's is searched."""
    monkeypatch.delenv("NUMLP_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "numlp"


@pytest.fixture
def package(monkeypatch, tmp_path) -> Path:
    """A folder that stands in for the package's own, which holds data sets beside the module."""
    monkeypatch.setattr(sources, "__file__", str(tmp_path / "package" / "sources.py"))
    return tmp_path / "package"


@pytest.fixture
def unreadable() -> Callable[[Path], Path]:
    """Make a file unreadable; skip the test if that isn't possible."""

    def forbid(path: Path) -> Path:
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read every file")
        return path

    return forbid
