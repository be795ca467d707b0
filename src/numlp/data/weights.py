"""Weights of samples and of classes: how much each row counts in the loss, its gradient and every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_rows
from numlp.arrays.special import AnyArray
from numlp.errors import DataError, SettingError
from numlp.settings.checks import nonnegative, unknown

ClassWeight = str | Mapping[Any, float] | Sequence[float]


def as_weights(weights: npt.ArrayLike, n: int, *, some: bool = True) -> npt.NDArray[np.float64]:
    """Return the weights of `n` samples, shape (n,), if no weight is negative and, with `some`, one is positive.

    >>> as_weights([1, -1], 2)
    Traceback (most recent call last):
    ...
    numlp.errors.DataError: weights must be at least 0, not -1 in row 1
    """
    array = as_rows(weights, "weights").astype(np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n,):
        raise DataError(f"weights must have shape ({n},), one for each row, not {array.shape}")
    if array.min() < 0:
        row = int(np.argmax(array < 0))
        raise DataError(f"weights must be at least 0, not {array[row]:g} in row {row}")
    if some and not array.any():
        raise DataError("all weights are 0, so no row counts; give one a positive weight")
    return array


def class_counts(targets: AnyArray, n_classes: int, weights: AnyArray | None = None) -> npt.NDArray[np.float64]:
    """Return how many rows each class has, or the sum of their weights; rows of probabilities count in part.

    >>> class_counts(np.array([0, 0, 1]), 2), class_counts(np.array([[0.5, 0.5], [0.0, 1.0]]), 2)
    (array([2., 1.]), array([0.5, 1.5]))
    """
    if targets.ndim == 1:
        return np.bincount(targets, weights, n_classes).astype(np.float64)
    return exact.total(targets if weights is None else targets * weights[:, None], folds=2)


def as_class_weights(
    class_weight: ClassWeight, counts: npt.NDArray[np.float64], n: int, names: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Return the weight of every class, shape (classes,).

    Parameters
    ----------
    class_weight : "balanced", mapping or sequence
        Weights by class name or index (1 for the others), or one for each class in order. "balanced" gives every
        class the same total weight: each sample gets n / (classes · samples of its class).
    counts : array, shape (classes,)
        How many rows each class has, as `class_counts` returns it.
    n : int
        The number of rows.
    names : sequence of str
        The names of the classes.

    Examples
    --------
    >>> as_class_weights("balanced", np.array([3.0, 1.0]), 4, ["cat", "dog"])
    array([0.66666667, 2.        ])
    >>> as_class_weights({"dog": 3}, np.array([1.0, 1.0]), 2, ["cat", "dog"])
    array([1., 3.])
    """
    n_classes = len(names)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise SettingError(f"class_weight must be 'balanced' or a weight for each class, not {class_weight!r}")
        return np.divide(n, n_classes * counts, out=np.zeros(n_classes), where=counts > 0)
    if isinstance(class_weight, Mapping):
        weights = np.ones(n_classes)
        for name, weight in class_weight.items():
            weights[_index(name, names)] = nonnegative(f"class_weight of {name}", weight)
    else:
        if not isinstance(class_weight, list | tuple | np.ndarray) or len(class_weight) != n_classes:
            raise SettingError(
                f"class_weight must be 'balanced' or {n_classes} weights, one per class, not {class_weight!r}"
            )
        weights = np.array([nonnegative("class_weight", weight) for weight in class_weight])
    if not weights.any():
        raise SettingError("all weights in class_weight are 0, so no row counts; give one class a positive weight")
    return weights


def _index(name: object, names: Sequence[str]) -> int:
    """Return the index of a class, given by its name or, if no class has that name, by its index."""
    if str(name) in names:
        return list(names).index(str(name))
    if isinstance(name, int | np.integer) and not isinstance(name, bool) and 0 <= name < len(names):
        return int(name)
    raise SettingError("class_weight: " + unknown("class", name, names))


def class_weights_of_rows(weights: npt.NDArray[np.float64], targets: AnyArray) -> npt.NDArray[np.float64]:
    """Return every row's class weight; a row of probabilities gets the mean, weighted by them.

    >>> class_weights_of_rows(np.array([1.0, 3.0]), np.array([[0.5, 0.5]]))
    array([2.])
    """
    if targets.ndim == 1:
        return weights[targets]
    return exact.total(targets * weights, 1, folds=2)
