"""Summary: a run in words, before and after training."""

import dataclasses
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from numlp.arrays.table import Table
from numlp.cli.columns import print_taken
from numlp.cli.output import setting_text, table
from numlp.data.chunked import Chunked
from numlp.datasets import SOURCES, AnySplit, Dataset
from numlp.datasets.labels import is_number
from numlp.judging.figures import figure_of, meaning, shown
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import calibrates
from numlp.settings.texts import as_options

# Settings that `introduce` shows in words of its own, and those that the progress and the results show.
_SHOWN = {"data", "task", "validation", "test", "layers", "activation", "loss", "optimizer", "learning_rate"}
_SHOWN |= {"schedule", "batch_size", "epochs", "seed", "processes", "ensemble", "calibrate"}
# These make the rows harder in training than in evaluation, so the losses of the two differ.
_HARDER = ("dropout", "input_dropout", "noise", "input_noise", "label_smoothing", "mixup", "augmentation")


def introduce_data(screen: Console, recipe: Recipe, dataset: Dataset) -> None:
    """Describe the data, and what was seen and left out in them."""
    screen.print(f"{dataset}{_guess(recipe, dataset)}")
    for note in dataset.notes:
        screen.print(f"note: {as_options(note)}")


def introduce(screen: Console, recipe: Recipe, network: MLP, dataset: Dataset, *, told: bool = False) -> None:
    """Describe the data, unless the user was told of them before, the network and how it will be trained."""
    if not told:
        introduce_data(screen, recipe, dataset)
    train = dataset.held("training")
    if isinstance(train.x, Table) and network.input_encoding is not None:
        print_taken(screen, dataset, network.input_encoding)
    by_place = (recipe.split or ("last" if dataset.feature_names is None else "shuffled")) == "last"
    remedy = ": are the rows sorted? If so, add --split shuffled" if by_place and not recipe.validation_by else ""
    for name, split in dataset.parts.items():
        if isinstance(split, Chunked):  # of which a sample may lack rare classes
            continue
        if absent := _absent_classes(split, dataset.class_names):
            others = f" and {len(absent) - 5:,} more classes" if len(absent) > 5 else ""
            classes = ", ".join(absent[:5]) + others
            screen.print(f"warning: the {name} rows have no sample of {classes}{remedy}")
    in_memory = not dataset.in_chunks
    validates = in_memory and "validation" in dataset.parts
    if dataset.task == "regression" and validates and _beyond(dataset.held("validation").y, train.y):
        screen.print(f"warning: the validation targets lie above or below all training targets{remedy}")
    if in_memory and dataset.task == "regression" and np.any(np.all(train.y == train.y[:1], axis=0)):
        which = "target" if train.y.ndim == 1 else "value in one of the targets"
        screen.print(f"warning: all training rows have the same {which}, so there is nothing to learn about it")
    several, each = (f" × {recipe.n_networks} networks", " each") if recipe.n_networks > 1 else ("", "")
    activations = ", ".join(dict.fromkeys(str(activation) for activation in network.activations))
    screen.print(
        f"{'-'.join(str(width) for width in network.layer_size)}{several}, {activations or 'no hidden layer'}, "
        f"{network.loss}, {network.params.size:,} parameters{each}"
    )
    screen.print(
        f"{recipe.optimizer}, learning rate {recipe.learning_rate:g}, schedule {recipe.schedule}, "
        f"batches of {recipe.batch_size}, seed {recipe.seed}{_processes(recipe)}"
    )
    more = _settings_that_are_on(recipe)
    if calibrates(recipe, network.loss):
        more.append(
            f"calibrate, inferred from the {'loss' if network.loss.promised else 'folds'}"
            if recipe.calibrate is None
            else "calibrate"
        )
    if more:
        screen.print(", ".join(more))


def _processes(recipe: Recipe) -> str:
    """Return the number of processes, if there are several."""
    return f", {recipe.processes} processes" if recipe.processes not in (None, 1) else ""


def _settings_that_are_on(recipe: Recipe, among: Collection[str] | None = None) -> list[str]:
    """Return the settings that differ from their defaults, in words; by default all that no other line shows."""
    names = [field.name for field in dataclasses.fields(Recipe) if field.name not in _SHOWN]
    values = {name: getattr(recipe, name) for name in names if among is None or name in among}
    return [_in_words(name, value) for name, value in values.items() if value != getattr(Recipe, name)]


