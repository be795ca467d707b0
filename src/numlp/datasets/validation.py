"""Validation rows: those held out of the training rows of a data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import kind_of
from numlp.datasets.dataset import AnySplit
from numlp.datasets.splits import Fold, How, Index, cut_off, hold_out, usual_share
from numlp.datasets.splits import folds as split_rows
from numlp.datasets.suffixes import suffix_of
from numlp.errors import SettingError
from numlp.network.losses import Task
from numlp.settings.checks import share as checked_share
from numlp.settings.checks import unknown

Folds = int | Callable[[AnySplit, Task], int | None] | None
Which = slice | Index
LAST = 0.05  # of images, as the reference protocol for MNIST has it


class Partition(NamedTuple):
    """How the rows of a data set are divided into those that train, validate and test; see `numlp.load_dataset`."""

    validation: float | str | os.PathLike[str] | None = None
    validation_by: str | None = None
    split: How | None = None
    seed: int = 0
    folds: Folds = None
    test: str | os.PathLike[str] | None = None

    @property
    def files(self) -> dict[str, str | os.PathLike[str]]:
        """The files with validation and with test rows."""
        given = self.validation if isinstance(self.validation, str | os.PathLike) else None
        return {part: path for part, path in (("validation", given), ("test", self.test)) if path is not None}

    def check(self) -> None:
        """Raise an error for a share out of range, a file with another suffix, or settings that exclude each other.

        Raises
        ------
        SettingError
        """
        split, by, files = self.split, self.validation_by, self.files
        has_share = self.validation is not None and "validation" not in files
        if has_share:
            checked_share("validation", self.validation)
        for part, path in files.items():
            if Path(path).suffix.lower() != ".npz" and suffix_of(path) is None:
                raise SettingError(f"{part} must be an .npz file or a table with x and y, not {os.fspath(path)!r}")
        if split not in (None, *get_args(How)):
            raise SettingError(unknown("split", split, get_args(How)))
        if by is not None and split is not None:
            raise SettingError(f"split {split!r} and validation_by {by!r} exclude each other: leave one out")
        if isinstance(self.folds, int) and has_share:
            raise SettingError(
                f"validation {self.validation} holds rows out for one network, and each of the {self.folds} folds "
                "validates its own: leave one out"
            )


def held_out(
    rows: AnySplit, partition: Partition, *, task: Task, by: AnyArray | None = None, is_table: bool = False
) -> tuple[Which, Which]:
    """Return which rows train and which validate.

    Parameters
    ----------
    rows : Split or WeightedSplit
    partition : Partition
        Its share is by default a fifth of a table's rows, at most 10,000, and 5 % of other rows. Its split is by
        default "shuffled" for tables, which are often sorted, and "last" for other rows, such as images.
    task : "classification", "labels" or "regression"
    by : array, shape (n,), optional
        Dates: the latest rows validate. All else: groups, of which each is on one side.
    is_table : bool

    Raises
    ------
    DataError, SettingError
    """
    n = len(rows.x)
    usual = usual_share(n) if is_table else LAST
    share = usual if partition.validation is None else checked_share("validation", partition.validation)
    if by is None and (partition.split or ("shuffled" if is_table else "last")) == "last":
        count = cut_off(n, share)
        return slice(count), slice(count, None)
    return hold_out(n, share, partition.seed, targets=_strata(rows, task), **grouping(by))


def divided(
    rows: AnySplit, partition: Partition, *, task: Task, by: AnyArray | None, is_table: bool
) -> tuple[Which, Which, tuple[Fold, ...]]:
    """Return what `held_out` does, and no folds; or all rows, none that validate, and so many folds of the rows.

    If the last rows are to validate, the order of the rows is that of time.
    """
    folds = partition.folds(rows, task) if callable(partition.folds) else partition.folds
    if folds is None:
        return *held_out(rows, partition, task=task, by=by, is_table=is_table), ()
    n = len(rows.x)
    order = {"times": np.arange(n)} if partition.split == "last" else grouping(by)
    return slice(None), slice(0), split_rows(n, folds, partition.seed, targets=_strata(rows, task), **order)


def _strata(rows: AnySplit, task: Task) -> AnyArray:
    return rows.y.astype(np.float64) if task == "regression" else rows.y


def grouping(by: AnyArray | None) -> dict[str, AnyArray]:
    """Return a column as the argument of `hold_out` and `folds` that it is for: times if it holds dates, else groups.

    >>> grouping(np.array(["2026-11-28"], "M8[us]")), grouping(None)
    ({'times': array(['2026-11-28T00:00:00.000000'], dtype='datetime64[us]')}, {})
    """
    return {} if by is None else {"times" if kind_of(by) == "date" else "groups": by}
