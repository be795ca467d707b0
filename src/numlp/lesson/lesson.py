"""Lesson: one page that trains a network before one's eyes, on made data, on digits, or on the reader's own table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from numlp.datasets import load_dataset
from numlp.datasets.parts import read_data
from numlp.datasets.readers import Samples
from numlp.datasets.reading import Reading
from numlp.errors import DataError
from numlp.files.atomic import write_bytes
from numlp.lesson import digits, table
from numlp.lesson.shapes import shapes
from numlp.page.page import page
from numlp.version import __version__

SCRIPTS = (
    *("element", "format", "tooltip", "ticks", "lines", "bars", "decode", "pictures", "centring", "ink", "theme"),
    *("settings/state", "settings/lessons"),
    *("data/cells", "data/csv", "data/table", "data/shapes", "data/plane", "data/division"),
    *("judging/overfitting", "judging/dead"),
    *("training/recipe", "training/session", "training/worker", "training/trainer"),
    *("plots/colors", "plots/picture", "plots/wiring"),
    *(
        "page/guide",
        "page/controls",
        "page/play",
        "page/progress",
        "page/own",
        "page/leaving",
        "page/digit",
        "lesson",
    ),
)


def lesson_page(name: str | None = None, reading: Reading | None = None) -> bytes:
    """Return the page, in UTF-8.

    Parameters
    ----------
    name : str, optional
        A named data set, or the path of a file, with which the page begins: a table joins the page's own data, and
        images of bytes take the place of its digits.
    reading : Reading, optional
        How to read a file.

    Raises
    ------
    SettingError, FileFormatError, DataError, DownloadError
    MissingDependencyError
        Without Jinja2.
    """
    sources: dict[str, Any] = {title: shape.described() for title, shape in shapes().items()}
    own, first = None, None
    if name is None:
        sources["digits"] = _digits()
    else:
        (parts, _, reading), classes = read_data(name, reading or Reading())
        samples = parts["train"]
        if _are_images(samples):
            title, first = f"{Path(name).name}: images", "digits"
            sources["digits"] = _images(title, samples, classes)
        else:
            sources["digits"], first = _digits(), "own"
            own = _table(Path(name).name, samples, reading.target or "target")
    data = {"sources": sources, "own": own, "first": first}
    context = {"title": "Lesson", "version": __version__}
    return page(Path(__file__).with_name("lesson.html"), SCRIPTS, data, context, trains=True)


def write_lesson(path: str | os.PathLike[str], name: str | None = None, reading: Reading | None = None) -> Path:
    """Write the page to a file, atomically, and return its path.

    Parameters
    ----------
    path : path
    name, reading
        As for `lesson_page`.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    content = lesson_page(name, reading)
    write_bytes(path, content)
    return Path(path)


def _digits() -> dict[str, Any]:
    train = load_dataset("mnist").train
    return digits.described("handwritten digits", train.x, train.y, tuple("0123456789"))


def _are_images(samples: Samples) -> bool:
    x = samples.x
    return isinstance(x, np.ndarray) and x.ndim == 3 and x.dtype == np.uint8 and samples.y.dtype.kind in "iu"


def _images(title: str, samples: Samples, classes: tuple[str, ...] | None) -> dict[str, Any]:
    y = samples.y.ravel()
    names = classes or tuple(map(str, range(int(y.max()) + 1)))
    if len(names) > digits.CLASSES:
        raise DataError(f"the page shows at most {digits.CLASSES} classes of images, and {title} has {len(names)}")
    return digits.described(title, np.asarray(samples.x), y, names)


def _table(title: str, samples: Samples, target: str) -> dict[str, Any]:
    y = samples.y if samples.written is None or samples.y.dtype.kind in "biuf" else samples.written
    return table.described(title, table.columns_of(samples.x, y, target, samples.columns), target)
