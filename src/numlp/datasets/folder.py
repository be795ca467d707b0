"""A folder of IDX files, under the names that people have them: MNIST's, EMNIST's and QMNIST's, gzipped or not.

EMNIST's files hold their images transposed, and label its letters from 1; QMNIST's labels are rows of eight numbers,
the class first. Sources: Cohen et al. 2017, arXiv:1702.05373; Yadav and Bottou 2019, arXiv:1905.10498.
"""

import re
import string
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.datasets.dataset import Split
from numlp.datasets.idx import read_idx
from numlp.errors import DataError, FileFormatError
from numlp.files.kinds import refused
from numlp.settings.checks import listed

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)?[-_.]?(?P<what>images|labels)[-_.]idx\d?([-_.](?!gz)[a-z0-9]+)?"
    r"(\.gz)?",
    re.IGNORECASE,
)
_MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
_EMNIST = {
    "emnist-balanced": _MERGED,
    "emnist-bymerge": _MERGED,
    "emnist-byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "emnist-digits": string.digits,
    "emnist-mnist": string.digits,
    "emnist-letters": string.ascii_uppercase,
}
_QMNIST_COLUMNS = 8
_ROWS = 4096  # turned at a time


class Folder(NamedTuple):
    """The content of a folder: "train" and "test" parts, as far as they exist, and the classes' names if known."""

    parts: dict[str, Split]
    class_names: tuple[str, ...] | None


_Files = dict[str, dict[str, Path]]  # by part, and by "images" or "labels"


def is_idx(name: str) -> bool:
    """Return whether a file has a name that `read_folder` knows.

    >>> is_idx("train-images.idx3-ubyte"), is_idx("emnist-letters-test-labels-idx1-ubyte.gz"), is_idx("x.csv")
    (True, True, False)
    """
    return _NAME.fullmatch(name) is not None


def is_whole(folder: Path) -> bool:
    """Return whether a folder holds all of `FILES`, in any spelling."""
    files = _find(folder).get("", {})
    return all({"images", "labels"} <= files.get(part, {}).keys() for part in FILES)


def parts_in(path: Path) -> tuple[str, ...]:
    """Return the parts, "train" and "test", that a folder holds, without reading them."""
    return tuple(_chosen(path)[1])


def read_folder(path: Path, sha256: Mapping[str, str] | None = None) -> Folder:
    """Read a folder of IDX files.

    Parameters
    ----------
    path : path
        The folder or, if it holds several data sets, a file of the one to read.
    sha256 : mapping, optional
        The hash of the decompressed bytes of each of `FILES`.

    Raises
    ------
    FileFormatError, DataError
    """
    name, files = _chosen(path) if sha256 is None else ("", _known(path))
    paths = [files[part][what] for part in files for what in ("images", "labels")]
    hashes = [None] * len(paths) if sha256 is None else [sha256[known] for part in files for known in FILES[part]]
    with ThreadPoolExecutor(2) as pool:  # unpacking and hashing let other threads run
        arrays = iter(list(pool.map(read_idx, paths, hashes)))
    parts = {part: Split(next(arrays), next(arrays)) for part in files}
    parts = {part: Split(rows.x, _labels(files[part], *rows)) for part, rows in parts.items()}
    return _upright(path, name, parts) if name.startswith("emnist") else Folder(parts, None)


def stored_folder(path: Path) -> dict[str, dict[str, Path]] | None:
    """Return the files of the parts of a folder, by "images" and "labels", if its rows can be read as they lie there.

    EMNIST's images must be turned first.
    """
    name, files = _chosen(path)
    return None if name.startswith("emnist") else files


def _find(folder: Path) -> dict[str, _Files]:
    """Return the IDX files in a folder, by the name of their set; a gzipped file comes before others."""
    sets: dict[str, _Files] = {}
    try:
        # Some programs unpack a file into a folder of its own, with its own name.
        inside = [path / path.name if (path / path.name).is_file() else path for path in folder.iterdir()]
    except OSError as error:
        raise FileFormatError(f"can't read the folder {folder}: {error.strerror or error}") from error
    for path in sorted(inside, key=lambda path: (path.parent != folder, path.suffix != ".gz", path.name)):
        if match := _NAME.fullmatch(path.name):
            part = "test" if (match["part"] or "").lower() in ("t10k", "test") else "train"
            files = sets.setdefault(match["set"].lower(), {})
            files.setdefault(part, {}).setdefault(match["what"].lower(), path)
    return sets


