"""Report: one page that shows what a run's network learned, and how well."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numlp.data.pictures import picture_shape
from numlp.datasets import Dataset
from numlp.datasets.readers import is_array_file
from numlp.errors import FileFormatError, NumlpError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.files.models import load_model
from numlp.judging.figures import shown
from numlp.network.predictor import Predictor
from numlp.page.page import page
from numlp.report.again import again
from numlp.report.columns import columns_of, features_of
from numlp.report.curves import curves, gradient_curves
from numlp.report.embedding import embedded, networks_of, precision, rounded
from numlp.report.examples import choose, ends, examples
from numlp.report.figures import save_report_figures
from numlp.report.headline import has_folds, headline
from numlp.report.inside import MOST_ROWS, inside
from numlp.report.judged import Judged, judged
from numlp.report.judgement import calibration, confusion, labels, values
from numlp.report.overfitting import kept, overfitting
from numlp.report.settings import harder, portable, reproduction
from numlp.report.settings import shown as setting
from numlp.report.step import explained, step
from numlp.report.survey import by_importance, surveyed
from numlp.report.units import units
from numlp.runs.digests import changed_parts, digests, part
from numlp.runs.folder import Run, load_run
from numlp.runs.layout import REPORT, SNAPSHOTS
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data
from numlp.runs.renewal import renewing
from numlp.runs.unfinished import model_path
from numlp.training.snapshots import load_snapshots

TEMPLATE = Path(__file__).with_name("report.html")
SCRIPTS = (
    "element", "format", "tooltip", "ticks", "lines", "bars", "points", "decode", "activations", "norms", "losses",
    "encode", "histograms", "network", "pictures", "cells", "examples", "curves", "units", "confusion", "calibration",
    "values", "survey", "inside", "answer", "explanation", "reasons", "centring", "ink", "pad", "controls", "fields",
    "scroll", "theme", "step", "maps", "terms", "stages", "byhand", "again", "report",
)  # fmt: skip


_INTERVALS = {
    "classification": "Intervals: E. Wilson's score interval (1927) for accuracy, mean ± 1.96 s / √n for loss.",
    "labels": "Intervals: E. Wilson's score interval (1927) for one label's accuracy, else mean ± 1.96 s / √n.",
    "regression": "Intervals: mean ± 1.96 s / √n.",
}


class Written(NamedTuple):
    """The path of a page, why it shows no rows, and which files have new digests in the run's provenance.json.

    The reason is an empty text if it does show them. `changed` are the parts of the data, such as "the training
    rows", that aren't what the run began with.
    """

    path: Path
    absent: str
    renewed: tuple[str, ...]
    changed: tuple[str, ...]


def write_report(folder: str | os.PathLike[str], dataset: Dataset | None = None, *, figures: bool = True) -> Written:
    """Write a run's page, report.html, to its folder, and its figures to figures/.

    Parameters
    ----------
    folder : path
        A run's folder.
    dataset : Dataset, optional
        The data that the run was trained on; by default what its recipe names. If that can't be loaded any
        more, the page leaves out what needs them, and says so.
    figures : bool
        Whether to draw the figures as PNG files as well.

    Returns
    -------
    Written
        The page's path; why it shows no rows, an empty text if it shows them; the files with new digests in
        provenance.json, if the run has one and its other files are as they were; and what has changed in the data
        that the recipe names. If anything has, provenance.json stays as it is, so that `numlp verify` finds that the
        page is another one.

    Raises
    ------
    FileFormatError
        If the folder isn't a run's, or a file in it is damaged.
    OutputError
        If the page can't be written.
    MissingDependencyError
        Without Jinja2, Pillow or matplotlib, which the extra "app" installs.

    Examples
    --------
    >>> write_report("runs/nowhere")
    Traceback (most recent call last):
    ...
    numlp.errors.FileFormatError: there is no folder runs/nowhere
    """
    run = load_run(folder)
    model = load_model(model_path(run.folder))
    absent = ""
    rows: Judged | None = None
    columns: list[dict[str, Any]] = []
    changed: tuple[str, ...] = ()
    try:
        if dataset is None:
            dataset = load_data(run.recipe)
            changed = _changed(run.folder, dataset)
        rows = judged(model, dataset, run.recipe)
        columns = features_of(rows) if model.input_encoding is None else columns_of(model, dataset.held("training").x)
    except NumlpError as error:
        absent = str(error)
    path = run.folder / REPORT
    keeps: contextlib.AbstractContextManager[list[str]] = contextlib.nullcontext([])
    with keeps if changed else renewing(run.folder) as renewed:
        write_bytes(path, _page(run, model, rows, columns, again(run, model, None if absent else dataset)))
        if figures:
            save_report_figures(run, networks_of(model)[0], rows)
    return Written(path, absent, tuple(renewed), changed)


def _changed(folder: Path, dataset: Dataset) -> tuple[str, ...]:
    """Return which parts of the data, in words, a run didn't begin with."""
    with contextlib.suppress(FileFormatError):  # of damaged digests, which `numlp verify` tells
        return tuple(part(name) for name in changed_parts(folder, digests(dataset)) if name != "teacher")
    return ()


def _page(
    run: Run,
    model: Predictor,
    rows: Judged | None,
    columns: list[dict[str, Any]],
    once_more: dict[str, Any] | str,
) -> bytes:
    network = networks_of(model)[0]
    dtype = precision(model)
    is_table = model.input_encoding is not None
    snapshots = load_snapshots(part_of(run.folder, SNAPSHOTS)) if (run.folder / SNAPSHOTS).is_file() else {}
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
    context: dict[str, Any] = {"labels": [], "rounding": ""}
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
            context["labels"] = [] if rows.has_classes else labels(rows)
        if dtype is not None:
            data["step"] = step(network, run.recipe, rows)
            context["step_parts"] = explained(network, run.recipe)
        if dtype == "int16":
            context["rounding"] = _rounding(model, rows)
    data["order"] = by_importance(data["survey"], len(columns))
    settings = portable(run.recipe)
    context |= {
        "title": f"{settings['data']} · {'-'.join(str(width) for width in model.layer_size)}",
        "cards": headline(run, rows),
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
        "snapshots": snapshots,
        "dtype": dtype,
        "is_table": is_table,
        "by_folds": rows is not None and rows.by_folds,
        "can_draw": dtype is not None and shape is not None and shape.channels == 1,
    }
    context["sections"] = _sections(context, bool(columns))
    return page(TEMPLATE, SCRIPTS, data, context, trains=bool(data["step"] or data["again"]))


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
