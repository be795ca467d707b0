"""`numlp resume`: goes on with a run that was killed or interrupted, or with more epochs of one that has ended."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.options import read_number
from numlp.cli.output import Commentary, Json, console
from numlp.cli.running import Opening, read_interval, run
from numlp.cli.train import CHECKPOINT_EVERY, REPORT, conclude
from numlp.errors import FileFormatError, SettingError
from numlp.files.kinds import refused
from numlp.runs.recipes import load_data, load_recipe

EXAMPLES = """[bold]Examples[/bold]

  numlp resume runs/an-unfinished-run

  numlp resume runs/an-earlier-run --epochs 200
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
    changed_data: Annotated[
        bool,
        typer.Option("--changed-data", help="Go on although the data differ from those of the run."),
    ] = False,
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Resume a stopped run from its newest checkpoint, to the same result as an uninterrupted run.

    With --epochs, a run that has ended goes on as if it had had so many epochs in all. Its learning rates follow the
    schedule of the new length from there on.
    """
    from numlp.files.atomic import remove_leftovers
    from numlp.runs.digests import check_digests
    from numlp.runs.layout import RECIPE, STATE
    from numlp.runs.unfinished import Lock, continued, is_unfinished

    if not (folder / RECIPE).is_file():
        if not folder.exists():
            raise FileFormatError(f"there is no folder {folder}")
        unknown = f"{folder} isn't a run's folder: it has no file {RECIPE}"
        raise refused(folder, "a run's folder", ("folder",), "", unknown=unknown)
    recipe = load_recipe(folder / RECIPE)
    recipe = recipe.edited(processes=recipe.processes or 1)  # runs from before there were several had one
    if processes is not None:
        recipe = recipe.edited(processes=int(read_number("--processes", processes, int)))
    screen = console(Commentary, stderr=json)
    opening_every = read_interval(checkpoint_every)
    with closing(Lock(folder)) as lock:
        if epochs is None and not is_unfinished(folder):
            longer = f"train it for longer with --epochs {2 * recipe.epochs}"
            remedy = longer if (folder / STATE).is_dir() else "there is nothing to resume"
            raise SettingError(f"{folder} is a finished run: {remedy}")
        dataset = load_data(recipe)
        if not changed_data:
            check_digests(folder, dataset)
        if epochs is not None:
            recipe = continued(folder, recipe, int(read_number("--epochs", epochs, int)))
        remove_leftovers(folder)
        outcome = run(recipe, dataset, Opening(folder, opening_every, lock), screen, report=report)
    conclude(outcome, json)


COMMAND = resume
