"""Columns: what a column of texts holds, decided by all of its cells, and its values."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from numlp.arrays.table import Kind
from numlp.datasets.cells import CODE, COMMAS, DATES, MONEY, PLAIN, POINT, POINTS, WHOLE, Notation, matches
from numlp.datasets.doubts import doubt
from numlp.datasets.source import Cells, Source
from numlp.errors import DataError

_BATCH = 20  # columns that one query counts; each of its patterns takes memory
EXACT = 1 << 53  # float64 holds whole numbers up to here
LARGE = "holds whole numbers beyond 2**53, which a network can't tell apart; if they are keys, set its `kind` to text"


class Counts(NamedTuple):
    """What is in a column of texts.

    Attributes
    ----------
    cells, plain : int
        The number of cells that aren't gaps, and of the plain numbers among them.
    odd : str or None
        A cell that is no plain number.
    whole : bool or None
        Whether all cells are whole numbers.
    code : str or None
        A whole number that begins with 0.
    most : float or None
        The largest absolute value.
    fit : int
        The number of cells that 64 bits hold.
    """

    cells: int
    plain: int
    odd: str | None
    whole: bool | None
    code: str | None
    most: float | None
    fit: int

    def may_be(self, pattern: str) -> bool:
        """Return whether the odd cell is as a pattern says."""
        return self.odd is not None and re.fullmatch(pattern, self.odd) is not None


class Column(NamedTuple):
    """What to fetch as a column's values, what the user should know, and the order that its dates show."""

    cells: Cells
    note: str | None = None
    day_first: bool | None = None


def count(source: Source, columns: Sequence[str]) -> dict[str, Counts]:
    """Count the cells of columns of texts."""
    found: dict[str, Counts] = {}
    for start in range(0, len(columns), _BATCH):
        some = columns[start : start + _BATCH]
        aggregates = []
        for column in some:
            plain = matches(column, PLAIN)
            aggregates += [f"count({column})", f"count(*) FILTER ({plain})", f"min({column}) FILTER (NOT {plain})"]
            aggregates += _facts(column, column)
        row = source.one(*aggregates)
        size = len(aggregates) // len(some)
        found |= {column: Counts(*row[size * i : size * (i + 1)]) for i, column in enumerate(some)}
    return found


def _facts(column: str, cells: str) -> list[str]:
    """Return SQL for what `Counts` says of numbers, which are cells that stand for those of a column."""
    return [
        f"bool_and({matches(cells, WHOLE)})",
        f"min({column}) FILTER ({matches(cells, CODE)})",
        f"max(abs(TRY_CAST({cells} AS DOUBLE)))",
        f"count(TRY_CAST({cells} AS BIGINT))",
    ]


