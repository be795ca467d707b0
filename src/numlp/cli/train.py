"""`numlp train`: trains a network and writes a run's folder."""

import math
from functools import partial
from typing import Any

import typer

from numlp.cli.arguments import CHECKPOINT_EVERY, DATA, KEEP_CHECKPOINTS, OUTPUT, RECIPE, REPORT
from numlp.cli.opening import Opening, read_interval, read_keep
from numlp.cli.options import with_recipe_options
from numlp.cli.output import Commentary, Json, console, print_json
from numlp.cli.ranks import team
from numlp.cli.running import Outcome, run
from numlp.data.teacher import refuse_preparation
from numlp.datasets import AnySplit, Dataset
from numlp.network.losses import LOSSES, Task
from numlp.parallel.mpi import MPITeam
from numlp.runs.memory import usual_memory
from numlp.runs.recipe import OFF, Recipe
from numlp.runs.recipes import fitting_recipe, load_data, load_recipe, sized
from numlp.settings.checks import as_bytes
from numlp.settings.named import resolve
from numlp.training.sizes import table_settings

_OTHERS_THAN_FOLDS = ("validation", "validation_by", "split", "ensemble")  # which ask for a single split

EXAMPLES = """[bold]Examples[/bold]

  numlp train mnist

  numlp train fashion-mnist --layers 256,256,256 --epochs 100 --batch-size 64 --learning-rate 0.1

  numlp train mnist --recipe reference --seed 1 --output run-1

  numlp train mnist --optimizer "adamw(weight_decay = 0.05)" --schedule cosine --learning-rate 0.001 --dropout 0.2

  numlp train my.npz --validation 0.2

  numlp train mnist --snapshots 20

  numlp train table.csv --target price --test held-out.csv

  numlp train visits.csv --target cost --validation-by patient

  numlp train --recipe runs/an-earlier-run
"""


@with_recipe_options
def train(
    data: DATA = None,
    *,
    settings: dict[str, Any],
    recipe: RECIPE = None,
    output: OUTPUT = None,
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    keep_checkpoints: KEEP_CHECKPOINTS = None,
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Train a network and write its weights, history, metrics, figures and report to a folder."""
    screen = console(Commentary, stderr=json)
    opening = Opening(output, read_interval(checkpoint_every), keep=read_keep(keep_checkpoints))
    conclude(run(*choose(recipe, settings, team()), opening, screen, report=report), json)


def conclude(outcome: Outcome, json: bool) -> None:
    """Print a run's results as JSON if asked to, and let a signal decide the exit code."""
    if json:
        print_json({"output": str(outcome.folder), **outcome.metrics})
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)


def choose(name: str | None, settings: dict[str, Any], ranks: MPITeam | None = None) -> tuple[Recipe, Dataset]:
    """Return the named recipe, or by default the one that suits the data, and the data: the same in all `ranks`.

    The recipe "table" takes its folds and some other settings from the size of the data, but for those that the user
    names.
    """
    # Intervals are calibrated to one model: an average of networks would cover more than its parts do.
    intervals = settings.get("loss") is not None and bool(resolve("loss", settings["loss"], LOSSES).promised)
    alone = intervals or any(settings.get(other) is not None for other in _OTHERS_THAN_FOLDS)

    def folds(rows: AnySplit, task: Task) -> int | None:
        if settings.get("folds") is OFF or alone:
            return None
        fitting = name or fitting_recipe(rows, task)
        by_size = table_settings(len(rows.y), math.prod(rows.x.shape[1:]))
        return by_size["folds"] if fitting == "table" else load_recipe(fitting).folds

    wanted = load_recipe(name or "table").edited(**settings)
    if wanted.teacher is not None:
        refuse_preparation(settings)
    wanted = wanted.edited(memory=wanted.memory or _memory(ranks))
    named = settings.get("folds") not in (None, OFF) or (name not in (None, "table") and not alone)
    dataset = load_data(wanted, wanted.folds if named else folds)
    name = name or fitting_recipe(dataset.held("training"), dataset.task)
    recipe = load_recipe(name)
    if name == "table":
        recipe = recipe.edited(**sized(dataset, settings.get("validation")))
    # What was seen in all rows of this file may not be seen in a few rows to predict.
    seen = {name: getattr(dataset.reading, name) for name in ("decimal", "thousands", "day_first")}
    recipe = recipe.edited(**settings).edited(**seen)
    if dataset.in_chunks:  # in blocks that depend on it
        recipe = recipe.edited(memory=wanted.memory)
    return recipe.edited(folds=len(dataset.folds) or OFF), dataset


def _memory(ranks: MPITeam | None) -> str:
    """Return how much memory rows may take if the user doesn't say: the same in all ranks."""
    if ranks is None:
        return usual_memory()
    return min(ranks.told(usual_memory(ranks.here)), key=partial(as_bytes, "memory"))


COMMAND = train
