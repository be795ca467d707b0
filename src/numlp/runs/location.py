"""Location: where the files of a recorded recipe lie now, since the record names them without their folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numlp.datasets import SOURCES
from numlp.runs.recipe import Recipe

_FILES = ("data", "validation", "test", "target", "weights", "teacher")  # settings that may be paths


def located(recorded: Recipe, settings: Mapping[str, Any], data: str | None) -> Recipe:
    """Return a recorded recipe with the paths of its files.

    Parameters
    ----------
    recorded : Recipe
        With the names of its files.
    settings : mapping
        Those in the run's folder, which have the paths that the files had.
    data : str, optional
        Where the data lie now, or the name of a data set. The other files may lie beside them.
    """
    names = recorded.as_dict()
    paths = {
        name: Path(path)
        for name in _FILES
        if isinstance(path := settings.get(name), str)
        and os.sep in path
        and Path(path).name == Path(str(names.get(name))).name
    }
    if data is not None:
        if data not in SOURCES:
            paths = {name: path if path.exists() else Path(data).parent / path.name for name, path in paths.items()}
        paths["data"] = Path(data)
    return recorded.edited(**{name: str(path) for name, path in paths.items()})
