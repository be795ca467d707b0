"""Examples: the rows that the page holds, for readers to look at and for its network to predict."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table, gaps_in
from numlp.data.pictures import picture_shape
from numlp.network.columns import fitting
from numlp.network.encoding import Encoding
from numlp.network.predictor import Predictor
from numlp.report.curves import numbers
from numlp.report.judged import Judged
from numlp.report.sprites import columns_of, grey

_MOST_NUMBERS = 500_000
_MOST_ROWS, _LEAST_ROWS = 600, 20
_MOST_PROBABILITIES = 3


def choose(judged: Judged) -> npt.NDArray[np.intp]:
    """Return which rows to hold: the most confident mistakes (or largest losses), then the first of every class."""
    most = int(np.clip(_MOST_NUMBERS // math.prod(judged.x.shape[1:]), _LEAST_ROWS, _MOST_ROWS))
    if not judged.has_classes:
        worst = np.argsort(-judged.losses, kind="stable")[: most // 4]
        return np.unique(np.concatenate([worst, np.arange(min(most - len(worst), len(judged)))]))
    truth, guess = judged.classes
    wrong = np.flatnonzero(truth != guess)
    wrong = wrong[np.argsort(-judged.probabilities[wrong, guess[wrong]], kind="stable")][: 2 * most // 3]
    each = max(1, (most - len(wrong)) // len(judged.model.classes))
    right = _first_of_each(truth, np.flatnonzero(truth == guess), each)
    return np.sort(np.concatenate([wrong, right[: most - len(wrong)]]))


def _first_of_each(classes: AnyArray, rows: npt.NDArray[np.intp], each: int) -> npt.NDArray[np.intp]:
    """Return the first `each` rows of every class, in order."""
    by_class = rows[np.argsort(classes[rows], kind="stable")]
    _, starts, counts = np.unique(classes[by_class], return_index=True, return_counts=True)
    place = np.arange(len(by_class)) - np.repeat(starts, counts)
    return np.sort(by_class[place < each])


def ends(model: Predictor, judged: Judged | None) -> dict[str, list[float | None]]:
    """Return the values that black and white have for a model of images: one pair, or one for each feature.

    They are those of the convention that the pixels follow. Without one, they are the least and the greatest value of
    the rows; each feature has its own where features were scaled one by one, so that they share no black.
    """
    seen = model.input_range
    known = None if seen is None else seen.convention
    if judged is None or judged.x.dtype == np.uint8:
        low, high = known or (0.0, 1.0)
        return {"low": [low], "high": [high]}
    rows = judged.x.reshape(len(judged.x), -1)
    lows, highs = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    if known is not None and known[0] <= lows.min() and highs.max() <= known[1]:
        lows, highs = np.array(known[:1]), np.array(known[1:])
    elif np.ptp(lows) <= 1e-6 * (highs.max() - lows.min()):
        lows, highs = lows.min(keepdims=True), highs.max(keepdims=True)
    return {"low": numbers(lows.tolist()), "high": numbers(highs.tolist())}


def examples(judged: Judged) -> dict[str, Any]:
    """Return rows with their true values and the model's predictions.

    Rows of a table are lists of cells, a list for each column. Images of bytes are a sprite; everything else is
    little-endian float32 in base64.
    """
    chosen = choose(judged)
    found: dict[str, Any] = {"count": len(chosen), "rows": judged.numbers[chosen].tolist(), "part": judged.part}
    shape, encoding = picture_shape(judged.model), judged.model.input_encoding
    rows = judged.x[chosen] if encoding is not None else judged.x[chosen].reshape(len(chosen), -1)
    if encoding is not None:
        found["cells"] = cells(encoding, rows)
    elif rows.dtype == np.uint8 and shape is not None:
        height = shape.height
        width = rows.shape[1] // height
        found["sprite"] = grey(rows.reshape(-1, height, width))
        found |= {"columns": columns_of(len(chosen), height, width), "height": height, "width": width}
    else:
        values = rows.astype(np.float32) / (255 if rows.dtype == np.uint8 else 1)
        found["values"] = base64.b64encode(values.astype("<f4").tobytes()).decode()
    if judged.model.loss.task == "regression":
        found["truth"] = [numbers(row) for row in judged.truth[chosen].tolist()]
        found["predicted"] = [numbers(row) for row in judged.predicted[chosen].tolist()]
        return found
    probabilities = judged.probabilities[chosen]
    if judged.has_classes:
        truth, guess = judged.classes
        found |= {"truth": truth[chosen].tolist(), "guess": guess[chosen].tolist()}
        found["likeliest"] = [
            [[int(c), round(float(row[c]), 4)] for c in np.argsort(-row, kind="stable")[:_MOST_PROBABILITIES]]
            for row in probabilities
        ]
    else:
        found["truth"] = judged.truth[chosen].tolist()
    return found


def cells(encoding: Encoding, table: Table) -> list[list[Any]]:
    """Return the columns of rows for JSON, in an encoding's order: None for a gap, dates in microseconds since 1970.

    >>> from numlp import learn_encoding
    >>> days = np.array(["NaT", "1970-01-02"], dtype="datetime64[D]")
    >>> rows = Table({"age": np.array([0.1, np.nan]), "day": days})
    >>> cells(learn_encoding(rows), rows)
    [[0.1, None], [None, 86400000000]]
    """
    rows = encoding.lined_up(table)
    return [cells_of(fitting(column, rows[column.name])) for column in encoding.columns]


def cells_of(values: AnyArray) -> list[Any]:
    """Return the cells of one column of a table."""
    gaps = gaps_in(values)
    plain = values.astype(np.int64) if values.dtype.kind in "bM" else values
    return [None if gap else value for gap, value in zip(gaps, plain.tolist(), strict=True)]
