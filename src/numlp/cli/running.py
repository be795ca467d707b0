"""Running: a recipe's training on screen, from creating the run's folder to saving its results."""

import shlex
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from numlp.cli.opening import Opening
from numlp.cli.ranks import follows, team
from numlp.cli.summary import summarize
from numlp.cli.watch import Watch
from numlp.data.chunked import Chunked
from numlp.datasets import Dataset
from numlp.errors import (
    DivergenceError,
    Interrupted,
    NumlpWarning,
    OutputError,
    TeamError,
    ValidationLossError,
)
from numlp.judging.evaluation import check_data
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.parallel.part import check as check_processes
from numlp.parallel.ranks import Ranks
from numlp.runs.digests import digests
from numlp.runs.folder import create_folder, save_run
from numlp.runs.parallelism import with_timed_numbers, with_usual_processes
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_network
from numlp.runs.recording import Recording
from numlp.runs.teachers import teacher_of
from numlp.runs.unfinished import keep_state, remove_checkpoints
from numlp.training.history import History, mean_history
from numlp.training.interruption import Interruption
from numlp.training.progress import Progress


class Outcome(NamedTuple):
    """A run's folder and metrics, and the number of the signal that ended it, or 0."""

    folder: Path
    metrics: dict[str, Any]
    signal: int


def check_parts(network: MLP, dataset: Dataset) -> None:
    """Raise the error that training or evaluation would raise for the rows of a data set, but for those in chunks."""
    for split in (rows for rows in dataset.parts.values() if not isinstance(rows, Chunked)):  # training checks those
        check_data(network, split, to_train_on=split is dataset.train)


class _Trained(NamedTuple):
    """What the training of a run has made.

    Attributes
    ----------
    model : MLP or Ensemble
    networks : list of MLP
        The model's, of which the last one may not have come to its end.
    history : History
        For an ensemble, the mean over its networks.
    seconds : float
    ended : str
        See `numlp.runs.folder.save_run`.
    """

    model: MLP | Ensemble
    networks: list[MLP]
    history: History
    seconds: float
    ended: str


def run(recipe: Recipe, dataset: Dataset, opening: Opening, screen: Console, *, report: bool) -> Outcome:
    """Train as a recipe says, and report on the screen."""
    watch = Watch(recipe)
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.n_networks)]
    check_parts(networks[0], dataset)
    ranks = team()
    size = 1 if ranks is None else ranks.size
    recipe = _with_numbers(recipe, networks[0], dataset, size)
    opening.recipe, opening.dataset, opening.screen = recipe, dataset, screen
    opening.recording = Recording(recipe, digests(dataset, teacher_of(recipe)), ranks=size)
    started = time.perf_counter()

    def confirm() -> None:
        screen.print("stopping after this step and saving; press Ctrl-C again to quit without saving")
        if ranks is not None:
            opening.hurry()

    with closing(opening), Interruption([signal.SIGINT, signal.SIGTERM], confirm) as interruption:
        histories, ended, failure = _train_all(networks, opening, watch, ranks)
        interruption.final = True
        if ranks is not None:
            ranks.done = True
        if follows():
            if failure:
                raise failure
            return Outcome(Path(), {}, interruption.number)
        seconds = time.perf_counter() - started
        members = networks[: len(histories)]
        model = Ensemble(members) if len(networks) > 1 else members[0]
        trained = _Trained(model, members, mean_history(histories), seconds, ended)
        save = partial(_save, trained, opening, watch, report=report)
        folder, metrics, trouble = _save_somewhere(save, opening.folder, recipe)
        if trouble is None and ended == "completed":
            keep_state(folder)
        elif trouble is None and ended == "diverged":
            remove_checkpoints(folder)
    summarize(screen, recipe, model, metrics, folder)
    if ended == "interrupted":
        screen.print(f"\ninterrupted in epoch {len(trained.history)}: numlp resume {shlex.quote(str(folder))}")
    if trouble:
        raise OutputError(f"{failure}; and {trouble}") if failure else trouble
    if failure:
        raise failure
    return Outcome(folder, metrics, interruption.number)


def _with_numbers(recipe: Recipe, network: MLP, dataset: Dataset, ranks: int) -> Recipe:
    """Return a recipe with the numbers of processes and threads that the run will have, for the record of the run."""
    recipe = with_usual_processes(recipe, network, dataset, ranks=ranks)
    if isinstance(recipe.processes, int):
        check_processes(network, recipe.processes)
    return with_timed_numbers(recipe, network, dataset)


def _save(trained: _Trained, opening: Opening, watch: Watch, folder: Path, *, report: bool) -> dict[str, Any]:
    """Write a run's results to its folder, the record of them last, and return what metrics.json holds."""
    recipe, dataset, recording = opening.recipe, opening.dataset, opening.recording
    metrics = save_run(
        folder,
        recipe,
        trained.model,
        dataset,
        trained.history,
        seconds=trained.seconds,
        ended=trained.ended,
        gradients=watch.gradients.history,
        ranks=recording.ranks,
    )
    watch.save(folder)
    if report:
        from numlp.report import write_report

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumlpWarning)  # of what this command says itself
            write_report(folder, dataset)
    if lacks := recording.write(folder, trained.networks, trained.ended):
        opening.screen.print(f"warning: this run can't be verified: {lacks}")
    return metrics


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
    networks: list[MLP], opening: Opening, watch: Watch, ranks: Ranks | None
) -> tuple[list[History], str, DivergenceError | ValidationLossError | None]:
    """Train one network after another, until one fails or the user asks to stop."""
    recipe, dataset = opening.recipe, opening.dataset
    histories: list[History] = []
    for member, network in enumerate(networks):
        recorders, earlier = opening.member(member)
        try:
            history = train_network(
                recipe,
                network,
                dataset,
                member=member,
                after_epoch=[opening, *watch.callbacks(member), *recorders],
                resume=earlier,
                progress=Progress(opening.screen, member if len(networks) > 1 else None),
                team=ranks,
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
