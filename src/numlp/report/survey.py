"""Survey: which columns of a table a model needs, how its predictions depend on them, and where it is worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from numlp.judging.dependence import Dependence, Interaction
from numlp.judging.errors import Estimate
from numlp.judging.figures import shown
from numlp.judging.importance import ColumnImportance
from numlp.report.curves import numbers
from numlp.report.examples import cells_of
from numlp.runs.survey import Surveyed

_LEAST_SHARE = 0.01  # of what two columns change together, for their interaction to be told
_MOST_PAIRS = 3


def surveyed(found: Surveyed, names: Sequence[str]) -> dict[str, Any]:
    """Return a survey for JSON, with columns as indices of `names` and estimates as [value, low, high].

    Importances, the largest first, are by how much the error rises: the share of wrong rows, or the root mean squared
    error in the units of the target.
    """
    place = {name: i for i, name in enumerate(names)}
    survey = found.survey
    ranked = sorted(survey.importance.columns, key=lambda part: (-part.error.value, -part.loss.value))
    told = [pair for pair in survey.interactions if pair.share >= _LEAST_SHARE][:_MOST_PAIRS]
    return {
        "part": found.part,
        "rows_text": _rows(survey.importance.rows, found.part),
        "all_text": _rows(survey.slices.rows, found.part),
        "error_text": _text(survey.importance.error, survey.importance.metric),
        "importance": [_importance(part, place) for part in ranked],
        "outputs": list(survey.dependence[0].outputs),
        "dependence": [_dependence(part, place) for part in survey.dependence],
        "interactions": [_interaction(pair, place) for pair in told],
        "examined": survey.slices.examined,
        "overall": survey.slices.error,
        "overall_text": _text(survey.slices.error, survey.slices.metric),
        "slices": [
            {"column": place[one.column], "condition": one.condition, "rows": one.rows, "error": _ends(one.error)}
            for one in survey.slices.slices
        ],
    }


def by_importance(survey: dict[str, Any] | None, n_columns: int) -> list[int]:
    """Return the columns' indices, the most important first.

    >>> by_importance({"importance": [{"columns": [1]}, {"columns": [0, 1]}, {"columns": [0]}]}, 2)
    [1, 0]
    """
    if survey is None:
        return list(range(n_columns))
    return [part["columns"][0] for part in survey["importance"] if len(part["columns"]) == 1]


def _rows(count: int, part: str) -> str:
    return f"{count:,} rows of {part}" if part.startswith("fold") else f"{count:,} {part} rows"


def _text(error: float, metric: str) -> str:
    return f"{100 * error:.1f} %" if metric == "error" else shown("", error)


def _ends(estimate: Estimate) -> list[float | None]:
    return numbers([estimate.value, estimate.low, estimate.high])


def _importance(part: ColumnImportance, place: dict[str, int]) -> dict[str, Any]:
    return {"columns": [place[name] for name in part.columns], "rise": _ends(part.error)}


def _dependence(part: Dependence, place: dict[str, int]) -> dict[str, Any]:
    curves = {name: getattr(part, name).T.tolist() for name in ("mean", "low", "high")}
    return {
        "column": place[part.column],
        "values": cells_of(part.values),
        "shares": numbers(part.shares.tolist()),
        **{name: [numbers(curve) for curve in found] for name, found in curves.items()},
    }


def _interaction(pair: Interaction, place: dict[str, int]) -> dict[str, Any]:
    return {
        "columns": [place[name] for name in pair.columns],
        "share": float(f"{pair.share:.4g}"),
        "values": [cells_of(values) for values in pair.values],
        "outputs": list(pair.outputs),
        "effect": [[numbers(row) for row in effect.tolist()] for effect in np.moveaxis(pair.effect, 2, 0)],
    }
