"""Columns: what each column of a table holds, and whether it can help to predict the target."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table, gaps_in, kind_of

_FEW = 10  # rows; among fewer, a column is easily constant, different in each row, or one with the target
_NEARLY_ALL = 0.9  # of the rows
_LISTED = 5  # levels
_EXACT = 2**53  # below this, floats hold whole numbers exactly


@dataclass(frozen=True)
class Column:
    """What a column of a table holds.

    Attributes
    ----------
    name : str
    kind : "number", "text" or "date"
    gaps : int
        Rows without a value.
    different : int
        Different values, without gaps.
    low, high : float, str or None
        The range of numbers, and of dates as ISO 8601.
    levels : dict
        For texts, the most frequent ones and their numbers of rows.
    left_out : str or None
        Why training leaves the column out by default.
    remarks : tuple of str
        What else may be wrong with it.
    """

    name: str
    kind: Kind
    gaps: int
    different: int
    low: float | str | None = None
    high: float | str | None = None
    levels: dict[str, int] | None = None
    left_out: str | None = None
    remarks: tuple[str, ...] = ()


def useless(table: Table, keep: Collection[str] = ()) -> dict[str, str]:
    """Return the columns that can't help to predict anything, each with the reason.

    These are columns without a value, columns with one value in all rows, and texts that differ in nine of ten rows,
    such as names and ids.

    Parameters
    ----------
    table : Table
    keep : collection of str
        Columns to spare.

    Examples
    --------
    >>> useless(Table({"a": np.arange(3), "b": np.ones(3), "c": np.full(3, np.nan)}))
    {'b': 'it is 1 in all rows', 'c': 'it has no value in any row'}
    """
    found = {name: _useless(table[name]) for name in table if name not in keep}
    return {name: reason for name, reason in found.items() if reason is not None}


def describe(table: Table, target: AnyArray | None = None, keep: Collection[str] = ()) -> tuple[Column, ...]:
    """Return what each column of a table holds.

    Parameters
    ----------
    table : Table
        Without the target.
    target : array, shape (rows,), optional
        Classes as texts or integers, or values as floats; for remarks on columns that tell it alone.
    keep : collection of str
        Columns that training doesn't leave out.

    Examples
    --------
    >>> (column,) = describe(Table({"city": np.array(["Ulm", "Bonn", None, "Ulm"], dtype=object)}))
    >>> column.gaps, column.levels
    (1, {'Ulm': 2, 'Bonn': 1})
    """
    left_out = useless(table, keep)
    twins = duplicates(table)
    made = []
    for name in table:
        remarks = () if name in left_out else tuple(_remarks(table[name], twins.get(name), target))
        made.append(_described(name, table[name], left_out.get(name), remarks))
    return tuple(made)


def duplicates(table: Table) -> dict[str, str]:
    """Return the columns that equal an earlier one, with its name.

    >>> duplicates(Table({"a": np.arange(3), "b": np.arange(3.0), "c": np.ones(3)}))
    {'b': 'a'}
    """
    first: dict[Any, str] = {}
    found = {}
    for name in table:
        if (earlier := first.setdefault(_fingerprint(table[name]), name)) != name:
            found[name] = earlier
    return found


def duplicate_rows(table: Table, target: AnyArray | None = None) -> int:
    """Return how many rows equal an earlier one, target included.

    >>> table = Table({"a": np.array([1, 2, 1])})
    >>> duplicate_rows(table), duplicate_rows(table, target=np.arange(3))
    (1, 0)
    """
    made = np.zeros(len(table), np.uint64)  # a hash of each row, which takes less memory than the rows
    for column in [table[name] for name in table] + ([] if target is None else [target]):
        made = (made ^ _numbered(column).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        made ^= made >> np.uint64(29)
    return len(table) - len(np.unique(made))


def _useless(values: AnyArray) -> str | None:
    held = values[~gaps_in(values)]
    if not len(held):
        return "it has no value in any row"
    if len(held) == len(values) > 1 and np.all(held == held[0]):
        return f"it is {_shown(held[0])} in all rows"
    if kind_of(values) == "text" and len(held) > _FEW and (different := len(set(held))) >= _NEARLY_ALL * len(held):
        return f"it has {different:,} different texts in {len(held):,} rows, like an id or a name"
    return None


def _described(name: str, values: AnyArray, left_out: str | None, remarks: tuple[str, ...]) -> Column:
    gaps = gaps_in(values)
    held = values[~gaps]
    kind = kind_of(values)
    low, high, levels = None, None, None
    if kind == "text":
        counts = Counter(held.tolist())
        levels = dict(counts.most_common(_LISTED))
        different = len(counts)
    else:
        different = len(np.unique(held))
        if len(held):
            low, high = (_plain(value) for value in (held.min(), held.max()))
    return Column(name, kind, int(gaps.sum()), different, low, high, levels, left_out, remarks)


def _remarks(values: AnyArray, twin: str | None, target: AnyArray | None) -> Iterator[str]:
    if twin is not None:
        yield f"it equals {twin!r}"
    if len(values) <= _FEW:
        return
    if values.dtype.kind in "iu":
        steps = np.diff(np.sort(values))
        if steps[0] > 0 and np.all(steps == steps[0]):
            yield "it counts up evenly, like an id or the number of the row"
    if target is not None and twin is None and (how := _tells(values, target)):
        yield f"{how}: will it be known when you predict?"


def _tells(values: AnyArray, target: AnyArray) -> str | None:
    """Say how a column alone tells the target, if it does."""
    target = np.asarray(target)
    if target.ndim > 1 or np.all(target == target[0]):
        return None
    gaps = gaps_in(values)
    if gaps.any() and not gaps.all() and _is_function(gaps.astype(np.intp), target):
        return "its gaps alone tell the target"
    number = _numbered(values)
    if not _is_function(number, target):
        return None
    counts = np.bincount(number)
    if 2 * counts[counts > 1].sum() > len(values):
        return "it tells the target alone"
    if kind_of(values) == "text" or gaps.any():
        return None
    y = _numbered(target)[np.argsort(values, kind="stable")]
    if target.dtype.kind == "f":
        steps = np.diff(y)
        monotone = np.all(steps >= 0) or np.all(steps <= 0)
        return "it tells the target alone: one rises with the other, or falls" if monotone else None
    blocks = 1 + np.count_nonzero(np.diff(y))
    return "it tells the target alone: each class has a range of its own" if blocks == y.max() + 1 else None


def _is_function(number: npt.NDArray[np.intp], target: AnyArray) -> bool:
    """Return whether all rows of one number have one target."""
    y = _numbered(target)
    only = np.zeros(number.max() + 1, np.intp)
    only[number] = y
    return bool(np.all(only[number] == y))


def _numbered(values: AnyArray) -> npt.NDArray[np.intp]:
    """Return a number for each different value, in their order; gaps are one value."""
    if values.dtype.kind == "O":
        order = {value: i for i, value in enumerate(dict.fromkeys(values.tolist()))}
        return np.fromiter((order[value] for value in values.tolist()), np.intp, len(values))
    return np.unique(values, return_inverse=True)[1].astype(np.intp)


def _fingerprint(values: AnyArray) -> bytes:
    """Return a digest that columns of equal values share."""
    more: str = kind_of(values)
    if values.dtype.kind == "O":
        more, values = repr(list(dict.fromkeys(values.tolist()))), _numbered(values)
    elif values.dtype.kind == "M":
        values = values.view(np.int64)
    elif values.dtype.kind == "f" and np.all(values == np.floor(values)) and np.all(np.abs(values) < _EXACT):
        values = values.astype(np.int64)
    elif values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values.astype(np.float64))
    elif values.dtype.kind in "bi":
        values = values.astype(np.int64)
    made = hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=32)
    made.update(more.encode(errors="surrogatepass"))
    return made.digest()


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(_plain(value))


def _plain(value: Any) -> float | str:
    """Return a number, a whole one as int, or a date as ISO 8601, for JSON."""
    if isinstance(value, np.datetime64):
        text = str(value.astype("datetime64[s]"))
        return text.removesuffix("T00:00:00")
    number = value.item()
    if isinstance(number, float) and not (number.is_integer() and abs(number) < _EXACT):
        return number
    return int(number)
