"""The settings of a recipe that say what the data are, and which rows validate."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numlp.datasets import reading
from numlp.datasets.splits import How
from numlp.network.losses import Task
from numlp.runs import checks
from numlp.settings.checks import truth
from numlp.settings.named import Check, optional, setting


def listed(names: Iterable[str]) -> str:
    """Return names for the help text of a setting."""
    return ", ".join(names)


def recipe_setting(default: Any, check: Check, panel: str, text: str) -> Any:
    """Declare a setting with its help text and the panel that shows it."""
    return setting(default, check, panel=panel, help=text)


@dataclass(frozen=True)
class DataSettings:
    """What the data are, and which rows validate."""

    data: str = recipe_setting("mnist", checks.text, "Data", "A data set's name, or the path of a file or folder.")
    target: str | None = recipe_setting(
        None,
        optional(checks.text),
        "Data",
        "The target column of a table, the array y of an .npz, or the .npy or .npz file with y.",
    )
    inputs: str | None = recipe_setting(
        None, optional(checks.text), "Data", "The array x of an .npz, if it isn't x, x_train or the like."
    )
    task: Task | None = recipe_setting(
        None,
        optional(checks.one_of(dict.fromkeys(typing.get_args(Task)))),
        "Data",
        f"The task, if the targets leave it open: {listed(typing.get_args(Task))}.",
    )
    weights: str | None = recipe_setting(
        None,
        optional(checks.text),
        "Data",
        "Sample weights: a column of the table, an array in the .npz, a .npy file.",
    )
    drop: tuple[str, ...] = recipe_setting((), reading.texts, "Data", "Columns of a table to leave out.")
    keep: tuple[str, ...] = recipe_setting(
        (), reading.texts, "Data", "Columns of a table to keep although they have no name and only number the rows."
    )
    kind: tuple[str, ...] = recipe_setting(
        (),
        lambda name, value: tuple(f"{column}={kind}" for column, kind in reading.kinds(name, value).items()),
        "Data",
        f"What a table's columns hold, such as zip=text: {listed(reading.KINDS)}; by default all cells decide.",
    )
    missing: tuple[str, ...] = recipe_setting(
        (), reading.gaps, "Data", "What else stands for a gap in a table, such as -9999."
    )
    decimal: str | None = recipe_setting(
        None, optional(reading.sign), "Data", "The sign before decimals in a table; by default all columns decide."
    )
    thousands: str | None = recipe_setting(None, optional(reading.sign), "Data", "The sign between thousands.")
    header: bool | None = recipe_setting(
        None, optional(truth), "Data", "Whether the first line of a CSV file names the columns."
    )
    day_first: bool | None = recipe_setting(
        None,
        optional(truth),
        "Data",
        "Whether dates such as 3/4/2026 begin with the day, where a column leaves it open.",
    )
    drop_missing_target: bool = recipe_setting(False, truth, "Data", "Leave out rows of a table that have no target.")
    memory: str | None = recipe_setting(
        None,
        optional(checks.memory),
        "Data",
        "Memory for rows, such as 4GB; data that would take more are read from files. By default a quarter of all.",
    )
    class_weight: Any = recipe_setting(
        None,
        optional(checks.class_weight),
        "Data",
        "Class weights: 'balanced', or numbers: 1,5 or {cat = 1, dog = 5}.",
    )
    validation: float | str | None = recipe_setting(
        None,
        optional(checks.share_or_path),
        "Data",
        "Validation rows: a share of the training rows, or a file; by default a fifth of a table, 0.05 of images.",
    )
    validation_by: str | None = recipe_setting(
        None,
        optional(checks.text),
        "Data",
        "A column of groups to keep on one side, or of dates, of which the latest validate.",
    )
    split: How | None = recipe_setting(
        None,
        optional(checks.one_of(dict.fromkeys(typing.get_args(How)))),
        "Data",
        f"Which rows validate: {listed(typing.get_args(How))}; by default shuffled for tables, last for images.",
    )
    test: str | None = recipe_setting(
        None, optional(checks.text), "Data", "A file of rows to test the trained network on."
    )


def reading_of(*settings: Mapping[str, Any], usual: bool = False) -> reading.Reading:
    """Return how to read a file by settings of a recipe; later ones win, and None is none.

    With `usual`, the signs in numbers that the first settings name are those of the training rows.

    >>> reading_of({"decimal": ",", "thousands": "."}, {"decimal": "."}).thousands is None
    True
    """
    names = {field.name for field in dataclasses.fields(reading.Reading)}
    given: dict[str, Any] = {}
    for some in settings:
        if some.get("decimal") is not None or some.get("thousands") is not None:  # they are named together
            given |= {"decimal": None, "thousands": None, "usual": usual and some is settings[0]}
        given |= {name: value for name, value in some.items() if name in names and value is not None}
    return reading.Reading(**given)
