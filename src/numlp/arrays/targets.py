"""Targets: the y of `train` and `evaluate`: classes, labels, or values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.frames import columns_of, keys_of, lined_up
from numlp.arrays.inputs import as_array, as_rows
from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray
from numlp.errors import DataError


def as_classes(y: npt.ArrayLike, n_classes: int, class_names: Sequence[str] | None) -> AnyArray:
    """Return class targets either as indices, shape (n,), or as rows of probabilities, shape (n, classes).

    Parameters
    ----------
    y : array_like
        Class indices 0 … classes − 1; or names from `class_names`; or one row for each sample, one-hot or any
        probabilities that sum to 1.
    n_classes : int
    class_names : sequence of str, optional

    Raises
    ------
    DataError
        If a label is out of range or unknown, or rows aren't probabilities.
    """
    labels = _as_labels(y, class_names)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "UOT":
        _check_names(labels)
        if class_names is not None and len(class_names) != n_classes:
            raise DataError(f"y must hold {n_classes} different names, one per output, not {len(class_names)}")
        return name_indices(labels, class_names or ())
    labels = as_rows(labels, "y")
    if labels.ndim == 2:
        return as_probabilities(labels, n_classes)
    if labels.ndim != 1:
        raise DataError(f"y must have shape (n,) or (n, {n_classes}), not {labels.shape}")
    if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
        raise DataError(
            "y must hold whole numbers for classes, not real values; for regression use loss='squared_error'"
        )
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(
            f"y must hold classes from 0 to {n_classes - 1}, one for each output, not {labels.min():g} to "
            f"{labels.max():g}; renumber the classes, or give the network more outputs"
        )
    return labels.astype(np.intp)


def as_probabilities(rows: AnyArray, n_classes: int) -> AnyArray:
    """Return rows if each holds a probability for every class, as one-hot rows also do."""
    if rows.shape[1] != n_classes:
        raise DataError(f"y must have {n_classes} columns, one per output, not {rows.shape[1]}")
    if rows.min() < 0 or not np.allclose(exact.total(rows, 1), 1.0, atol=1e-4):
        raise DataError("rows of y must be one-hot or probabilities: not negative, and summing to 1")
    return rows


def as_labels(y: npt.ArrayLike, n_labels: int, class_names: Sequence[str] | None) -> AnyArray:
    """Return yes-or-no targets as rows of numbers in [0, 1], shape (n, labels).

    Parameters
    ----------
    y : array_like
        For a single label: 0 and 1, booleans, probabilities, or two names from `class_names`. For several: a row of
        0 and 1 (or probabilities) for each sample.
    n_labels : int
    class_names : sequence of str, optional

    >>> as_labels([True, False], 1, None).tolist()
    [[1.0], [0.0]]
    """
    labels = _as_labels(y, class_names)
    if labels.dtype.kind in "UOT":
        if n_labels > 1 or (class_names is not None and len(class_names) != 2):
            raise DataError("y must hold two different names to give labels by name, for a network with one output")
        _check_names(labels)
        labels = name_indices(labels, class_names or ())
    rows = as_rows(labels, "y")
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.shape[1:] != (n_labels,):
        hint = "; for classes use loss='softmax_cross_entropy'" if rows.shape[1:] == (1,) else ""
        raise DataError(f"y must have a row of {n_labels} labels for each sample, not shape {labels.shape}{hint}")
    if rows.min() < 0 or rows.max() > 1:
        raise DataError(f"y must hold labels from 0 to 1, not {rows.min():g} to {rows.max():g}")
    return rows.astype(np.float64)


def target_rows(targets: AnyArray, n_targets: int, dtype: npt.DTypeLike) -> AnyArray:
    """Return checked targets, class indices or rows, as new C-ordered rows, (n, targets): indices become one-hot.

    >>> target_rows(np.array([2, 0]), 3, "float32")
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    if targets.ndim == 2:
        return targets.astype(dtype, order="C")
    rows = np.zeros((len(targets), n_targets), dtype)
    rows[np.arange(len(targets)), targets] = 1
    return rows


def _as_labels(y: Any, class_names: Sequence[str] | None = None) -> AnyArray:
    if is_sparse(y):
        raise DataError("y must be an ordinary array, not a sparse matrix; give y.toarray()")
    columns, keys = columns_of(y) or (), keys_of(y)
    if len(columns) == 1:
        y = y[keys[0]]
    elif columns != tuple(map(str, range(len(columns)))):  # which are no names, but pandas' default
        y = lined_up(y, class_names, "y")
    return as_array(y, "y")


def name_indices(labels: AnyArray, class_names: Sequence[str]) -> AnyArray:
    """Return the index of every label in `class_names`.

    >>> name_indices(np.array(["b", "a", "b"]), ["a", "b"])
    array([1, 0, 1])
    """
    index = {name: i for i, name in enumerate(class_names)}
    try:
        return np.array([index[str(label)] for label in labels.ravel()], dtype=np.intp)
    except KeyError as error:
        known = ", ".join(list(class_names)[:20]) or "they have no names"
        raise DataError(f"label {error.args[0]!r} in y isn't among the network's classes: {known}") from error


def names_in(y: npt.ArrayLike) -> tuple[str, ...] | None:
    """Return the distinct labels, sorted, if they are names; a frame's columns if it has several; else None.

    >>> names_in(["dog", "cat", "dog"])
    ('cat', 'dog')
    """
    columns = columns_of(y)
    if columns is not None and len(columns) > 1:
        return columns
    labels = _as_labels(y)
    if labels.dtype.kind not in "UOT":
        return None
    _check_names(labels)
    return tuple(np.unique(labels.astype(str)).tolist())


def _check_names(labels: AnyArray) -> None:
    if labels.ndim != 1:
        raise DataError(f"y must have shape (n,) to hold names of classes, not {labels.shape}")
    for row, label in enumerate(labels):
        if not isinstance(label, str) or not label:
            shown = str(label) if isinstance(label, str) else label
            raise DataError(f"y must hold non-empty strings as names of classes, not {shown!r} in row {row}")


def check_several_classes(targets: AnyArray) -> None:
    """Refuse class targets, indices or rows, that are all the same."""
    if np.all(targets == targets[0]):
        raise DataError("y must hold at least two classes, not one class only; check the labels")


def as_values(y: npt.ArrayLike, n_outputs: int) -> AnyArray:
    """Return regression targets with shape (n, outputs), after the checks of `as_rows`."""
    values = as_rows(y, "y")
    if values.dtype == np.uint8:
        raise DataError("y must not hold uint8, which numlp reads as parts of 255; give y.astype(float)")
    if values.ndim == 1:
        values = values[:, None]
    if values.shape[1:] != (n_outputs,):
        raise DataError(f"y must have shape (n, {n_outputs}), one column per target, not {values.shape}")
    return values
