"""The page of a study: the best so far over time, how much settings matter, and all trials, with their reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from numlp.files.atomic import write_bytes
from numlp.judging.figures import figure_of, shown
from numlp.page.page import page
from numlp.runs.layout import REPORT
from numlp.tuning.plan import BEST, PAGE, TRIALS, Plan
from numlp.tuning.standing import Trial
from numlp.tuning.study import Study

SCRIPTS = ("element", "format", "tooltip", "ticks", "lines", "bars", "table", "scroll", "theme", "study")
_TEMPLATE = Path(__file__).with_name("study.html")


def write_page(plan: Plan, study: Study, *, averaged: bool = False) -> Path:
    """Write the page of a study to the folder of its plan, and return its path.

    Parameters
    ----------
    plan, study
    averaged : bool
        Whether the model beside the page is the average of the networks of two trials.

    Raises
    ------
    OutputError
        If it can't be written.
    MissingDependencyError
        Without Jinja2.
    """
    standing = study.standing()
    trials, best = standing.trials, standing.best
    figure = figure_of(plan.metric)
    places = {trial.number: f"{TRIALS}/{trial.number}/{REPORT}" for trial in trials}
    if best is not None and (plan.folder / BEST / REPORT).is_file():
        places[best.number] = f"{BEST}/{REPORT}"
    links = {number: place for number, place in places.items() if (plan.folder / place).is_file()}
    importance = study.importance()
    data = {
        "title": f"{figure.title[:1].upper()}{figure.title[1:]} on validation rows",
        "percent": figure.share,
        **progress(trials, higher=study.higher),
        "importance": [{"name": _title(name), "value": value} for name, value in importance.items()],
    }
    first = standing.first
    context = {
        "title": f"{plan.name}: a study",
        "name": plan.name,
        "study": str(standing),
        "metric": figure.title,
        "best": best and _row(best, plan, links),
        "first": first and _row(first, plan, links),
        "settings": {name: _title(name) for name in plan.space},
        "machines": len({trial.notes.get("owner") for trial in trials}) > 1,
        "rows": [_row(trial, plan, links) for trial in sorted(trials, key=lambda trial: trial is not best)],
        "importance": bool(importance),
        "folds": plan.base.folds,
        "averaged": [trial.number for trial in standing.pair or ()] if averaged else [],
    }
    path = plan.folder / PAGE
    write_bytes(path, page(_TEMPLATE, SCRIPTS, data, context))
    return path


def progress(trials: Sequence[Trial], *, higher: bool) -> dict[str, Any]:
    """Return when trials came to their end, in seconds in which trials ran, their values, and the best so far.

    A study may lie for days between two searches, and those don't count.
    """
    ended = sorted((t for t in trials if t.begun and t.ended), key=lambda trial: trial.ended or datetime.min)
    spans = sorted((t.begun, t.ended) for t in ended if t.begun and t.ended)

    def elapsed(until: datetime) -> float:
        total, reached = 0.0, datetime.min
        for begun, end in spans:
            start, end = max(begun, reached), min(end, until)
            if end > start:
                total, reached = total + (end - start).total_seconds(), end
        return total

    shown_trials = [t for t in ended if t.state == "complete" and t.value is not None]
    values = [t.value for t in shown_trials if t.value is not None]
    best = [(max if higher else min)(values[: i + 1]) for i in range(len(values))]
    return {
        "seconds": [round(elapsed(t.ended), 2) for t in shown_trials if t.ended],
        "numbers": [t.number for t in shown_trials],
        "values": values,
        "best": best,
    }


def _row(trial: Trial, plan: Plan, links: dict[int, str]) -> dict[str, Any]:
    """Return a trial's cells, each as text and, for a number, as a value to sort by."""
    seconds = trial.notes.get("seconds")
    return {
        "number": trial.number,
        "link": links.get(trial.number),
        "state": trial.state,
        "default": bool(trial.notes.get("default")),
        "value": _cell(trial.value, "–" if trial.value is None else shown(plan.metric, trial.value)),
        "seconds": _cell(seconds, "–" if seconds is None else f"{seconds:.1f}"),
        "machine": str(trial.notes.get("owner", "–")).rpartition("-")[0] or "–",
        "reason": trial.notes.get("reason", ""),
        "settings": {name: _cell(trial.point.get(name), _text(trial.point.get(name))) for name in plan.space},
    }


def _title(name: str) -> str:
    """Return what to call a setting, or a part of one, such as the optimizer's weight decay."""
    return name.rpartition(".")[2].replace("_", " ")


def _cell(value: Any, text: str) -> dict[str, Any]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"text": text, "order": value if number else None}


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
