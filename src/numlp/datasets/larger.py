"""Data larger than memory: data sets whose rows come in chunks."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from numlp.arrays.stored import scratch
from numlp.data.chunked import Chunked
from numlp.datasets.database import Database
from numlp.datasets.dataset import Dataset
from numlp.datasets.large_arrays import large_arrays
from numlp.datasets.large_table import LargeTable
from numlp.datasets.reading import Reading
from numlp.datasets.slices import Part, Which, at_random, from_row
from numlp.datasets.splits import How, cut_off, usual_share
from numlp.datasets.suffixes import suffix_of
from numlp.datasets.validation import LAST
from numlp.errors import SettingError
from numlp.network.losses import Task
from numlp.settings.checks import share as checked_share


def load_larger(
    name: str,
    reading: Reading,
    memory: int,
    *,
    task: Task | None,
    names: tuple[str, ...] | None,
    validation: float | str | os.PathLike[str] | None,
    validation_by: str | None,
    split: How | None,
    seed: int,
    test: str | os.PathLike[str] | None,
) -> Dataset:
    """Load data that don't fit into memory; see `numlp.load_dataset`."""
    path = Path(name)
    of_table = suffix_of(path) is not None and not path.is_dir()
    table = LargeTable(Database(path, reading, memory), path, reading) if of_table else None
    arrays = {} if of_table else large_arrays(path, reading)
    n = arrays["train"].n if table is None else table.database.rows
    own = isinstance(validation, str | os.PathLike)
    if own or test is not None:
        check_table(table, validation if own else test)
    which: Which | None = None
    if not own:
        usual = usual_share(n) if of_table else LAST
        share = usual if validation is None else checked_share("validation", validation)
        how = split or ("shuffled" if of_table else "last")
        cut = cut_off(n, share)
        if validation_by is not None:
            if table is None:
                raise SettingError(
                    f"validation_by {validation_by!r} names a column, and the data has none: leave it out"
                )
            which = table.by_column(validation_by, share, seed)
        else:
            which = from_row(cut) if how == "last" else at_random(share, seed)
    if table is not None:
        table.drop_useless()
    found = (table or arrays["train"]).target(task)
    known = found.names if names is None or found.names is None else names
    settings: dict[str, Any] = {"memory": memory, "names": known, "of_indices": names is not None}
    train, held_out = (table or arrays["train"]).slices(**settings).parts(which)
    if table is None and how == "last" and isinstance(train.rows, Chunked):
        train = train._replace(rows=dataclasses.replace(train.rows, stored=arrays["train"].x.part(0, cut)))
    parts = {"training": train} | ({} if held_out is None else {"validation": held_out})
    if table is None and "test" in arrays:
        parts["test"] = arrays["test"].slices(**settings).parts(None)[0]
    for part, extra in (("validation", validation if own else None), ("test", test)):
        if extra is not None and table is not None:
            parts[part] = _beside(extra, table, found.task, settings)
    rows: dict[str, Any] = {part: each.rows for part, each in parts.items()}
    return Dataset(
        name,
        rows["training"],
        rows["validation"],
        rows.get("test"),
        known,
        None if table is None else table.features,
        found.task,
        notes=(*(() if table is None else table.notes), _told(n)),
        reading=reading if table is None else table.database.plan.reading,
        numbers={part: each.numbers for part, each in parts.items() if each.numbers is not None},
    )


def check_table(table: LargeTable | None, path: Any) -> None:
    """Refuse rows of another file beside those of arrays, and of other files than tables beside a table."""
    if table is None or suffix_of(path) is None:
        raise SettingError(
            f"{os.fspath(path)} can't be read beside data that don't fit into memory, unless both are tables: give a "
            "share of the rows instead, or more memory"
        )


def _beside(path: Any, table: LargeTable, task: Task, settings: dict[str, Any]) -> Part:
    """Return the rows of another file, whose columns hold what they hold in training."""
    kinds = table.kinds | {str(table.reading.target): "number" if task == "regression" else "text"}
    reading = dataclasses.replace(table.reading, drop=(), keep=(), kind={})
    database = Database(Path(path), reading, settings["memory"], table.features, kinds)
    return LargeTable(database, Path(path), reading).slices(**settings).parts(None)[0]


def _told(rows: int) -> str:
    return (
        f"the {rows:,} rows don't fit into the memory that they may take: training reads blocks of them in random "
        f"order, from files in {scratch()} that are gone when it ends"
    )
