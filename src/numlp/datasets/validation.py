"""Validation rows: those held out of the training rows of a data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

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


def check_split(split: object, *, by: str | None, validation: object, folds: object) -> None:
    """Refuse an unknown way to hold rows out, one that contradicts a split by a column, and a share beside folds."""
    if split not in (None, *get_args(How)):
        raise SettingError(unknown("split", split, get_args(How)))
    if by is not None and split is not None:
        raise SettingError(f"split {split!r} and validation_by {by!r} exclude each other: leave one out")
    if isinstance(folds, int) and validation is not None and not isinstance(validation, str | os.PathLike):
        raise SettingError(
            f"validation {validation} holds rows out for one network, and each of the {folds} folds validates its "
            "own: leave one out"
        )


def held_out(
    rows: AnySplit,
    validation: float | str | os.PathLike[str] | None,
    split: How | None,
    *,
    seed: int,
    task: Task,
    by: AnyArray | None = None,
    is_table: bool = False,
) -> tuple[Which, Which]:
    """Return which rows train and which validate.

    Parameters
    ----------
    rows : Split or WeightedSplit
    validation : float, optional
        A share; by default a fifth of a table's rows, at most 10,000, and the last 5 % of other rows.
    split : "shuffled" or "last", optional
        By default "shuffled" for tables, which are often sorted, and "last" for other rows, such as images.
    seed : int
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
    share = usual if validation is None else checked_share("validation", validation)
    if by is None and (split or ("shuffled" if is_table else "last")) == "last":
        count = cut_off(n, share)
        return slice(count), slice(count, None)
    return hold_out(n, share, seed, targets=_strata(rows, task), **grouping(by))


def divided(
    rows: AnySplit,
    validation: float | str | os.PathLike[str] | None,
    split: How | None,
    *,
    folds: Folds,
    seed: int,
    task: Task,
    by: AnyArray | None,
    is_table: bool,
) -> tuple[Which, Which, tuple[Fold, ...]]:
    """Return what `held_out` does, and no folds; or all rows, none that validate, and so many folds of the rows.

    If the last rows are to validate, the order of the rows is that of time.
    """
    folds = folds(rows, task) if callable(folds) else folds
    if folds is None:
        return *held_out(rows, validation, split, seed=seed, task=task, by=by, is_table=is_table), ()
    n = len(rows.x)
    order = {"times": np.arange(n)} if split == "last" else grouping(by)
    return slice(None), slice(0), split_rows(n, folds, seed, targets=_strata(rows, task), **order)


def _strata(rows: AnySplit, task: Task) -> AnyArray:
    return rows.y.astype(np.float64) if task == "regression" else rows.y


def grouping(by: AnyArray | None) -> dict[str, AnyArray]:
    """Return a column as the argument of `hold_out` and `folds` that it is for: times if it holds dates, else groups.

    >>> grouping(np.array(["2026-11-28"], "M8[us]")), grouping(None)
    ({'times': array(['2026-11-28T00:00:00.000000'], dtype='datetime64[us]')}, {})
    """
    return {} if by is None else {"times" if kind_of(by) == "date" else "groups": by}


def extra_files(
    validation: float | str | os.PathLike[str] | None, test: str | os.PathLike[str] | None
) -> dict[str, str | os.PathLike[str]]:
    """Return the files with validation and test rows, after a check of their suffixes and of a share."""
    files: dict[str, str | os.PathLike[str]] = {}
    if isinstance(validation, str | os.PathLike):
        files["validation"] = validation
    elif validation is not None:
        checked_share("validation", validation)
    if test is not None:
        files["test"] = test
    for part, path in files.items():
        if Path(path).suffix.lower() != ".npz" and suffix_of(path) is None:
            raise SettingError(f"{part} must be an .npz file or a table with x and y, not {os.fspath(path)!r}")
    return files
