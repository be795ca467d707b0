"""Reading: how a file of the user's is read; what holds of it that the file doesn't say itself."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from numlp.arrays.table import Kind
from numlp.errors import SettingError
from numlp.settings.checks import choice, truth
from numlp.settings.named import check_settings, optional, setting

KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_SIGNS = {"decimal": ".,·", "thousands": ".,'’_ \xa0\u202f"}


def text(name: str, value: object) -> str:
    """Return a string, or a path as a string, without zero bytes."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str) or "\0" in value:
        raise SettingError(f"{name} must be a string without zero bytes, not {value!r}")
    return value


def texts(name: str, value: object) -> tuple[str, ...]:
    """Return strings, or one, as a tuple."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise SettingError(f"{name} must be a list of strings, not {value!r}")
    return tuple(text(f"each of {name}", part) for part in parts)


def kinds(name: str, value: object) -> dict[str, Kind]:
    """Return the kinds of columns by name, given as a mapping or as texts such as "zip=text"."""
    if not isinstance(value, Mapping):
        pairs = [pair.rpartition("=") for pair in texts(name, value)]
        for column, sign, kind in pairs:
            if not (column and sign):
                raise SettingError(
                    f"each of {name} must be COLUMN=KIND, such as zip=text, not {column + sign + kind!r}"
                )
        value = {column: kind for column, _, kind in pairs}
    return {str(column): choice(f"kind of {column!r}", kind, KINDS) for column, kind in value.items()}


def gaps(name: str, value: object) -> tuple[str, ...]:
    """Return the texts, or numbers, that stand for a gap as a tuple of texts."""
    parts = value if isinstance(value, list | tuple) else [value]
    return texts(name, [str(part) if isinstance(part, int | float) else part for part in parts])


def sign(name: str, value: object) -> str:
    """Return the sign before decimals, or the one between thousands."""
    if not isinstance(value, str) or len(value) != 1 or value not in _SIGNS[name]:
        raise SettingError(f"{name} must be one of {' '.join(map(repr, _SIGNS[name]))}, not {value!r:.200}")
    return value


@dataclass(frozen=True)
class Reading:
    """How to read a file of the user's; by default all of it is seen from the file.

    Attributes
    ----------
    target, weights : str, optional
        The column of the targets, and of the samples' weights. For arrays: the name of an array in the file, or the
        path of another file.
    inputs : str, optional
        The array x of an ``.npz``.
    drop, keep : tuple of str
        Columns to leave out, and columns to keep that would be left out unasked: one that only numbers the rows.
    kind : mapping of str to "number", "text" or "date"
        What columns hold. A column of text is kept as it is written, digits and zeros too.
    missing : tuple of str
        What else stands for a gap, beside empty cells, NA, NaN, null and ?; a number means all its spellings.
    decimal, thousands : str, optional
        The sign before decimals, and the one between thousands.
    header : bool, optional
        Whether the first line of a CSV file names the columns.
    drop_missing_target : bool
        Whether to leave out rows without a target; else they are an error.
    day_first : bool, optional
        Whether dates such as 3/4/2026 begin with the day, where a column's own dates leave it open.
    usual : bool
        Whether the signs in numbers are those of another file, such as that of the training rows: then they count
        where a file's own cells and its separator leave it open.
    """

    target: str | None = setting(None, optional(text))
    weights: str | None = setting(None, optional(text))
    inputs: str | None = setting(None, optional(text))
    drop: tuple[str, ...] = setting((), texts)
    keep: tuple[str, ...] = setting((), texts)
    kind: Mapping[str, Kind] = field(default_factory=dict[str, Kind], metadata={"check": kinds})
    missing: tuple[str, ...] = setting((), gaps)
    decimal: str | None = setting(None, optional(sign))
    thousands: str | None = setting(None, optional(sign))
    header: bool | None = setting(None, optional(truth))
    drop_missing_target: bool = setting(False, truth)
    day_first: bool | None = setting(None, optional(truth))
    usual: bool = setting(False, truth)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.decimal is not None and self.decimal == self.thousands:
            raise SettingError(f"decimal and thousands must be different signs, not both {self.decimal!r}")
        if self.target is not None and self.target == self.weights:
            raise SettingError(f"weights must be another column than the target {self.target!r}")
        for name in ("target", "weights"):
            if getattr(self, name) in self.drop:
                raise SettingError(f"{name} {getattr(self, name)!r} is also in drop; name it once")
        if both := [name for name in self.drop if name in self.keep]:
            raise SettingError(f"column {both[0]!r} is both in drop and in keep; name it once")

    def of_tables(self) -> dict[str, Any]:
        """Return the settings that are for tables alone and differ from their defaults."""
        signs = ("missing", "decimal", "thousands", "day_first")
        own = ("drop", "keep", "kind", *signs, "header", "drop_missing_target")
        plain = Reading()
        return {name: getattr(self, name) for name in own if getattr(self, name) != getattr(plain, name)}
