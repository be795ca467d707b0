"""Cells of tables: what their texts mean, for Python and, as the same patterns, for DuckDB.

A column is a number or a date only if all of its cells are; so a cell never changes its meaning alone.
"""

import re
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from numlp.datasets.engine import quoted

GAPS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "?")
_EXPONENT = r"([eE][+-]?[0-9]+)?"
PLAIN = rf"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}"
WHOLE = r"[+-]?[0-9]+"
CODE = r"[+-]?0[0-9]+"  # a postcode or another key, whose zeros count
POINT = r"[+-]?[0-9]{1,3}\.[0-9]{3}"  # a plain number that could also be a whole one with a point between thousands
MONEY = frozenset("$€£¥₹")
_UNIT = f"([%{''.join(sorted(MONEY))}]|[A-Z]{{3}})"
_BLANKS = " \xa0\u202f"
_GROUPS = (f"[{_BLANKS}]", "['’]")  # between thousands, whatever is before decimals


def is_number(cell: str) -> bool:
    """Return whether a cell is a plain number.

    >>> is_number(" 1.5e3 "), is_number("100_1"), is_number("１")
    (True, False, False)
    """
    return re.fullmatch(PLAIN, cell.strip(" \t")) is not None


def matches(column: str, pattern: str) -> str:
    """Return SQL that is true for the cells that are as a pattern says."""
    return f"regexp_full_match({column}, {quoted(pattern)})"


def without_gaps(column: str, missing: Sequence[str]) -> str:
    """Return SQL for a column of texts in which gaps are NULL, and no cell begins or ends with blanks."""
    either = "|".join(map(re.escape, (*GAPS, *missing)))  # DuckDB takes long to plan many lists (2.0.1)
    gaps = rf"[ \t]*({either})[ \t]*"
    values = [float(gap) for gap in missing if is_number(gap)]
    numbers = [f" OR TRY_CAST({column} AS DOUBLE) = {value!r}" for value in values if isfinite(value)]
    blank = " OR ".join(f"{side}_with({column}, {end})" for side in ("starts", "ends") for end in ("' '", "chr(9)"))
    cell = f"CASE WHEN {blank} THEN trim({column}, ' ' || chr(9)) ELSE {column} END"  # `trim` takes long (2.0.1)
    return f"CASE WHEN {matches(column, gaps)}{''.join(numbers)} THEN NULL ELSE {cell} END"


class Notation(NamedTuple):
    """How numbers are written.

    Attributes
    ----------
    decimal, thousands : str
        The signs before decimals and between thousands.
    """

    decimal: str
    thousands: str

    @property
    def pattern(self) -> str:
        """The pattern of a number, with a unit before or after it; in parentheses, it is negative."""
        point = re.escape(self.decimal)
        groups = "|".join(f"({group}[0-9]{{3}})+" for group in (re.escape(self.thousands), *_GROUPS))
        number = rf"([0-9]+|[0-9]{{1,3}}({groups}))({point}[0-9]*)?|{point}[0-9]+"
        unsigned = rf"({_UNIT}? ?({number}){_EXPONENT}|({number}){_EXPONENT} ?{_UNIT})"
        return rf"[-−+]? ?{unsigned}|{_UNIT} ?[-−+]({number}){_EXPONENT}|\({unsigned}\)"

    def plain(self, column: str) -> str:
        """Return SQL for the cells of a column as plain numbers."""
        signs = rf"[A-Z]{{3}}|[$€£¥₹%{_BLANKS}'’){re.escape(self.thousands)}]"
        bare = f"regexp_replace({column}, {quoted(signs)}, '', 'g')"
        return f"translate({bare}, {quoted('−(' + self.decimal)}, '--.')"

    def unit(self, column: str) -> str:
        """Return SQL for the units in the cells of a column."""
        return f"regexp_extract({column}, {quoted(_UNIT)})"


POINTS, COMMAS = Notation(".", ","), Notation(",", ".")


class Dates(NamedTuple):
    """How dates are written: the pattern of a cell, and formats of which each cell follows one."""

    title: str
    pattern: str
    formats: tuple[str, ...]
    day_first: bool | None = None

    def parsed(self, column: str) -> str:
        """Return SQL for the cells of a column as timestamps in UTC; NULL where there is no such day."""
        if not self.formats:  # ISO 8601; the cast to TIMESTAMP itself would forget the time zone
            return f"CAST(TRY_CAST({column} AS TIMESTAMPTZ) AS TIMESTAMP)"
        return f"try_strptime({column}, [{', '.join(map(quoted, self.formats))}])"


_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_CLOCK = r"( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( [AaPp][Mm])?)?"


def _ordered(title: str, order: str, sign: str, year: str) -> Dates:
    digits = {"%d": "[0-9]{1,2}", "%m": "[0-9]{1,2}", "%Y": "[0-9]{4}", "%y": "[0-9]{2}"}
    parts = [part.replace("%y", year) for part in order.split()]
    form = sign.join(parts)
    return Dates(
        title,
        re.escape(sign).join(digits[part] for part in parts) + _CLOCK,
        tuple(form + t for t in _TIMES),
        order.startswith("%d"),
    )


_NAMED = ("%d{0}%b{0}%y", "%d{0}%b{0}%Y", "%d{0}%B{0}%Y")  # %Y would take 19 for the year 19
DATES = (
    Dates(
        "year-month-day",
        r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
        r"([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?( ?(Z|UTC|[+-][0-9]{2}(:[0-9]{2})?))?)?",
        (),
    ),
    Dates("year-month", "[0-9]{4}-[0-9]{2}", ("%Y-%m",)),
    Dates("hours:minutes", "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", ("%H:%M", "%H:%M:%S")),
    Dates(
        "day month year",
        "[0-9]{1,2}[- ][A-Za-z]{3,9}[- ][0-9]{2,4}" + _CLOCK,
        tuple(form.format(sign) + time for form in _NAMED for sign in "- " for time in _TIMES),
    ),
    Dates(
        "month day, year",
        "[A-Za-z]{3,9} [0-9]{1,2},? [0-9]{4}" + _CLOCK,
        tuple(f"{month} %d{sign} %Y{time}" for month in ("%b", "%B") for sign in (",", "") for time in _TIMES),
    ),
    *(
        _ordered(f"{title}, such as {example}", order, sign, year)
        for sign in "./-"
        for year in ("%Y", "%y")
        for title, order, example in (
            ("day before month", "%d %m %y", f"31{sign}12"),
            ("month before day", "%m %d %y", f"12{sign}31"),
        )
        if (sign != "." or title.startswith("day")) and (sign, year) != ("-", "%y")
    ),
)
