"""Subjects: the files in a run's folder that its provenance covers, and whether they are as they were."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from numlp.files.folders import part_of
from numlp.runs import layout

ALWAYS = (layout.RECIPE, layout.DATA, layout.MODEL, layout.HISTORY, layout.METRICS)
_SOMETIMES = (layout.GRADIENTS, layout.OUT_OF_FOLD, layout.SNAPSHOTS, layout.REPORT)
_INSIDE = ((layout.FIGURES, "*.png"), (layout.KEPT, "*.safetensors"))
_PART = re.compile(r"[^/\\:\x00-\x1f\x7f]{1,255}")
_PIECE = 1 << 20


def result_files(folder: Path) -> list[str]:
    """Return the files in a run's folder that its provenance covers, as paths from there: all that numlp puts there.

    The last checkpoints aren't among them, since they are no result, nor files that numlp didn't write.
    """
    names = [name for name in (*ALWAYS, *_SOMETIMES) if (folder / name).is_file()]
    for place, pattern in _INSIDE:
        names += sorted(f"{place}/{path.name}" for path in part_of(folder, place).glob(pattern) if path.is_file())
    return names


def is_shown(name: str) -> bool:
    """Return whether a file shows a run's results and can be drawn again from the others: the report or a figure."""
    return name == layout.REPORT or name.startswith(f"{layout.FIGURES}/")


def is_inside(name: str) -> bool:
    """Return whether a path with slashes stays in the folder where it begins, on every system.

    >>> is_inside("figures/loss.png"), is_inside("../loss.png"), is_inside("/loss.png"), is_inside("C:loss.png")
    (True, False, False, False)
    """
    parts = name.split("/", 16)
    return all(_PART.fullmatch(part) and part not in (".", "..") for part in parts)


def digest_file(folder: Path, name: str) -> str:
    """Return the SHA-256 of a file in a folder; raise FileFormatError if it is a link that leads out of it."""
    made = hashlib.sha256()
    with open(part_of(folder, name), "rb") as file:
        while piece := file.read(_PIECE):
            made.update(piece)
    return made.hexdigest()


def differing(folder: Path, subjects: Mapping[str, str], names: Iterable[str] | None = None) -> dict[str, str]:
    """Return what is wrong with a folder's files, by their paths; nothing if all are as they were.

    Parameters
    ----------
    folder : path
    subjects : dict
        The SHA-256 of each file, by its path.
    names : iterable of str, optional
        Which files to look at; by default those that the subjects name, and those that they should.

    Returns
    -------
    dict of str
        "missing", "differs", or "not covered" if the subjects don't name the file.
    """
    wrong = {}
    for name in sorted({*subjects, *result_files(folder)}) if names is None else names:
        if not part_of(folder, name).is_file():
            wrong[name] = "missing"
        elif name not in subjects:
            wrong[name] = "not covered"
        elif digest_file(folder, name) != subjects[name]:
            wrong[name] = "differs"
    return wrong
