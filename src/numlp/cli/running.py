"""Running: a recipe's training on screen, from creating the run's folder to saving its results."""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from numlp.cli.interrupt import Interrupt
from numlp.cli.progress import TrainingProgress
from numlp.cli.summary import introduce, summarize
from numlp.cli.watch import Watch
from numlp.datasets import Dataset
from numlp.errors import DivergenceError, OutputError, SettingError
from numlp.judging.evaluation import check_data
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.folder import create_folder, save_run
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, threads_of, train_network
from numlp.runs.unfinished import Lock, checkpoint_path, create_checkpoints_folder, remove_checkpoints
from numlp.training.callbacks import Checkpoint
from numlp.training.history import History, mean_history
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
        raise SettingError(f"--checkpoint-every: {remedy}, not {text!r}") from error
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
        if not self._begun:
            self.folder = self.output if self._existing and self.output else create_folder(self.recipe, self.output)
            self._lock = self._lock or Lock(self.folder)
            create_checkpoints_folder(self.folder)
            introduce(self.screen, self.recipe, state.network, self.dataset)
            self._begun = True
        self._checkpoint.path = checkpoint_path(self.folder, self._number)

    def __call__(self, state: TrainingState) -> None: ...

    def close(self) -> None:
        """Let other processes work in the folder."""
        if self._lock is not None:
            self._lock.close()

    def _warn(self, error: OutputError) -> None:
        self.screen.print(f"warning: {error}; training continues without this checkpoint")


def run(
    recipe: Recipe, dataset: Dataset, opening: Opening, screen: Console, *, report: bool
) -> tuple[Path, dict[str, Any]]:
    """Train as a recipe says, report on the screen, and return the run's folder and metrics."""
    watch = Watch(recipe)
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.ensemble)]
    for split in dataset.parts.values():
        check_data(networks[0], split, to_train_on=split is dataset.train)
    recipe = recipe.edited(threads=threads_of(recipe, networks[0]))  # the run's recipe records the number
    opening.recipe, opening.dataset, opening.screen = recipe, dataset, screen
    started = time.perf_counter()
    with closing(opening), Interrupt(screen) as interrupt:
        histories, ended, failure = _train_all(networks, opening, interrupt, watch)
        interrupt.may_quit = False
        seconds = time.perf_counter() - started
        trained = networks[: len(histories)]
        model = Ensemble(trained) if recipe.ensemble > 1 else trained[0]
        history = mean_history(histories)
        gradients = watch.gradients.history

        def save(folder: Path) -> dict[str, Any]:
            metrics = save_run(
                folder, recipe, model, dataset, history, seconds=seconds, ended=ended, gradients=gradients
            )
            watch.save(folder)
            if report:
                from numlp.report import write_report

                write_report(folder, dataset)
            return metrics

        folder, metrics, trouble = _save_somewhere(save, opening.folder, recipe)
        if ended != "interrupted" and trouble is None:
            remove_checkpoints(folder)
    summarize(screen, recipe, metrics, folder)
    if trouble:
        raise OutputError(f"{failure}; and {trouble}") if failure else trouble
    if failure:
        raise failure
    return folder, metrics


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
    networks: list[MLP], opening: Opening, interrupt: Interrupt, watch: Watch
) -> tuple[list[History], str, DivergenceError | None]:
    """Train one network after another, until one diverges or the user asks to stop."""
    recipe, dataset = opening.recipe, opening.dataset
    histories: list[History] = []
    steps = -(-dataset.train.x.shape[0] // recipe.batch_size)
    for member, network in enumerate(networks):
        heading = f"network {member + 1} of {len(networks)}" if len(networks) > 1 else ""
        checkpoint, earlier = opening.member(member)
        with TrainingProgress(opening.screen, recipe.epochs, steps, heading) as progress:
            try:
                history = train_network(
                    recipe,
                    network,
                    dataset,
                    member=member,
                    after_step=[progress.after_step, lambda state: interrupt.requested],
                    # Requests are obeyed only after a step: no checkpoint includes an epoch that one cut short.
                    after_epoch=[opening, *watch.callbacks(member), progress.after_epoch, checkpoint],
                    resume=earlier,
                )
            except DivergenceError as error:
                # The networks trained so far are better without this one.
                return histories or [error.history], "diverged", error
        histories.append(history)
        if interrupt.requested:
            completed = progress.completed and member == len(networks) - 1
            return histories, "completed" if completed else "interrupted", None
    return histories, "completed", None
