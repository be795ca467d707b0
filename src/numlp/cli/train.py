"""`numlp train`: trains a network and writes a run's folder."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from numlp.activations import ACTIVATIONS
from numlp.cli.interrupt import Interrupt
from numlp.cli.output import Json, console, print_json, shown, table
from numlp.cli.progress import TrainingProgress
from numlp.datasets import SOURCES, Dataset, Split
from numlp.datasets.labels import is_number
from numlp.errors import DivergenceError, SettingError
from numlp.initializers import INITIALIZERS
from numlp.losses import LOSSES
from numlp.network import MLP
from numlp.recipes import Recipe, load_recipe
from numlp.training import check_data

EXAMPLES = """[bold]Examples[/bold]

  numlp train mnist

  numlp train fashion-mnist --layers 256,256,256 --epochs 100 --batch-size 64 --learning-rate 0.1

  numlp train mnist --recipe reference --seed 1 --output run-1

  numlp train my.npz --validation 0.2

  numlp train table.csv --target price --test held-out.csv

  numlp train --recipe runs/an-earlier-run/recipe.toml
"""


def widths(text: str) -> list[int]:
    """Return the widths in a text such as "256,256"; "none" is no hidden layer.

    >>> widths("256,128"), widths("none")
    ([256, 128], [])
    """
    if text.strip() in ("", "none"):
        return []
    try:
        return [int(width) for width in text.split(",")]
    except ValueError as error:
        raise SettingError(f"--layers must be widths such as 256,256 or 'none', not {text!r}") from error


def number_or_path(text: str) -> float | str:
    """Return a number if the text is one, else the text."""
    try:
        return float(text)
    except ValueError:
        return str(Path(text).resolve())


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A data set's name, or a .npz, .npy or .csv file, or a folder of IDX files.",
            show_default=False,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name or a TOML file, which the options below change; "
            "by default 'default' for classes and 'regression' for real targets.",
            show_default=False,
        ),
    ] = None,
    layers: Annotated[str | None, typer.Option(help="Widths of the hidden layers: 256,256; or none.")] = None,
    activation: Annotated[str | None, typer.Option(help=f"Of the hidden layers: {', '.join(ACTIVATIONS)}.")] = None,
    loss: Annotated[
        str | None, typer.Option(help=f"{', '.join(LOSSES)}; by default it follows from the targets.")
    ] = None,
    initializer: Annotated[
        str | None, typer.Option(help=f"{', '.join(INITIALIZERS)}; by default what suits the activation.")
    ] = None,
    input_scaling: Annotated[str | None, typer.Option(help="unit, symmetric or standardize.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The length of a step along the gradient.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a step.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    seed: Annotated[int | None, typer.Option(help="First weights and order of samples follow from it.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.")] = None,
    target: Annotated[str | None, typer.Option(help="The target column of a .csv, or the .npy file with y.")] = None,
    task: Annotated[
        str | None, typer.Option(help="classification or regression, if the targets leave it open.")
    ] = None,
    validation: Annotated[
        str | None, typer.Option(help="A share of the training rows, cut from their end (0.05), or a file.")
    ] = None,
    test: Annotated[str | None, typer.Option(help="A file to judge the result by.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="A new folder for the run; by default runs/<date>-<data>-<layers>.")
    ] = None,
    json: Json = False,
) -> None:
    """Train a network, and write its weights, history, metrics and figures into a folder."""
    settings = {
        "data": _data(data),
        "layers": None if layers is None else widths(layers),
        "activation": activation,
        "loss": loss,
        "initializer": initializer,
        "input_scaling": input_scaling,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "epochs": epochs,
        "seed": seed,
        "dtype": dtype,
        "target": _resolved(target) if target is not None and target.lower().endswith(".npy") else target,
        "task": task,
        "validation": None if validation is None else number_or_path(validation),
        "test": _resolved(test),
    }
    screen = console(stderr=json)
    folder, metrics = run(*choose(recipe, settings), output, screen)
    if json:
        print_json({"output": str(folder), **metrics})


def choose(name: str | None, settings: dict[str, Any]) -> tuple[Recipe, Dataset]:
    """Return the named recipe, or the one for the kind of target that the data have, and the data."""
    recipe = load_recipe(name or "default").edited(**settings)
    dataset = recipe.load_dataset()
    if name is None and dataset.class_names is None:
        recipe = load_recipe("regression").edited(**settings)
    return recipe, dataset


def run(recipe: Recipe, dataset: Dataset, output: Path | None, screen: Console) -> tuple[Path, dict[str, Any]]:
    """Train as a recipe says, telling the screen about it, and return the run's folder and metrics."""
    from numlp.runs import create_folder, save_run

    network = recipe.make_network(dataset)
    for split in (dataset.train, dataset.validation, dataset.test):
        if split is not None:
            check_data(network, split, to_train_on=split is dataset.train)
    folder = create_folder(recipe, output)
    _introduce(screen, recipe, network, dataset)
    steps = -(-len(dataset.train.x) // recipe.batch_size)
    started = time.perf_counter()
    failure = None
    with Interrupt(screen) as interrupt:
        with TrainingProgress(screen, recipe.epochs, steps) as progress:
            try:
                history = recipe.train(
                    network,
                    dataset,
                    after_step=[progress.after_step, lambda state: interrupt.wished],
                    after_epoch=[progress.after_epoch, lambda state: interrupt.wished],
                )
            except DivergenceError as error:
                history, failure = error.history, error
        interrupt.may_quit = False
        seconds = time.perf_counter() - started
        ended = "diverged" if failure else "completed" if progress.completed else "interrupted"
        metrics = save_run(folder, recipe, network, dataset, history, seconds=seconds, ended=ended)
    _summarize(screen, metrics, folder)
    if failure:
        raise failure
    return folder, metrics


def _introduce(screen: Console, recipe: Recipe, network: MLP, dataset: Dataset) -> None:
    parts = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    rows = ", ".join(f"{len(split.x):,} {name}" for name, split in parts.items() if split is not None)
    target = "real targets" if dataset.class_names is None else f"{len(dataset.class_names)} classes"
    screen.print(f"{recipe.data}: {rows} rows, {dataset.n_features} features, {target}{_guess(recipe, dataset)}")
    for name, split in parts.items():
        if split is not None and (absent := _absent_classes(split, dataset.class_names)):
            screen.print(f"warning: the {name} rows have no sample of {', '.join(absent)}: are the rows sorted?")
    screen.print(
        f"{'-'.join(str(width) for width in network.layer_size)}, {network.activation.name}, {network.loss.name}, "
        f"{network.params.size:,} parameters; {recipe.optimizer}, learning rate {recipe.learning_rate:g}, "
        f"batches of {recipe.batch_size}, seed {recipe.seed}"
    )


def _guess(recipe: Recipe, dataset: Dataset) -> str:
    """Say what was guessed of a target that could mean something else."""
    asked = recipe.task or recipe.loss or recipe.data in SOURCES or dataset.class_names is None
    if asked or not all(is_number(name) for name in dataset.class_names or ()):
        return ""
    return ", taken from whole numbers (--task regression if they are values)"


def _absent_classes(split: Split, class_names: tuple[str, ...] | None) -> list[str]:
    if class_names is None or split.y.ndim > 1:
        return []
    counts = np.bincount(split.y, minlength=len(class_names))
    return [name for name, count in zip(class_names, counts, strict=True) if count == 0][:5]


def _summarize(screen: Console, metrics: dict[str, Any], folder: Path) -> None:
    score = next(name for name in metrics["train"] if name != "loss")
    summary = table("", "loss", score)
    for part in ("train", "validation", "test"):
        if metrics[part] is not None:
            summary.add_row(part, *(shown(name, metrics[part][name]) for name in ("loss", score)))
    screen.print()
    screen.print(summary)
    screen.print(f"\n{metrics['epochs']} epochs in {metrics['seconds']:.1f} s, {metrics['ended']}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        screen.print(f"  {path}")
    if metrics["test"] is not None and score == "accuracy":
        screen.print(f"\ntest accuracy {shown(score, metrics['test'][score])}")


def _data(data: str | None) -> str | None:
    """Return a data set's name as it is, and a path as one that holds from everywhere."""
    return _resolved(data) if data is not None and data not in SOURCES and Path(data).exists() else data


def _resolved(path: str | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


COMMAND = train
