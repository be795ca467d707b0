"""Data sets by name or from the user's files, split into training, validation and test rows."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from numlp.arrays.inputs import as_features
from numlp.data.weights import as_weights
from numlp.datasets.dataset import AnySplit, Dataset, Split, WeightedSplit
from numlp.datasets.labels import class_names, infer_task, targets
from numlp.datasets.readers import SUFFIXES, Table, read_table
from numlp.datasets.sources import SOURCES, locate, read_folder
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.network.losses import Task
from numlp.settings.checks import share, unknown

__all__ = ["SOURCES", "AnySplit", "Dataset", "Split", "WeightedSplit", "load_dataset", "load_rows"]


def load_dataset(
    name: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    target: str | None = None,
    task: Task | None = None,
    validation: float | str | os.PathLike[str] = 0.05,
    test: str | os.PathLike[str] | None = None,
    weights: str | None = None,
    names: Sequence[str] | None = None,
) -> Dataset:
    """Load a data set by its name, or from files.

    Parameters
    ----------
    name : str or path
        "mnist", which is part of the package; "fashion-mnist", which numlp finds on this machine or downloads; or a
        path: ``.npz`` with `x` and `y`, ``.npy`` with x, ``.csv`` with a header line, or a folder of IDX files named
        like MNIST's.
    data_dir : path, optional
        For a named data set: the folder that holds a folder `name`.
    target : str, optional
        For ``.csv``, the name of the target column; for ``.npy``, the file with y.
    task : "classification", "labels" or "regression", optional
        For files: what the target is. By default, names, booleans, whole numbers with at most 100 different values
        that occur twice on average, and rows of probabilities are classes; other rows of 0 and 1 are labels; all else
        is real-valued. With "labels", two classes make one label.
    validation : float or path
        A share of the training rows, taken from their end, or an ``.npz`` or ``.csv`` file.
    test : path, optional
        An ``.npz`` or ``.csv`` file; named data sets and folders have test rows of their own.
    weights : str, optional
        For files: where the samples' weights are: a column of a ``.csv``, an array in an ``.npz``, or a file beside
        an ``.npy``.
    names : sequence of str, optional
        For files: the names of the classes, in the order of their indices; by default, those of the labels in the
        data.

    Returns
    -------
    Dataset

    Raises
    ------
    SettingError, FileFormatError, DataError, DownloadError

    Examples
    --------
    >>> mnist = load_dataset("mnist")
    >>> mnist.train.x.shape, mnist.validation.x.shape, mnist.test.x.shape
    ((57000, 28, 28), (3000, 28, 28), (10000, 28, 28))
    >>> x, y = mnist.test
    >>> y[:5]
    array([7, 2, 1, 0, 4])
    """
    name = os.fspath(name)
    if task not in (None, *get_args(Task)):
        raise SettingError(unknown("task", task, get_args(Task)))
    files = _extra_files(validation, test)
    columns = None
    if target is not None and not name.lower().endswith((".csv", ".npy")):
        raise SettingError(f"target {target!r} doesn't apply to {name}; leave it out, or name a .csv or .npy file")
    if name in SOURCES:
        if task == "regression":
            raise SettingError(
                f"{name} has classes; task 'regression' and losses for real-valued targets don't apply to it"
            )
        if weights is not None:
            raise SettingError(f"weights {weights!r} doesn't apply to {name}, which has no weights; leave it out")
        source = SOURCES[name]
        folder = locate(name, data_dir)
        if folder is None:
            from numlp.datasets.download import fetch  # its imports are slow

            folder = fetch(source)
        parts = _read_folder(folder, source.sha256)
        names = source.class_names
    else:
        parts = _read(name, target, weights=weights)
        labels, columns = parts["train"].y, parts["train"].columns
        task = task or infer_task(labels)
        of_classes = task == "classification" or (task == "labels" and labels.ndim == 1)
        if names is None and of_classes:
            names = class_names(labels)
    parts |= {part: read_table(path, target, columns, weights) for part, path in files.items()}
    split = {part: _split(table, names) for part, table in parts.items()}
    if "validation" not in split:
        split["train"], split["validation"] = _cut(split["train"], share("validation", validation))
    names = None if names is None else tuple(names)
    return Dataset(
        name, split["train"], split["validation"], split.get("test"), names, columns, task or "classification"
    )


def load_rows(
    name: str | os.PathLike[str],
    *,
    n_features: int,
    names: Sequence[str] | None,
    columns: Sequence[str] | None = None,
    part: str | None = None,
    target: str | None = None,
    weights: str | None = None,
    validation: float | str | os.PathLike[str] = 0.05,
) -> AnySplit:
    """Load samples and targets for evaluating a network.

    Parameters
    ----------
    name : str or path
        As for `load_dataset`.
    n_features : int
        The number of the network's inputs; samples with another number are refused before their labels are read.
    names : sequence of str, or None
        The names of the network's classes, to look labels up in; None for real-valued targets.
    columns : sequence of str, optional
        The names of the network's inputs, to look a table's columns up by.
    part : "train", "validation" or "test", optional
        Of a named data set or a folder, by default its test rows. A file is read whole.
    target, weights, validation
        As for `load_dataset`.
    """
    name = os.fspath(name)
    if name in SOURCES or os.path.isdir(name):
        if part not in (None, "train", "validation", "test"):
            raise SettingError(unknown("split", part, ("train", "validation", "test")))
        if weights is not None:
            raise SettingError(f"weights {weights!r} doesn't apply to {name}, which has no weights; leave it out")
        # A folder's labels stay as they are: values, which may be the names of classes.
        dataset = load_dataset(name, task=None if name in SOURCES else "regression", validation=validation)
        rows: AnySplit = getattr(dataset, part or "test")
        as_features(rows.x, n_features)
        labels = rows.y if dataset.class_names is None or names is None else np.array(dataset.class_names)[rows.y]
        return Split(rows.x, targets(labels, names))
    if part is not None:
        raise SettingError(
            f"split {part!r} doesn't apply to {name}, which is read whole; only named data sets and folders have "
            "splits"
        )
    table = _read(name, target, columns, weights)["train"]
    as_features(table.x, n_features)
    return _split(table, names)


def _split(table: Table, names: Sequence[str] | None) -> AnySplit:
    y = targets(table.y, names)
    if table.weights is None:
        return Split(table.x, y)
    return WeightedSplit(table.x, y, as_weights(table.weights, len(table.x)))


def _read(
    name: str, target: str | None, columns: Sequence[str] | None = None, weights: str | None = None
) -> dict[str, Table]:
    """Read the parts of a folder or a file."""
    path = Path(name)
    if os.path.isdir(path):
        return _read_folder(path)
    if path.suffix.lower() in SUFFIXES:
        return {"train": read_table(path, target, columns, weights)}
    if os.path.exists(path):
        raise FileFormatError(f"can't tell what {name} holds: its suffix must be one of {', '.join(SUFFIXES)}")
    if len(path.parts) > 1:
        raise FileFormatError(f"there is no file or folder {name}")
    raise SettingError(unknown("data set", name, SOURCES) + f"; or name a {', '.join(SUFFIXES)} file or a folder")


def _read_folder(folder: Path, sha256: Mapping[str, str] | None = None) -> dict[str, Table]:
    return {part: Table(*split) for part, split in read_folder(folder, sha256).items()}


def _extra_files(
    validation: float | str | os.PathLike[str], test: str | os.PathLike[str] | None
) -> dict[str, str | os.PathLike[str]]:
    files: dict[str, str | os.PathLike[str]] = {}
    if isinstance(validation, str | os.PathLike):
        files["validation"] = validation
    else:
        share("validation", validation)
    if test is not None:
        files["test"] = test
    for part, path in files.items():
        if Path(path).suffix.lower() not in (".npz", ".csv"):
            raise SettingError(f"{part} must be an .npz or .csv file with x and y, not {os.fspath(path)!r}")
    return files


def _cut(rows: AnySplit, held_out: float) -> tuple[AnySplit, AnySplit]:
    """Split the last share of the rows off: at least one row, and not all of them."""
    # Round first, so that 1 − 0.9 of 10 rows is 1 row, not 0.999….
    count = int(round((1 - held_out) * len(rows.x), 6))
    if not 0 < count < len(rows.x):
        raise DataError(
            f"validation {held_out:g} of {len(rows.x)} rows must leave rows for both training and validation; give "
            "more rows or another share"
        )
    return type(rows)(*(part[:count] for part in rows)), type(rows)(*(part[count:] for part in rows))
