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
from numlp.datasets.splits import cut_off, usual_share
from numlp.datasets.suffixes import suffix_of
from numlp.datasets.validation import LAST, Partition
from numlp.errors import SettingError
from numlp.network.losses import Task
from numlp.settings.checks import share as checked_share


def load_larger(
    name: str,
    reading: Reading,
    memory: int,
    partition: Partition,
    *,
    task: Task | None,
    names: tuple[str, ...] | None,
) -> Dataset:
    """Load data that don't fit into memory; see `numlp.load_dataset`."""
    if isinstance(partition.folds, int):
        raise SettingError(f"folds {partition.folds} need all rows in memory: leave them out, or give more memory")
    path, files = Path(name), partition.files
    of_table = suffix_of(path) is not None and not path.is_dir()
    table = LargeTable(Database(path, reading, memory), path, reading) if of_table else None
    arrays = {} if of_table else large_arrays(path, reading)
    n = arrays["train"].n if table is None else table.database.rows
    for extra in files.values():
        check_table(table, extra)
    which = None if "validation" in files else _held_out(n, table, partition)
    if table is not None:
        table.drop_useless()
    found = (table or arrays["train"]).target(task)
    known = found.names if names is None or found.names is None else names
    settings: dict[str, Any] = {"memory": memory, "names": known, "of_indices": names is not None}
    train, held_out = (table or arrays["train"]).slices(**settings).parts(which)
    if table is None and partition.split != "shuffled" and isinstance(train.rows, Chunked):
        # The first rows of a file can be read there; others are copied to one of their own.
        stored = arrays["train"].x.part(0, train.rows.n)
        train = train._replace(rows=dataclasses.replace(train.rows, stored=stored))
    parts = {"training": train} | ({} if held_out is None else {"validation": held_out})
    if table is None and "test" in arrays:
        parts["test"] = arrays["test"].slices(**settings).parts(None)[0]
    if table is not None:
        parts |= {part: _beside(extra, table, found.task, settings) for part, extra in files.items()}
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


def _held_out(n: int, table: LargeTable | None, partition: Partition) -> Which:
    """Return what chooses the rows that validate, of `n` rows of a table or of arrays."""
    usual = LAST if table is None else usual_share(n)
    share = usual if partition.validation is None else checked_share("validation", partition.validation)
    by = partition.validation_by
    if by is not None:
        if table is None:
            raise SettingError(f"validation_by {by!r} names a column, and the data has none: leave it out")
        return table.by_column(by, share, partition.seed)
    how = partition.split or ("last" if table is None else "shuffled")
    return from_row(cut_off(n, share)) if how == "last" else at_random(share, partition.seed)


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
