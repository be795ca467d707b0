"""Folders that came from others: what lies in them, and what only seems to."""

import os
from pathlib import Path

from numlp.errors import FileFormatError


def part_of(folder: str | os.PathLike[str], name: str) -> Path:
    """Return the path of what a folder holds, whether it is there or not.

    A folder that came from others may hold links to anywhere: what lies behind such a one is no part of it, and is
    neither read nor written.

    Raises
    ------
    FileFormatError
        If it is a link that leads out of the folder.
    """
    path = Path(folder, name)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise FileFormatError(f"{path} is a link that leads out of the folder: put what it leads to in its place")
    return path
