"""Columns of a table on screen: what each holds, and what a network takes it for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console

from numlp.cli.output import table
from numlp.datasets import Dataset
from numlp.judging.columns import describe
from numlp.network.columns import Column, Date, Number
from numlp.network.encoding import Encoding
from numlp.settings.texts import as_options, counted

_MOST = 40  # columns
_CLASSES = 20
_KINDS = 5
_LEVELS = 3
_NAME = 60  # characters
_CYCLES = {365: "the year", 7: "the week", 1: "the day"}


def print_inspected(screen: Console, name: str, found: dict[str, Any]) -> None:
    """Print what `numlp.datasets.inspection.inspect_data` found in data of this name."""
    columns = found["columns"]
    what = f", {counted(len(columns), 'column')}" if columns else f" of {' × '.join(map(str, found['shape']))}"
    screen.print(f"{name}: {counted(found['rows'], 'row')}{what}{_about(found['target'])}")
    for note in found["notes"]:
        screen.print(f"note: {as_options(note)}")
    if count := found.get("duplicate_rows"):
        screen.print(f"note: {count:,} {'row equals' if count == 1 else 'rows equal'} an earlier one")
    target = found["target"]
    if target is not None:
        for remark in target["remarks"]:
            screen.print(f"warning: {as_options(remark)}")
        if "classes" in target:
            _print_classes(screen, target["classes"])
    rows = [
        (
            _short(column["name"], _NAME),
            column["kind"],
            values_of(column),
            f"{column['different']:,}",
            f"{column['gaps']:,}" if column["gaps"] else "",
            remarks_of(column),
        )
        for column in columns
    ]
    if rows:
        screen.print()
        print_columns(screen, ("column", "kind", "values", "different", "gaps", "remarks"), rows)


def print_taken(screen: Console, dataset: Dataset, encoding: Encoding) -> None:
    """Print what a network takes each column of its training rows for."""
    x, y, *_ = dataset.held("training")
    found = describe(x, y.astype(np.float64) if dataset.task == "regression" else y)
    cells = [
        (
            _short(column.name, _NAME),
            taken_as(taken),
            f"{column.gaps:,}" if column.gaps else "",
            "; ".join(column.remarks),
        )
        for column, taken in zip(found, encoding.columns, strict=True)
    ]
    print_columns(screen, ("column", "taken as", "gaps", "remarks"), cells)


def print_columns(screen: Console, titles: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a row for each column; of very many, those with remarks first, and a summary of the others.

    Parameters
    ----------
    screen : Console
    titles : sequence of str
    rows : sequence of tuples of str
        The second cell is the kind of the column, the last one holds remarks.
    """
    chosen = list(range(len(rows)))
    if len(rows) > _MOST:
        odd = [i for i in chosen if rows[i][-1]][: _MOST // 2]
        plain = [i for i in chosen if not rows[i][-1]][: _MOST // 2 - len(odd) // 2]
        chosen = sorted(odd + plain)
    empty = [i for i in range(len(titles)) if not any(rows[row][i] for row in chosen)]
    listing = table(*(title for i, title in enumerate(titles) if i not in empty))
    for column in listing.columns:
        column.justify = "left"
    for row in chosen:
        listing.add_row(*(cell for i, cell in enumerate(rows[row]) if i not in empty))
    screen.print(listing)
    if others := [rows[i] for i in sorted(set(range(len(rows))) - set(chosen))]:
        words = (cells[1].split()[0].rstrip(",:") for cells in others)
        kinds = Counter("text" if word[0].isdigit() else word for word in words)  # a number of categories
        odd_ones = sum(bool(cells[-1]) for cells in others)
        text = ", ".join(f"{count:,} × {kind}" for kind, count in kinds.most_common(_KINDS))
        screen.print(
            f"and {len(others):,} more columns: {text}" + (f"; {odd_ones:,} with remarks" if odd_ones else "")
        )


def _about(target: dict[str, Any] | None) -> str:
    if target is None:
        return "; --target COLUMN also tells what a column would be as the target"
    if target["task"] == "regression":
        return f"; {target['name']!r} holds real values from {_number(target['low'])} to {_number(target['high'])}"
    if "classes" in target:
        return f"; {target['name']!r} has {counted(len(target['classes']), 'class', 'classes')}"
    return ""


def _print_classes(screen: Console, classes: dict[str, int]) -> None:
    shown = [f"{_short(name)} ({count:,})" for name, count in list(classes.items())[:_CLASSES]]
    more = f", … ({len(classes) - _CLASSES:,} more)" if len(classes) > _CLASSES else ""
    screen.print(f"classes: {', '.join(shown)}{more}")


def taken_as(column: Column) -> str:
    """Return what a network takes a column for.

    >>> from numlp.network.columns import Category
    >>> taken_as(Number("age", 40.0, 0.1)), taken_as(Category("city", ("Bonn", "Ulm", None), ("Rom",)))
    ('number', '3 categories, 1 of them rare')
    >>> taken_as(Date("day", 0.0, 1.0, (365.2425, 182.62125, 7.0)))
    'date: time, place in the year, the week'
    """
    if isinstance(column, Number):
        return f"number, {len(column.edges) - 1} bins" if column.edges else "number"
    if isinstance(column, Date):
        cycles = [name for period, name in _CYCLES.items() if any(int(each) == period for each in column.periods)]
        return "date: time" + (f", place in {', '.join(cycles)}" if cycles else "")
    count = sum(level is not None for level in column.levels) + len(column.rare)
    rare = f", {len(column.rare):,} of them rare" if column.rare else ""
    width = f", embedding of {column.width}" if column.width else ""
    return f"{count:,} {'category' if count == 1 else 'categories'}{rare}{width}"


def values_of(column: dict[str, Any]) -> str:
    """Return the range of a column's numbers or dates, or its most frequent levels, as `describe` found them."""
    if column["levels"] is None:
        return "" if column["low"] is None else " … ".join(_number(column[end]) for end in ("low", "high"))
    levels = [f"{_short(level)} ({count:,})" for level, count in column["levels"].items()][:_LEVELS]
    return ", ".join(levels) + (", …" if column["different"] > len(levels) else "")


def remarks_of(column: dict[str, Any]) -> str:
    """Return the remarks on a column in a line."""
    left_out = [] if column["left_out"] is None else [f"left out: {column['left_out']}"]
    return "; ".join([*left_out, *column["remarks"]])


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else _whole(value) if isinstance(value, int) else f"{value:,.6g}"


def _whole(value: int) -> str:
    return str(value) if abs(value) < 10_000 else f"{value:,}"  # a year has no comma


def _short(text: str, most: int = 20) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
