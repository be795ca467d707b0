"""Rows: the samples, targets and weights of `train` and `evaluate`, checked against a network."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.special import AnyArray
from numlp.arrays.targets import check_several_classes
from numlp.data.weights import ClassWeight, as_class_weights, as_weights, class_counts, class_weights_of_rows
from numlp.errors import DataError, SettingError
from numlp.network.predictor import Predictor

Data = tuple[Any, npt.ArrayLike] | tuple[Any, npt.ArrayLike, npt.ArrayLike | None]


class Rows(NamedTuple):
    """The rows of a data set, checked.

    Attributes
    ----------
    x : array, shape (n, inputs), or sparse matrix
    targets : array, shape (n,) of class indices or (n, targets)
        As `Predictor.as_targets` returns them.
    weights : array, shape (n,), or None
    """

    x: AnyArray
    targets: AnyArray
    weights: npt.NDArray[np.float64] | None = None

    def taken(self, index: npt.NDArray[np.intp]) -> Rows:
        """Return the rows with these indices."""
        return Rows(self.x[index], self.targets[index], None if self.weights is None else self.weights[index])


def pair(data: object, name: str = "data") -> tuple[Any, ...]:
    """Return `data` as a tuple if it is a pair (x, y) or a triple (x, y, weights)."""
    found = type(data).__name__
    if isinstance(data, tuple | list):
        if len(data) in (2, 3):
            return tuple(data)
        found += f" of length {len(data)}"
    raise DataError(f"{name} must be a pair (x, y), or a triple (x, y, weights), not {found}")


def check_rows(
    predictor: Predictor,
    data: object,
    class_names: tuple[str, ...] | None,
    feature_names: tuple[str, ...] | None = None,
) -> Rows:
    """Return a pair (x, y), or a triple with weights, as rows that fit a network.

    Rows that were checked before stay as they are. `feature_names` are those of a network that doesn't know them yet.
    """
    if isinstance(data, Rows):
        return data
    x, y, *rest = pair(data)
    features = predictor.features(x, feature_names, training=True)
    targets = predictor.as_targets(y, class_names)
    n = features.shape[0]
    if n != len(targets):
        raise DataError(f"x and y must have the same number of rows, not {n} and {len(targets)}")
    return Rows(features, targets, as_weights(rest[0], n) if rest and rest[0] is not None else None)


def normalized(rows: Rows) -> Rows:
    """Return rows with their weights scaled to mean 1, since only their ratios matter."""
    if rows.weights is None:
        return rows
    largest = rows.weights.max()
    if not largest > 0:
        raise DataError(
            "all weights are 0 (weights of samples times class_weight), so no row counts; give one a positive weight"
        )
    weights = rows.weights / largest  # first, since the mean of very large weights may overflow
    return rows._replace(weights=weights / exact.mean(weights))


def check_several(predictor: Predictor, rows: Rows) -> None:
    """Refuse to train on rows of one class only."""
    if predictor.loss.task != "regression":
        check_several_classes(rows.targets)


def class_weights_for(
    predictor: Predictor, rows: Rows, class_weight: ClassWeight, class_names: tuple[str, ...] | None
) -> npt.NDArray[np.float64]:
    """Return the weight of every class, shape (classes,)."""
    check_class_weight(predictor)
    names, targets = class_names or predictor.classes, class_targets(predictor, rows)
    return as_class_weights(class_weight, class_counts(targets, len(names)), len(targets), names)


def check_class_weight(predictor: Predictor) -> None:
    """Refuse weights of classes for a network that has none, or for several labels."""
    if predictor.loss.task == "regression":
        raise SettingError(f"class_weight needs classes, and loss {predictor.loss.name!r} has none; leave it out")
    if predictor.loss.task == "labels" and predictor.n_targets > 1:
        raise SettingError("class_weight can't weight several labels; give every sample a weight instead")


def weighted_by_class(predictor: Predictor, rows: Rows, weights: npt.NDArray[np.float64]) -> Rows:
    """Return rows with their weights multiplied by the weights of their classes."""
    by_class = class_weights_of_rows(weights, class_targets(predictor, rows))
    return rows._replace(weights=by_class if rows.weights is None else by_class * rows.weights)


def class_targets(predictor: Predictor, rows: Rows) -> AnyArray:
    """Return class indices or rows of probabilities, with a single label as two classes."""
    if predictor.loss.task == "labels":
        return np.concatenate([1 - rows.targets, rows.targets], axis=1)
    return rows.targets
