"""Table: columns of one length with names, as numbers, texts and dates, with gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Real
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from numlp.arrays.frames import columns_of
from numlp.arrays.special import AnyArray
from numlp.errors import DataError
from numlp.settings.checks import missing

Kind = Literal["number", "text", "date"]
_DATES = "datetime64[us]"
_MOST_YEAR = 290_000  # that 64 bits of microseconds hold


class Table:
    """Columns of one length with names.

    A table of numbers works wherever an array does: ``np.asarray(table)`` has shape (rows, columns).

    Parameters
    ----------
    columns : mapping of str to array, shape (rows,)
        Numbers: booleans, integers, or floats with NaN for a gap. Texts: objects, str or None for a gap. Dates:
        datetime64, NaT for a gap, kept in microseconds.

    Attributes
    ----------
    columns : tuple of str
    shape : tuple of int
        (rows, columns).
    kinds : dict
        "number", "text" or "date" for each column.

    Raises
    ------
    DataError
        If there is no column, their lengths differ, or one is of another kind.

    Examples
    --------
    >>> table = Table({"age": np.array([41.0, np.nan]), "city": np.array(["Ulm", None], dtype=object)})
    >>> table.shape, table.kinds
    ((2, 2), {'age': 'number', 'city': 'text'})
    >>> table["city"][0], table[["age"]][:1].columns
    ('Ulm', ('age',))
    """

    ndim = 2

    def __init__(self, columns: Mapping[str, AnyArray]) -> None:
        if not columns:
            raise DataError("a table must have at least one column")
        self._arrays = {str(name): _checked(str(name), array) for name, array in columns.items()}
        lengths = {name: len(array) for name, array in self._arrays.items()}
        if len(set(lengths.values())) > 1:
            short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
            raise DataError(
                f"columns must be of one length, but {short!r} has {lengths[short]} rows, {long!r} {lengths[long]}"
            )
        self.columns = tuple(self._arrays)
        self.shape = (next(iter(lengths.values())), len(self.columns))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    @overload
    def __getitem__(self, key: str) -> AnyArray: ...
    @overload
    def __getitem__(self, key: slice | npt.NDArray[Any] | Sequence[Any]) -> Table: ...
    def __getitem__(self, key: Any) -> AnyArray | Table:
        if isinstance(key, str):
            return self._arrays[key]
        if isinstance(key, list | tuple) and all(isinstance(name, str) for name in key):
            return Table({name: self._arrays[name] for name in key})
        return Table({name: array[key] for name, array in self._arrays.items()})

    def followed_by(self, *others: Table) -> Table:
        """Return the rows of this table and of others, which have the same columns."""
        return Table({name: np.concatenate([self[name], *(other[name] for other in others)]) for name in self})

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        for name, kind in self.kinds.items():
            if kind != "number":
                raise DataError(
                    f"column {name!r} holds {kind}s, not numbers; a network takes them with "
                    "input_encoding=numlp.learn_encoding(table)"
                )
        if copy is False:
            raise ValueError("the columns of a table are apart in memory, so an array of them is a copy")
        return np.stack(list(self._arrays.values()), axis=1).astype(dtype or np.result_type(*self._arrays.values()))

    def __repr__(self) -> str:
        return f"Table of {len(self):,} rows: {', '.join(f'{name} ({kind})' for name, kind in self.kinds.items())}"

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds."""
        return {name: kind_of(array) for name, array in self._arrays.items()}


def kind_of(array: AnyArray) -> Kind:
    """Return what a table's column holds, by its dtype."""
    return "date" if array.dtype.kind == "M" else "text" if array.dtype.kind == "O" else "number"


def gaps_in(array: AnyArray) -> npt.NDArray[np.bool_]:
    """Return where a table's column has gaps.

    >>> gaps_in(np.array(["a", None], dtype=object)).tolist()
    [False, True]
    """
    if array.dtype.kind == "O":
        return np.fromiter((value is None for value in array), bool, len(array))
    if array.dtype.kind == "M":
        return np.isnat(array)
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(len(array), bool)


def as_table(x: Any, name: str = "x") -> Table:
    """Return a table: itself, a frame's columns, or those of an array, (n, columns), named "0", "1", ….

    Frames are those that narwhals knows, such as pandas', polars' and pyarrow's.

    Raises
    ------
    DataError
        If it is something else, or a column holds neither numbers, texts, booleans nor dates.

    >>> as_table(np.array([[1, 2]])).columns
    ('0', '1')
    """
    if isinstance(x, Table):
        return x
    if isinstance(x, np.ndarray | list | tuple):
        array = np.ma.asarray(x) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)
        if array.dtype.kind in "US" and not isinstance(x, np.ndarray):
            array = np.array(x, dtype=object)  # in which numbers stay numbers
        if array.ndim != 2:
            raise DataError(f"{name} must be a table: rows and columns, not an array of shape {array.shape}")
        return Table({str(i): array[:, i] for i in range(array.shape[1])})
    try:
        import narwhals.stable.v2 as narwhals
    except ImportError as error:
        raise missing("narwhals", "reading a frame with texts, dates or gaps", "tables") from error
    try:
        frame = narwhals.from_native(x, eager_only=True)
    except TypeError as error:
        raise DataError(f"{name} must be a table or a frame, not {type(x).__name__}") from error
    names = columns_of(x) or tuple(map(str, frame.columns))
    if len(set(names)) < len(names):
        raise DataError(f"{name} must have columns with different names, not {', '.join(map(repr, names))}")
    return Table({key: _from_series(key, frame[:, i]) for i, key in enumerate(names)})


