"""Doubts: why a column that looks like numbers or dates is text, which the user may want to mend."""

import re

from numlp.datasets.cells import COMMAS, DATES, POINTS, Notation, matches
from numlp.datasets.source import Source

_MOSTLY = 0.5  # of the cells are numbers, or dates
_DATE = "|".join(f"({form.pattern})" for form in DATES)
_MEASURED = "[-−+]?[0-9][0-9.,]* ?[A-Za-zµ°²³/]{1,5}"  # a number with a unit


def doubt(source: Source, column: str, cells: int, notation: Notation) -> str | None:
    """Return why a column of so many cells is text although most are numbers or dates; None if they aren't."""
    other = COMMAS if notation.decimal == "." else POINTS
    numbers, odd = _cells_of(source, column, matches(column, notation.pattern))
    if numbers > _MOSTLY * cells:
        return f"{cells - numbers:,} of its {cells:,} cells, such as {odd!r:.80}, aren't numbers{_remedy(odd)}"
    others, _ = _cells_of(source, column, matches(column, other.pattern))
    if others > _MOSTLY * cells:
        contrary = f"{matches(column, other.pattern)} AND NOT {matches(column, notation.pattern)}"
        count, example = source.one(f"count(*) FILTER ({contrary})", f"min({column}) FILTER ({contrary})")
        return (
            f"{count:,} of its {cells:,} cells, such as {example!r:.80}, have {other.decimal!r} before decimals, not "
            f"{notation.decimal!r}; write all numbers of the file alike, or name the sign with `decimal`"
        )
    dates, odd = _cells_of(source, column, matches(column, _DATE))
    if dates == cells:
        return _differing(source, column, cells)
    if dates > _MOSTLY * cells:
        return f"{cells - dates:,} of its {cells:,} cells, such as {odd!r:.80}, aren't dates{_remedy(odd)}"
    measured, _ = _cells_of(source, column, matches(column, _MEASURED))
    if measured == cells:
        example = source.one(f"min({column})")[0]
        return f"its cells hold more than numbers, such as {example!r:.80}; if they are numbers, write these alone"
    return None


def _cells_of(source: Source, column: str, condition: str) -> tuple[int, str | None]:
    """Return how many cells are as a condition says, and one that isn't."""
    count, odd = source.one(f"count(*) FILTER ({condition})", f"min({column}) FILTER (NOT ({condition}))")
    return count, odd


def _remedy(odd: str | None) -> str:
    """Return what to do about an odd cell: one without digits may stand for a gap."""
    if odd is None or re.search("[0-9]", odd):
        return "; correct such cells"
    return "; if such a cell is a gap, name it with `missing`"


def _differing(source: Source, column: str, cells: int) -> str:
    """Return why dates aren't all of one form, or no days."""
    found = []
    for form in DATES:
        fits, parsed = matches(column, form.pattern), form.parsed(column)
        counts = source.one(
            f"count({parsed}) FILTER ({fits})",
            f"count(*) FILTER ({fits})",
            f"min({column}) FILTER ({fits})",
            f"min({column}) FILTER ({fits} AND {parsed} IS NULL)",
            f"min({column}) FILTER (NOT {fits})",
        )
        found.append((*counts, form.title))
    _, count, example, wrong, other, title = max(found, key=lambda each: each[:2])
    if count == cells:
        return f"{wrong!r:.80} is no date of the form {title}"
    return f"its dates are of several forms, such as {example!r:.80} and {other!r:.80}"