def plain(source: Source, counts: Mapping[str, Counts], kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Return the columns of plain numbers."""
    whole, real = list[str](), list[str]()
    for column, found in counts.items():
        kind = kinds.get(source.names[column])
        is_plain = found.cells and found.plain == found.cells and found.most is not None and np.isfinite(found.most)
        if is_plain and kind in (None, "number") and (found.code is None or kind is not None):
            (whole if found.whole and found.fit == source.rows else real).append(column)
    cells = {column: Cells(column, "whole numbers") for column in whole}
    cells |= {column: Cells(f"TRY_CAST({column} AS DOUBLE)", "numbers") for column in real}
    notes = {column for column in cells if counts[column].whole and (counts[column].most or 0) >= EXACT}
    return {column: Column(each, LARGE if column in notes else None) for column, each in cells.items()}


def notation_of(source: Source, counts: Mapping[str, Counts], usual: Notation | None = None) -> Notation:
    """Return how a file writes numbers: a comma is for decimals if some column says so, and none says otherwise.

    If all columns leave it open, the separator decides: semicolons are where commas are for decimals, and numbers
    between commas that have points alone have them before decimals. Else numbers are as usual.
    """
    if usual not in (None, POINTS, COMMAS):
        return usual
    commas = points = opens = False
    for column, found in counts.items():
        if found.may_be(POINTS.pattern) or found.may_be(COMMAS.pattern):
            fits = source.one(*(f"bool_and({matches(column, each.pattern)})" for each in (POINTS, COMMAS)))
            points |= fits == (True, False)
            commas |= fits == (False, True)
            opens |= fits == (True, True) and source.one(f"bool_or(contains({column}, ','))") == (True,)
    if points or (usual != COMMAS and not commas and not (opens and source.separator == ";")):
        return POINTS
    for column, found in counts.items():
        decimals = f"contains({column}, '.')"
        if commas or opens or source.separator != ",":
            decimals += f" AND NOT {matches(column, POINT)}"
        if found.cells and found.plain == found.cells and source.one(f"bool_or({decimals})") == (True,):
            return POINTS
    return COMMAS


def read_texts(
    source: Source,
    column: str,
    counts: Counts,
    notation: Notation,
    kind: Kind | None = None,
    day_first: bool | None = None,
) -> Column:
    """Return what a column of texts holds: values of a known kind, or of the one that all of its cells have.

    In a typed file, texts that look like numbers are texts on purpose.

    Raises
    ------
    DataError
        If a cell isn't of the known kind.
    """
    if kind == "text":
        return Column(Cells(column, "texts"))
    if not counts.cells and kind != "date":
        return Column(Cells("NULL", "numbers"))
    found: Column | str | None = None
    if kind == "number" or (kind is None and not source.typed):
        found = _numbers(source, column, counts, notation, kind) or _truths(source, column, counts)
    if kind == "number" and not isinstance(found, Column):
        written = "" if notation == POINTS else f", written with {notation.decimal!r} before decimals"
        _refuse(source, column, f"NOT {matches(column, notation.pattern)}", "isn't a number" + written)
    if not found and kind != "number":
        found = _dates(source, column, counts, day_first)
    if isinstance(found, Column):
        return found
    if kind == "date":
        pattern = "|".join(f"({form.pattern})" for form in DATES)
        if found is None:
            _refuse(source, column, f"NOT {matches(column, pattern)}", "isn't a date")
        _refuse(source, column, f"{column} IS NOT NULL", f"isn't clear, since {found}, or write year-month-day")
    if found is None and not source.typed and (counts.plain or counts.may_be("[^A-Za-z]{0,2}[0-9].*")):
        found = doubt(source, column, counts.cells, notation)
    return Column(Cells(column, "texts"), found and f"is read as text, since {found}")


def _numbers(
    source: Source, column: str, counts: Counts, notation: Notation, kind: Kind | None
) -> Column | str | None:
    """Return a column of numbers; or why its numbers are texts; or None if they are no numbers."""
    note, cells = None, column
    if counts.plain < counts.cells or notation.decimal != ".":
        if counts.odd is not None and not counts.may_be(notation.pattern):
            return None
        if source.one(f"bool_and({matches(column, notation.pattern)})") != (True,):
            return None
        cells = notation.plain(column)
        if mixed := _units(source, column, notation):
            if kind is not None:
                raise DataError(f"{source.place(0)}, column {source.names[column]!r:.200}: {mixed}; write all in one")
            return f"{mixed}; write all in one"
        if counts.odd is not None:
            note = f"is read as numbers, without the signs in {counts.odd!r:.80}"
            if notation.decimal != "." and notation.decimal in counts.odd:
                note += f", in which {notation.decimal!r} is before decimals"
    number = f"TRY_CAST({cells} AS DOUBLE)"
    whole, code, most, fit = source.one(*_facts(column, cells))
    if code is not None and kind is None:
        return f"the number {code!r:.80} begins with 0, as keys do"
    if np.isinf(most):
        if kind is not None:
            _refuse(source, column, f"isinf({number})", "is too large a number")
        return "one of its numbers is too large"
    if whole and most >= EXACT:
        note = LARGE
    if whole and fit == source.rows:
        return Column(Cells(cells, "whole numbers"), note)
    return Column(Cells(number, "numbers"), note)


def _units(source: Source, column: str, notation: Notation) -> str | None:
    """Return why the units of cells differ; only money may have none in some cells."""
    unit = notation.unit(column)
    found = f"array_agg(DISTINCT {unit}) FILTER ({column} IS NOT NULL)"
    units, one, other = source.one(found, f"arg_min({column}, {unit})", f"arg_max({column}, {unit})")
    if len(units) == 1 or (len(units) == 2 and "" in units and MONEY.intersection(units)):
        return None
    return f"its cells have different units, such as {one!r:.80} and {other!r:.80}"


def _truths(source: Source, column: str, counts: Counts) -> Column | None:
    """Return a column of true and false as numbers."""
    truth = f"lower({column})"
    if not counts.may_be("(?i)true|false") or source.one(f"bool_and({truth} IN ('true', 'false'))") != (True,):
        return None
    return Column(Cells(f"({truth} = 'true')", "numbers" if counts.cells < source.rows else "truths"))


def _dates(source: Source, column: str, counts: Counts, day_first: bool | None) -> Column | str | None:
    """Return a column of dates; or why it isn't clear which; or None if they are no dates."""
    if not counts.cells:
        return Column(Cells("NULL", "dates"))
    found = []
    for form in DATES:
        if counts.may_be(form.pattern):
            parsed = form.parsed(column)
            if source.one(f"bool_and({matches(column, form.pattern)})", f"count({parsed})") == (True, counts.cells):
                found.append((form, parsed))
    if len(found) == 2 and source.one(f"bool_or({found[0][1]} <> {found[1][1]})") == (True,):
        if day_first is None:
            return (
                f"{counts.odd!r:.80} could be {' or '.join(form.title for form, _ in found)}; say it with `day_first`"
            )
        found = [each for each in found if each[0].day_first == day_first]
    if not found:
        return None
    form, parsed = found[0]
    note = f"is read as dates, {form.title}" if form.formats else None
    return Column(Cells(parsed, "dates"), note, form.day_first if len(found) == 1 else None)


def _refuse(source: Source, column: str, condition: str, reason: str) -> NoReturn:
    place, cell = source.first(condition, column)
    raise DataError(f"{place}, column {source.names[column]!r:.200}: {cell!r:.200} {reason}")
