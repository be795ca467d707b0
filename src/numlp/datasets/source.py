"""Source: columns that DuckDB can read. It looks cells up and fetches them, and computes no statistics."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from numlp.arrays.special import AnyArray

_MANY = 200  # columns that one query fetches
Choose = Callable[[Sequence[str]], Collection[str]]
Held = Literal["whole numbers", "numbers", "truths", "dates", "texts"]
_TYPES: dict[Held, str] = {
    "whole numbers": "BIGINT",
    "numbers": "DOUBLE",
    "truths": "DOUBLE",
    "dates": "TIMESTAMP",
    "texts": "VARCHAR",
}


class Cells(NamedTuple):
    """What to fetch as a column: an expression in SQL, and what it holds; only whole numbers and truths lack no gaps.

    >>> Cells("c0", "texts").sql
    'CAST(c0 AS VARCHAR)'
    """

    expression: str
    held: Held

    @property
    def sql(self) -> str:
        """The expression, in the type of what it holds."""
        return f"CAST({self.expression} AS {_TYPES[self.held]})"

    def array(self, found: AnyArray) -> AnyArray:
        """Return what was fetched as a table holds it: NaN, NaT or None for a gap."""
        if self.held == "texts":
            return _texts(found)
        if self.held == "dates":
            return np.ma.filled(found.astype("datetime64[us]"), np.datetime64("NaT"))
        values = np.ma.filled(found, np.nan) if self.held in ("numbers", "truths") else np.ma.getdata(found)
        return values.astype(bool) if self.held == "truths" else values


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

    def fetch(
        self, columns: Mapping[str, Cells], rows: tuple[int, int] | None = None, connection: Any = None
    ) -> dict[str, AnyArray]:
        """Return columns, by name, as a table holds them.

        Parameters
        ----------
        columns : mapping of str to Cells
        rows : (int, int), optional
            The numbers of the first row to fetch, and of the one after the last: of a table that lies on a disk.
        connection : duckdb connection, optional
            Of the thread that fetches, if others do, too.
        """
        found: dict[str, AnyArray] = {}
        names = list(columns)
        where = "" if rows is None else f" WHERE rowid >= {rows[0]} AND rowid < {rows[1]}"
        for start in range(0, len(names), _MANY):
            some = names[start : start + _MANY]
            values = ", ".join(f"{columns[name].sql} AS v{i}" for i, name in enumerate(some))
            query = f"SELECT {values} FROM {self.relation}{where}"
            arrays = (connection or self.connection).execute(query).fetchnumpy()
            found |= {name: columns[name].array(arrays.pop(f"v{i}")) for i, name in enumerate(some)}
        return found

    def first(self, condition: str, column: str) -> tuple[str, str]:
        """Return where the first row is for which a condition holds, and a column's text there."""
        row = int(np.flatnonzero(np.ma.filled(self.values(condition), False))[0])
        query = f"SELECT CAST({column} AS VARCHAR) FROM {self.relation} LIMIT 1 OFFSET {row}"
        return self.place(row), self.connection.execute(query).fetchone()[0]


def chosen(names: Sequence[str], choose: Choose) -> dict[str, str]:
    """Return what SQL calls the chosen columns, with their names."""
    wanted = set(choose(names))
    return {f"c{i}": name for i, name in enumerate(names) if name in wanted}


def _texts(found: AnyArray) -> AnyArray:
    """Return texts, None for a gap; equal texts are one object in memory."""
    gaps = np.ma.getmaskarray(found)
    kept: dict[Any, Any] = {}
    made = np.full(len(found), None, dtype=object)
    made[~gaps] = [kept.setdefault(text, text) for text in np.ma.getdata(found)[~gaps].tolist()]
    return made