def _from_series(name: str, series: Any) -> AnyArray:
    """Return a column of a narwhals frame as an array; gaps are NaN, NaT or None."""
    kind, held = series.dtype, type(series.dtype).__name__
    gaps = np.asarray(series.is_null().to_numpy(), bool)
    if kind.is_integer() and not gaps.any():
        return np.asarray(series.to_numpy())
    if held in ("Date", "Datetime"):
        if getattr(kind, "time_zone", None) is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return np.asarray(series.to_numpy()).astype(_DATES)
    values = np.empty(len(gaps), dtype=object)
    values[:] = series.to_list()
    if held in ("Categorical", "Enum"):  # numbers name categories here, too
        values[~gaps] = [as_text(value) for value in values[~gaps]]
    values[gaps] = None
    return values


def is_gap(value: Any) -> bool:
    """Return whether a value stands for a missing one: None, NaN, NaT or NA.

    >>> is_gap(None), is_gap(float("nan")), is_gap("")
    (True, True, False)
    """
    return value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType") or value != value


def as_text(value: Any) -> str:
    """Return a value as the name of a level: the same name for 1 and 1.0, as files and frames hold either.

    >>> as_text(1.0), as_text(1.5), as_text(True), as_text("1.0")
    ('1', '1.5', 'true', '1.0')
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    whole = isinstance(value, Real | Decimal) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _checked(name: str, values: Any) -> AnyArray:
    """Return a column as one of the dtypes that a table holds."""
    gaps = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"column {name!r} must have one value a row, not shape {array.shape}")
    if array.dtype.kind in "UST":
        try:
            array = array.astype(str).astype(object)
        except UnicodeDecodeError as error:
            raise DataError(f"column {name!r} holds bytes that aren't texts; decode them first") from error
    if array.dtype.kind == "O":
        array = _from_objects(name, array)
    elif array.dtype.kind == "M":
        years = array.astype("datetime64[Y]").astype(np.int64) + 1970
        far = ~np.isnat(array) & (np.abs(years) > _MOST_YEAR)  # NumPy would wrap them around
        if far.any():
            row = int(np.flatnonzero(far)[0])
            raise DataError(
                f"column {name!r} holds a date too far from 1970, first in row {row}; remove or replace it"
            )
        array = array.astype(_DATES)
    elif array.dtype.kind not in "buif":
        raise DataError(f"column {name!r} holds {array.dtype}; convert it to numbers, texts or dates")
    if gaps is not None and gaps.any():
        blank = {"O": None, "M": np.datetime64("NaT")}.get(array.dtype.kind, np.nan)
        array = array.astype(np.float64) if array.dtype.kind in "bui" else array.copy()
        array[gaps] = blank
    if array.dtype.kind == "f" and np.isinf(array).any():
        row = int(np.flatnonzero(np.isinf(array))[0])
        raise DataError(f"column {name!r} holds infinity, first in row {row}; remove or replace it")
    return array


def _from_objects(name: str, array: AnyArray) -> AnyArray:
    """Return an array of objects as texts, numbers, booleans or dates; mixtures with texts are texts."""
    gaps = np.array([is_gap(value) for value in array], bool)
    found = array[~gaps]
    held = {type(value) for value in found}
    numbers = Real | Decimal | np.bool_
    if any(issubclass(kind, str) for kind in held) and all(issubclass(kind, str | numbers) for kind in held):
        made = np.full(len(array), None, dtype=object)
        made[~gaps] = [as_text(value) for value in found]
    elif held and all(issubclass(kind, time) for kind in held):  # those of a file are times of this day, too
        made = np.full(len(array), np.datetime64("NaT"), _DATES)
        made[~gaps] = np.array([datetime.combine(date(1900, 1, 1), value) for value in found], _DATES)
    elif held and all(issubclass(kind, date) for kind in held):
        made = np.full(len(array), np.datetime64("NaT"), _DATES)
        made[~gaps] = found.astype(_DATES)
    elif all(issubclass(kind, numbers) for kind in held):
        made = np.array(found.tolist()) if len(found) == len(array) else np.full(len(array), np.nan)
        made = made.astype(np.float64) if made.dtype.kind == "O" else made
        if len(found) < len(array):
            made[~gaps] = found.astype(np.float64)
    else:
        odd = next(kind for kind in held if not issubclass(kind, str | numbers))
        raise DataError(f"column {name!r} holds {odd.__name__} objects; convert it to numbers, texts or dates")
    return made
