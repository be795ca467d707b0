"""Teachers: the trained model that a recipe's networks learn from."""

from __future__ import annotations

from pathlib import Path

from numlp.errors import NumlpError, SettingError
from numlp.files.models import load_model
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.recipe import Recipe
from numlp.runs.unfinished import model_path


def teacher_of(recipe: Recipe) -> MLP | Ensemble | None:
    """Return the model that a recipe's networks learn from, if it names one.

    Raises
    ------
    SettingError
        If there is no such model, or it can't be read.
    """
    if recipe.teacher is None:
        return None
    try:
        return load_model(model_path(recipe.teacher))
    except NumlpError as error:
        raise SettingError(f"teacher: {error}") from error


def with_teacher(recipe: Recipe, teacher: Path | None) -> Recipe:
    """Return the recipe of a run whose teacher may lie elsewhere now.

    Raises
    ------
    SettingError
        If it does, but the recipe names no teacher.
    """
    if teacher is None:
        return recipe
    if recipe.teacher is None:
        raise SettingError("the run learned from no teacher: leave --teacher out")
    return recipe.edited(teacher=str(teacher.resolve()))
