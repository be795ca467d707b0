"""Opening: a run's folder from its first step on, and how often and how many checkpoints it gets."""

from pathlib import Path
from typing import Any

from rich.console import Console

from numlp.cli.options import read_number
from numlp.cli.ranks import follows, rank_0_first, team
from numlp.cli.summary import introduce
from numlp.datasets import Dataset
from numlp.errors import OutputError, SettingError
from numlp.runs.digests import write_digests
from numlp.runs.folder import create_folder
from numlp.runs.kept import Kept, read_count, write_count
from numlp.runs.recipe import Recipe
from numlp.runs.recording import Recording
from numlp.runs.unfinished import (
    Lock,
    checkpoint_path,
    create_checkpoints_folder,
    how_it_stands,
    remove_provenance,
    replace_recipe,
)
from numlp.settings import numerals
from numlp.settings.checks import whole_number
from numlp.training.callbacks import Checkpoint
from numlp.training.state import Callback, TrainingState


def read_interval(text: str) -> dict[str, Any]:
    """Return how often to write checkpoints, in epochs or seconds, as `numlp.Checkpoint` takes it.

    >>> read_interval("5"), read_interval("90s")
    ({'epochs': 5}, {'seconds': 90.0})
    """
    try:
        interval = {"seconds": float(text[:-1])} if text.endswith("s") else {"epochs": int(text)}
    except ValueError as error:
        remedy = "write epochs, such as 5, or seconds, such as 90s"
        meant = numerals.remedy(text, seconds=True).replace(", in seconds", "s")
        raise SettingError(f"--checkpoint-every: {remedy}, not {text!r}{meant}") from error
    try:
        Checkpoint("checked", **interval)
    except SettingError as error:
        raise SettingError(f"--checkpoint-every: {error}") from error
    return interval


def read_keep(text: str | None) -> int | None:
    """Return how many checkpoints to keep.

    >>> read_keep("3")
    3
    """
    if text is None:
        return None
    return whole_number("--keep-checkpoints", read_number("--keep-checkpoints", text, int), minimum=0)


class Opening:
    """A callback that creates the run's folder when training begins, after all settings and data were checked.

    Parameters
    ----------
    output : path, optional
        The folder to create; by default a new one under runs/.
    every : dict
        How often to write checkpoints, as `numlp.Checkpoint` takes it.
    lock : Lock, optional
        On the folder of a run to resume, which exists already.
    keep : int, optional
        How many checkpoints to keep; by default as many as the run to resume has kept, or none.
    resumes : bool
        Whether the folder is that of a run to resume.
    told : bool
        Whether the user was told of the data before.
    """

    folder: Path
    recipe: Recipe
    recording: Recording
    dataset: Dataset
    screen: Console
    state: TrainingState

    def __init__(
        self,
        output: Path | None,
        every: dict[str, Any],
        lock: Lock | None = None,
        keep: int | None = None,
        *,
        resumes: bool = False,
        told: bool = False,
    ) -> None:
        self.output, self.every, self.keep, self.told = output, every, keep, told
        self._existing, self._lock, self._begun = resumes, lock, False

    def member(self, number: int) -> tuple[list[Callback], Path | None]:
        """Return the callbacks that write a network's checkpoints and record its training, the last ones to run.

        Beside them, it returns the checkpoint to resume from, if there is one.
        """
        self._checkpoint = Checkpoint("not known yet", failed=self._unwritten, **self.every)
        self._kept = Kept(Path("not known yet"), number, 0, self._unwritten)
        self._number = number
        path = checkpoint_path(self.output, number) if self._existing and self.output else None
        earlier = path if path and path.exists() else None
        # The numbers of callbacks in a checkpoint are their places, so that new ones come last.
        return [self._checkpoint, *self.recording.chain(earlier), self._kept], earlier

    def begin(self, state: TrainingState) -> None:
        """Create the folder and describe the run, for the first network only."""
        self.state = state
        if not self._begun:
            rank_0_first(self._open)
            self._begun = True
        if not follows():
            self._checkpoint.path = checkpoint_path(self.folder, self._number)
            self._kept.folder, self._kept.count = self.folder, self.keep or 0

    def _open(self) -> None:
        self.folder = self.output if self._existing and self.output else create_folder(self.recipe, self.output)
        self._lock = self._lock or Lock(self.folder)
        remove_provenance(self.folder)
        if self._existing:
            replace_recipe(self.folder, self.recipe)
        create_checkpoints_folder(self.folder)
        self.keep = read_count(self.folder) if self.keep is None else self.keep
        write_count(self.folder, self.keep)
        write_digests(self.folder, self.recording.data)
        introduce(self.screen, self.recipe, self.state.network, self.dataset, told=self.told)

    def __call__(self, state: TrainingState) -> None: ...

    def completed(self) -> bool:
        """Return whether the training of the last network that began has come to its end."""
        return bool(self.state.ended_by) or (self.state.epoch == self.recipe.epochs and not self.state.cut)

    def hurry(self) -> None:
        """Write the newest checkpoint now, because mpiexec may kill this process a moment after a signal."""
        if self._begun:
            self._checkpoint.finish(self.state)

    def leave(self) -> None:
        """Quit the run without results, and say how it goes on."""
        self.close()
        if self._begun and not follows():
            self.screen.print(f"{self.folder} {how_it_stands(self.folder)}")

    def close(self) -> None:
        """Let other processes work in the folder."""
        if self._lock is not None:
            self._lock.close()

    def _unwritten(self, error: OutputError) -> None:
        """Go on without a checkpoint, unless there are several ranks, which a queue may end before the end."""
        if team() is not None:
            raise error
        self.screen.print(f"warning: {error}; training continues without this checkpoint")
