"""Inspection: what data hold, before anything is trained on them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table, as_table
from numlp.datasets.folder import is_idx
from numlp.datasets.labels import class_names, column_labels, infer_task, targets
from numlp.datasets.parts import read_data
from numlp.datasets.readers import ARRAYS, npz_parts, read_samples
from numlp.datasets.reading import Reading
from numlp.datasets.sources import SOURCES
from numlp.datasets.suffixes import suffix_of
from numlp.datasets.tables import read_table
from numlp.errors import DataError, FileFormatError
from numlp.files.kinds import kind_of
from numlp.judging.columns import describe, duplicate_rows
from numlp.network.losses import Task

_LEAST_ROWS = 2  # of a class, to be in both the training and the validation rows


def is_data(name: str) -> bool:
    """Return whether a name is that of a data set, or of a file or a folder of data.

    >>> is_data("mnist"), is_data("houses.csv"), is_data("model.safetensors")
    (True, True, False)
    """
    path = Path(name)
    is_array = path.suffix.lower() in ARRAYS or is_idx(path.name)
    if path.is_dir() and (kind := kind_of(path)) is not None and kind.name == "folder":
        return any(suffix_of(each) or is_idx(each.name) for each in path.iterdir())
    return name in SOURCES or suffix_of(name) is not None or is_array


def inspect_data(name: str, reading: Reading, task: Task | None = None) -> dict[str, Any]:
    """Return what data hold, as JSON can hold it.

    Parameters
    ----------
    name : str
        Of a data set, a file or a folder, as for `numlp.load_dataset`.
    reading : Reading
        With the target, if it is known. Rows of a table without a target are left out.
    task : "classification", "labels" or "regression", optional

    Returns
    -------
    dict
        "rows"; "shape" of a row; "columns" of a table or of plain rows of numbers, a list of the parts of
        `numlp.judging.columns.Column`; "duplicate_rows", in the columns that aren't left out; "notes" on how the data
        were read; and "target", None without one: its "name", "task", the "classes" with their numbers of rows or the
        range of the values, "low" and "high", and "remarks".

    Raises
    ------
    FileFormatError, DataError, SettingError, DownloadError
    """
    if suffix_of(name) is not None:
        return _table(Path(name), reading, task)
    if Path(name).suffix.lower() in ARRAYS and reading.target is None and not _has_targets(Path(name), reading):
        return _array(read_samples(Path(name))) | {"notes": [], "target": None}
    parts, known = read_data(name, reading)
    samples = parts.parts.get("train") or next(iter(parts.parts.values()))
    target = _array_target(samples.y, known, task)
    return _array(samples.x, samples.y) | {"notes": list(parts.notes), "target": target}


def _has_targets(path: Path, reading: Reading) -> bool:
    try:
        return path.suffix.lower() == ".npz" and bool(npz_parts(path, reading))
    except FileFormatError:  # which reading the samples alone shows, too, if it isn't only for want of targets
        return False


def _array(samples: Any, labels: AnyArray | None = None) -> dict[str, Any]:
    x = np.asarray(samples)
    found: dict[str, Any] = {"rows": len(x), "shape": list(x.shape[1:]), "columns": []}
    return found | _columns(as_table(x), labels) if x.ndim == 2 and x.dtype != np.uint8 else found


def _table(path: Path, reading: Reading, task: Task | None) -> dict[str, Any]:
    content = read_table(path, dataclasses.replace(reading, drop_missing_target=reading.target is not None))
    others = [name for name in content.table if name not in (reading.target, reading.weights)]
    table = content.table[others]
    target, labels = None, None
    if reading.target is not None and content.written is not None:
        target, labels = _target(reading.target, content.table[reading.target], content.written, task)
    found = {"rows": len(table), "shape": [len(others)], **_columns(table, labels, reading.keep)}
    return found | {"notes": list(content.notes), "target": target}


def _columns(table: Table, labels: AnyArray | None, keep: Sequence[str] = ()) -> dict[str, Any]:
    columns = describe(table, labels, keep)
    left = [column.name for column in columns if column.left_out is None]  # an id would tell equal rows apart
    equal = duplicate_rows(table[left], labels) if left else 0
    return {"columns": [dataclasses.asdict(column) for column in columns], "duplicate_rows": equal}


def _target(
    name: str, values: AnyArray, written: AnyArray, task: Task | None
) -> tuple[dict[str, Any], AnyArray | None]:
    """Return what a table's target is, and its classes or values; None if it can't be a target."""
    try:
        found, labels = column_labels(values, written, name, task)
    except DataError as error:
        return {"name": name, "task": None, "remarks": [str(error)]}, None
    labels = values.astype(np.float64) if found == "regression" else labels
    return {"name": name, "task": found, **_held(labels, found)}, labels


def _array_target(y: AnyArray, known: Sequence[str] | None, task: Task | None) -> dict[str, Any]:
    """Return what an array of targets is."""
    found = task or ("classification" if known else infer_task(y))
    if found == "classification" and (y.ndim == 1 or y.shape[1] == 1):
        names = tuple(known or class_names(y))
        labels = np.array(names, dtype=object)[targets(y, names, of_indices=known is not None)]
        return {"name": "y", "task": found, **_held(labels, found)}
    return {"name": "y", "task": found, **_held(y.ravel(), "regression")}


def _held(labels: AnyArray, task: Task) -> dict[str, Any]:
    """Return the range of values, or the classes with their numbers of rows, and remarks."""
    if task == "regression":
        (column,) = describe(Table({"y": labels}))
        remarks = (
            ["all rows have the same value: there is nothing to learn about it"] if column.different == 1 else []
        )
        return {"low": column.low, "high": column.high, "remarks": remarks}
    counts = Counter(labels.tolist())
    remarks = ["there is one class only"] if len(counts) == 1 else []
    if single := [label for label, count in counts.items() if count == 1]:
        remarks.append(f"{len(single):,} of {len(counts):,} classes have a single row, such as {single[0]!r:.100}")
    return {"classes": {name: counts[name] for name in class_names(labels)}, "remarks": remarks}
