"""Download a named data set into the user's cache: from its mirrors, by HTTPS, verified before use."""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from numlp.datasets.idx import read_idx
from numlp.datasets.sources import Source, cache_folder
from numlp.errors import DownloadError
from numlp.settings.checks import missing

_TIMEOUT = 30  # seconds without a byte before giving a mirror up
_MAX_BYTES = 1 << 28  # more than any packed file of a named data set


def fetch(source: Source) -> Path:
    """Download all files of a data set, with a progress bar, and return their folder.

    Files enter the cache only after all of them have arrived with the right hash.

    Raises
    ------
    DownloadError
        If no mirror delivers the right bytes; the message says why each mirror failed.
    MissingDependencyError
        If pooch and rich aren't installed.
    """
    folder = cache_folder(source.name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=folder.parent) as temporary:
            whole = Path(temporary, source.name)
            whole.mkdir()
            for name, sha256 in source.sha256.items():
                _fetch_file(source, name, sha256, whole / f"{name}.gz")
            folder.mkdir(exist_ok=True)
            for path in whole.iterdir():
                os.replace(path, folder / path.name)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"can't write the cache {folder}: {error.strerror or error}") from error
    return folder


def _fetch_file(source: Source, name: str, sha256: str, path: Path) -> None:
    """Try every mirror until one delivers the file with the right hash."""
    failures = []
    for mirror in source.mirrors:
        url = f"{mirror}{name}.gz"
        try:
            _download(url, path)
            read_idx(path, sha256)
        except (OSError, ValueError) as error:
            failures.append(f"{url}: {_reason(error)}")
        else:
            return
    raise DownloadError(
        f"can't download {source.name}: " + "; ".join(failures) + f". Check the connection, or put its files into a "
        f"folder {source.name!r} and set NUMLP_DATA_DIR to that folder's parent"
    )


def _reason(error: Exception) -> str:
    """Return in a few words why a download failed: requests explains a missing connection in a paragraph."""
    from requests import ConnectionError  # noqa: A004

    if "timed out" in str(error):
        return f"no answer within {_TIMEOUT} s"
    if isinstance(error, ConnectionError):
        return "no connection"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _download(url: str, path: Path) -> None:
    try:
        import pooch
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError as error:
        raise missing("pooch and rich", "downloading a data set", "app") from error
    from rich.console import Console

    logging.getLogger("pooch").setLevel(logging.WARNING)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = _Bar(progress, url.rsplit("/", 1)[-1])
        pooch.HTTPDownloader(progressbar=bar, timeout=_TIMEOUT)(url, str(path), None)


class _Bar:
    """Shows pooch's progress with rich, through the few methods of tqdm that pooch calls; stops a flood of bytes."""

    def __init__(self, progress: Any, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)
        self._received = 0
        self.total = 0

    def update(self, count: int) -> None:
        self._received += count
        if self._received > _MAX_BYTES:
            raise OSError(f"more than {_MAX_BYTES:,} bytes arrived")
        self._progress.update(self._task, total=self.total or None, completed=self._received)

    def reset(self) -> None:
        self._received = 0

    def close(self) -> None: ...
