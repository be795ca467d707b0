"""Tables from files: CSV in any dialect, JSON lines and Parquet, read by DuckDB."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table, gaps_in
from numlp.datasets.cells import POINTS, Notation
from numlp.datasets.columns import count, notation_of, plain, read_texts
from numlp.datasets.opening import opened
from numlp.datasets.reading import Reading
from numlp.datasets.source import Cells, Choose, Source
from numlp.datasets.typed import facts, read_typed
from numlp.errors import DataError, SettingError
from numlp.settings.checks import listed, unknown
from numlp.settings.synonyms import nearest

_NAMELESS = "column [0-9]+|Unnamed: [0-9]+|__index_level_0__"


class Content(NamedTuple):
    """What a file of a table holds.

    Attributes
    ----------
    table : Table
        All columns that were read, the target and the weights among them.
    written : array of str, shape (rows,), or None
        The target as it is written, None for a gap.
    notes : tuple of str
        What the user should know about how columns were read, and which were left out.
    reading : Reading
        With the signs in numbers that were seen.
    numbers : array of int, shape (rows,), or None
        Those of the rows in the file, from 0, if some are left out.
    """

    table: Table
    written: AnyArray | None
    notes: tuple[str, ...]
    reading: Reading
    numbers: AnyArray | None


def read_table(
    path: Path,
    reading: Reading | None = None,
    columns: Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    *,
    labelled: bool = False,
) -> Content:
    """Read the columns of a table.

    Parameters
    ----------
    path : path
        A CSV file, JSON lines or Parquet, or a pattern of such files, which are read in the order of their names.
    reading : Reading, optional
    columns : sequence of str, optional
        The feature columns, in this order; by default all but those that are left out.
    kinds : mapping, optional
        What columns are known to hold, such as those of a network's inputs.
    labelled : bool
        Whether there must be a target.

    Raises
    ------
    FileFormatError
        If the file is missing or broken, or its rows are of different lengths.
    DataError
        If a column is missing, a cell isn't of the kind that its column is known to have, or a target is missing.
    SettingError
        If a column of `reading` isn't there.
    """
    settings = reading or Reading()
    kinds = {**settings.kind, **(kinds or {})}

    with opened(path, settings.header, settings.missing, wanted(path, settings, columns, labelled)) as source:
        plan = planned(path, source, settings, columns, kinds)
        table = Table(source.fetch(plan.cells))
        written = None if plan.written is None else source.fetch({"": plan.written})[""]
        rows = _complete(table, settings, source)
    notes = plan.notes
    if rows is not None:
        notes = (*notes, left_out(int(np.count_nonzero(~rows)), settings.target))
        table, written = table[rows], None if written is None else written[rows]
    return Content(table, written, notes, plan.reading, None if rows is None else np.flatnonzero(rows))


class Plan(NamedTuple):
    """Which columns of a table to fetch, and as what.

    Attributes
    ----------
    cells : dict of Cells
        By the columns' names.
    written : Cells or None
        The target as it is written.
    notes : tuple of str
    reading : Reading
        With the signs in numbers that were seen.
    """

    cells: dict[str, Cells]
    written: Cells | None
    notes: tuple[str, ...]
    reading: Reading


def planned(
    path: Path, source: Source, settings: Reading, columns: Sequence[str] | None, kinds: Mapping[str, Kind]
) -> Plan:
    """Return what the columns hold, decided by all of their cells; see `read_table`."""
    texts = [column for column, kind in source.types.items() if kind == "VARCHAR"]
    counts = count(source, texts)
    given = _given(settings)
    notation = given if given and not settings.usual else notation_of(source, counts, given)
    cells, notes = dict[str, Cells](), [*source.notes]
    if given not in (None, notation):
        notes.append(f"its numbers have {notation.decimal!r} before decimals, unlike those of the training rows")
    orders: set[bool | None] = {None}
    typed = facts(source)
    numbers = plain(source, counts, kinds) if notation == POINTS and not source.typed else {}
    for column, name in source.names.items():
        if column in numbers:
            read = numbers[column]
        elif column in counts:
            read = read_texts(source, column, counts[column], notation, kinds.get(name), settings.day_first)
            orders.add(read.day_first)
        else:
            read = read_typed(source, column, typed.get(column), kinds.get(name))
        reason = _left_out(source, name, column, read.cells, settings) if columns is None else None
        if reason is None:
            cells[name] = read.cells
        note = f"is left out: {reason}; keep it with `keep`" if reason else read.note
        notes += [f"column {name!r} {note}"] if note else []
    if not cells:
        raise DataError(f"{path} must have a column that isn't left out")
    of_target = [column for column, name in source.names.items() if name == settings.target]
    written = Cells(of_target[0], "texts") if of_target else None
    if settings.day_first is None and len(orders) == 2:
        settings = dataclasses.replace(settings, day_first=True in orders)
    if notation != POINTS and not given:
        settings = dataclasses.replace(settings, decimal=notation.decimal, thousands=notation.thousands, usual=True)
    ordered = {name: cells[name] for name in dict.fromkeys((*(columns or ()), *cells))}
    return Plan(ordered, written, tuple(notes), settings)


def left_out(count: int, target: str | None) -> str:
    """Return the note on rows without a target.

    >>> left_out(2, "price")
    "2 rows without 'price' are left out"
    """
    return f"{count:,} {'row' if count == 1 else 'rows'} without {target!r} {'is' if count == 1 else 'are'} left out"


def wanted(path: Path, reading: Reading, columns: Sequence[str] | None, labelled: bool) -> Choose:
    """Return what chooses the columns to read of those that a file has."""

    def choose(names: Sequence[str]) -> Sequence[str]:
        if labelled and reading.target is None:
            raise SettingError(f"`target` must name a column of {path}: {listed(names)}")
        return _wanted(path, names, reading, columns)

    return choose


def _wanted(path: Path, names: Sequence[str], reading: Reading, columns: Sequence[str] | None) -> Sequence[str]:
    """Return the columns to read, in the order of the file."""
    for setting in ("target", "weights"):
        name = getattr(reading, setting)
        if name is not None and name not in names:
            raise SettingError(f"{path}: " + unknown(f"{setting} column", name, names))
    if columns is not None:
        for name in columns:
            if name not in names:
                raise DataError(f"{path} has no column {name!r:.200}{_meant(name, names)}; it has {listed(names)}")
        return [name for name in names if name in (*columns, reading.target, reading.weights)]
    for setting in ("drop", "keep", "kind"):
        for name in getattr(reading, setting):
            if name not in names:
                raise SettingError(f"{path}: " + unknown(f"column in {setting}", name, names))
    wanted = [name for name in names if name not in reading.drop]
    if not any(name not in (reading.target, reading.weights) for name in wanted):
        raise DataError(f"{path} must have a column besides the target")
    return wanted


def _meant(name: str, names: Sequence[str]) -> str:
    meant = nearest(name, names)
    return "" if meant is None else f": did you mean {meant!r}?"


def _given(reading: Reading) -> Notation | None:
    """Return how numbers are written as far as the settings say it."""
    if reading.decimal is reading.thousands is None:
        return None
    decimal = reading.decimal or ("," if reading.thousands == "." else ".")
    return Notation(decimal, reading.thousands or ("." if decimal == "," else ","))


def _left_out(source: Source, name: str, column: str, cells: Cells, reading: Reading) -> str | None:
    """Return why a column without a name is no feature; None if it is one."""
    if name in (*reading.keep, reading.target, reading.weights) or not re.fullmatch(_NAMELESS, name):
        return None
    if source.one(f"count({cells.sql})") == (0,):
        return "it has no name and no cell"
    if column == "c0" and cells.held == "whole numbers" and source.rows > 1:
        (different,) = source.one(f"count(DISTINCT {cells.sql})")
        return "it has no name, and numbers the rows" if different == source.rows else None
    return None


def _complete(table: Table, reading: Reading, source: Source) -> AnyArray | None:
    """Return which rows have a target, None for all; refuse rows that lack one, or a weight."""
    rows = None
    for name in (reading.target, reading.weights):
        gaps = np.zeros(len(table), bool) if name is None else gaps_in(table[name])
        if name == reading.target and reading.drop_missing_target and gaps.any():
            rows = ~gaps
            if gaps.all():
                raise DataError(f"column {name!r:.200} is empty in every row; name another target")
        elif (gaps if rows is None else gaps & rows).any():
            raise empty(source, int(np.flatnonzero(gaps if rows is None else gaps & rows)[0]), str(name), reading)
    return rows


def empty(source: Source, row: int, name: str, reading: Reading) -> DataError:
    """Return the error for a row without a target, or a weight."""
    remedy = ", or leave such rows out with `drop_missing_target`" if name == reading.target else ""
    return DataError(f"{source.place(row)}: {name:.200} is empty; fill it in{remedy}")
