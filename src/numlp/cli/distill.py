"""`numlp distill`: trains one network to answer as a trained model does."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from numlp.cli.arguments import CHECKPOINT_EVERY, KEEP_CHECKPOINTS, OUTPUT, REPORT
from numlp.cli.opening import Opening, read_interval, read_keep
from numlp.cli.options import with_options
from numlp.cli.output import Commentary, Json, console
from numlp.cli.ranks import team
from numlp.cli.running import run
from numlp.cli.train import choose, conclude
from numlp.errors import SettingError
from numlp.runs.layout import MODEL, RECIPE
from numlp.runs.recipe import OFF, Recipe
from numlp.runs.recipes import load_recipe
from numlp.runs.unfinished import model_path
from numlp.tuning.plan import BEST

EXAMPLES = """[bold]Examples[/bold]

  numlp train mnist --ensemble 5 --output committee

  numlp distill committee --layers 256,256

  numlp distill committee/model.safetensors mnist --epochs 20 --distillation 1

  numlp train loans.csv --target default --output loans

  numlp distill loans --layers 64,64
"""


@with_options(*(field.name for field in dataclasses.fields(Recipe) if field.name != "teacher"))
def distill(
    teacher: Annotated[
        Path, typer.Argument(help="A run's folder, or a model file, of a network or an average of networks.")
    ],
    data: Annotated[
        str | None,
        typer.Argument(
            help="What to train on, as for numlp train; by default the data of the run.", show_default=False
        ),
    ] = None,
    *,
    settings: dict[str, Any],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name, a TOML file or a run's folder; the options below override its settings. "
            "By default the teacher's.",
            show_default=False,
        ),
    ] = None,
    output: OUTPUT = None,
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    keep_checkpoints: KEEP_CHECKPOINTS = None,
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Train one network to answer as a trained model does, such as an average of many, and write a run's folder.

    The network shares the scaling of the inputs, or the encoding of a table's columns, with its teacher.
    """
    screen = console(Commentary, stderr=json)
    opening = Opening(output, read_interval(checkpoint_every), keep=read_keep(keep_checkpoints))
    teacher = _made_by(teacher.resolve())
    model_path(teacher)  # which says what a folder lacks
    if teacher.is_dir() and (recipe is None or settings["data"] is None):
        own = str(_folder_with_recipe(teacher))
        recipe, settings["data"] = recipe or own, settings["data"] or load_recipe(own).data
    elif settings["data"] is None:
        raise SettingError(f"name the data to train on, as in numlp distill {teacher} mnist")
    for name, single in (("ensemble", 1), ("folds", OFF)):
        if settings[name] is None:
            settings[name] = single
    settings["teacher"] = str(teacher)
    conclude(run(*choose(recipe, settings, team()), opening, screen, report=report), json)


def _made_by(teacher: Path) -> Path:
    """Return a path or, for the folder of a study that made no average, that of its best trial."""
    best = teacher / BEST
    return best if (best / MODEL).is_file() and not (teacher / MODEL).exists() else teacher


def _folder_with_recipe(teacher: Path) -> Path:
    """Return a run's folder, or that of the best trial of a study, whose average may be the teacher."""
    for folder in (teacher, teacher / BEST):
        if (folder / RECIPE).is_file():
            return folder
    raise SettingError(f"{teacher} is no run's folder: it has no file {RECIPE}")


COMMAND = distill
