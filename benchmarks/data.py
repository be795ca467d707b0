"""The images, as somebody without numlp would read them: gzip and NumPy."""

import gzip
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.case import Rows


class Images(NamedTuple):
    """Images, (n, 28, 28), bytes, and labels; the last of the training images are for validation."""

    x: Rows
    y: Rows
    x_validation: Rows
    y_validation: Rows
    x_test: Rows
    y_test: Rows


def folder(name: str) -> Path:
    """Return where a data set's four files lie."""
    if "NUMLP_DATA_DIR" in os.environ and (found := Path(os.environ["NUMLP_DATA_DIR"]) / name).is_dir():
        return found
    return {
        "mnist": Path(__file__).parents[1] / "src/numlp/datasets/mnist",
        "fashion-mnist": Path("/usr/share/datasets/fashion-mnist"),
    }[name]


def read(path: Path, header: int) -> Rows:
    """Return the bytes of an IDX file, without its header."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def load(name: str = "mnist", held_out: int = 3_000) -> Images:
    """Read a data set, and hold out the last training images for validation: 5 %, as numlp does, or so many."""
    parts = []
    for part in ("train", "t10k"):
        x = read(folder(name) / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        y = read(folder(name) / f"{part}-labels-idx1-ubyte.gz", 8)
        parts += [(x, y)]
    (x, y), test = parts
    n = len(x) - held_out
    return Images(x[:n], y[:n], x[n:], y[n:], *test)
