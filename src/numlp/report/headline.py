"""The headline: the metrics to read first, with intervals that show how much chance may have changed them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from numlp.judging.intervals import effective_rows, mean_interval, wilson_interval
from numlp.judging.metrics import r2
from numlp.report.judged import Judged
from numlp.runs.folder import Run

_TITLES = {"accuracy": "accuracy", "r2": "R²", "loss": "loss", "mean_absolute_error": "mean absolute error"}


def headline(run: Run, judged: Judged | None) -> list[dict[str, str]]:
    """Return the metrics as cards: "title", "value", and "note" below it.

    If the rows are available, accuracy and loss have a 95 % interval: Wilson's for the accuracy if each row has one
    class, that of a mean for everything else.
    """
    cards = [*(_stored(run) if judged is None else _judged(judged))]
    metrics = run.metrics
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


def duration(seconds: float) -> str:
    """Return a time as text.

    >>> duration(3.21), duration(75), duration(7322)
    ('3.2 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def figure(name: str, value: float | None) -> str:
    """Return a metric as text.

    >>> figure("accuracy", 0.98691), figure("loss", 0.123456), figure("loss", None), figure("", 1234.56)
    ('98.69 %', '0.1235', '–', '1,235')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if name == "accuracy":
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if 999.95 <= abs(value) < 1e15 else f"{value:.4g}"


def _card(title: str, value: str, note: str) -> dict[str, str]:
    return {"title": title, "value": value, "note": note}


def _stored(run: Run) -> list[dict[str, str]]:
    """Return the metrics of metrics.json, which have no intervals without the rows."""
    part = next((name for name in ("test", "validation") if run.metrics.get(name)), None)
    metrics: dict[str, Any] = run.metrics[part] if part else {}
    ordered = sorted(metrics.items(), key=lambda item: item[0] == "loss")
    return [
        _card(f"{part} {_TITLES.get(name, name)}", figure(name, value), "no interval without the rows")
        for name, value in ordered
    ]


def _judged(judged: Judged) -> list[dict[str, str]]:
    weights = np.ones(len(judged)) if judged.weights is None else judged.weights
    n = effective_rows(weights)
    cards = []
    if judged.model.loss.task == "regression":
        error = judged.truth - judged.predicted
        share = r2(judged.truth, judged.predicted, weights)
        cards.append(_card(f"{judged.part} R²", figure("r2", share), "1 is perfect"))
        absolute = np.abs(error).mean(axis=1)
        several = judged.model.n_targets > 1
        unit = "mean over the targets, " if several else "in the units of the target, "
        cards.append(_with_mean(judged, "mean_absolute_error", absolute, unit))
    else:
        hits = (judged.truth == judged.predicted).reshape(len(judged), -1).mean(axis=1)
        share = float(np.average(hits, weights=weights))
        low, high = wilson_interval(min(share, 1.0), n) if judged.has_classes else mean_interval(hits, weights)
        interval = f"95 % interval {100 * low:.2f} to {100 * high:.2f} %"
        cards.append(_card(f"{judged.part} accuracy", figure("accuracy", share), interval))
    return [*cards, _with_mean(judged, "loss", judged.losses)]


def _with_mean(judged: Judged, name: str, values: Any, unit: str = "") -> dict[str, str]:
    low, high = mean_interval(values, judged.weights)
    ends = " to ".join(f"{end:,.0f}" if abs(end) >= 1e4 else f"{end:#.4g}".rstrip(".") for end in (low, high))
    note = f"{unit}95 % interval {ends}" if math.isfinite(low) else "one row has no interval"
    mean = float(np.average(values, weights=judged.weights))
    return _card(f"{judged.part} {_TITLES[name]}", figure(name, mean), note)
