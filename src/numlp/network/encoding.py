"""Encoding: from the columns of a table to numbers, learned from training rows and stored with the model."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.frames import columns_of
from numlp.arrays.special import Array
from numlp.arrays.table import Table, as_table
from numlp.errors import DataError, DataWarning, SettingError
from numlp.network.columns import COLUMNS, MOST, NARROWEST, SHORTEST, Category, Column, Number, fitting, total
from numlp.settings import limits
from numlp.settings.checks import listed
from numlp.settings.synonyms import nearest


@dataclass(frozen=True)
class Encoding:
    """What a network does with each column of a table; `learn_encoding` makes one from training rows.

    Attributes
    ----------
    columns : tuple of Number, Category and Date
        In the order of the network's inputs.
    clip : bool
        Whether scaled numbers are clipped smoothly, z / √(1 + (z / 10)²), so that none exceeds 10. After D.
        Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on tabular data" (2024), who
        clip at 3, which costs accuracy where the tail of a column counts, as that of a delay does.

    Examples
    --------
    >>> table = Table({"age": np.array([20.0, 60.0]), "city": np.array(["Ulm", "Bonn"], dtype=object)})
    >>> encoding = Encoding((Number("age", shift=40.0, factor=0.05), Category("city", levels=("Bonn", "Ulm"))))
    >>> encoding.encode(table, "float32")
    array([[-1.,  2.],
           [ 1.,  1.]], dtype=float32)
    """

    columns: tuple[Column, ...]
    clip: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def n_codes(self) -> int:
        """The number of codes of a row."""
        return total(self.columns)

    @property
    def width(self) -> int:
        """The number of inputs that the network's first layer makes of a row's codes."""
        return sum(_width(column) for column in self.columns)

    @property
    def categories(self) -> bool:
        """Whether codes include levels, which can be looked up but not added."""
        return any(isinstance(column, Category) for column in self.columns)

    def encode(self, x: Any, dtype: npt.DTypeLike = "float32", *, warn: bool = True) -> Array:
        """Return the codes of rows, (rows, n_codes), all finite.

        Parameters
        ----------
        x : Table, frame, or array of shape (rows, columns)
            The columns of a table or a frame may have any order; those of an array come in the encoding's.
        dtype : dtype
        warn : bool
            Whether to tell of what training hadn't.

        Raises
        ------
        DataError
            If columns are missing, unknown, or of another kind.

        Warns
        -----
        DataWarning
            If rows hold levels or gaps that the training rows hadn't, or most numbers or dates of a column lie ten
            widths of its range outside of it. They are encoded all the same.
        """
        table = self.lined_up(x)
        codes = np.empty((len(table), self.n_codes), dtype)
        odd, start = [], 0
        for column in self.columns:
            values = fitting(column, table[column.name])
            found, (count, example) = column.codes(values)
            codes[:, start : start + column.n_codes] = found
            start += column.n_codes
            if count and warn:
                odd.append(f"{column.name!r} in {count:,} of {len(table):,} rows, such as {example}")
            if warn and not isinstance(column, Category) and (far := column.far(values)):
                odd.append(f"{column.name!r} {far}")
        if odd:
            warnings.warn(
                f"x holds what the network hasn't seen in training: column {'; column '.join(odd)}",
                DataWarning,
                stacklevel=2,
            )
        return codes

    def lined_up(self, x: Any) -> Table:
        """Return rows as a table with the encoding's columns, in its order."""
        named = isinstance(x, Table) or columns_of(x) is not None
        table, names = as_table(x), self.names
        if not len(table):
            raise DataError(f"x is empty, with shape {table.shape}; give it at least one row")
        if not named and table.shape[1] == len(self.columns):
            return Table(dict(zip(names, (table[name] for name in table), strict=True)))
        faults, known, held = list[str](), set(names), set(table.columns)
        unknown = [name for name in table.columns if name not in known]
        for name in names:
            if name not in held:
                meant = nearest(name, unknown)
                faults.append(f"lacks {name!r}" + (f" (is {meant!r} meant?)" if meant else ""))
        faults += [f"has {len(unknown)} more than the network knows: {listed(unknown)}"] if unknown else []
        if faults:
            raise DataError(
                f"x must have the {len(self.columns)} columns that the network was trained on, but it "
                f"{'; it '.join(faults[:10])}"
            )
        return table[list(names)]

    def described(self) -> dict[str, Any]:
        """Return the encoding as JSON can hold it."""
        columns = [{"kind": column.kind, **dataclasses.asdict(column)} for column in self.columns]
        return {"clip": self.clip, "columns": columns}


def as_encoding(described: Any) -> Encoding:
    """Return the encoding of a description, after checks of all its parts.

    Raises
    ------
    SettingError

    >>> as_encoding(Encoding((Number("a", 0.0, 1.0),)).described())
    Encoding(columns=(Number(name='a', shift=0.0, factor=1.0, gaps=False, edges=(), low=0.0, high=0.0),), clip=True)
    """
    try:
        columns = tuple(_as_column(column) for column in described["columns"])
        clip = described["clip"]
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"input_encoding isn't valid: {error!r:.200}") from error
    names = {column.name for column in columns}
    encoding = Encoding(columns, clip)
    if not isinstance(clip, bool) or not encoding.width or len(names) < len(columns):
        raise SettingError("input_encoding isn't valid: its columns must have different names, and some values")
    return encoding


def _as_column(described: Mapping[str, Any]) -> Column:
    kind: Any = COLUMNS[described["kind"]]
    made: Column = kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in described.items()
            if name != "kind"
        }
    )
    for field in dataclasses.fields(made):
        if not _is_valid(field.name, getattr(made, field.name)):
            raise ValueError(f"{described['kind']} {made.name!r:.40} has an odd {field.name}")
    return made


def _is_valid(name: str, value: Any) -> bool:
    """Return whether the part of a column's description has the right type and range."""
    if name == "name":
        return isinstance(value, str)
    if name == "gaps":
        return isinstance(value, bool)
    if name == "width":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limits.UNITS
    if name in ("levels", "rare"):
        known = isinstance(value, tuple) and all(isinstance(level, str | None) for level in value)
        return known and len(set(value)) == len(value) <= limits.LEVELS
    numbers = value if name in ("edges", "periods") else (value,)
    finite = all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
    if not finite or (name == "factor" and value == 0):
        return False
    if name == "edges":
        wide = all(high - low >= NARROWEST for low, high in pairwise(numbers))
        return len(numbers) != 1 and wide and all(abs(number) <= MOST for number in numbers)
    return name != "periods" or all(number >= SHORTEST for number in numbers)


def _width(column: Column) -> int:
    if isinstance(column, Category):
        return column.width or len(column.levels) + bool(column.rare)
    return column.n_codes + (max(0, len(column.edges) - 1) if isinstance(column, Number) else 0)
