"""A data set: training, validation and test rows."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt

from numlp.losses import Task


class Split(NamedTuple):
    """One part of a data set: samples and their targets.

    Attributes
    ----------
    x : array, shape (n, …)
    y : array, shape (n,) or (n, outputs)
        Class indices, labels, or values.
    """

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]


class WeightedSplit(NamedTuple):
    """One part of a data set whose samples have weights, (n,), too."""

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    weights: npt.NDArray[Any]


AnySplit = Split | WeightedSplit


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to train on, to choose by, and to judge by once.

    Attributes
    ----------
    name : str
    train, validation : Split, or WeightedSplit
    test : Split, WeightedSplit or None
    feature_names : tuple of str, or None
        For tables: the names of the columns of `x`.
    task : "classification", "labels" or "regression"
        What the targets are.
    class_names : tuple of str, or None
        For classes: their names, so that ``class_names[y]`` is what `y` means. None for real targets and for rows of
        labels.
    """

    name: str
    train: AnySplit
    validation: AnySplit
    test: AnySplit | None
    class_names: tuple[str, ...] | None
    feature_names: tuple[str, ...] | None = None
    task: Task = "classification"

    @property
    def n_features(self) -> int:
        """The number of inputs that a network for this data has."""
        return int(self.train.x[0].size)

    @property
    def n_targets(self) -> int:
        """The number of targets of a row: of classes, labels or values."""
        if self.class_names is not None:
            return len(self.class_names)
        return 1 if self.train.y.ndim == 1 else int(self.train.y.shape[1])
