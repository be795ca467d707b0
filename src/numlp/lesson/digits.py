"""Digits: some images of a data set, packed for the page."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 5000  # about 1.1 MB of the page; 4,000 train
CLASSES = 20


def described(
    title: str, x: npt.NDArray[np.uint8], y: npt.NDArray[Any], classes: tuple[str, ...], rows: int = ROWS
) -> dict[str, Any]:
    """Return the first images of a set as JSON can hold them.

    Parameters
    ----------
    title : str
    x : uint8 array, shape (n, height, width)
    y : int array, shape (n,)
        Indices of the classes.
    classes : tuple of str
    rows : int
        How many images to take, at most.

    Examples
    --------
    >>> found = described("noise", np.zeros((9, 2, 3), np.uint8), np.arange(9) % 2, ("a", "b"), rows=4)
    >>> found["rows"], found["height"], found["width"]
    (4, 2, 3)
    """
    taken = np.ascontiguousarray(x[:rows])
    return {
        "title": title,
        "target": "label",
        "rows": len(taken),
        "height": taken.shape[1],
        "width": taken.shape[2],
        "classes": list(classes),
        "images": _packed(taken),
        "y": _packed(y[:rows].astype(np.uint8)),
    }


def _packed(array: npt.NDArray[np.uint8]) -> str:
    """Return bytes, gzipped and in base64; without a time, so that the same bytes come out the same."""
    return base64.b64encode(gzip.compress(array.tobytes(), 9, mtime=0)).decode()
