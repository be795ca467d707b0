"""From the labels in a user's file to targets: the task, and the classes."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_rows
from numlp.arrays.special import AnyArray
from numlp.arrays.table import kind_of
from numlp.arrays.targets import as_probabilities, name_indices
from numlp.errors import DataError
from numlp.network.losses import Task
from numlp.settings.checks import listed

MOST_CLASSES = 100
_FEW_CLASSES = 20  # more are classes only if they are numbered from 0 or 1 without a break
_FEW = 10  # rows; among fewer, as in an example, every class may have a row of its own
_LONG = 40  # characters, more than a number has
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_RESEMBLED = (
    (r"[+-]?[0-9]{1,3}([., ' ][0-9]{3})+([.,][0-9]+)?", "numbers with signs between thousands"),
    (r"[+-]?[0-9]+,[0-9]+", "numbers with decimal commas"),
    (r"[+-]?\s*[$€£¥₹]\s*[0-9.,' ]+|[+-]?[0-9.,' ]+\s*[$€£¥₹]", "amounts of money"),
    (r"[+-]?[0-9.,]+\s*%", "percentages"),
    (r"[+-]?[0-9][0-9.,' ]*\s*[A-Za-zµ°/²³]+", "numbers with units"),
)


def infer_task(y: npt.NDArray[Any]) -> Task:
    """Return the task that targets suggest.

    Classes: names; booleans; rows of probabilities, one-hot or not; and whole numbers that occur twice or more on
    average, if at most 20 are different, or at most 100 that count from 0 or 1 without a break. Labels: other rows of
    0 and 1. All else is real-valued: regression.

    >>> infer_task(np.array([1, 2, 2, 1])), infer_task(np.array([1.5, 2.0])), infer_task(np.eye(3))
    ('classification', 'regression', 'classification')
    >>> infer_task(np.array([[1, 1], [0, 1], [0, 0]]))
    'labels'
    """
    several = y.ndim == 2 and y.shape[1] > 1
    if y.dtype.kind in "UO" or (y.dtype.kind == "b" and not several):
        return "classification"
    if y.dtype.kind not in "iufb" or not y.size or not np.all(np.isfinite(y)):
        return "regression"
    if several:
        if np.all(y >= 0) and np.allclose(exact.total(y, 1), 1):
            return "classification"
        return "labels" if np.all((y == 0) | (y == 1)) else "regression"
    different = np.unique(y)
    numbered = different[0] in (0, 1) and different[-1] - different[0] == len(different) - 1
    most = min(MOST_CLASSES if numbered else _FEW_CLASSES, y.size // 2)
    return "classification" if np.all(different == np.floor(different)) and len(different) <= most else "regression"


def column_labels(values: AnyArray, written: AnyArray, name: str, task: Task | None = None) -> tuple[Task, AnyArray]:
    """Return the task that a table's column suggests, and its labels: classes as they are written, or numbers.

    Parameters
    ----------
    values : array, shape (rows,)
        The column as a table holds it, without gaps.
    written : array of str, shape (rows,)
        Its cells as they are written.
    name : str
        Of the column, for messages.
    task : "classification", "labels" or "regression", optional
        By default, texts are classes, and numbers are what `infer_task` says.

    Raises
    ------
    DataError
        If it holds dates, texts that can't be classes, since nearly every row has its own, or texts for regression.

    Examples
    --------
    >>> column_labels(np.array([7, 7, 10]), np.array(["007", "7", "1E1"], dtype=object), "code", "classification")
    ('classification', array(['007', '7', '1E1'], dtype=object))
    """
    kind = kind_of(values)
    if kind == "date" and task in (None, "regression"):
        raise DataError(
            f"the target {name!r:.200} holds dates, which are neither classes nor numbers: name another column, or "
            f"make it a number, such as the days until then; for classes, set its kind to text ({name:.200}=text)"
        )
    if task is None:
        task = "classification" if kind == "text" else infer_task(values)
    if task == "regression":
        if kind == "text":
            raise DataError(f"the target {name!r:.200} holds texts, not numbers{_resemblance(written)}")
        return task, values
    different = len(set(written))
    if len(written) > _FEW and 2 * different > len(written):
        hint = ": set `task` to regression" if kind == "number" else _resemblance(written)
        raise DataError(
            f"the target {name!r:.200} would have {different:,} classes in {len(written):,} rows, such as "
            f"{written[0]!r:.100} and {written[-1]!r:.100}{hint}"
        )
    return task, written


def _resemblance(written: AnyArray) -> str:
    """Say what texts look like that can't be classes or numbers, with a remedy, for the end of a message."""
    cells = [text.strip() for text in written]
    for pattern, title in (*_RESEMBLED, (_NUMBER, "numbers")):
        odd = [cell for cell in cells if len(cell) > _LONG or not re.fullmatch(pattern, cell)]
        if 2 * len(odd) >= len(cells):
            continue
        other = next((cell for cell in odd if not re.fullmatch(_NUMBER, cell)), None)
        if other is None:
            return f": they look like {title}; say how they are written with `decimal` and `thousands`, or set `task`"
        return f": most look like {title}, but {other!r:.100} doesn't; correct it, or make it a gap with `missing`"
    return ": it looks like an id, a name or free text; name another target"


def class_names(y: npt.NDArray[Any]) -> tuple[str, ...]:
    """Return the names of the classes in labels, sorted, by value if all are numbers; numbers become their digits.

    >>> class_names(np.array([10, 9.0, 10])), class_names(np.array(["b", "a"])), class_names(np.array(["10", "9"]))
    (('9', '10'), ('a', 'b'), ('9', '10'))
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return tuple(str(i) for i in range(y.shape[1]))
    if y.dtype.kind not in "UO":
        return tuple(_name(label) for label in np.unique(as_rows(y, "y")))
    names = sorted({str(label) for label in y.ravel()})
    return tuple(sorted(names, key=float) if all(re.fullmatch(_NUMBER, name) for name in names) else names)


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
    labels = [str(label) for label in y.ravel()]
    known = {label: _known(label, names) for label in set(labels)}
    return name_indices(np.array([known[label] for label in labels], dtype=object), names)


def _known(label: str, names: Sequence[str]) -> str:
    """Return the name that a label is: itself, or a whole number that is written with or without the end .0."""
    other = label.removesuffix(".0") if label.endswith(".0") else f"{label}.0"
    return label if label in names or other not in names else other


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
