"""The headline: the metrics to read first, with intervals that show how much chance may have changed them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from numlp.judging.figures import figure_of, meaning, shown
from numlp.judging.intervals import effective_rows, mean_interval, wilson_interval
from numlp.judging.metrics import r2
from numlp.report.judged import Judged
from numlp.runs.folder import Run


def headline(run: Run, judged: Judged | None) -> list[dict[str, str]]:
    """Return the metrics as cards: "title", "value", and "note" below it.

    If the rows are available, accuracy and loss have a 95 % interval: Wilson's for the accuracy if each row has one
    class, that of a mean for everything else. Without test rows, metrics of folds are means with standard errors.
    """
    metrics = run.metrics
    if has_folds(run):
        cards = _of_folds(metrics, judged)
    elif judged is None:
        cards = _stored(run)
    else:
        cards = _judged(judged)
    if "parameters" in metrics:
        kinds = "weights and biases" if run.recipe.normalization == "none" else "weights, biases and norms"
        cards.append(_card("parameters", f"{metrics['parameters']:,}", kinds))
    ended = str(metrics.get("ended", ""))
    cards.append(_card("epochs", f"{len(run.history):,}", f"of {run.recipe.epochs:,}, {ended}".removesuffix(", ")))
    if metrics.get("seconds") is not None:
        seconds = float(metrics["seconds"])
        rate = f"{seconds / len(run.history):.3g} s per epoch" if len(run.history) else ""
        cards.append(_card("training time", duration(seconds), rate))
    return cards


def has_folds(run: Run) -> bool:
    """Return whether the headline's metrics are means over folds."""
    return "folds" in run.metrics and not run.metrics.get("test")


def duration(seconds: float) -> str:
    """Return a time as text.

    >>> duration(3.21), duration(75), duration(7322)
    ('3.2 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _card(title: str, value: str, note: str) -> dict[str, str]:
    return {"title": title, "value": value, "note": note}


def _stored(run: Run) -> list[dict[str, str]]:
    """Return the metrics of metrics.json, which have no intervals without the rows."""
    part = next((name for name in ("test", "validation") if run.metrics.get(name)), None)
    metrics: dict[str, Any] = run.metrics[part] if part else {}
    ordered = sorted(metrics.items(), key=lambda item: item[0] == "loss")
    return [
        _card(f"{part} {figure_of(name).title}", shown(name, value), "no interval without the rows")
        for name, value in ordered
    ]


def _of_folds(metrics: dict[str, Any], judged: Judged | None) -> list[dict[str, str]]:
    """Return the means over the folds that metrics.json holds, as the command line shows them."""
    means, errors = metrics["validation"], metrics.get("standard_errors", {})
    ordered = sorted(means, key=lambda name: (name not in ("accuracy", "r2"), name != "loss"))
    return [
        _card(
            f"validation {figure_of(name).title}",
            shown(name, means[name]) + (f" ± {shown(name, errors[name])}" if errors.get(name) is not None else ""),
            "" if judged is None else meaning(name, judged.model),
        )
        for name in ordered
        if name == "loss" or means[name] != means["loss"]  # a log-loss that is the loss
    ]


def _judged(judged: Judged) -> list[dict[str, str]]:
    weights = np.ones(len(judged)) if judged.weights is None else judged.weights
    n = effective_rows(weights)
    cards = []
    if judged.model.loss.task == "regression":
        error = judged.truth - judged.predicted
        share = r2(judged.truth, judged.predicted, weights)
        cards.append(_card(f"{judged.part} R²", shown("r2", share), meaning("r2", judged.model)))
        absolute = np.abs(error).mean(axis=1)
        unit = meaning("mean_absolute_error", judged.model)
        cards.append(_with_mean(judged, "mean_absolute_error", absolute, f"{unit}, "))
    else:
        hits = (judged.truth == judged.predicted).reshape(len(judged), -1).mean(axis=1)
        share = float(np.average(hits, weights=weights))
        low, high = wilson_interval(min(share, 1.0), n) if judged.has_classes else mean_interval(hits, weights)
        interval = f"95 % interval {100 * low:.2f} to {100 * high:.2f} %"
        cards.append(_card(f"{judged.part} accuracy", shown("accuracy", share), interval))
    cards.append(_with_mean(judged, "loss", judged.losses))
    # A log-loss that is the loss, as after a softmax, and the error with an interval above are shown once.
    seen = {card["value"] for card in cards}
    return cards + [
        _card(f"{judged.part} {figure_of(name).title}", shown(name, value), meaning(name, judged.model))
        for name, value in judged.figures.items()
        if shown(name, value) not in seen or name not in ("log_loss", "mean_absolute_error")
    ]


def _with_mean(judged: Judged, name: str, values: Any, unit: str = "") -> dict[str, str]:
    low, high = mean_interval(values, judged.weights)
    if np.min(values) >= 0:
        low = max(low, 0.0)
    ends = f"{shown(name, low)} to {shown(name, high)}"
    note = f"{unit}95 % interval {ends}" if math.isfinite(low) else "one row has no interval"
    mean = float(np.average(values, weights=judged.weights))
    return _card(f"{judged.part} {figure_of(name).title}", shown(name, mean), note)
