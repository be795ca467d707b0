"""Data sets by name or from the user's files, split into training, validation and test rows."""

import os
from collections.abc import Mapping, Sequence
from typing import get_args

from numlp.arrays.table import Kind
from numlp.data.chunked import Chunked
from numlp.datasets.dataset import AnySplit, Dataset, Split, WeightedSplit
from numlp.datasets.labelled import load_rows
from numlp.datasets.loading import load_in_memory
from numlp.datasets.parts import is_larger, parts_in, pattern_of
from numlp.datasets.reading import Reading, gaps, kinds, texts
from numlp.datasets.sources import SOURCES
from numlp.datasets.splits import How
from numlp.datasets.validation import Folds, Partition
from numlp.errors import SettingError
from numlp.network.losses import Task
from numlp.network.shape import as_names
from numlp.settings.checks import as_bytes, unknown

__all__ = [
    "SOURCES",
    "AnySplit",
    "Chunked",
    "Dataset",
    "Split",
    "WeightedSplit",
    "load_dataset",
    "load_rows",
    "parts_in",
]


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
    folds: Folds = None,
    test: str | os.PathLike[str] | None = None,
    weights: str | None = None,
    names: Sequence[str] | None = None,
    inputs: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    kind: Mapping[str, Kind] | Sequence[str] = (),
    missing: Sequence[str | float] = (),
    decimal: str | None = None,
    thousands: str | None = None,
    header: bool | None = None,
    drop_missing_target: bool = False,
    day_first: bool | None = None,
    memory: int | str | None = None,
) -> Dataset:
    """Load a data set by its name, or from files.

    Parameters
    ----------
    name : str or path
        "mnist", which is part of the package; "fashion-mnist", which numlp finds on this machine or downloads; or a
        path: ``.npz`` with `x` and `y` (or `x_train`, `y_train`, `x_test`, `y_test`, …), ``.npy`` with x, a table, or
        a folder of IDX files named like those of MNIST, EMNIST or QMNIST. If a folder holds several such data sets,
        name a file of the one to read. Tables are ``.csv``, ``.tsv`` and ``.txt`` with any separator, ``.jsonl`` and
        ``.parquet``; all but the last may be packed, as in ``.csv.gz`` and ``.csv.zst``. ``part-*.csv``, or a folder,
        reads several files with the same columns, in the order of their names.
    data_dir : path, optional
        For a named data set: the folder that holds a folder `name`.
    target : str, optional
        For tables, the name of the target column; for ``.npz``, that of the array y, or the file with y; for
        ``.npy``, the file with y.
    task : "classification", "labels" or "regression", optional
        For files: what the target is. By default, names, booleans, rows of probabilities, and whole numbers that
        occur twice on average, at most 20 or at most 100 from 0 or 1 without a break, are classes; other rows of 0
        and 1 are labels; all else is real-valued. With "labels", two classes make one label.
    validation : float or path, optional
        A share of the training rows, or an ``.npz`` file or a table; by default a fifth of a table's rows, at most
        10,000, and 5 % of the rows of arrays and images. If the data holds validation rows of its own, they take the
        place of a share.
    validation_by : str, optional
        A column of a table, which isn't a feature then unless `keep` names it. If it holds dates, the latest rows
        validate; else its values are groups, and no group is among both the training and the validation rows.
    split : "shuffled" or "last", optional
        Which rows validate: a random share of each class, or of each tenth of the real values; or the last rows. By
        default "shuffled" for tables, which are often sorted, and "last" for arrays and images.
    seed : int
        Of the shuffled rows.
    folds : int, or function of the training rows and the task that returns it, optional
        Hold no share out, but split the rows for so many networks, each of which validates on rows of its own. With
        `split` "last", and by dates, a network trains on the rows before those. Given validation rows come first.
    test : path, optional
        An ``.npz`` file or a table; named data sets, and most folders, have test rows of their own.
    weights : str, optional
        For files: where the samples' weights are: a column of a table, an array in an ``.npz``, or a file beside
        an ``.npy``.
    names : sequence of str, optional
        The names of the classes, in the order of their indices; by default, those of the labels in the data. Numbers
        in the data are always indices of these names, even if the names are digits.
    inputs : str, optional
        For ``.npz``: the name of the array x, of the training rows if there are several parts.
    drop, keep : sequence of str
        Columns of a table to leave out, and to keep although they can't help: without a value, with one value in all
        rows, texts that differ in nine of ten rows, or without a name and only numbering the rows.
    kind : mapping of str to "number", "text" or "date", or sequence of str
        What columns of a table hold, also written ``["zip=text"]``. By default all cells of a column decide. A column
        of texts is kept as it is written.
    missing : sequence of str or float
        What else stands for a gap in a table, beside empty cells, NA, NaN, null and ?.
    decimal, thousands : str, optional
        The signs before decimals and between thousands in a table's numbers, such as "," and "."; by default all
        columns decide.
    header : bool, optional
        Whether the first line of a CSV file names the columns; by default the lines below it decide.
    drop_missing_target : bool
        Whether to leave out a table's rows without a target; by default, they are an error.
    day_first : bool, optional
        Whether a table's dates such as 3/4/2026 begin with the day, where all dates of a column leave it open.
    memory : int or str, optional
        How many bytes rows may take in memory, also as "4GB". If a table, an ``.npy`` file or a folder of IDX files
        would take more, `train` is a `Chunked`, whose rows `train` and `evaluate` read from files in chunks; so are
        `validation` and `test` if they are large. By default all rows are read into memory.

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
    name = pattern_of(name)
    if task not in (None, *get_args(Task)):
        raise SettingError(unknown("task", task, get_args(Task)))
    if names is not None:
        if task == "regression":
            raise SettingError("names are for classes, not for real-valued targets; leave out names or the task")
        names = as_names("names", names, len(names))
    partition = Partition(validation, validation_by, split, seed, folds, test)
    partition.check()
    if name in SOURCES and task == "regression":
        raise SettingError(
            f"{name} has classes; task 'regression' and losses for real-valued targets don't apply to it"
        )
    reading = Reading(
        target,
        weights,
        inputs,
        texts("drop", drop),
        texts("keep", keep),
        kinds("kind", kind),
        gaps("missing", missing),
        decimal,
        thousands,
        header,
        drop_missing_target,
        day_first,
    )
    if memory is not None and is_larger(name, most := as_bytes("memory", memory)):
        from numlp.datasets.larger import load_larger

        return load_larger(name, reading, most, partition, task=task, names=names)
    return load_in_memory(name, reading, partition, task=task, names=names, data_dir=data_dir)
