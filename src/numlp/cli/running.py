"""Running: a recipe's training, shown on the screen, from the run's folder to its results."""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from numlp.cli.interrupt import Interrupt
from numlp.cli.options import read_number
from numlp.cli.progress import TrainingProgress
from numlp.cli.told import introduce, summarize
from numlp.cli.watch import Watch
from numlp.datasets import Dataset
from numlp.errors import DivergenceError, OutputError
from numlp.judging.evaluation import check_data
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.folder import create_folder, save_run
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, threads_of, train_network
from numlp.runs.unfinished import Lock, checkpoint_path, make_room, remove_checkpoints
from numlp.training.callbacks import Checkpoint
from numlp.training.history import History, mean_history
from numlp.training.state import TrainingState


def read_interval(text: str) -> dict[str, Any]:
    """Return how often to write checkpoints, as `numlp.Checkpoint` takes it: epochs, or seconds.

    >>> read_interval("5"), read_interval("90s")
    ({'epochs': 5}, {'seconds': 90.0})
    """
    interval: dict[str, Any]
    if text.endswith("s"):
        interval = {"seconds": read_number("--checkpoint-every", text[:-1], float)}
    else:
        interval = {"epochs": int(read_number("--checkpoint-every", text, int))}
    Checkpoint("checked", **interval)
    return interval


class Opening:
    """A callback that makes the run's folder when the training begins: by then all settings and data were checked.

    Parameters
    ----------
    output : path, optional
        The folder to make; by default one with a name of its own.
    every : dict
        How often to write checkpoints, as `numlp.Checkpoint` takes it.
    lock : Lock, optional
        Of the folder, where it is there already and its training goes on.
    """

    folder: Path
    recipe: Recipe
    dataset: Dataset
    screen: Console

    def __init__(self, output: Path | None, every: dict[str, Any], lock: Lock | None = None) -> None:
        self.output, self.every = output, every
        self._existing, self._lock, self._begun = lock is not None, lock, False

    def member(self, number: int) -> tuple[Checkpoint, Path | None]:
        """Return what writes a network's checkpoints, and the one to go on from."""
        self._checkpoint = Checkpoint("not known yet", failed=self._warn, **self.every)
        self._number = number
        earlier = checkpoint_path(self.output, number) if self._existing and self.output else None
        return self._checkpoint, earlier if earlier and earlier.exists() else None

    def begin(self, state: TrainingState) -> None:
        """Make the folder, and tell what is going to be trained, for the first network only."""
        if not self._begun:
            self.folder = self.output if self._existing and self.output else create_folder(self.recipe, self.output)
            self._lock = self._lock or Lock(self.folder)
            make_room(self.folder)
            introduce(self.screen, self.recipe, state.network, self.dataset)
            self._begun = True
        self._checkpoint.path = checkpoint_path(self.folder, self._number)

    def __call__(self, state: TrainingState) -> None: ...

    def close(self) -> None:
        """Let others work in the folder."""
        if self._lock is not None:
            self._lock.close()

    def _warn(self, error: OutputError) -> None:
        self.screen.print(f"warning: {error}; the training goes on without this checkpoint")


def run(
    recipe: Recipe, dataset: Dataset, opening: Opening, screen: Console, *, report: bool
) -> tuple[Path, dict[str, Any]]:
    """Train as a recipe says, telling the screen about it, and return the run's folder and metrics."""
    watch = Watch(recipe)
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.ensemble)]
    for split in dataset.parts.values():
        check_data(networks[0], split, to_train_on=split is dataset.train)
    recipe = recipe.edited(threads=threads_of(recipe, networks[0]))  # the run keeps the number
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
    """Save a run's results into its folder or, where that can't be written any more, into a new one elsewhere.

    Returns
    -------
    folder, metrics, error
        Where the results are, what metrics.json holds, and why they are not in the run's folder, if they are not.
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
    raise OutputError(f"{trouble}; nor can the results be kept among the temporary files, or in {Path.home()}")


def _train_all(
    networks: list[MLP], opening: Opening, interrupt: Interrupt, watch: Watch
) -> tuple[list[History], str, DivergenceError | None]:
    """Train one network after the other, until one diverges or the user wants to stop."""
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
                    after_step=[progress.after_step, lambda state: interrupt.wished],
                    # A wish is heard after a step only: an epoch that it ends is no part of a checkpoint.
                    after_epoch=[opening, *watch.callbacks(member), progress.after_epoch, checkpoint],
                    resume=earlier,
                )
            except DivergenceError as error:
                # Networks that were trained before are worth more without this one.
                return histories or [error.history], "diverged", error
        histories.append(history)
        if interrupt.wished:
            completed = progress.completed and member == len(networks) - 1
            return histories, "completed" if completed else "interrupted", None
    return histories, "completed", None
