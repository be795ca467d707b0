"""Running: a recipe's training on screen, from creating the run's folder to saving its results."""

import shlex
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from numlp.cli.summary import introduce, summarize
from numlp.cli.watch import Watch
from numlp.datasets import Dataset
from numlp.errors import (
    DivergenceError,
    Interrupted,
    NumlpWarning,
    OutputError,
    SettingError,
    TeamError,
    ValidationLossError,
)
from numlp.judging.evaluation import check_data
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.parallel.part import check as check_processes
from numlp.runs.digests import write_digests
from numlp.runs.folder import create_folder, save_run
from numlp.runs.parallelism import with_timed_numbers, with_usual_processes
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_network
from numlp.runs.unfinished import (
    Lock,
    checkpoint_path,
    create_checkpoints_folder,
    how_it_stands,
    keep_state,
    remove_checkpoints,
)
from numlp.settings import numerals
from numlp.training.callbacks import Checkpoint
from numlp.training.history import History, mean_history
from numlp.training.interruption import Interruption
from numlp.training.progress import Progress
from numlp.training.state import TrainingState


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
    """

    folder: Path
    recipe: Recipe
    dataset: Dataset
    screen: Console
    state: TrainingState

    def __init__(self, output: Path | None, every: dict[str, Any], lock: Lock | None = None) -> None:
        self.output, self.every = output, every
        self._existing, self._lock, self._begun = lock is not None, lock, False

    def member(self, number: int) -> tuple[Checkpoint, Path | None]:
        """Return the callback that writes a network's checkpoints, and the checkpoint to resume from, if any."""
        self._checkpoint = Checkpoint("not known yet", failed=self._warn, **self.every)
        self._number = number
        earlier = checkpoint_path(self.output, number) if self._existing and self.output else None
        return self._checkpoint, earlier if earlier and earlier.exists() else None

    def begin(self, state: TrainingState) -> None:
        """Create the folder and describe the run, for the first network only."""
        self.state = state
        if not self._begun:
            self.folder = self.output if self._existing and self.output else create_folder(self.recipe, self.output)
            self._lock = self._lock or Lock(self.folder)
            create_checkpoints_folder(self.folder)
            write_digests(self.folder, self.dataset)
            introduce(self.screen, self.recipe, state.network, self.dataset)
            self._begun = True
        self._checkpoint.path = checkpoint_path(self.folder, self._number)

    def __call__(self, state: TrainingState) -> None: ...

    def completed(self) -> bool:
        """Return whether the training of the last network that began has come to its end."""
        return bool(self.state.ended_by) or (self.state.epoch == self.recipe.epochs and not self.state.cut)

    def leave(self) -> None:
        """Quit the run without results, and say how it goes on."""
        self.close()
        if self._begun:
            self.screen.print(f"{self.folder} {how_it_stands(self.folder)}")

    def close(self) -> None:
        """Let other processes work in the folder."""
        if self._lock is not None:
            self._lock.close()

    def _warn(self, error: OutputError) -> None:
        self.screen.print(f"warning: {error}; training continues without this checkpoint")


class Outcome(NamedTuple):
    """A run's folder and metrics, and the number of the signal that ended it, or 0."""

    folder: Path
    metrics: dict[str, Any]
    signal: int


