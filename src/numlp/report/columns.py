"""Columns: what training rows hold in each column, and what the network makes of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table, gaps_in
from numlp.data.pictures import picture_shape
from numlp.network.columns import Category, Column, Date, Number, fitting
from numlp.network.predictor import Predictor
from numlp.report.curves import numbers
from numlp.report.judged import Judged

_MOST_FEATURES = 50
_MOST_DIGITS = 4  # behind the point; numbers with more are measured, not written
_DAY = 86_400_000_000  # in microseconds
_CYCLES = {365: "season", 7: "weekday", 1: "time of day"}  # by their periods in whole days
_YEARS = 1000, 2999  # whole numbers that are all in this range have no separator between thousands


def columns_of(model: Predictor, training: Any) -> list[dict[str, Any]]:
    """Return what training rows hold in each column of a model's encoding.

    Every column has "kind", "name", "taken" (what the network makes of it, in words) and "missing" (the share of
    gaps). Numbers and dates have "low", "high", and "typical", their median; categories have "levels" and "rare",
    the numbers of levels, "typical", the most frequent one, and "share", its share of the rows.
    """
    encoding = model.input_encoding
    if encoding is None:
        return []
    table: Table = encoding.lined_up(training)
    return [_described(column, fitting(column, table[column.name])) for column in encoding.columns]


def features_of(judged: Judged) -> list[dict[str, Any]]:
    """Return each feature of an array as a column of numbers without gaps, for up to 50 features, else nothing."""
    n_features = judged.model.layer_size[0]
    if n_features > _MOST_FEATURES or picture_shape(judged.model) is not None:
        return []
    rows = judged.x.reshape(len(judged.x), -1).astype(np.float64)
    rows = rows / 255 if judged.x.dtype == np.uint8 else rows
    names = judged.model.feature_names or tuple(f"feature {i + 1}" for i in range(n_features))
    low, typical, high = np.quantile(rows, [0, 0.5, 1], axis=0, method="nearest")
    return [
        {
            "kind": "number",
            "name": name,
            "missing": None,
            "digits": None,
            **dict(zip(("low", "typical", "high"), numbers(column), strict=True)),
        }
        for name, column in zip(names, np.stack([low, typical, high], axis=1).tolist(), strict=True)
    ]


def _described(column: Column, values: AnyArray) -> dict[str, Any]:
    held = _held(column, values)
    taken = "0 or 1" if held.get("switch") else _taken(column)
    marked = not isinstance(column, Category) and column.gaps
    taken += "; whether it is missing" if marked else ""
    return {"kind": column.kind, "name": column.name, "taken": taken, **held}


def _held(column: Column, values: AnyArray) -> dict[str, Any]:
    gaps = gaps_in(values)
    missing = float(f"{gaps.mean():.4g}")
    if isinstance(column, Category):
        counts = Counter(values[~gaps].tolist()).most_common(1)
        level, count = counts[0] if counts else (None, 0)
        levels = sum(level is not None for level in column.levels)
        share = float(f"{count / len(values):.4g}")
        return {"missing": missing, "levels": levels, "rare": len(column.rare), "typical": level, "share": share}
    known = values[~gaps]
    if not len(known):
        ends: list[Any] = [None, None, None]
    else:
        ordered = np.sort(known.astype(np.int64) if known.dtype.kind in "bM" else known)
        ends = [ordered[0].item(), ordered[(len(ordered) - 1) // 2].item(), ordered[-1].item()]
    held = {"missing": missing, **dict(zip(("low", "typical", "high"), ends, strict=True))}
    if isinstance(column, Date):
        return held | {"time": bool(np.any(known.astype(np.int64) % _DAY))}
    return held | _written(known)


def _written(known: AnyArray) -> dict[str, Any]:
    """Return how numbers are written: whether they are yes and no, or years, and their digits behind the point."""
    switch = bool(len(known)) and bool(np.isin(known, (0, 1)).all())
    written = known.astype(np.float64)
    error = 1e-6 if known.dtype == np.float32 else 1e-12
    digits = next((d for d in range(_MOST_DIGITS + 1) if np.allclose(np.round(written, d), written, error, 0)), None)
    years = digits == 0 and len(known) > 0 and bool(_YEARS[0] <= known.min() <= known.max() <= _YEARS[1])
    return {"digits": digits, "switch": switch, "truth": known.dtype == bool, "years": years}


def _taken(column: Column) -> str:
    """Return what the network makes of a column, in words."""
    if isinstance(column, Number):
        return "the number, scaled" + (f"; {len(column.edges) - 1} bins" if column.edges else "")
    if isinstance(column, Date):
        cycles = [name for days, name in _CYCLES.items() if any(int(period) == days for period in column.periods)]
        return "; ".join(["the time passed", *cycles])
    return f"{column.width} learned numbers for each level" if column.width else "one input for each level"
