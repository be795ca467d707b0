"""The average: the networks of two recipes as one model, that which the search began with and the best other one.

The best of many trials looks better on the rows that chose it than it is; so its networks share every prediction with
those of a recipe that those rows have not chosen. And an average of more networks errs less.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numlp.datasets import Dataset
from numlp.files.atomic import write_bytes
from numlp.files.models import save_model
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.data import DataSettings
from numlp.runs.layout import METRICS, MODEL
from numlp.runs.paths import without_folders
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import calibrates
from numlp.runs.scores import calibrated, scores


def averaged(models: Iterable[MLP | Ensemble]) -> Ensemble:
    """Return all networks of some models as one, not calibrated yet.

    Raises
    ------
    SettingError
        If they differ in more than their layers, such as in the encoding of a table's columns.
    """
    members = [net for model in models for net in (model.members if isinstance(model, Ensemble) else (model,))]
    for network in members:
        network.temperature = 1.0
    return Ensemble(members)


def write_average(
    folder: Path, model: Ensemble, recipe: Recipe, dataset: Dataset, trials: list[int]
) -> dict[str, Any]:
    """Calibrate an average, evaluate it on all rows, write it to a folder, and return what metrics.json has.

    Parameters
    ----------
    folder : path
    model : Ensemble
    recipe : Recipe
        With which the search began. The model file has those of its settings that say what the data are: of the
        others, each trial has its own.
    dataset : Dataset
        With folds.
    trials : list of int
        Their numbers.
    """
    calibration = calibrated(model, dataset) if calibrates(recipe, model.loss) else None
    of_data = {field.name for field in dataclasses.fields(DataSettings)}
    settings = {name: value for name, value in without_folders(recipe.as_dict()).items() if name in of_data}
    save_model(model, folder / MODEL, recipe=settings)
    metrics: dict[str, Any] = {
        **scores(recipe, model, dataset),
        "averaged": trials,
        "parameters": sum(network.params.size for network in model.members),
    }
    if calibration is not None:
        metrics["calibration"] = calibration
    write_bytes(folder / METRICS, (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())
    return metrics
