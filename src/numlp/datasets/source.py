"""Source: columns that DuckDB can read. It looks cells up and fetches them, and computes no statistics."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray

_MANY = 200  # columns that one query fetches
Choose = Callable[[Sequence[str]], Collection[str]]


@dataclass(frozen=True)
class Source:
    """Columns that DuckDB can read: of a table of its own, or of files.

    Attributes
    ----------
    connection : duckdb connection
    relation : str
        What SQL calls them.
    rows : int
    names : dict
        The columns' names, by what SQL calls them: c0, c1, ….
    types : dict
        Their types in SQL, by the same.
    separator : str or None
        Between the cells of a line; None if the file itself says what is text and what is a number.
    notes : tuple of str
        What the user should know about the file.
    place : callable
        Takes the number of a row, and returns where it is: "a.csv, line 3".
    """

    connection: Any
    relation: str
    rows: int
    names: dict[str, str]
    types: dict[str, str]
    separator: str | None
    notes: tuple[str, ...]
    place: Callable[[int], str]

    @property
    def typed(self) -> bool:
        """Whether the file itself says what is text and what is a number."""
        return self.separator is None

    def one(self, *aggregates: str) -> tuple[Any, ...]:
        """Return aggregates, written in SQL, over all rows."""
        query = f"SELECT {', '.join(aggregates)} FROM {self.relation}"
        return tuple(self.connection.execute(query).fetchone())

    def values(self, expression: str) -> AnyArray:
        """Return an expression's value for every row; masked where that is NULL."""
        found = self.connection.execute(f"SELECT {expression} AS v FROM {self.relation}").fetchnumpy()
        values: AnyArray = found["v"]
        return values

    def many(self, columns: Sequence[str], kind: str) -> dict[str, AnyArray]:
        """Return columns of plain numbers as a type of SQL; masked where they have gaps."""
        found: dict[str, AnyArray] = {}
        for start in range(0, len(columns), _MANY):
            some = [f"TRY_CAST({column} AS {kind}) AS {column}" for column in columns[start : start + _MANY]]
            found |= self.connection.execute(f"SELECT {', '.join(some)} FROM {self.relation}").fetchnumpy()
        return found

    def texts(self, column: str) -> AnyArray:
        """Return a column as texts, None for a gap; equal texts are one object in memory."""
        found = self.values(f"CAST({column} AS VARCHAR)")
        gaps = np.ma.getmaskarray(found)
        kept: dict[Any, Any] = {}
        made = np.full(self.rows, None, dtype=object)
        made[~gaps] = [kept.setdefault(text, text) for text in np.ma.getdata(found)[~gaps].tolist()]
        return made

    def numbers(self, expression: str) -> AnyArray:
        """Return numbers, NaN for a gap."""
        found = self.values(f"CAST({expression} AS DOUBLE)")
        return np.ma.filled(found, np.nan)

    def dates(self, expression: str) -> AnyArray:
        """Return timestamps, NaT for a gap."""
        found = self.values(f"CAST({expression} AS TIMESTAMP)").astype("datetime64[us]")
        return np.ma.filled(found, np.datetime64("NaT"))

    def first(self, condition: str, column: str) -> tuple[str, str]:
        """Return where the first row is for which a condition holds, and a column's text there."""
        row = int(np.flatnonzero(np.ma.filled(self.values(condition), False))[0])
        query = f"SELECT CAST({column} AS VARCHAR) FROM {self.relation} LIMIT 1 OFFSET {row}"
        return self.place(row), self.connection.execute(query).fetchone()[0]


def chosen(names: Sequence[str], choose: Choose) -> dict[str, str]:
    """Return what SQL calls the chosen columns, with their names."""
    wanted = set(choose(names))
    return {f"c{i}": name for i, name in enumerate(names) if name in wanted}
