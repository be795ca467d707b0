"""Data sets by name or from the user's files, split into training, validation and test rows."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from numlp.arrays.inputs import as_features
from numlp.arrays.special import AnyArray
from numlp.data.weights import as_weights
from numlp.datasets import folder
from numlp.datasets.dataset import AnySplit, Dataset, Split, WeightedSplit
from numlp.datasets.folder import FILES, is_idx
from numlp.datasets.labels import class_names, infer_task, targets
from numlp.datasets.readers import SUFFIXES, Table, npz_parts, read_parts
from numlp.datasets.sources import SOURCES, locate
from numlp.datasets.splits import Fold, How
from numlp.datasets.validation import apart, check_split, divided, extra_files, held_out
from numlp.errors import FileFormatError, SettingError
from numlp.files.kinds import kind_of, refused
from numlp.network.losses import Task
from numlp.network.shape import as_names
from numlp.settings.checks import listed, unknown

__all__ = ["SOURCES", "AnySplit", "Dataset", "Split", "WeightedSplit", "load_dataset", "load_rows", "parts_in"]

_WANTED = f"a file of data ({', '.join(SUFFIXES)}) or a folder of IDX files"


def load_dataset(
    name: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    target: str | None = None,
    task: Task | None = None,
    validation: float | str | os.PathLike[str] | None = None,
    validation_by: str | None = None,
    split: How | None = None,
    seed: int = 0,
    folds: int | None = None,
    test: str | os.PathLike[str] | None = None,
    weights: str | None = None,
    names: Sequence[str] | None = None,
    inputs: str | None = None,
) -> Dataset:
    """Load a data set by its name, or from files.

    Parameters
    ----------
    name : str or path
        "mnist", which is part of the package; "fashion-mnist", which numlp finds on this machine or downloads; or a
        path: ``.npz`` with `x` and `y` (or `x_train`, `y_train`, `x_test`, `y_test`, …), ``.npy`` with x, ``.csv``
        with a header line, or a folder of IDX files named like those of MNIST, EMNIST or QMNIST. If a folder holds
        several such data sets, name a file of the one to read.
    data_dir : path, optional
        For a named data set: the folder that holds a folder `name`.
    target : str, optional
        For ``.csv``, the name of the target column; for ``.npz``, that of the array y, or the file with y; for
        ``.npy``, the file with y.
    task : "classification", "labels" or "regression", optional
        For files: what the target is. By default, names, booleans, rows of probabilities, and whole numbers that
        occur twice on average, at most 20 or at most 100 from 0 or 1 without a break, are classes; other rows of 0
        and 1 are labels; all else is real-valued. With "labels", two classes make one label.
    validation : float or path, optional
        A share of the training rows, or an ``.npz`` or ``.csv`` file; by default a fifth of a table's rows, at most
        10,000, and 5 % of the rows of arrays and images. If the data holds validation rows of its own, they take the
        place of a share.
    validation_by : str, optional
        A column of a table, which isn't a feature then. If it holds dates, the latest rows validate; else its values
        are groups, and no group is among both the training and the validation rows.
    split : "shuffled" or "last", optional
        Which rows validate: a random share of each class, or of each tenth of the real values; or the last rows. By
        default "shuffled" for tables, which are often sorted, and "last" for arrays and images.
    seed : int
        Of the shuffled rows.
    folds : int, optional
        Hold no share out, but split the rows for so many networks, each of which validates on rows of its own. With
        `split` "last", and by dates, a network trains on the rows before those. Given validation rows come first.
    test : path, optional
        An ``.npz`` or ``.csv`` file; named data sets, and most folders, have test rows of their own.
    weights : str, optional
        For files: where the samples' weights are: a column of a ``.csv``, an array in an ``.npz``, or a file beside
        an ``.npy``.
    names : sequence of str, optional
        The names of the classes, in the order of their indices; by default, those of the labels in the data. Numbers
        in the data are always indices of these names, even if the names are digits.
    inputs : str, optional
        For ``.npz``: the name of the array x, of the training rows if there are several parts.

    Returns
    -------
    Dataset

    Warns
    -----
    UserWarning
        If EMNIST's images are turned upright, or a column is chosen among QMNIST's labels.

    Raises
    ------
    SettingError, FileFormatError, DataError, DownloadError

    Examples
    --------
    >>> mnist = load_dataset("mnist")
    >>> mnist
    Dataset mnist: 57,000 training, 3,000 validation, 10,000 test rows, 784 features, 10 classes
    >>> x, y = mnist.test
    >>> y[:5]
    array([7, 2, 1, 0, 4])
    """
    name = os.fspath(name)
    if task not in (None, *get_args(Task)):
        raise SettingError(unknown("task", task, get_args(Task)))
    if names is not None:
        if task == "regression":
            raise SettingError("names are for classes, not for real-valued targets; leave out names or the task")
        names = as_names("names", names, len(names))
    files = extra_files(validation, test)
    check_split(split, by=validation_by)
    if name in SOURCES and task == "regression":
        raise SettingError(
            f"{name} has classes; task 'regression' and losses for real-valued targets don't apply to it"
        )
    parts, known = _read(name, target, weights=weights, inputs=inputs, data_dir=data_dir)
    if "train" not in parts:
        raise FileFormatError(f"{name} holds {listed(parts)} rows alone; training needs training rows")
    by: AnyArray | None = None
    if validation_by is not None:
        if "validation" in {*files, *parts}:
            raise SettingError("validation_by holds rows out, but there are validation rows: leave it out")
        by, x, others = apart(parts["train"].x, parts["train"].columns, validation_by)
        parts["train"] = parts["train"]._replace(x=x, columns=others)
    labels, columns = parts["train"].y, parts["train"].columns
    if names is None and known is None:
        task = task or infer_task(labels)
        of_classes = task == "classification" or (task == "labels" and labels.ndim == 1)
        found = class_names(labels) if of_classes else None
    else:
        found = known if names is None else names
    # Numbers in a file are indices of names that the user, or the file's maker, gave to them.
    rows = {part: _split(table, found, of_indices=(names or known) is not None) for part, table in parts.items()}
    for part, path in files.items():
        table = _read_extra(path, part, name, target, columns, weights, inputs)
        rows[part] = _split(table, found, of_indices=names is not None)
    task, values = task or "classification", None
    made: tuple[Fold, ...] = ()
    if "validation" not in rows:
        rows["train"], rows["validation"], values, made = divided(
            rows["train"], validation, split, folds=folds, seed=seed, task=task, by=by, is_table=columns is not None
        )
    return Dataset(name, rows["train"], rows["validation"], rows.get("test"), found, columns, task, values, made)


def load_rows(
    name: str | os.PathLike[str],
    *,
    n_features: int,
    names: Sequence[str] | None,
    columns: Sequence[str] | None = None,
    part: str | None = None,
    target: str | None = None,
    weights: str | None = None,
    inputs: str | None = None,
    validation: float | str | os.PathLike[str] | None = None,
    split: How | None = None,
    seed: int = 0,
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
        Of data with several parts, by default its test rows. Data with one part is read whole.
    target, weights, inputs, validation, split, seed
        As for `load_dataset`.
    """
    name = os.fspath(name)
    tables, known = _read(name, target, columns, weights, inputs)
    if len(tables) == 1:
        if part is not None:
            raise SettingError(f"split {part!r} doesn't apply to {name}, which is read whole: it has no splits")
        (table,) = tables.values()
    else:
        part = part or "test"
        if part not in ("train", "validation", "test"):
            raise SettingError(unknown("split", part, ("train", "validation", "test")))
        cut = part == "validation" and part not in tables
        if not cut and part not in tables:
            raise SettingError(f"split {part!r} doesn't apply to {name}; it holds {listed(tables)}")
        table = tables["train" if cut else part]
    as_features(table.x, n_features)
    if known is not None and names is not None:
        table = table._replace(y=np.array(known)[targets(table.y, known, of_indices=True)])
    rows = _split(table, names)
    if part in ("train", "validation") and "validation" not in tables:
        task: Task = "regression" if names is None else "classification"
        return held_out(rows, validation, split, seed=seed, task=task)[:2][part == "validation"]
    return rows


