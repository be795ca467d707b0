"""Folders from others: distinguish the files inside from links that lead out."""

import os
from pathlib import Path

from numlp.errors import FileFormatError


def part_of(folder: str | os.PathLike[str], name: str) -> Path:
    """Return the path of a folder's file, whether it exists or not.

    A folder from others may hold links to anywhere. A file behind a link that leads out of the folder is neither read
    nor written.

    Raises
    ------
    FileFormatError
        If the path is a link that leads out of the folder.
    """
    path = Path(folder, name)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise FileFormatError(f"{path} is a link that leads out of the folder; replace it by what it points to")
    return path