def _chosen(path: Path) -> tuple[str, _Files]:
    """Return the name of the set to read and its files."""
    folder = path if path.is_dir() else path.parent
    sets = _find(folder)
    if not path.is_dir():
        match = _NAME.fullmatch(path.name)
        sets = {match["set"].lower(): sets[match["set"].lower()]} if match else {}
    if not sets:
        below = [each for each in sorted(folder.iterdir()) if each.is_dir() and _find(each)]
        wanted = f"such as {' and '.join(f'{name}.gz' for name in FILES['train'])}"
        hint = f"; name the folder {below[0]}" if below else ""
        tables = "no tables, and " if path.is_dir() else ""
        unknown = f"{folder} holds {tables}no IDX files named like MNIST's, {wanted}{hint}"
        raise refused(folder, "a folder of IDX files", ("folder",), "", unknown=unknown)
    if len(sets) > 1:
        examples = [next(iter(next(iter(files.values())).values())).name for files in sets.values()]
        raise FileFormatError(f"{folder} holds several data sets; name a file of the one to read: {listed(examples)}")
    ((name, files),) = sets.items()
    _check_pairs(folder, files)
    return name, {part: files[part] for part in FILES if part in files}


def _known(folder: Path) -> _Files:
    """Return the files of a named data set, all of `FILES`."""
    files = _find(folder).get("", {})
    _check_pairs(folder, {part: files.get(part, {}) for part in FILES})
    return {part: files[part] for part in FILES}


def _check_pairs(folder: Path, files: _Files) -> None:
    for part, found in files.items():
        for what, name in zip(("images", "labels"), FILES[part], strict=True):
            if what not in found:
                beside = "".join(f", the {what} to {other.name}" for other in found.values())
                raise FileFormatError(f"{folder} holds neither {name}.gz nor {name}{beside}")


def _labels(files: Mapping[str, Path], images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a label, or a row of numbers, for each image."""
    if labels.ndim not in (1, 2) or images.ndim == 0 or len(images) != len(labels):
        raise FileFormatError(
            f"{files['images'].parent}: {files['labels'].name} must hold a label for each of the {len(images):,} "
            f"samples in {files['images'].name}, not shape {labels.shape}"
        )
    if labels.dtype == np.int32 and labels.shape[1:] == (_QMNIST_COLUMNS,):
        warnings.warn(
            f"{files['labels'].name} holds {_QMNIST_COLUMNS} numbers for each image, as QMNIST does; numlp takes the "
            "first, the class",
            stacklevel=2,
        )
        labels = labels[:, 0]
    labels = labels.ravel() if labels.shape[1:] == (1,) else labels
    return labels.astype(np.int64) if labels.dtype.kind in "iu" else labels


def _upright(path: Path, name: str, parts: dict[str, Split]) -> Folder:
    """Turn EMNIST's images upright, and count its letters from 0."""
    for images, _ in parts.values():
        if images.ndim != 3 or images.shape[1] != images.shape[2]:
            raise DataError(f"{path}: EMNIST's images must be squares, not of shape {images.shape[1:]}")
        for start in range(0, len(images), _ROWS):
            images[start : start + _ROWS] = images[start : start + _ROWS].transpose(0, 2, 1).copy()
    told = "EMNIST's files hold their images transposed; numlp has turned them upright"
    names = _EMNIST.get(name)
    if name == "emnist-letters" and all(rows.y.min(initial=1) > 0 for rows in parts.values()):
        told += ". They label letters from 1; numlp counts from 0, so that A is class 0"
        parts = {part: Split(x, y - 1) for part, (x, y) in parts.items()}
    warnings.warn(told, stacklevel=2)
    return Folder(parts, None if names is None else tuple(names))
