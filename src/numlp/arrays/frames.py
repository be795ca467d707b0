"""Frames: tables with named columns, such as those of pandas and polars, without importing either."""

import numbers
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import DataError

_CATEGORIES = ("category", "categorical", "enum")  # the names of their dtypes begin so


def columns_of(x: Any) -> tuple[str, ...] | None:
    """Return the names of a frame's columns, or None of anything else, and if they aren't text or whole numbers.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    names = tuple(map(str, keys_of(x)))
    if not names:
        return None
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"x must have columns with different names, but has several named {_listed(twice)}")
    return names


def keys_of(x: Any) -> tuple[Any, ...]:
    """Return what a frame's columns are looked up by; nothing of anything else."""
    columns = None if isinstance(x, np.ndarray) else getattr(x, "columns", None)
    keys = tuple(columns) if columns is not None and np.iterable(columns) else ()
    return keys if all(isinstance(key, str | int | np.integer) for key in keys) else ()


def lined_up(x: Any, names: Sequence[str] | None, what: str = "x") -> Any:
    """Return a frame with its columns in the order of these names; anything else, and without names, unchanged.

    Raises
    ------
    DataError
        If the frame's columns have other names.
    """
    found = columns_of(x)
    if names is None or found is None or found == tuple(names):
        return x
    missing, unknown = sorted(set(names) - set(found)), sorted(set(found) - set(names))
    faults = [f"lacks {_listed(missing)}"] if missing else []
    faults += [f"has the unknown {_listed(unknown)}"] if unknown else []
    if faults:
        raise DataError(
            f"{what} must have the columns that the network was trained on, but it {' and '.join(faults)}"
        )
    keys = dict(zip(found, keys_of(x), strict=True))
    return x[[keys[name] for name in names]]


def as_numbers(x: Any, name: str) -> AnyArray:
    """Return a frame, or any array of objects, as an array of numbers if all of it are numbers or booleans.

    Nullable columns without gaps and mixed columns become numbers. Other objects stay as they are.

    Raises
    ------
    DataError
        If a column of a frame holds text, categories or dates, or has a gap where NumPy has no NaN.
    """
    columns = columns_of(x)
    array = np.asarray(x)
    if columns is None:
        return _plain(array)
    kinds = [str(kind).lower() for kind in getattr(x, "dtypes", ())]
    for column, kind in zip(columns, kinds, strict=False):
        if kind.startswith(_CATEGORIES):
            raise DataError(f"{name} must hold numbers, but column {column!r} holds categories; encode it first")
    if array.dtype.kind in "buif" or array.size == 0:
        return array
    keyed = zip(keys_of(x), columns, strict=True)
    parts = [_column(np.asarray(x[key]), f"column {column!r}", name) for key, column in keyed]
    made = np.empty((len(array), len(columns)), np.result_type(*parts))
    for i, part in enumerate(parts):
        made[:, i] = part
    return made


def _column(values: AnyArray, column: str, name: str) -> AnyArray:
    found = _plain(values)
    if found.dtype.kind in "buif":
        return found
    if found.dtype.kind == "O":
        gaps = [row for row, value in enumerate(found) if _is_gap(value)]
        if gaps and all(_is_number(value) or _is_gap(value) for value in found):
            raise DataError(f"{name} has gaps in {column}, first in row {gaps[0]}; fill or remove such rows")
        held = "text" if any(isinstance(value, str) for value in found) else "other objects than numbers"
    else:
        held = "text" if found.dtype.kind in "UST" else str(found.dtype)
    raise DataError(f"{name} must hold numbers, but {column} holds {held}; convert or encode it first")


def _plain(array: AnyArray) -> AnyArray:
    """Return an array of objects that are all numbers as an array of numbers, anything else unchanged."""
    if array.dtype.kind != "O" or not array.size or not all(map(_is_number, array.flat)):
        return array
    made: AnyArray = np.array(array.tolist())
    return made.astype(np.float64) if made.dtype.kind == "O" else made  # decimals, and integers beyond 64 bits


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real | np.bool_ | Decimal)


def _is_gap(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    return f"column{'s' if len(names) > 1 else ''} {shown}{' …' if len(names) > 10 else ''}"
