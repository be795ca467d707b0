"""`numlp train`: trains a network and writes a run's folder."""

import dataclasses
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from numlp.cli.interrupt import Interrupt
from numlp.cli.options import with_recipe_options
from numlp.cli.output import Json, console, print_json, setting_text, shown, table
from numlp.cli.progress import TrainingProgress
from numlp.cli.watch import Watch
from numlp.datasets import SOURCES, AnySplit, Dataset
from numlp.datasets.labels import is_number
from numlp.ensemble import Ensemble
from numlp.errors import DivergenceError
from numlp.evaluation import check_data
from numlp.history import History, mean_history
from numlp.network import MLP
from numlp.recipe import Recipe
from numlp.recipes import fitting_recipe, load_data, load_recipe, make_network, train_network
from numlp.state import TrainingState

# Settings that the lines before a training tell in words of their own, and the table below them.
_TOLD = {"data", "task", "validation", "test", "layers", "activation", "loss", "optimizer", "learning_rate"}
_TOLD |= {"schedule", "batch_size", "epochs", "seed", "ensemble"}
# With these on, the training's own losses are of harder rows than those that the network is judged by.
_HARDER = ("dropout", "input_dropout", "noise", "input_noise", "label_smoothing", "mixup", "augmentation")

EXAMPLES = """[bold]Examples[/bold]

  numlp train mnist

  numlp train fashion-mnist --layers 256,256,256 --epochs 100 --batch-size 64 --learning-rate 0.1

  numlp train mnist --recipe reference --seed 1 --output run-1

  numlp train mnist --optimizer "adamw(weight_decay = 0.05)" --schedule cosine --learning-rate 0.001 --dropout 0.2

  numlp train my.npz --validation 0.2

  numlp train mnist --snapshots 20

  numlp train table.csv --target price --test held-out.csv

  numlp train --recipe runs/an-earlier-run
"""


DATA = Annotated[
    str | None,
    typer.Argument(
        help="A data set's name, or a .npz, .npy or .csv file, or a folder of IDX files.", show_default=False
    ),
]
RECIPE = Annotated[
    str | None,
    typer.Option(
        help="A recipe's name, a TOML file or a run's folder, which the options below change; "
        "by default 'default' for classes, 'table' for few rows and for real targets.",
        show_default=False,
    ),
]


@with_recipe_options
def train(
    data: DATA = None,
    *,
    settings: dict[str, Any],
    recipe: RECIPE = None,
    output: Annotated[
        Path | None, typer.Option(help="A new folder for the run; by default runs/<date>-<data>-<layers>.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html, a page that shows what was learned.")
    ] = True,
    snapshots: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="Keep the first layer's weights at so many epochs, for the report to show how they form.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Train a network, and write its weights, history, metrics, figures and a report into a folder."""
    screen = console(stderr=json)
    folder, metrics = run(*choose(recipe, settings), output, screen, report=report, snapshots=snapshots)
    if json:
        print_json({"output": str(folder), **metrics})


def choose(name: str | None, settings: dict[str, Any]) -> tuple[Recipe, Dataset]:
    """Return the named recipe, or the one that fits the data, and the data."""
    recipe = load_recipe(name or "table").edited(**settings)
    dataset = load_data(recipe)
    return recipe if name else load_recipe(fitting_recipe(dataset)).edited(**settings), dataset


def run(
    recipe: Recipe, dataset: Dataset, output: Path | None, screen: Console, *, report: bool, snapshots: int | None
) -> tuple[Path, dict[str, Any]]:
    """Train as a recipe says, telling the screen about it, and return the run's folder and metrics."""
    from numlp.runs import save_run

    watch = Watch(recipe, snapshots)
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.ensemble)]
    for split in (dataset.train, dataset.validation, dataset.test):
        if split is not None:
            check_data(networks[0], split, to_train_on=split is dataset.train)
    opening = _Opening(recipe, dataset, output, screen)
    started = time.perf_counter()
    with Interrupt(screen) as interrupt:
        histories, ended, failure = _train_all(recipe, networks, dataset, opening, interrupt, watch)
        interrupt.may_quit = False
        seconds = time.perf_counter() - started
        trained = networks[: len(histories)]
        model = Ensemble(trained) if recipe.ensemble > 1 else trained[0]
        history = mean_history(histories)
        gradients = watch.gradients.history
        metrics = save_run(
            opening.folder, recipe, model, dataset, history, seconds=seconds, ended=ended, gradients=gradients
        )
        watch.save(opening.folder)
        if report:
            from numlp.report import write_report

            write_report(opening.folder, dataset)
    _summarize(screen, recipe, metrics, opening.folder)
    if failure:
        raise failure
    return opening.folder, metrics


class _Opening:
    """A callback that makes the run's folder when the training begins: by then all settings and data were checked."""

    folder: Path

    def __init__(self, recipe: Recipe, dataset: Dataset, output: Path | None, screen: Console) -> None:
        self.recipe, self.dataset, self.output, self.screen = recipe, dataset, output, screen

    def begin(self, state: TrainingState) -> None:
        """Make the folder, and tell what is going to be trained; for the first network only."""
        from numlp.runs import create_folder

        if not hasattr(self, "folder"):
            self.folder = create_folder(self.recipe, self.output)
            _introduce(self.screen, self.recipe, state.network, self.dataset)

    def __call__(self, state: TrainingState) -> None: ...


