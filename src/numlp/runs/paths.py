"""Paths of new files and folders, which never replace old ones, and of files without their folders."""

import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numlp.errors import OutputError, SettingError


def numbered(path: Path) -> Iterator[Path]:
    """Yield the path itself, then name-2, name-3, …"""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def free_path(path: Path) -> Path:
    """Return the path itself if it is free, else the first free one of name-2, name-3, …"""
    return next(candidate for candidate in numbered(path) if not candidate.exists())


def new_figure_path(path: Path | None, default: str) -> Path:
    """Return where to write a new figure: the given path, or the default name or the next free one.

    Raises
    ------
    SettingError
        If the path isn't a .png file.
    OutputError
        If the path already exists, or its folder doesn't.
    """
    if path is None:
        return free_path(Path(default))
    if path.suffix.lower() != ".png":
        raise SettingError(f"--output must be a .png file, not {path}")
    if path.exists():
        raise OutputError(f"{path} already exists: name another file, or remove it")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}: create it, or name another file")
    return path


def without_folders(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, files without their folders: what is shared should not reveal where it was made."""
    files = {name: Path(value).name for name, value in settings.items() if isinstance(value, str) and os.sep in value}
    return {**settings, **files}
