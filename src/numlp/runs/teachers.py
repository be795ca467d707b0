"""Teachers: the trained model that a recipe's networks learn from."""

from __future__ import annotations

from typing import Any

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


def learned_from(teacher: MLP | Ensemble) -> dict[str, Any]:
    """Return the scalings, or the encoding of a table's columns, that a network shares with its teacher."""
    first = teacher.members[0] if isinstance(teacher, Ensemble) else teacher
    return {
        "input_scaling": first.input_scaling,
        "input_encoding": first.input_encoding,
        "target_scaling": first.target_scaling if first.loss.scales_targets else None,
    }
