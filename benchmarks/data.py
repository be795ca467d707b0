"""The images, read as you would read them without numlp: with gzip and NumPy, two files at a time."""

import gzip
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.case import Rows


class Images(NamedTuple):
    """Images as bytes, (n, 28, 28), and labels; the last 5 % of the training images are for validation."""

    x: Rows
    y: Rows
    x_validation: Rows
    y_validation: Rows
    x_test: Rows
    y_test: Rows


def folder(name: str) -> Path:
    """Return the folder of a data set's four files."""
    if "NUMLP_DATA_DIR" in os.environ and (found := Path(os.environ["NUMLP_DATA_DIR"]) / name).is_dir():
        return found
    return {
        "mnist": Path(__file__).parents[1] / "src/numlp/datasets/mnist",
        "fashion-mnist": Path("/usr/share/datasets/fashion-mnist"),
    }[name]


def those_there(names: Iterable[str]) -> list[str]:
    """Return the data sets that are on this machine, and print which are not."""
    there = [name for name in names if folder(name).is_dir()]
    for name in set(names) - set(there):
        print(f"{name} is not on this machine: skipped")
    return there


def read(path: Path, header: int) -> Rows:
    """Return the bytes of an IDX file without its header."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def load(name: str = "mnist") -> Images:
    """Read a data set."""
    files = (("train-images-idx3", 16), ("t10k-images-idx3", 16), ("train-labels-idx1", 8), ("t10k-labels-idx1", 8))
    with ThreadPoolExecutor(2) as pool:  # decompression releases the GIL
        parts = pool.map(lambda file: read(folder(name) / f"{file[0]}-ubyte.gz", file[1]), files)
    x, x_test, y, y_test = parts
    x, x_test = (images.reshape(-1, 28, 28) for images in (x, x_test))
    n = len(x) * 19 // 20
    return Images(x[:n], y[:n], x[n:], y[n:], x_test, y_test)


def with_fold(images: Images, fold: int) -> Images:
    """Return the images with another fold held out: as many training images, `fold` folds before the end."""
    if not fold:
        return images
    held_out = len(images.x_validation)
    stop = len(images.x) - (fold - 1) * held_out
    start = stop - held_out

    def moved(training: Rows, validation: Rows) -> tuple[Rows, Rows]:
        return np.concatenate([training[:start], training[stop:], validation]), training[start:stop]

    (x, x_validation), (y, y_validation) = moved(images.x, images.x_validation), moved(images.y, images.y_validation)
    return Images(x, y, x_validation, y_validation, images.x_test, images.y_test)
