"""The curves of a history, in the form that the page draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numlp.training.history import History

_SCORES = {"loss": "Loss", "accuracy": "Accuracy", "r2": "R²"}


def curves(history: History) -> list[dict[str, Any]]:
    """Return a panel for each that the history has: loss, accuracy, R², learning rate.

    A panel is ``{"id", "title", "percent", "log", "series": [{"name", "values"}], "best", "note"}``: `best` is the
    position of the best validation value or None, and `log` says whether a logarithmic scale can show the values.
    """
    panels = []
    for name, title in _SCORES.items():
        series = [
            {"name": label, "values": numbers(history[f"{part}_{name}"])}
            for part, label in (("train", "training"), ("validation", "validation"))
            if f"{part}_{name}" in history
        ]
        if series:
            best = _best(history[f"validation_{name}"], least=name == "loss") if len(series) > 1 else None
            panels.append(panel(name, title, series, best, percent=name == "accuracy"))
    if "learning_rate" in history:
        series = [{"name": "learning rate", "values": numbers(history["learning_rate"])}]
        panels.append(panel("learning_rate", "Learning rate", series, note="At the last step of each epoch."))
    return panels


def panel(
    name: str,
    title: str,
    series: Sequence[dict[str, Any]],
    best: int | None = None,
    *,
    percent: bool = False,
    note: str = "",
) -> dict[str, Any]:
    """Return one panel; only values that are all above 0 get a logarithmic scale."""
    seen = [value for line in series for value in line["values"] if value is not None]
    log = name in ("loss", "gradients") and bool(seen) and min(seen) > 0
    return {
        "id": name,
        "title": title,
        "percent": percent,
        "log": log,
        "series": list(series),
        "best": best,
        "note": note,
    }


def gradient_curves(norms: History) -> dict[str, Any] | None:
    """Return the panel of gradient norms, or None if none were measured."""
    columns = [name for name in norms.columns if name != "epoch"]
    series = [{"name": name, "values": numbers(norms[name])} for name in columns]
    note = "The Euclidean norm of the gradient of each layer's weights, at the last step of each epoch."
    return panel("gradients", "Gradient norm", series, note=note) if series else None


def _best(values: Sequence[float], *, least: bool) -> int | None:
    """Return the position of the best finite value, or None if there is none."""
    finite = [i for i, value in enumerate(values) if math.isfinite(value)]
    return (min if least else max)(finite, key=lambda i: values[i]) if finite else None


def numbers(values: Sequence[float]) -> list[float | None]:
    """Return values for JSON: rounded to 7 digits, and None for those that are not finite.

    >>> numbers([0.123456789, float("nan")])
    [0.1234568, None]
    """
    return [float(f"{value:.7g}") if math.isfinite(value) else None for value in values]
