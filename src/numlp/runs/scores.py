"""Scores: what a trained model reaches on the parts of its data, as metrics.json has it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from numlp.data.weights import ClassWeight
from numlp.datasets import AnySplit, Dataset
from numlp.errors import NumlpError
from numlp.judging.evaluation import class_weights_of, evaluate
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.runs.folds import folded, mean_and_error, networks_of_folds
from numlp.runs.recipe import Recipe
from numlp.training.calibration import calibrate
from numlp.training.folds import calibrate_folds


def scores(recipe: Recipe, model: MLP | Ensemble, dataset: Dataset) -> dict[str, Any]:
    """Return a model's metrics on its "train", "validation" and "test" rows, with None if there are no test rows.

    With folds, "validation" has the means of "folds", which has each fold's metrics by the networks that it
    validated, and "standard_errors" those of the means. Class weights apply as in training.
    """
    weights = None if recipe.class_weight is None else class_weights_of(model, dataset.train, recipe.class_weight)
    by_fold = [
        judge(networks, dataset.of_network(i).validation, weights)
        for i, networks in enumerate(networks_of_folds(model, dataset))
    ]
    validated, errors = mean_and_error(by_fold) if by_fold else (judge(model, dataset.validation, weights), {})
    found = {
        "train": judge(model, dataset.train, weights),
        "validation": validated,
        "test": None if dataset.test is None else judge(model, dataset.test, weights),
    }
    return found | ({"folds": by_fold, "standard_errors": errors} if by_fold else {})


def judge(predictor: Predictor, rows: AnySplit, class_weight: ClassWeight | None = None) -> dict[str, float | None]:
    """Return a predictor's metrics for JSON, with None for those of a diverged network that are not finite."""
    metrics = evaluate(predictor, rows, class_weight=class_weight)
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def calibrated(model: MLP | Ensemble, dataset: Dataset) -> dict[str, Any]:
    """Calibrate a model and return the result; if it fails, return why, so that no training is lost."""
    try:
        if dataset.folds:
            return dataclasses.asdict(calibrate_folds(folded(model, dataset)))
        return dataclasses.asdict(calibrate(model, dataset.held("validation")))
    except NumlpError as error:
        return {"failed": str(error)}