def _train_all(
    recipe: Recipe,
    networks: list[MLP],
    dataset: Dataset,
    opening: _Opening,
    interrupt: Interrupt,
    watch: Watch,
) -> tuple[list[History], str, DivergenceError | None]:
    """Train one network after the other, until one diverges or the user wants to stop."""
    histories: list[History] = []
    steps = -(-dataset.train.x.shape[0] // recipe.batch_size)
    for member, network in enumerate(networks):
        heading = f"network {member + 1} of {len(networks)}" if len(networks) > 1 else ""
        with TrainingProgress(opening.screen, recipe.epochs, steps, heading) as progress:
            try:
                history = train_network(
                    recipe,
                    network,
                    dataset,
                    member=member,
                    after_step=[progress.after_step, lambda state: interrupt.wished],
                    after_epoch=[
                        opening,
                        *watch.callbacks(member),
                        progress.after_epoch,
                        lambda state: interrupt.wished,
                    ],
                )
            except DivergenceError as error:
                # Networks that were trained before are worth more without this one.
                return histories or [error.history], "diverged", error
        histories.append(history)
        if interrupt.wished:
            completed = progress.completed and member == len(networks) - 1
            return histories, "completed" if completed else "interrupted", None
    return histories, "completed", None


def _introduce(screen: Console, recipe: Recipe, network: MLP, dataset: Dataset) -> None:
    screen.print(f"{dataset}{_guess(recipe, dataset)}")
    for name, split in dataset.parts.items():
        if absent := _absent_classes(split, dataset.class_names):
            screen.print(f"warning: the {name} rows have no sample of {', '.join(absent)}: are the rows sorted?")
    if dataset.task == "regression" and _beyond(dataset.validation.y, dataset.train.y):
        screen.print(
            "warning: the targets of the validation rows lie beyond all those of the training rows: are the rows "
            "sorted? Shuffle them before"
        )
    several, each = (f" × {recipe.ensemble} networks", " each") if recipe.ensemble > 1 else ("", "")
    activations = ", ".join(dict.fromkeys(str(activation) for activation in network.activations))
    screen.print(
        f"{'-'.join(str(width) for width in network.layer_size)}{several}, {activations or 'no hidden layer'}, "
        f"{network.loss}, {network.params.size:,} parameters{each}"
    )
    screen.print(
        f"{recipe.optimizer}, learning rate {recipe.learning_rate:g}, schedule {recipe.schedule}, "
        f"batches of {recipe.batch_size}, seed {recipe.seed}"
    )
    if more := _settings_that_are_on(recipe):
        screen.print(", ".join(more))


def _settings_that_are_on(recipe: Recipe, among: Collection[str] | None = None) -> list[str]:
    """Return the settings that are not at their defaults, in words; by default all that are not told otherwise."""
    names = [field.name for field in dataclasses.fields(Recipe) if field.name not in _TOLD]
    values = {name: getattr(recipe, name) for name in names if among is None or name in among}
    return [_in_words(name, value) for name, value in values.items() if value != getattr(Recipe, name)]


def _in_words(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if isinstance(value, str) and os.sep in value:
        value = Path(value).name
    return words if value is True else f"{words} {setting_text(value)}"


def _guess(recipe: Recipe, dataset: Dataset) -> str:
    """Say what was guessed of a target that could mean something else."""
    asked = recipe.task or recipe.loss or recipe.data in SOURCES or dataset.task == "regression"
    if asked or not all(is_number(name) for name in dataset.class_names or ()):
        return ""
    if dataset.train.y.ndim == 1:
        source = "whole numbers"
    else:
        source = "rows of 0 and 1" if dataset.task == "labels" else "rows that sum to 1"
    return f", taken from {source} (--task regression if they are values)"


def _beyond(targets: npt.NDArray[Any], others: npt.NDArray[Any]) -> bool:
    """Tell whether, of any column, no target lies among the others, as at the end of sorted rows."""
    above = (targets.min(axis=0) >= others.max(axis=0)) & (targets.max(axis=0) > others.max(axis=0))
    below = (targets.max(axis=0) <= others.min(axis=0)) & (targets.min(axis=0) < others.min(axis=0))
    return bool(np.any(above | below))


def _absent_classes(split: AnySplit, class_names: tuple[str, ...] | None) -> list[str]:
    if class_names is None or split.y.ndim > 1:
        return []
    counts = np.bincount(split.y, minlength=len(class_names))
    return [name for name, count in zip(class_names, counts, strict=True) if count == 0][:5]


def _calibration(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"not calibrated: {found['failed']}"
    before, after = (shown("accuracy", found[f"error_{when}"]) for when in ("before", "after"))
    return (
        f"calibrated with temperature {found['temperature']:.3f}: expected calibration error on the validation rows "
        f"{before} before, {after} after; the losses above are after calibration"
    )


def _summarize(screen: Console, recipe: Recipe, metrics: dict[str, Any], folder: Path) -> None:
    score = next(name for name in metrics["train"] if name != "loss")
    summary = table("", "loss", score)
    for part in ("train", "validation", "test"):
        if metrics[part] is not None:
            summary.add_row(part, *(shown(name, metrics[part][name]) for name in ("loss", score)))
    screen.print()
    screen.print(summary)
    if harder := _settings_that_are_on(recipe, _HARDER):
        screen.print(f"\nthe epochs' train losses are with {', '.join(harder)}; the table's are without")
    if recipe.ensemble > 1:
        screen.print("\nthe table is the ensemble's; the history and its curves are means over its networks")
    screen.print(f"\n{metrics['epochs']} epochs in {metrics['seconds']:.1f} s, {metrics['ended']}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        screen.print(f"  {path}")
    if "calibration" in metrics:
        screen.print(f"\n{_calibration(metrics['calibration'])}")
    if metrics["test"] is not None and score == "accuracy":
        screen.print(f"\ntest accuracy {shown(score, metrics['test'][score])}")


COMMAND = train
