"""The settings of a run, without private paths, and how to repeat the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numlp.runs.folder import Run
from numlp.runs.recipe import Recipe

_HARDER = ("dropout", "input_dropout", "noise", "input_noise", "label_smoothing", "mixup", "augmentation")


def portable(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's settings, files without their folders, so that a page reveals no paths when shared."""
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
    """Return the command that repeats a run, and a note on how close the result will be."""
    ended = run.metrics.get("ended", "completed")
    if run.recipe.time_budget is not None:
        note = "A time budget makes the number of steps depend on the machine: the result is close, not equal."
    elif ended == "diverged":
        note = "This run diverged; the command repeats it from the beginning."
    elif ended != "completed":
        note = f"This run was {ended}; the command trains it again from the beginning to the end."
    elif run.recipe.arithmetic == "portable":
        note = "The same version of numlp gives the same bits, on any machine."
    else:
        note = (
            "The same machine, versions and numbers of BLAS threads and processes give the same bits; others come "
            "close."
        )
    return {
        "command": "numlp train --recipe recipe.toml",
        "note": f"Run this command in the folder of this page. {note}",
    }


def harder(recipe: Recipe) -> str:
    """Name the settings that make rows harder in training than in evaluation.

    >>> harder(Recipe(dropout=0.2, label_smoothing=0.1))
    'dropout, label smoothing'
    """
    return ", ".join(name.replace("_", " ") for name in _HARDER if getattr(recipe, name))


def _without_folder(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and os.sep in value else value
