"""Loading: data sets whose rows are all read into memory."""

from __future__ import annotations

import os

from numlp.arrays.special import AnyArray
from numlp.datasets.dataset import Dataset, taken
from numlp.datasets.features import apart, helpful
from numlp.datasets.labels import class_names, column_labels, infer_task
from numlp.datasets.parts import as_split, read_data, read_extra
from numlp.datasets.readers import Samples
from numlp.datasets.reading import Reading
from numlp.datasets.splits import Fold
from numlp.datasets.validation import Partition, divided
from numlp.errors import FileFormatError, SettingError
from numlp.network.losses import Task
from numlp.settings.checks import listed


def load_in_memory(
    name: str,
    reading: Reading,
    partition: Partition,
    *,
    task: Task | None,
    names: tuple[str, ...] | None,
    data_dir: str | os.PathLike[str] | None,
) -> Dataset:
    """Load data that fit into memory; see `numlp.load_dataset`."""
    (parts, notes, reading), known = read_data(name, reading, data_dir=data_dir)
    if "train" not in parts:
        raise FileFormatError(f"{name} holds {listed(parts)} rows alone; training needs training rows")
    files, by = partition.files, None
    if partition.validation_by is not None:
        if "validation" in {*files, *parts}:
            raise SettingError("validation_by holds rows out, but there are validation rows: leave it out")
        by, parts["train"] = apart(parts["train"], partition.validation_by, reading.keep)
    parts["train"], left_out = helpful(parts["train"], reading.keep)
    training = parts["train"]
    given = known if names is None else names
    task, found = (task or "classification", given) if given is not None else _target(training, task, reading)
    # Numbers in a file are indices of names that the user, or the file's maker, gave to them.
    rows = {part: as_split(samples, found, of_indices=given is not None) for part, samples in parts.items()}
    for part, path in files.items():
        parts[part] = extra = read_extra(path, part, name, reading, training, task)
        rows[part] = as_split(extra, found, of_indices=names is not None)
    numbers = {part: samples.in_file for part, samples in parts.items()}
    folds: tuple[Fold, ...] = ()
    values: tuple[AnyArray, AnyArray] | None = None
    if "validation" not in rows:
        is_table = training.columns is not None
        train, held, folds = divided(rows["train"], partition, task=task, by=by, is_table=is_table)
        values = None if by is None or folds else (by[train], by[held])
        rows["train"], rows["validation"] = taken(rows["train"], train), taken(rows["train"], held)
        numbers["train"], numbers["validation"] = numbers["train"][train], numbers["train"][held]
    numbers["training"] = numbers.pop("train")
    return Dataset(
        name,
        rows["train"],
        rows["validation"],
        rows.get("test"),
        found,
        training.columns,
        task,
        values,
        folds,
        (*notes, *left_out),
        reading,
        numbers,
    )


def _target(training: Samples, task: Task | None, reading: Reading) -> tuple[Task, tuple[str, ...] | None]:
    """Return the task and the names of the classes, if there are any, as the targets of the training rows suggest."""
    if training.written is None:
        task, labels = task or infer_task(training.y), training.y
    else:
        task, labels = column_labels(training.y, training.written, str(reading.target), task)
    of_classes = task == "classification" or (task == "labels" and labels.ndim == 1)
    return task, class_names(labels) if of_classes else None
