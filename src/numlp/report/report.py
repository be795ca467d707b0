"""Report: one page that shows what a run's network learned, and how well."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from numlp.datasets import Dataset
from numlp.errors import FileFormatError, NumlpError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.files.models import load_model
from numlp.network.predictor import Predictor
from numlp.page.page import page
from numlp.report.again import again
from numlp.report.columns import columns_of, features_of
from numlp.report.content import page_context, page_data
from numlp.report.embedding import networks_of
from numlp.report.figures import save_report_figures
from numlp.report.judged import Judged, judged
from numlp.runs.digests import changed_parts, digests, part
from numlp.runs.folder import Run, load_run
from numlp.runs.layout import REPORT, SNAPSHOTS
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
    run: Run, model: Predictor, rows: Judged | None, columns: list[dict[str, Any]], once_more: dict[str, Any] | str
) -> bytes:
    snapshots = load_snapshots(part_of(run.folder, SNAPSHOTS)) if (run.folder / SNAPSHOTS).is_file() else {}
    data = page_data(run, model, rows, columns, once_more, snapshots)
    context = page_context(run, model, rows, columns, once_more) | {"snapshots": snapshots}
    return page(TEMPLATE, SCRIPTS, data, context, trains=bool(data["step"] or data["again"]))
