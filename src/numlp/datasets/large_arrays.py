"""Large arrays: rows of arrays that don't fit into memory, read from the files in which they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.stored import Stored
from numlp.datasets.array_files import stored_npy
from numlp.datasets.dataset import AnySplit
from numlp.datasets.folder import stored_folder
from numlp.datasets.idx import stored_idx
from numlp.datasets.labels import MOST_CLASSES, class_names, infer_task
from numlp.datasets.parts import as_split
from numlp.datasets.readers import Samples
from numlp.datasets.reading import Reading
from numlp.datasets.slices import Bools, Slices, Target
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.network.losses import Task

_ROWS = 1 << 16  # of targets that are looked at together
_SEVERAL = 3  # rows of each value, where only the different values are known
FORMS = 4  # of a row: as it is, checked, scaled, and while it is written


@dataclass(frozen=True, eq=False)
class LargeArrays:
    """Rows in files.

    Attributes
    ----------
    x, y, weights : Stored
        Weights may be None.
    """

    x: Stored
    y: Stored
    weights: Stored | None = None

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.x)

    def target(self, task: Task | None) -> Target:
        """Return what the targets are."""
        found = task or self._inferred()
        if found == "regression" or (found == "labels" and self.y.ndim == 2 and self.y.shape[1] > 1):
            return Target(found, None)
        if self.y.ndim == 2 and self.y.shape[1] > 1:
            return Target(found, class_names(self.y[:1]))
        different = self._different(1 << 16)
        if len(different) > 1 << 16:
            raise DataError("y would have more than 65,536 classes: set `task` to regression")
        return Target(found, class_names(different))

    def _inferred(self) -> Task:
        if self.y.ndim == 2 and self.y.shape[1] > 1:
            tasks = {infer_task(self.y[start : start + _ROWS]) for start in range(0, len(self.y), _ROWS)}
            return next(task for task in ("regression", "labels", "classification") if task in tasks)
        different = self._different(MOST_CLASSES)
        return "regression" if len(different) > MOST_CLASSES else infer_task(np.repeat(different, _SEVERAL))

    def _different(self, most: int) -> AnyArray:
        """Return the different targets, or more than `most` of them."""
        found: AnyArray = np.unique(self.y[:1])
        for start in range(0, len(self.y), _ROWS):
            found = np.union1d(found, self.y[start : start + _ROWS])
            if len(found) > most:
                break
        return found

    def slices(self, memory: int, names: Sequence[str] | None, *, of_indices: bool) -> Slices:
        """Return the rows, with their targets as a network with these names of classes takes them."""

        def fetch(start: int, stop: int, there: Bools) -> AnySplit:
            part = slice(start, stop)
            weights = None if self.weights is None else self.weights[part]
            return as_split(Samples(self.x[part], self.y[part], None, weights), names, of_indices=of_indices)

        row_bytes = FORMS * self.x.row_bytes + self.y.row_bytes + 16
        return Slices(len(self.x), row_bytes, memory, fetch, np.empty(0, np.intp))


def large_arrays(path: Path, reading: Reading) -> dict[str, LargeArrays]:
    """Return the parts of an .npy file beside that of its targets, or of a folder of IDX files.

    Raises
    ------
    FileFormatError, SettingError
    """
    if path.suffix.lower() == ".npy" and not path.is_dir():
        if reading.target is None or Path(reading.target).suffix.lower() != ".npy":
            raise SettingError(f"target must name the .npy file that holds y, since {path} holds x alone")
        weights = None if reading.weights is None else stored_npy(Path(reading.weights))
        return {"train": _paired(path, LargeArrays(stored_npy(path), stored_npy(Path(reading.target)), weights))}
    parts = {}
    for part, files in (stored_folder(path) or {}).items():
        parts[part] = _paired(files["images"], LargeArrays(stored_idx(files["images"]), stored_idx(files["labels"])))
    if "train" not in parts:
        raise FileFormatError(f"{path} holds no training rows")
    return parts


def _paired(path: Path, arrays: LargeArrays) -> LargeArrays:
    if len(arrays.x) != len(arrays.y) or not len(arrays.x):
        raise DataError(
            f"{path}: x and y must have the same number of rows, not shapes {arrays.x.shape} and {arrays.y.shape}"
        )
    return arrays
