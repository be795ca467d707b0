"""`numlp resume`: goes on with a run that was killed or interrupted, or with more epochs of one that has ended."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.arguments import CHECKPOINT_EVERY, KEEP_CHECKPOINTS, REPORT, TEACHER
from numlp.cli.opening import Opening, read_interval, read_keep
from numlp.cli.options import read_number
from numlp.cli.output import Commentary, Json, console
from numlp.cli.ranks import rank_0_first, team
from numlp.cli.running import run
from numlp.cli.train import conclude
from numlp.datasets import Dataset
from numlp.errors import FileFormatError, SettingError
from numlp.files.atomic import remove_leftovers
from numlp.files.kinds import refused
from numlp.runs.digests import check_digests
from numlp.runs.layout import RECIPE, STATE
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, load_recipe
from numlp.runs.teachers import teacher_of, with_teacher
from numlp.runs.unfinished import Lock, is_unfinished, reopen

EXAMPLES = """[bold]Examples[/bold]

  numlp resume runs/an-unfinished-run

  numlp resume runs/an-earlier-run --epochs 200

  numlp resume runs/a-pupil --teacher archive/committee
"""


def resume(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    epochs: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="The number of epochs in all, to go on with a run that has ended, or to change its length.",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="The number of processes from here on, if it shall be another; the result then differs by rounding.",
            show_default=False,
        ),
    ] = None,
    teacher: TEACHER = None,
    changed_data: Annotated[
        bool,
        typer.Option("--changed-data", help="Go on although the data, or the teacher, differ from those of the run."),
    ] = False,
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    keep_checkpoints: KEEP_CHECKPOINTS = None,
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Resume a stopped run from its newest checkpoint, to the same result as an uninterrupted run.

    With --epochs, a run that has ended goes on as if it had had so many epochs in all. Its learning rates follow the
    schedule of the new length from there on.
    """
    if not (folder / RECIPE).is_file():
        if not folder.exists():
            raise FileFormatError(f"there is no folder {folder}")
        unknown = f"{folder} isn't a run's folder: it has no file {RECIPE}"
        raise refused(folder, "a run's folder", ("folder",), "", unknown=unknown)
    recipe = with_teacher(_recipe(folder, processes), teacher)
    screen = console(Commentary, stderr=json)
    every, keep = read_interval(checkpoint_every), read_keep(keep_checkpoints)
    wanted = None if epochs is None else int(read_number("--epochs", epochs, int))
    taken = rank_0_first(lambda: _take(folder, recipe, wanted, named=teacher is not None, changed_data=changed_data))
    recipe = recipe.edited(epochs=wanted)
    dataset, lock = taken or (load_data(recipe), None)  # rank 0 has the lock
    opening = Opening(folder, every, lock, keep, resumes=True)
    with closing(opening):
        outcome = run(recipe, dataset, opening, screen, report=report)
    conclude(outcome, json)


def _recipe(folder: Path, processes: str | None) -> Recipe:
    """Return the recipe of a run, for so many processes, or as many as it had."""
    recipe = load_recipe(folder / RECIPE)
    # Runs from before there were several processes had one, and so has each of several ranks.
    recipe = recipe.edited(processes=1 if team() is not None else recipe.processes or 1)
    return recipe if processes is None else recipe.edited(processes=int(read_number("--processes", processes, int)))


def _take(
    folder: Path, recipe: Recipe, epochs: int | None, *, named: bool, changed_data: bool
) -> tuple[Dataset, Lock | None]:
    """Lock a run's folder, and check that the run can go on, for so many epochs in all.

    If its teacher isn't there, it may have been moved, unless the user has `named` the place.
    """
    with ExitStack() as stack:
        lock = stack.enter_context(closing(Lock(folder)))
        if epochs is None and not is_unfinished(folder):
            longer = f"train it for longer with --epochs {2 * recipe.epochs}"
            remedy = longer if (folder / STATE).is_dir() else "there is nothing to resume"
            raise SettingError(f"{folder} is a finished run: {remedy}")
        try:
            teacher = teacher_of(recipe)
        except SettingError as error:
            remedy = "" if named else "; if it was moved, name it with --teacher"
            raise SettingError(f"{error}{remedy}") from error
        dataset = load_data(recipe)
        if not changed_data:
            check_digests(folder, dataset, teacher)
        if epochs is not None:
            reopen(folder, recipe, epochs)
        remove_leftovers(folder)
        stack.pop_all()
    return dataset, lock


COMMAND = resume
