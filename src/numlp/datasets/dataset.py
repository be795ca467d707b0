"""A data set: training, validation and test rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.data.chunked import Chunked
from numlp.datasets.reading import Reading
from numlp.datasets.splits import Fold
from numlp.network.losses import Task
from numlp.settings.texts import counted


class Split(NamedTuple):
    """One part of a data set: samples and their targets.

    Attributes
    ----------
    x : array, shape (n, …), or Table
    y : array, shape (n,) or (n, outputs)
        Class indices, labels, or values.
    """

    x: Any
    y: npt.NDArray[Any]


class WeightedSplit(NamedTuple):
    """One part of a data set whose samples also have weights, (n,)."""

    x: Any
    y: npt.NDArray[Any]
    weights: npt.NDArray[Any]


AnySplit = Split | WeightedSplit


def count_rows(rows: AnySplit | Chunked) -> int:
    """Return the number of rows of a part."""
    return rows.n if isinstance(rows, Chunked) else len(rows.y)


def taken(rows: AnySplit, which: Any) -> AnySplit:
    """Return the rows that a slice or an array of indices selects."""
    return type(rows)(*(part[which] for part in rows))


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Rows for training, for choosing between models, and for the final test.

    A data set prints as a summary, not as its arrays.

    Attributes
    ----------
    name : str
    train, validation : Split, WeightedSplit, or Chunked
        Chunked if the rows don't fit into the memory that `load_dataset` was given.
    test : Split, WeightedSplit, Chunked or None
    feature_names : tuple of str, or None
        For tables: the names of the columns of `x`.
    task : "classification", "labels" or "regression"
        What the targets are.
    class_names : tuple of str, or None
        For classes, their names: ``class_names[y]`` is the meaning of `y`. None for real-valued targets and for rows
        of labels.
    validation_by : tuple of two arrays, or None
        The column by which the rows were split, of the training and of the validation rows: groups, or times.
    folds : tuple of Fold
        For several networks, the rows of `train` that train each of them and those that validate it. Then
        `validation` has no rows.
    notes : tuple of str
        What the user should know about how a table was read, such as which columns were left out.
    reading : Reading
        How the data were read, with the signs in numbers that were seen.
    numbers : mapping of str to array of int
        The numbers of the rows of a part in their file, where these aren't 0, 1, 2, …; see `numbers_of`.
    """

    name: str
    train: AnySplit
    validation: AnySplit
    test: AnySplit | None
    class_names: tuple[str, ...] | None
    feature_names: tuple[str, ...] | None = None
    task: Task = "classification"
    validation_by: tuple[AnyArray, AnyArray] | None = None
    folds: tuple[Fold, ...] = ()
    notes: tuple[str, ...] = ()
    reading: Reading = Reading()  # noqa: RUF009  # frozen
    numbers: Mapping[str, AnyArray] = dataclasses.field(default_factory=dict)

    def of_network(self, number: int) -> Dataset:
        """Return the data as the network of this number takes them: split as its fold says."""
        if not self.folds:
            return self
        fold = self.folds[number % len(self.folds)]
        training, validation = taken(self.train, fold.training), taken(self.train, fold.validation)
        rows = self.numbers_of("training")
        numbers = {**self.numbers, "training": rows[fold.training], "validation": rows[fold.validation]}
        return dataclasses.replace(self, train=training, validation=validation, folds=(), numbers=numbers)

    def numbers_of(self, part: str) -> AnyArray:
        """Return the numbers that the rows of a part have in their file, from 0.

        The training and validation rows are those of one file if validation rows were held out; and rows without a
        target may have been left out.
        """
        return self.numbers[part] if part in self.numbers else np.arange(len(self.held(part).y))

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each part."""
        return {part: count_rows(rows) for part, rows in self.parts.items()}

    @property
    def in_chunks(self) -> bool:
        """Whether rows come in chunks, since they don't fit into memory."""
        return any(isinstance(rows, Chunked) for rows in self.parts.values())

    def held(self, part: str) -> AnySplit:
        """Return rows of a part that are in memory: all of them or, if they come in chunks, a sample."""
        rows = self.parts[part]
        return rows.sample if isinstance(rows, Chunked) else rows

    @property
    def parts(self) -> dict[str, AnySplit | Chunked]:
        """The rows by purpose: "training", "validation" and, if there are any, "test"."""
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in parts.items() if split is not None and count_rows(split)}

    def __str__(self) -> str:
        rows = ", ".join(f"{count:,} {name}" for name, count in self.rows.items())
        kind = {"classification": "class", "labels": "label", "regression": "real-valued target"}[self.task]
        if self.class_names is not None:  # a single label is a choice between two classes
            kind = "class"
        count = counted(self.n_targets, kind, "classes" if kind == "class" else None)
        targets = f"{kind}s" if self.task == "regression" and self.n_targets == 1 else count
        return f"{self.name}: {rows} rows, {counted(self.n_features, 'feature')}, {targets}"

    def __repr__(self) -> str:
        return f"Dataset {self}"

    @property
    def n_features(self) -> int:
        """The number of features of a sample, and so of a network's inputs."""
        return math.prod(self.held("training").x.shape[1:])

    @property
    def n_targets(self) -> int:
        """The number of targets of a row: classes, labels or values."""
        if self.class_names is not None:
            return len(self.class_names)
        y = self.held("training").y
        return 1 if y.ndim == 1 else int(y.shape[1])
