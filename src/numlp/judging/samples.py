"""Samples: rows of data as a model takes them, and which of their numbers belong to which column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.randomness import Role, generator
from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray
from numlp.errors import DataError, SettingError
from numlp.network.columns import Column, fitting
from numlp.network.predictor import Predictor
from numlp.settings.checks import unknown, whole_number


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of some data, or some of them, by column.

    Attributes
    ----------
    values : mapping of str to array, shape (n,)
        What each column holds: of a table as it is, of an array its features.
    rows : array, shape (n, numbers)
        As the model's layers take them.
    places : mapping of str to slice
        Where each column's numbers are in a row.
    index : array of int, shape (n,)
        Which rows of the data these are.
    """

    values: Mapping[str, AnyArray]
    rows: AnyArray
    places: Mapping[str, slice]
    index: npt.NDArray[np.intp]
    encoded: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.rows)

    def codes(self, name: str, values: AnyArray) -> AnyArray:
        """Return the numbers, (n, width), that stand for values of a column."""
        if name not in self.encoded:
            return values[:, None]
        return self.encoded[name].codes(values)[0].astype(self.rows.dtype)

    def check(self, name: str) -> None:
        """Raise unless there is a column of this name."""
        if name not in self.values:
            raise SettingError(unknown("column", name, self.values))


def as_sample(predictor: Predictor, x: Any, most: int | None = None, seed: int = 0) -> Sample:
    """Return the rows of data for a model, or at most so many, drawn at random.

    Parameters
    ----------
    predictor : MLP or Ensemble
    x : Table, frame, array_like or sparse matrix
    most : int, optional
    seed : int

    Raises
    ------
    DataError
        If x doesn't fit the model, or has no rows.

    Examples
    --------
    >>> from numlp import MLP
    >>> as_sample(MLP([2, 2], feature_names=["age", "size"]), [[41.0, 2.0]]).places
    {'age': slice(0, 1, None), 'size': slice(1, 2, None)}
    """
    encoding = predictor.input_encoding
    if encoding is None:
        features = predictor.features(x, training=True)
        index = _drawn(features.shape[0], most, seed)
        rows = dense(features[index])
        names = predictor.feature_names or tuple(str(i) for i in range(rows.shape[1]))
        values = {name: rows[:, i] for i, name in enumerate(names)}
        return Sample(values, rows, {name: slice(i, i + 1) for i, name in enumerate(names)}, index, {})
    table = encoding.lined_up(x)
    index = _drawn(len(table), most, seed)
    table = table if len(index) == len(table) else table[index]
    ends = np.cumsum([column.n_codes for column in encoding.columns]).tolist()
    return Sample(
        {column.name: fitting(column, table[column.name]) for column in encoding.columns},
        predictor.features(table, training=True),
        {column.name: slice(end - column.n_codes, end) for column, end in zip(encoding.columns, ends, strict=True)},
        index,
        {column.name: column for column in encoding.columns},
    )


def _drawn(n: int, most: int | None, seed: int) -> npt.NDArray[np.intp]:
    """Return all row numbers, or so many of them, drawn without replacement, in order."""
    if n == 0:
        raise DataError("x has no rows to explain a model with; give it at least one")
    if most is None or n <= whole_number("rows", most):
        return np.arange(n)
    return np.sort(generator(seed, 0, Role.EXPLANATION).choice(n, most, replace=False))


def text_of(value: Any) -> str:
    """Return a value of a column in words.

    >>> text_of(3.0), text_of(0.25), text_of(True), text_of(None), text_of(np.datetime64("2026-01-02T00:00", "us"))
    ('3', '0.25', 'true', 'missing', '2026-01-02')
    """
    if value is None or value != value:
        return "missing"
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, unit="auto"))
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"
