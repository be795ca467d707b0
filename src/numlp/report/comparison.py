"""Comparison: one page for several runs, with overlaid curves and a table of settings and results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numlp.files.atomic import write_bytes
from numlp.judging.figures import figure_of
from numlp.judging.figures import shown as figure_text
from numlp.page.page import page
from numlp.report.curves import numbers, panel
from numlp.report.overfitting import overfitting
from numlp.report.settings import portable, shown
from numlp.runs.comparison import loss_note
from numlp.runs.folder import Run

TEMPLATE = Path(__file__).with_name("comparison.html")
SCRIPTS = ("element", "format", "tooltip", "ticks", "lines", "curves", "table", "scroll", "theme", "comparison")
_COLUMNS = {
    "validation_loss": "Loss on validation rows",
    "validation_accuracy": "Accuracy on validation rows",
    "validation_r2": "R² on validation rows",
    "train_loss": "Loss on training rows",
}


def write_comparison(runs: Mapping[str, Run], path: Path) -> None:
    """Write a page that compares runs.

    Parameters
    ----------
    runs : mapping of str to Run
        The runs, by the names that the page shows.
    path : path
        Where to write the page.

    Raises
    ------
    OutputError
        If it can't be written.
    MissingDependencyError
        Without Jinja2.

    Examples
    --------
    >>> import tempfile
    >>> from numlp.training.history import History
    >>> from numlp.runs.recipe import Recipe
    >>> runs = {name: Run(Path(name), Recipe(), History(), {}, History()) for name in ("one", "other")}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_comparison(runs, Path(folder, "page.html"))
    ...     print(Path(folder, "page.html").read_text(encoding="utf-8")[:15])
    <!doctype html>
    """
    epochs = max((len(run.history) for run in runs.values()), default=0)
    panels = []
    for column, title in _COLUMNS.items():
        series = [
            {"name": name, "values": numbers(run.history[column]), "place": place}
            for place, (name, run) in enumerate(runs.items())
            if column in run.history
        ]
        if series:
            name = "loss" if column.endswith("loss") else column
            panels.append(panel(name, title, series, percent=column.endswith("accuracy")) | {"id": column})
    rows = _table(runs)
    data = {"epochs": list(range(1, epochs + 1)), "curves": panels}
    context = {
        "title": "Comparison of runs",
        "names": list(runs),
        "rows": rows,
        "panels": panels,
        "note": loss_note(runs.values()),
    }
    content = page(TEMPLATE, SCRIPTS, data, context)
    write_bytes(path, content)


def _table(runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Return the table's columns: a name, a cell for every run, and whether the runs differ."""
    columns: dict[str, list[tuple[Any, str]]] = {}
    for position, run in enumerate(runs.values()):
        for name, cell in _cells(run).items():
            columns.setdefault(name, [(None, "–")] * len(runs))[position] = cell
    return [
        {
            "name": name,
            "cells": [
                {"text": text, "order": value if isinstance(value, int | float) else None} for value, text in cells
            ],
            "differs": len({text for _, text in cells}) > 1,
        }
        for name, cells in columns.items()
    ]


def _cells(run: Run) -> dict[str, tuple[Any, str]]:
    """Return the results and settings of a run, each as a value to sort by and as text."""
    cells: dict[str, tuple[Any, str]] = {}
    for part in ("test", "validation", "train"):
        for name, value in sorted((run.metrics.get(part) or {}).items(), reverse=True):
            cells[f"{part} {figure_of(name).title}"] = (value, figure_text(name, value))
    for name in ("parameters", "seconds"):
        value = run.metrics.get(name)
        if value is not None:
            cells[name] = (value, f"{value:,.0f}" if name == "parameters" else f"{value:.1f}")
    verdict = overfitting(run.history)
    if verdict.epoch:
        cells["best epoch"] = (verdict.epoch, str(verdict.epoch))
        cells["curves"] = (None, verdict.kind)
    settings = portable(run.recipe)
    return cells | {name.replace("_", " "): (value, shown(value)) for name, value in settings.items()}
