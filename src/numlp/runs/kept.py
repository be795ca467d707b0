"""Kept checkpoints: of some epochs of a run, so that later epochs can be trained again without all those before."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from numlp.errors import FileFormatError, OutputError
from numlp.files.atomic import write_bytes
from numlp.files.checkpoints import Checkpoint, write_checkpoint
from numlp.files.folders import part_of
from numlp.runs.layout import CHECKPOINTS, KEPT
from numlp.settings import limits
from numlp.settings.checks import whole_number
from numlp.settings.texts import parse_json, read_text
from numlp.training.state import TrainingState

_COUNT = "kept.json"


class Kept:
    """A callback for ``train(after_epoch=…)`` that keeps checkpoints of some epochs, at equal distances.

    Each holds what `train(resume=…)` needs, but no callback's state: training goes on from it with other callbacks,
    which have none.

    Parameters
    ----------
    folder : path
        A run's folder.
    member : int
        Which of its networks.
    count : int
        How many checkpoints, of as many as there are epochs but the last.
    failed : callable
        Called with the `OutputError` if a file can't be written. Training continues.
    """

    writes = True

    def __init__(self, folder: Path, member: int, count: int, failed: Callable[[OutputError], object]) -> None:
        self.folder, self.member, self.count, self.failed = folder, member, count, failed

    def begin(self, state: TrainingState) -> None:
        """Find the epochs to keep."""
        self._wanted = wanted(self.count, state.plan.epochs)
        self._begun = False

    def __call__(self, state: TrainingState) -> None:
        """Do nothing: `record` is called once all callbacks have seen the epoch."""

    def record(self, state: TrainingState) -> None:
        """Write a checkpoint if it is to be kept; first, remove those of epochs that are trained again."""
        if not self._begun:
            self._begun = True
            for epoch, path in kept_checkpoints(self.folder, self.member).items():
                if epoch >= state.epoch:
                    with contextlib.suppress(OSError):
                        path.unlink()
        if state.epoch in self._wanted and not state.cut:
            self._write(state)

    def _write(self, state: TrainingState) -> None:
        arrays, figures, version = state.checkpoint()
        arrays = {name: array for name, array in arrays.items() if not name.startswith("callback.")}
        path = _path(self.folder, self.member, state.epoch)
        try:
            path.parent.mkdir(exist_ok=True)
            write_checkpoint(Checkpoint(arrays, {**figures, "callbacks": {}, "ended_by": []}, version), path)
        except OutputError as error:
            self.failed(error)
        except OSError as error:
            self.failed(OutputError(f"can't create the folder {path.parent}: {error.strerror or error}"))


def wanted(count: int, epochs: int) -> set[int]:
    """Return the epochs whose checkpoints a run keeps; never the last, from which nothing can be trained again.

    >>> sorted(wanted(3, 8)), sorted(wanted(100, 4)), wanted(0, 8)
    ([2, 4, 6], [1, 2, 3], set())
    """
    count = min(count, epochs - 1)
    return {round(epochs * number / (count + 1)) for number in range(1, count + 1)}


def kept_checkpoints(folder: Path, member: int) -> dict[int, Path]:
    """Return the paths of the checkpoints that a run keeps of one of its networks, by their epochs."""
    found = {}
    for path in part_of(folder, KEPT).glob(f"{member}-*.safetensors"):
        epoch = path.stem.removeprefix(f"{member}-")
        if epoch.isdecimal() and path == _path(folder, member, int(epoch)):
            found[int(epoch)] = path
    return dict(sorted(found.items()))


def _path(folder: Path, member: int, epoch: int) -> Path:
    return part_of(folder, f"{KEPT}/{member}-{epoch}.safetensors")


def write_count(folder: Path, count: int) -> None:
    """Write how many checkpoints an unfinished run keeps, if any, so that it goes on with as many."""
    path = folder / CHECKPOINTS / _COUNT
    if count or path.exists():
        write_bytes(path, (json.dumps({"count": count}) + "\n").encode())


def read_count(folder: Path) -> int:
    """Return how many checkpoints an unfinished run keeps.

    Raises
    ------
    FileFormatError
        If the file that says it is damaged.
    """
    path = part_of(folder, f"{CHECKPOINTS}/{_COUNT}")
    if not path.is_file():  # an older numlp began the run, or it was killed just then
        return 0
    try:
        return whole_number("count", parse_json(read_text(path, limits.SETTING))["count"], minimum=0)
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} is damaged: {error}") from error
