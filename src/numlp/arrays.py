"""What `train`, `evaluate` and `predict` take: anything array-like, checked once and brought into shape.

Nothing is copied to float here: the rows stay as they came (`uint8`, memory-mapped, …) and are scaled a batch at a
time by whoever reads them.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp import limits
from numlp.checks import whole_number
from numlp.errors import DataError, SettingError
from numlp.sparse import is_sparse
from numlp.special import AnyArray, all_finite

_CHUNK = 4096  # rows that are looked at at a time


def as_rows(x: npt.ArrayLike, name: str = "x", *, finite: bool = True) -> AnyArray:
    """Return `x` as an array of at least one row of finite numbers, in its own shape and dtype.

    With ``finite=False`` the numbers are not looked at: whoever reads the rows calls `require_finite`.

    Raises
    ------
    DataError
        If `x` is empty, no array of numbers, or holds NaN or infinity.

    >>> as_rows([["a", "b"]])
    Traceback (most recent call last):
    ...
    numlp.errors.DataError: x must hold numbers, not <U1: convert or encode its columns first
    """
    array = _as_array(x, name)
    if array.dtype.kind not in "buif":
        raise DataError(f"{name} must hold numbers, not {array.dtype}: convert or encode its columns first")
    if array.ndim == 0:
        raise DataError(f"{name} is a single number: it must be an array of rows, shape (n, …)")
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {array.shape}")
    if finite:
        for start in range(0, len(array), _CHUNK):
            require_finite(array[start : start + _CHUNK], start, name)
    return array


def require_finite(rows: AnyArray, start: int = 0, name: str = "x") -> None:
    """Raise `DataError` if one of these rows, of which the first is row `start`, holds NaN or infinity."""
    if rows.dtype.kind == "f" and not all_finite(rows):
        row = start + int(np.argwhere(~np.isfinite(rows))[0][0])
        raise DataError(f"{name} holds NaN or infinity, first in row {row}: remove or replace such values")


def as_features(x: npt.ArrayLike, n_features: int, *, finite: bool = True) -> AnyArray:
    """Return `x`, shape (n, …), flattened to (n, features), after the checks of `as_rows`.

    A sparse matrix of SciPy's remains one, of the kind whose rows can be taken (CSR).

    Raises
    ------
    DataError
        As `as_rows`, and if the rows have another number of features than the network has inputs.
    """
    sparse = is_sparse(x)
    rows: AnyArray = as_csr(x) if sparse else as_rows(x, finite=finite)
    found = math.prod(rows.shape[1:])
    if found != n_features:
        hint = " (a single sample needs a first axis of length 1)" if math.prod(rows.shape) == n_features else ""
        raise DataError(f"x has {found} features a row (shape {rows.shape}), the network takes {n_features}{hint}")
    return rows if sparse else rows.reshape(len(rows), found)


def as_csr(x: Any) -> Any:
    """Return a sparse matrix of finite numbers as one whose rows can be taken."""
    rows = x.tocsr()
    if len(rows.shape) != 2 or 0 in rows.shape:
        raise DataError(f"x must be a sparse matrix of rows, not of shape {rows.shape}")
    if rows.dtype.kind not in "buif":
        raise DataError(f"x must hold numbers, not {rows.dtype}")
    infinite = np.flatnonzero(~np.isfinite(rows.data))
    if infinite.size:
        row = int(np.searchsorted(rows.indptr, infinite[0], side="right")) - 1
        raise DataError(f"x holds NaN or infinity, first in row {row}: remove or replace such values")
    return rows


def as_classes(y: npt.ArrayLike, n_classes: int, class_names: Sequence[str] | None) -> AnyArray:
    """Return class targets either as indices, shape (n,), or as rows of probabilities, shape (n, classes).

    Parameters
    ----------
    y : array_like
        Class indices 0 … classes − 1; or names, to be found in `class_names`; or one row for each sample, one-hot
        or any probabilities that sum to 1.
    n_classes : int
    class_names : sequence of str, optional

    Raises
    ------
    DataError
        If a label is out of range or unknown, or rows are no probabilities.
    """
    labels = _as_labels(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "UOT":
        _check_names(labels)
        if class_names is not None and len(class_names) != n_classes:
            raise DataError(f"y holds {len(class_names)} different names, the network has {n_classes} outputs")
        return name_indices(labels, class_names or ())
    labels = as_rows(labels, "y")
    if labels.ndim == 2:
        return as_probabilities(labels, n_classes)
    if labels.ndim != 1:
        raise DataError(f"y must have shape (n,) or (n, {n_classes}), not {labels.shape}")
    if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
        raise DataError("y holds real values where classes belong: use a regression loss, loss='squared_error'")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(
            f"labels out of range: y holds {labels.min():g} to {labels.max():g}, the network has {n_classes} "
            f"outputs, so that labels must lie in 0 to {n_classes - 1}"
        )
    return labels.astype(np.intp)


def as_probabilities(rows: AnyArray, n_classes: int) -> AnyArray:
    """Return rows if each of them is a probability for every class: one-hot rows are, too."""
    if rows.shape[1] != n_classes:
        raise DataError(f"y has {rows.shape[1]} columns, the network has {n_classes} outputs")
    if rows.min() < 0 or not np.allclose(rows.sum(axis=1, dtype=np.float64), 1.0, atol=1e-4):
        raise DataError("rows of y must be one-hot or probabilities: none negative, each summing to 1")
    return rows


def as_labels(y: npt.ArrayLike, n_labels: int, class_names: Sequence[str] | None) -> AnyArray:
    """Return yes-or-no targets as rows of numbers in [0, 1], shape (n, labels).

    Parameters
    ----------
    y : array_like
        For a single label: 0 and 1, truth values, probabilities, or two names, to be found in `class_names`. For
        several: a row of 0 and 1 (or probabilities) for each sample.
    n_labels : int
    class_names : sequence of str, optional

    >>> as_labels([True, False], 1, None).tolist()
    [[1.0], [0.0]]
    """
    labels = _as_labels(y)
    if labels.dtype.kind in "UOT":
        if n_labels > 1 or (class_names is not None and len(class_names) != 2):
            raise DataError("names as labels must be two different ones, for a network with one output")
        _check_names(labels)
        labels = name_indices(labels, class_names or ())
    rows = as_rows(labels, "y")
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.shape[1:] != (n_labels,):
        hint = "; for classes use loss='softmax_cross_entropy'" if rows.shape[1:] == (1,) else ""
        raise DataError(f"y must have a row of {n_labels} labels for each sample, not shape {labels.shape}{hint}")
    if rows.min() < 0 or rows.max() > 1:
        raise DataError(f"labels out of range: y holds {rows.min():g} to {rows.max():g}, labels lie in 0 to 1")
    return rows.astype(np.float64)


def _as_labels(y: Any) -> AnyArray:
    if is_sparse(y):
        raise DataError("y must be an ordinary array, not a sparse matrix: take y.toarray()")
    return _as_array(y, "y")


def _as_array(values: npt.ArrayLike, name: str) -> AnyArray:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"{name} is no array: its rows must all have the same length, or shape") from error


def name_indices(labels: AnyArray, class_names: Sequence[str]) -> AnyArray:
    """Return the index of every label in `class_names`.

    >>> name_indices(np.array(["b", "a", "b"]), ["a", "b"])
    array([1, 0, 1])
    """
    index = {name: i for i, name in enumerate(class_names)}
    try:
        return np.array([index[str(label)] for label in labels.ravel()], dtype=np.intp)
    except KeyError as error:
        known = ", ".join(list(class_names)[:20]) or "no names at all"
        raise DataError(f"label {error.args[0]!r} is none of the network's classes: {known}") from error


def names_in(y: npt.ArrayLike) -> tuple[str, ...] | None:
    """Return the different labels, sorted, if they are names.

    >>> names_in(["dog", "cat", "dog"])
    ('cat', 'dog')
    """
    labels = _as_labels(y)
    if labels.dtype.kind not in "UOT":
        return None
    _check_names(labels)
    return tuple(np.unique(labels.astype(str)).tolist())


def _check_names(labels: AnyArray) -> None:
    if labels.ndim != 1:
        raise DataError(f"names as labels must have shape (n,), not {labels.shape}")
    for row, label in enumerate(labels):
        if not isinstance(label, str) or not label:
            shown = str(label) if isinstance(label, str) else label
            raise DataError(f"label {shown!r} in row {row} of y is no name: names must be strings that are not empty")


def check_several_classes(targets: AnyArray) -> None:
    """Refuse class targets, indices or rows, that are all the same."""
    if np.all(targets == targets[0]):
        raise DataError("y holds one class only: there is nothing to learn; check the labels")


def as_values(y: npt.ArrayLike, n_outputs: int) -> AnyArray:
    """Return regression targets with shape (n, outputs), after the checks of `as_rows`."""
    values = as_rows(y, "y")
    if values.dtype == np.uint8:
        raise DataError("y holds bytes, which are read as parts of 255 everywhere: give y.astype(float)")
    if values.ndim == 1:
        values = values[:, None]
    if values.shape[1:] != (n_outputs,):
        raise DataError(f"y has shape {values.shape}, the network has {n_outputs} outputs")
    return values


def as_names(name: str, names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """Return names as a tuple of strings if they are `count` different ones."""
    if names is None:
        return None
    if isinstance(names, str) or len(names) != count or len({str(n) for n in names}) != count:
        raise SettingError(f"{name} must be {count} different names, not {names!r}")
    return tuple(str(n) for n in names)


def as_sample_shape(name: str, shape: Sequence[int] | None, n_features: int) -> tuple[int, ...] | None:
    """Return the shape of one sample as a tuple if it has as many features as the network has inputs."""
    if shape is None:
        return None
    if len(shape) > limits.RANK:  # their product would take very long
        raise SettingError(f"{name} must have at most {limits.RANK} dimensions, not {len(shape):,}")
    sizes = tuple(whole_number(name, size) for size in shape)
    if math.prod(sizes) != n_features:
        raise SettingError(f"{name} {sizes} does not have the {n_features} features of layer_size")
    return sizes


def as_layer_size(layer_size: Sequence[int]) -> tuple[int, ...]:
    """Return the widths of a network's layers, inputs first, if there are at least two and all are positive."""
    if not isinstance(layer_size, list | tuple | np.ndarray) or len(layer_size) < 2:
        raise SettingError(f"layer_size must name at least inputs and outputs, as in [784, 10], not {layer_size!r}")
    if len(layer_size) > limits.LAYERS:
        raise SettingError(f"layer_size names {len(layer_size):,} layers, more than {limits.LAYERS:,}")
    sizes = tuple(whole_number(f"layer_size[{i}]", width, maximum=limits.UNITS) for i, width in enumerate(layer_size))
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    if weights > limits.WEIGHTS:
        raise SettingError(f"layer_size {list(sizes)[:8]} makes {weights:,} weights, more than {limits.WEIGHTS:,}")
    return sizes
