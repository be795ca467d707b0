"""Table: the reader's own columns, as the page gets them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.table import Table, gaps_in

ROWS = 20_000  # the most that the page takes, from here and from a dropped file alike
COLUMNS = 200


def described(title: str, columns: Mapping[str, npt.NDArray[Any]], target: str | None) -> dict[str, Any]:
    """Return a table as JSON can hold it: numbers with gaps as NaN, texts by the numbers of their levels.

    Parameters
    ----------
    title : str
    columns : mapping of str to array
        Numbers, texts or dates; the page can train on numbers, and predict texts.
    target : str, optional
        The column to predict.

    Examples
    --------
    >>> found = described("t", {"a": np.array([1.0, 2.0]), "b": np.array(["no", "yes"], object)}, "b")
    >>> [column["name"] for column in found["columns"]], found["columns"][1]["levels"], found["rows"]
    (['a', 'b'], ['no', 'yes'], 2)
    """
    rows = len(next(iter(columns.values())))
    # Every k-th row keeps the order, which may matter to whoever reads the file that leaves the page.
    chosen = np.arange(rows) if rows <= ROWS else np.arange(ROWS) * rows // ROWS
    return {
        "title": title,
        "target": target,
        "rows": len(chosen),
        "of": rows,
        "columns": [_column(name, values[chosen]) for name, values in columns.items()],
    }


def columns_of(
    x: Any, y: npt.NDArray[Any], target: str, names: tuple[str, ...] | None
) -> dict[str, npt.NDArray[Any]]:
    """Return samples and their targets as columns by name; columns of an array without names are numbered from 1."""
    if isinstance(x, Table):
        return {**{name: x[name] for name in x.columns}, target: y}
    flat = np.asarray(x).reshape(len(x), -1)
    names = names or tuple(f"x{i + 1}" for i in range(flat.shape[1]))
    return {**{name: flat[:, i] for i, name in enumerate(names)}, target: y}


def _column(name: str, values: npt.NDArray[Any]) -> dict[str, Any]:
    if values.dtype.kind in "biuf":
        numbers = np.ascontiguousarray(values, "<f8")
        return {"name": name, "numbers": base64.b64encode(numbers.tobytes()).decode()}
    gaps = gaps_in(values) if values.dtype.kind in "OM" else np.zeros(len(values), bool)
    levels, codes = np.unique(values[~gaps].astype(str), return_inverse=True)
    placed = np.full(len(values), -1, "<i4")
    placed[~gaps] = codes
    return {"name": name, "levels": levels.tolist(), "codes": base64.b64encode(placed.tobytes()).decode()}
