"""The settings of a run, as they may be passed on, and how to repeat it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numlp.runs.folder import Run
from numlp.runs.recipe import Recipe

_HARDER = ("dropout", "input_dropout", "noise", "input_noise", "label_smoothing", "mixup", "augmentation")


def portable(recipe: Recipe) -> dict[str, Any]:
    """Return the settings of a recipe, its files without their folders, so that a page can be passed on."""
    return {name: _without_folder(value) for name, value in recipe.as_dict().items()}


def shown(value: Any) -> str:
    """Return a setting as text.

    >>> shown([512, 512]), shown([]), shown(True), shown(0.1)
    ('512, 512', 'none', 'yes', '0.1')
    """
    if isinstance(value, list | tuple):
        return ", ".join(shown(part) for part in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(part)}" for name, part in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def reproduction(run: Run) -> dict[str, str]:
    """Return the command that repeats a run, and what that is worth."""
    ended = run.metrics.get("ended", "completed")
    if run.recipe.time_budget is not None:
        note = "The run has a time budget: how far it gets depends on the machine, so the result is close, not equal."
    elif ended != "completed":
        note = f"This run was {ended}; the command trains it again from the beginning, and to the end."
    else:
        note = (
            "The same machine, versions and number of BLAS threads give the same bits; others give nearly the same."
        )
    return {"command": "numlp train --recipe recipe.toml", "note": f"Run it in the folder of this page. {note}"}


def harder(recipe: Recipe) -> str:
    """Name what makes the training's own rows harder than those that a network is judged by.

    >>> harder(Recipe(dropout=0.2, label_smoothing=0.1))
    'dropout, label smoothing'
    """
    return ", ".join(name.replace("_", " ") for name in _HARDER if getattr(recipe, name))


def _without_folder(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and os.sep in value else value
