"""Content: what a run's page holds, as data for its scripts and as values for its template."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.data.pictures import picture_shape
from numlp.datasets.readers import is_array_file
from numlp.judging.figures import shown
from numlp.network.predictor import Predictor
from numlp.report.curves import curves, gradient_curves
from numlp.report.embedding import embedded, networks_of, precision, rounded
from numlp.report.examples import choose, ends, examples
from numlp.report.headline import has_folds, headline
from numlp.report.inside import MOST_ROWS, inside
from numlp.report.judged import Judged
from numlp.report.judgement import calibration, confusion, labels, values
from numlp.report.overfitting import kept, overfitting
from numlp.report.settings import harder, portable, reproduction
from numlp.report.settings import shown as setting
from numlp.report.step import explained, step
from numlp.report.survey import by_importance, surveyed
from numlp.report.units import units
from numlp.runs.folder import Run
from numlp.runs.recipe import Recipe

_INTERVALS = {
    "classification": "Intervals: E. Wilson's score interval (1927) for accuracy, mean ± 1.96 s / √n for loss.",
    "labels": "Intervals: E. Wilson's score interval (1927) for one label's accuracy, else mean ± 1.96 s / √n.",
    "regression": "Intervals: mean ± 1.96 s / √n.",
}


def page_data(
    run: Run,
    model: Predictor,
    rows: Judged | None,
    columns: list[dict[str, Any]],
    once_more: dict[str, Any] | str,
    snapshots: Mapping[int, Array],
) -> dict[str, Any]:
    """Return what the page's scripts draw and compute with.

    Parameters
    ----------
    run, model
    rows : Judged, optional
        The rows that evaluate the model, if they can be loaded.
    columns : list of dict
        What the page shows of each input.
    once_more : dict or str
        What training again in the page takes, or why the page can't.
    snapshots : mapping
        The weights of the first layer in the course of training, by epoch.
    """
    network, dtype = networks_of(model)[0], precision(model)
    is_table = model.input_encoding is not None
    data: dict[str, Any] = {
        "epochs": run.history["epoch"],
        "curves": curves(run.history),
        "gradients": gradient_curves(run.gradients),
        "units": None if is_table else units(network, snapshots),
        "layers": inside(network, None if rows is None else rows.x[:MOST_ROWS]),
        "network": None if dtype is None else embedded(model, dtype),
        "shape": None,
        "ends": None,
        "target": _target(run.recipe),
        "classes": list(model.classes),
        "centred": run.recipe.data == "mnist",
        "examples": None,
        "columns": columns,
        "survey": None,
        "step": None,
        "again": None if isinstance(once_more, str) else once_more,
    }
    shape = picture_shape(model)
    if shape is not None:
        data |= {"shape": shape._asdict(), "ends": ends(model, rows)}
    if rows is not None:
        data["examples"] = examples(rows)
        if is_table and rows.survey is not None:
            data["survey"] = surveyed(rows.survey, [column["name"] for column in columns])
        if rows.has_classes:
            data["confusion"] = confusion(rows)
        if model.loss.task == "regression":
            data["values"] = values(rows)
        else:
            data["calibration"] = calibration(rows)
        if dtype is not None:
            data["step"] = step(network, run.recipe, rows)
    data["order"] = by_importance(data["survey"], len(columns))
    return data


def page_context(
    run: Run, model: Predictor, rows: Judged | None, columns: list[dict[str, Any]], once_more: dict[str, Any] | str
) -> dict[str, Any]:
    """Return what the page's template writes; parameters as of `page_data`."""
    network, dtype, shape = networks_of(model)[0], precision(model), picture_shape(model)
    settings, of_labels = portable(run.recipe), model.loss.task == "labels"
    context = {
        "title": f"{settings['data']} · {'-'.join(str(width) for width in model.layer_size)}",
        "cards": headline(run, rows),
        "labels": labels(rows) if rows is not None and of_labels and not rows.has_classes else [],
        "rounding": _rounding(model, rows) if rows is not None and dtype == "int16" else "",
        "step_parts": explained(network, run.recipe) if rows is not None and dtype is not None else [],
        "intervals": _intervals(run, model, rows),
        "verdict": overfitting(run.history),
        "kept": kept(run.recipe),
        "reproduction": reproduction(run),
        "not_again": once_more if isinstance(once_more, str) else "",
        "settings": settings,
        "setting": setting,
        "harder": harder(run.recipe),
        "metrics": run.metrics,
        "history": [{name: _cell(name, value) for name, value in row.items()} for row in run.history],
        "model": model,
        "network": network,
        "members": len(networks_of(model)),
        "rows": rows,
        "dtype": dtype,
        "is_table": model.input_encoding is not None,
        "by_folds": rows is not None and rows.by_folds,
        "can_draw": dtype is not None and shape is not None and shape.channels == 1,
    }
    return context | {"sections": _sections(context, bool(columns))}


