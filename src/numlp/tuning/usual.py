"""The usual space: what a search varies by default, around a recipe that suits the data."""

from __future__ import annotations

from collections.abc import Collection

from numlp.network.losses import Task
from numlp.runs.recipe import Recipe
from numlp.settings.named import resolve
from numlp.training.optimizers import OPTIMIZERS
from numlp.tuning.space import Choices, Range, Space


def usual_space(base: Recipe, task: Task, fixed: Collection[str] = ()) -> Space:
    """Return the usual space around a recipe, in which few trials take longer than the recipe itself.

    The encoding of a table's columns isn't varied, because networks that are averaged must share it.

    Parameters
    ----------
    base : Recipe
        That of `numlp train` for the data.
    task : "classification", "labels" or "regression"
    fixed : collection of str
        The settings that aren't searched, because the user has named them.

    Examples
    --------
    >>> space = usual_space(Recipe(layers=(128, 128), optimizer="adam"), "regression", fixed=["activation"])
    >>> list(space)
    ['learning_rate', 'layers.depth', 'layers.width', 'normalization', 'dropout', 'batch_size', 'epochs']
    """
    widest = max(base.layers, default=32)
    space: dict[str, Choices | Range] = {
        "learning_rate": _around(base.learning_rate, 5),
        "layers.depth": Range(1, max(3, len(base.layers))),
        "layers.width": Range(32, 2 * widest, log=True),
        "activation": Choices(("relu", "silu", "selu")),
        "normalization": Choices(("none", "layer", "batch")),
        "dropout": Range(0.0, 0.5),
    }
    decay = getattr(resolve("optimizer", base.optimizer, OPTIMIZERS), "weight_decay", 0.0)
    if decay:
        space["optimizer.weight_decay"] = _around(decay, 20)
    if task != "regression":
        space["label_smoothing"] = Range(0.0, 0.2)
    if base.input_noise:
        space["input_noise"] = Range(0.0, round(2 * base.input_noise, 4))
    space["batch_size"] = Choices((base.batch_size, 2 * base.batch_size))
    if base.epochs > 1:
        space["epochs"] = Range(base.epochs // 2, base.epochs)
    return {name: values for name, values in space.items() if name.partition(".")[0] not in fixed}


def _around(value: float, factor: float) -> Range:
    """Return the range between a value divided by a factor and multiplied by it, on a logarithmic scale."""
    return Range(float(f"{value / factor:.2g}"), float(f"{value * factor:.2g}"), log=True)