def run(recipe: Recipe, dataset: Dataset, opening: Opening, screen: Console, *, report: bool) -> Outcome:
    """Train as a recipe says, and report on the screen."""
    watch = Watch(recipe)
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.n_networks)]
    for split in dataset.parts.values():
        check_data(networks[0], split, to_train_on=split is dataset.train)
    recipe = with_usual_processes(recipe, networks[0], dataset)
    if isinstance(recipe.processes, int):
        check_processes(networks[0], recipe.processes)
    recipe = with_timed_numbers(recipe, networks[0], dataset)  # the run's recipe records the numbers
    opening.recipe, opening.dataset, opening.screen = recipe, dataset, screen
    started = time.perf_counter()

    def confirm() -> None:
        screen.print("stopping after this step and saving; press Ctrl-C again to quit without saving")

    with closing(opening), Interruption([signal.SIGINT, signal.SIGTERM], confirm) as interruption:
        histories, ended, failure = _train_all(networks, opening, watch)
        interruption.final = True
        seconds = time.perf_counter() - started
        trained = networks[: len(histories)]
        model = Ensemble(trained) if len(networks) > 1 else trained[0]
        history = mean_history(histories)
        gradients = watch.gradients.history

        def save(folder: Path) -> dict[str, Any]:
            metrics = save_run(
                folder, recipe, model, dataset, history, seconds=seconds, ended=ended, gradients=gradients
            )
            watch.save(folder)
            if report:
                from numlp.report import write_report

                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", NumlpWarning)  # of what this command says itself
                    write_report(folder, dataset)
            return metrics

        folder, metrics, trouble = _save_somewhere(save, opening.folder, recipe)
        if trouble is None and ended == "completed":
            keep_state(folder)
        elif trouble is None and ended == "diverged":
            remove_checkpoints(folder)
    summarize(screen, recipe, model, metrics, folder)
    if ended == "interrupted":
        screen.print(f"\ninterrupted in epoch {len(history)}: numlp resume {shlex.quote(str(folder))}")
    if trouble:
        raise OutputError(f"{failure}; and {trouble}") if failure else trouble
    if failure:
        raise failure
    return Outcome(folder, metrics, interruption.number)


def _save_somewhere(
    save: Callable[[Path], dict[str, Any]], folder: Path, recipe: Recipe
) -> tuple[Path, dict[str, Any], OutputError | None]:
    """Save a run's results to its folder or, if that can't be written any more, to a new folder elsewhere.

    Returns
    -------
    folder, metrics, error
        Where the results are, what metrics.json holds, and why the run's folder doesn't hold them, or None.
    """
    try:
        return folder, save(folder), None
    except OutputError as error:
        trouble = error
    for place in (None, Path.home()):  # None: where temporary files go
        made = None
        try:
            made = Path(tempfile.mkdtemp(prefix="numlp-", dir=place))
            refuge = create_folder(recipe, made / folder.resolve().name)
            metrics = save(refuge)
        except OSError:
            if made is not None:
                shutil.rmtree(made, ignore_errors=True)
            continue
        return refuge, metrics, OutputError(f"{trouble}; the results are in {refuge} instead")
    raise OutputError(f"{trouble}; the results can't be saved in the temporary folder or in {Path.home()} either")


def _train_all(
    networks: list[MLP], opening: Opening, watch: Watch
) -> tuple[list[History], str, DivergenceError | ValidationLossError | None]:
    """Train one network after another, until one fails or the user asks to stop."""
    recipe, dataset = opening.recipe, opening.dataset
    histories: list[History] = []
    for member, network in enumerate(networks):
        checkpoint, earlier = opening.member(member)
        try:
            history = train_network(
                recipe,
                network,
                dataset,
                member=member,
                after_epoch=[opening, *watch.callbacks(member), checkpoint],
                resume=earlier,
                progress=Progress(opening.screen, member if len(networks) > 1 else None),
            )
        except (DivergenceError, ValidationLossError) as error:
            # The networks trained so far are better without this one.
            ended = "diverged" if isinstance(error, DivergenceError) else "stopped"
            return histories or [error.history], ended, error
        except TeamError:
            opening.leave()  # the last checkpoint is as good as the last epoch
            raise
        except KeyboardInterrupt as stop:
            if not isinstance(stop, Interrupted) or stop.__cause__ is not None:  # the second Ctrl-C
                opening.leave()
                raise
            completed = opening.completed() and member == len(networks) - 1
            return [*histories, stop.history], "completed" if completed else "interrupted", None
        histories.append(history)
    return histories, "completed", None
