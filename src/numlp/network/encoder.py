"""Encoder: learns the encoding of a table's columns from training rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from numlp.arrays.table import as_table
from numlp.errors import DataError
from numlp.network.columns import Category
from numlp.network.encoding import Encoding
from numlp.network.learner import NUMBERS, ColumnLearner
from numlp.settings import limits
from numlp.settings.checks import choice, truth, whole_number
from numlp.settings.named import Named, setting


def _numbers(name: str, value: object) -> str:
    choice(name, value, NUMBERS)
    return str(value)


@dataclass(frozen=True)
class ColumnEncoder(Named):
    """How to encode the columns of a table; the settings are those of `learn_encoding`."""

    name = "columns"
    numbers: str = setting("standard", _numbers)
    clip: bool = setting(True, truth)
    bins: int = setting(0, lambda name, value: whole_number(name, value, minimum=0, maximum=1024))
    one_hot: int = setting(32, lambda name, value: whole_number(name, value, minimum=0))
    width: int = setting(8, whole_number)
    least: int = setting(2, whole_number)

    def learn(self, x: Any) -> Encoding:
        """Return the encoding of the columns of training rows."""
        table = as_table(x)
        if len(table) == 0:
            raise DataError("x has no rows to learn an encoding from; give it at least one")
        learner = self.learner(len(table))
        learner.see(table)
        return learner.encoding()

    def learner(self, rows: int, most: int | None = None) -> Learner:
        """Return what learns the encoding from rows that come in chunks.

        Parameters
        ----------
        rows : int
            How many will come.
        most : int, optional
            The most numbers, of all columns together, to keep for quantiles.
        """
        return Learner(self, rows, most)


class Learner:
    """Learns the encoding of a table from chunks of its rows; see `ColumnEncoder.learner`."""

    def __init__(self, encoder: ColumnEncoder, rows: int, most: int | None) -> None:
        self._encoder, self._rows, self._most = encoder, rows, most
        self._columns: dict[str, ColumnLearner] = {}

    def see(self, x: Any) -> None:
        """Look at some rows."""
        table, encoder = as_table(x), self._encoder
        if not self._columns:
            every = 1 if self._most is None else -(-self._rows * len(table.columns) // self._most)
            settings = encoder.numbers, encoder.bins, encoder.one_hot, encoder.width, encoder.least
            self._columns = {name: ColumnLearner(name, *settings, every) for name in table.columns}
        for name, column in self._columns.items():
            column.see(table[name])

    def encoding(self) -> Encoding:
        """Return what has been learned."""
        encoding = Encoding(tuple(column.column() for column in self._columns.values()), self._encoder.clip)
        if not encoding.width:
            raise DataError("x has no value in any column; give a table that isn't empty")
        _check_names(encoding)
        return encoding


def _check_names(encoding: Encoding) -> None:
    """Refuse levels whose names no model file can hold, rather than after a training."""
    sizes = {
        column.name: len(json.dumps(json.dumps((column.levels, column.rare))))  # as in a header of JSON
        for column in encoding.columns
        if isinstance(column, Category)
    }
    if sum(sizes.values()) > limits.LEVEL_NAMES_BYTES:
        name = max(sizes, key=sizes.__getitem__)
        raise DataError(
            f"a model file holds {limits.LEVEL_NAMES_BYTES:,} bytes of levels' names, and these take "
            f"{sum(sizes.values()):,}, most of them in column {name!r:.200}: leave it out, or shorten its texts"
        )


ENCODINGS: dict[str, type[ColumnEncoder]] = {"columns": ColumnEncoder}


def learn_encoding(
    x: Any,
    *,
    numbers: str = "standard",
    clip: bool = True,
    bins: int = 0,
    one_hot: int = 32,
    width: int = 8,
    least: int = 2,
) -> Encoding:
    """Learn from training rows what a network does with each column of a table.

    Parameters
    ----------
    x : Table, frame, or array of shape (rows, columns)
        Frames are those of pandas, polars, pyarrow and whatever narwhals knows. Columns hold numbers and booleans,
        texts and categories, dates and times, with gaps.
    numbers : "standard" or "robust"
        Whether numbers lose their mean and are divided by their standard deviation, or lose their median and are
        divided by the distance of their quartiles. A column of two different numbers becomes 0 and 1.
    clip : bool
        Whether to clip scaled numbers smoothly, z / √(1 + (z / 10)²), which tames outliers.
    bins : int
        Above 0, numbers also get a piecewise-linear embedding, with up to so many bins that hold equally many rows.
    one_hot : int
        The most levels of a column for one-hot codes. Columns with more get a learned embedding.
    width : int
        Of the embeddings.
    least : int
        Levels that occur less often share the code of unseen ones, and so train it.

    Returns
    -------
    Encoding

    Raises
    ------
    DataError, SettingError

    Examples
    --------
    >>> import numpy as np
    >>> from numlp import Table
    >>> ages, cities = np.array([20.0, 40.0, np.nan, 60.0]), np.array(["Ulm", "Ulm", "Bonn", "Bonn"])
    >>> people = Table({"age": ages, "city": cities})
    >>> encoding = learn_encoding(people)
    >>> encoding.names, encoding.n_codes, encoding.width
    (('age', 'city'), 3, 4)
    >>> from numlp import MLP
    >>> net = MLP([2, 16, 2], input_encoding=encoding)
    >>> net.predict(people).shape
    (4,)
    """
    return ColumnEncoder(numbers, clip, bins, one_hot, width, least).learn(x)