def _sections(context: dict[str, Any], has_fields: bool) -> list[tuple[str, str]]:
    """Return the ids and names of the page's sections."""
    regression = context["rows"] is not None and context["model"].loss.task == "regression"
    sections = [("curves", "Curves")]
    if not context["is_table"]:
        sections.append(("units", "What the first layer sees"))
    elif has_fields:
        sections.append(("columns", "Columns"))
    sections.append(("fails", "Predicted and true" if regression else "Where it fails"))
    sections.append(("inside", "Inside"))
    runs = context["dtype"] is not None
    if not runs or (context["rows"] is not None and not context["is_table"]):
        sections.append(("why", "Why this answer"))
    if context["can_draw"]:
        sections.append(("draw", "Draw"))
    elif has_fields and runs:
        sections.append(("draw", "Try it"))
    if runs and context["rows"] is not None:
        sections.append(("step", "One step, by hand"))
    return sections


def _intervals(run: Run, model: Predictor, rows: Judged | None) -> str:
    """Return how the ranges beside the metrics were computed."""
    if has_folds(run):
        return (
            f"Each is the mean over {len(run.metrics['folds'])} folds ± its standard error, by networks that haven't "
            "trained on the fold. The sections below judge the rows of all folds together, so their figures differ a "
            "little."
        )
    return "" if rows is None else _INTERVALS[model.loss.task] + _sampled(rows)


def _sampled(rows: Judged) -> str:
    """Return that the page shows a sample, if the rows don't fit into memory."""
    whole = 0 if rows.dataset is None else rows.dataset.rows[rows.part]
    if whole <= len(rows):
        return ""
    return (
        f" The {whole:,} {rows.part} rows don't fit into memory: the sections below show a sample of {len(rows):,}, "
        "so their figures differ a little."
    )


def _target(recipe: Recipe) -> str:
    """Return the name of the target, if the recipe names it rather than a file."""
    return recipe.target if recipe.target and not is_array_file(recipe.target) else "the target"


def _cell(name: str, value: float) -> str:
    if name == "epoch":
        return f"{value:,.0f}"
    return shown("accuracy" if name.endswith("accuracy") else name, value)


def _rounding(model: Predictor, rows: Judged) -> str:
    """Return how much the page's rounded weights change predictions at most, on the rows that it shows."""
    x = rows.x[choose(rows)]
    predict = model.predict if model.loss.task == "regression" else model.predict_proba
    lossy = rounded(model)
    changed = lossy.predict if model.loss.task == "regression" else lossy.predict_proba
    largest = float(np.abs(predict(x) - changed(x)).max())
    return _rounded_up(largest)


def _rounded_up(value: float) -> str:
    """Return a number rounded up to one digit, so that "at most" is true.

    >>> _rounded_up(0.000041), _rounded_up(0.2), _rounded_up(0.0)
    ('0.00005', '0.2', '0')
    """
    unit = 10.0 ** math.floor(math.log10(value)) if value else 1.0
    up = math.ceil(round(value / unit, 9)) * unit
    return np.format_float_positional(up, precision=1, fractional=False, trim="-")