def parts_in(
    name: str | os.PathLike[str], *, inputs: str | None = None, target: str | None = None
) -> tuple[str, ...]:
    """Return the parts that data holds, such as "train" and "test", or () for rows without parts.

    Parameters
    ----------
    name, inputs, target
        As for `load_dataset`.
    """
    path = Path(name)
    found: Collection[str] = ()
    if os.fspath(name) in SOURCES:
        found = FILES
    elif os.path.isdir(path) or (os.path.exists(path) and is_idx(path.name)):
        found = folder.parts_in(path)
    elif path.suffix.lower() == ".npz":
        found = npz_parts(path, inputs, target)
    return tuple(found) if len(found) > 1 else ()


def _split(table: Table, names: Sequence[str] | None, *, of_indices: bool = False) -> AnySplit:
    y = targets(table.y, names, of_indices=of_indices)
    if table.weights is None:
        return Split(table.x, y)
    return WeightedSplit(table.x, y, as_weights(table.weights, len(table.x)))


def _read(
    name: str,
    target: str | None,
    columns: Sequence[str] | None = None,
    weights: str | None = None,
    inputs: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[dict[str, Table], tuple[str, ...] | None]:
    """Read the parts of a named data set, a folder or a file, and the names of its classes if they are known."""
    path = Path(name)
    suffix = path.suffix.lower()
    for setting, value, kinds in (
        ("target", target, SUFFIXES),
        ("weights", weights, SUFFIXES),
        ("inputs", inputs, (".npz",)),
    ):
        if value is not None and (name in SOURCES or suffix not in kinds):
            raise SettingError(
                f"{setting} {value!r} doesn't apply to {name}; leave it out, or name a file {' or '.join(kinds)}"
            )
    if name in SOURCES:
        source = SOURCES[name]
        found = locate(name, data_dir)
        if found is None:
            from numlp.datasets.download import fetch  # its imports are slow

            found = fetch(source)
        return _tables(folder.read_folder(found, source.sha256).parts), source.class_names
    if os.path.isdir(path) or (os.path.exists(path) and is_idx(path.name)):
        content = folder.read_folder(path)
        return _tables(content.parts), content.class_names
    if suffix in SUFFIXES:
        return read_parts(path, target, columns, weights, inputs), None
    if os.path.exists(path):
        kind = kind_of(path)
        if kind is not None and f".{kind.name}" in SUFFIXES:
            raise FileFormatError(f"{name} is {kind.title}: give it the suffix .{kind.name}")
        untold = f"can't tell what {name} holds: its suffix must be one of {', '.join(SUFFIXES)}"
        raise refused(path, _WANTED, ("idx",), "", unknown=untold)
    if len(path.parts) > 1:
        raise FileFormatError(f"there is no file or folder {name}")
    raise SettingError(unknown("data set", name, SOURCES) + f"; or name a {', '.join(SUFFIXES)} file or a folder")


def _tables(parts: Mapping[str, Split]) -> dict[str, Table]:
    return {part: Table(*split) for part, split in parts.items()}


def _read_extra(
    path: str | os.PathLike[str],
    part: str,
    name: str,
    target: str | None,
    columns: Sequence[str] | None,
    weights: str | None,
    inputs: str | None,
) -> Table:
    """Read the validation or test rows of a file beside that of the training rows."""
    alike = Path(path).suffix.lower() == Path(name).suffix.lower()
    parts = read_parts(path, target if alike else None, columns, weights, inputs if alike else None)
    return parts.get(part) or next(iter(parts.values()))