def _in_words(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if name in ("decimal", "thousands"):
        value = repr(value)
    if isinstance(value, str) and os.sep in value:
        value = Path(value).name
    return words if value is True else f"{words} {setting_text(value)}"


def _guess(recipe: Recipe, dataset: Dataset) -> str:
    """Say how the task was inferred, where the targets could mean something else."""
    asked = recipe.task or recipe.loss or recipe.data in SOURCES or dataset.task == "regression"
    if asked or not all(is_number(name) for name in dataset.class_names or ()):
        return ""
    if dataset.held("training").y.ndim == 1:
        source = "whole numbers"
    else:
        source = "rows of 0 and 1" if dataset.task == "labels" else "rows that sum to 1"
    return f", inferred from {source} (if these are real values: --task regression)"


def _beyond(targets: npt.NDArray[Any], others: npt.NDArray[Any]) -> bool:
    """Return whether all targets of a column lie above or below all others, as at the end of sorted rows."""
    above = (targets.min(axis=0) >= others.max(axis=0)) & (targets.max(axis=0) > others.max(axis=0))
    below = (targets.max(axis=0) <= others.min(axis=0)) & (targets.min(axis=0) < others.min(axis=0))
    return bool(np.any(above | below))


def _absent_classes(split: AnySplit, class_names: tuple[str, ...] | None) -> list[str]:
    if class_names is None or split.y.ndim > 1:
        return []
    counts = np.bincount(split.y, minlength=len(class_names))
    return [name for name, count in zip(class_names, counts, strict=True) if count == 0]


def _calibration(found: dict[str, Any], intervals: bool) -> str:
    if "failed" in found:
        return f"not calibrated: {found['failed']}"
    error = "was {} and is {}".format(*(shown("accuracy", found[f"error_{when}"]) for when in ("before", "after")))
    after = "the losses above are after calibration"
    if intervals:
        return f"calibrated intervals: the largest error of their coverage on the validation rows {error}; {after}"
    loss = "was {} and is {}".format(*(shown("loss", found[f"loss_{when}"]) for when in ("before", "after")))
    return (
        f"calibrated with temperature {found['temperature']:.3f}, which minimizes the log-loss on the validation "
        f"rows: it {loss}; the expected calibration error {error}; {after}"
    )


def print_metrics(screen: Console, model: Predictor, metrics: dict[str, Any]) -> None:
    """Show a model's metrics as a table."""
    parts = [part for part in ("train", "validation", "test") if metrics[part] is not None]
    summary = table("", *parts)
    summary.add_column("")
    for name in metrics["train"]:
        values = {part: shown(name, metrics[part][name]) for part in parts}
        if (error := metrics.get("standard_errors", {}).get(name)) is not None:
            values["validation"] += f" ± {shown(name, error)}"
        summary.add_row(figure_of(name).title, *values.values(), meaning(name, model))
    screen.print()
    screen.print(summary)


def summarize(screen: Console, recipe: Recipe, model: Predictor, metrics: dict[str, Any], folder: Path) -> None:
    """Show the metrics and what is in the run's folder."""
    print_metrics(screen, model, metrics)
    if harder := _settings_that_are_on(recipe, _HARDER):
        screen.print(
            f"\nthe train losses of the epochs are computed with {', '.join(harder)}; those in the table, without"
        )
    if "folds" in metrics:
        screen.print(
            f"\nvalidation: the mean over {len(metrics['folds'])} folds and its standard error, by networks that "
            "haven't trained on the fold"
        )
    if recipe.n_networks > 1:
        screen.print(
            "\nthe table shows the ensemble's metrics; the history and its curves are means over its networks"
        )
    epochs = f"{metrics['epochs']} epoch" + ("" if metrics["epochs"] == 1 else "s")
    screen.print(f"\n{epochs} in {metrics['seconds']:.1f} s, {metrics['ended']}")
    for path in sorted(folder.iterdir()):
        screen.print(f"  {path}{os.sep if path.is_dir() else ''}")
    if "calibration" in metrics:
        screen.print(f"\n{_calibration(metrics['calibration'], bool(model.loss.promised))}")
    if "accuracy" in (metrics["test"] or {}):
        screen.print(f"\ntest accuracy {shown('accuracy', metrics['test']['accuracy'])}")
