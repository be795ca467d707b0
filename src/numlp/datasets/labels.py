"""From the labels in a user's file to targets: the task, and the classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.inputs import as_rows
from numlp.arrays.targets import as_probabilities, name_indices
from numlp.errors import DataError
from numlp.network.losses import Task
from numlp.settings.checks import listed

MOST_CLASSES = 100


def infer_task(y: npt.NDArray[Any]) -> Task:
    """Return the task that targets suggest.

    Classes: names; booleans; whole numbers, if at most 100 are different and each occurs twice or more on average;
    rows of probabilities, one-hot or not. Labels: other rows of 0 and 1. All else is real-valued: regression.

    >>> infer_task(np.array([1, 2, 2, 1])), infer_task(np.array([1.5, 2.0])), infer_task(np.eye(3))
    ('classification', 'regression', 'classification')
    >>> infer_task(np.array([[1, 1], [0, 1], [0, 0]]))
    'labels'
    """
    several = y.ndim == 2 and y.shape[1] > 1
    if y.dtype.kind in "UO" or (y.dtype.kind == "b" and not several):
        return "classification"
    if y.dtype.kind not in "iufb" or not np.all(np.isfinite(y)):
        return "regression"
    if several:
        if np.all(y >= 0) and np.allclose(y.sum(axis=1), 1):
            return "classification"
        return "labels" if np.all((y == 0) | (y == 1)) else "regression"
    different = len(np.unique(y))
    whole = bool(np.all(y == np.floor(y)))
    return "classification" if whole and different <= min(MOST_CLASSES, y.size // 2) else "regression"


def class_names(y: npt.NDArray[Any]) -> tuple[str, ...]:
    """Return the names of the classes in labels; numbers become their digits, in numerical order.

    >>> class_names(np.array([10, 9.0, 10])), class_names(np.array(["b", "a"]))
    (('9', '10'), ('a', 'b'))
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return tuple(str(i) for i in range(y.shape[1]))
    if y.dtype.kind not in "UO":
        y = as_rows(y, "y")
    return tuple(_name(label) for label in np.unique(y.astype(str) if y.dtype.kind == "O" else y))


def targets(y: npt.NDArray[Any], names: Sequence[str] | None, *, of_indices: bool = False) -> npt.NDArray[Any]:
    """Return the targets of labels for a network with these class names; without names, real values.

    A name that is a number matches labels of the same value. If the names are words and the labels are numbers, the
    numbers are indices. With `of_indices`, numbers are always indices: somebody has named them.

    >>> targets(np.array([7, 3, 7]), ["3", "7"]), targets(np.array([1, 0]), ["cat", "dog"])
    (array([1, 0, 1]), array([1, 0]))
    >>> targets(np.array([0, 1, 0]), ["3", "1"], of_indices=True)
    array([0, 1, 0])
    """
    if names is None:
        values = as_rows(y, "y")
        return values.astype(np.float64) if values.dtype == np.uint8 else values  # bytes count as parts of 255
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind in "UO"):
        raise DataError(f"y must hold one class, or one row of numbers, for each sample, not shape {y.shape}")
    if y.dtype.kind not in "UO":
        y = as_rows(y, "y")
        if y.ndim == 2 and y.shape[1] > 1:
            rows = as_probabilities(y, len(names))
            return np.argmax(rows, axis=1) if np.all(rows.max(axis=1) == 1) else rows
        if y.dtype.kind == "f" and np.any(y != np.floor(y)):
            raise DataError("the target must hold whole numbers for classes, not real values; use a regression loss")
        if of_indices or not any(is_number(name) for name in names):
            return _indices(y.ravel(), names)
        found, where = np.unique(y.ravel(), return_inverse=True)  # only a few distinct labels need names
        return name_indices(np.array([_name(label) for label in found]), names)[where]
    return name_indices(np.array([_name(label) for label in y.ravel()]), names)


def _indices(labels: npt.NDArray[Any], names: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return whole numbers as indices of names, or refuse a number that has no name."""
    for label in (labels.min(), labels.max()):
        if not 0 <= label < len(names):
            raise DataError(
                f"label {label:g} in y isn't among the network's classes: the names {listed(names)} belong to the "
                f"numbers 0 to {len(names) - 1}; give a name for each"
            )
    return labels.astype(np.intp)


def _name(label: Any) -> str:
    return str(label) if isinstance(label, str) else str(int(label))


def is_number(name: str) -> bool:
    """Return whether the name of a class is a whole number."""
    return name.removeprefix("-").isdecimal()
