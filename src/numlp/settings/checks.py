"""Checks of settings: each returns the value that it was given, or raises a `SettingError` that says what to do."""

import difflib
import itertools
import math
import operator
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from numlp.errors import MissingDependencyError, SettingError
from numlp.settings import limits

Entry = TypeVar("Entry")
_COMPARED = 1000  # names that are looked through for the nearest


def whole_number(name: str, value: object, *, minimum: int = 1, maximum: int | None = None) -> int:
    """Return `value` as an int if it is a whole number of at least `minimum`, and at most `maximum`.

    >>> whole_number("batch_size", 64)
    64
    >>> whole_number("batch_size", 0)
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: batch_size must be a whole number of at least 1, not 0
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = minimum - 1
    if number < minimum or (maximum is not None and number > maximum) or isinstance(value, bool):
        limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise SettingError(f"{name} must be a whole number {limits}, not {value!r}")
    return number


def positive(name: str, value: object) -> float:
    """Return `value` as a float if it is a finite number above zero.

    >>> positive("learning_rate", float("nan"))
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: learning_rate must be a finite number above 0, not nan
    """
    number = real(name, value, "a finite number above 0")
    if not 0 < number < math.inf:
        raise SettingError(f"{name} must be a finite number above 0, not {value!r}")
    return number


def nonnegative(name: str, value: object) -> float:
    """Return `value` as a float if it is a finite number of at least zero."""
    number = real(name, value, "a finite number of at least 0")
    if not 0 <= number < math.inf:
        raise SettingError(f"{name} must be a finite number of at least 0, not {value!r}")
    return number


def fraction(name: str, value: object) -> float:
    """Return `value` as a float if it lies in [0, 1), as a momentum does, or the part of units that is dropped.

    >>> fraction("dropout", 1)
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: dropout must be at least 0 and below 1, not 1
    """
    number = real(name, value, "at least 0 and below 1")
    if not 0 <= number < 1:
        raise SettingError(f"{name} must be at least 0 and below 1, not {value!r}")
    return number


def truth(name: str, value: object) -> bool:
    """Return `value` if it is true or false."""
    if not isinstance(value, bool):
        raise SettingError(f"{name} must be true or false, not {value!r}")
    return value


def share(name: str, value: object) -> float:
    """Return `value` as a float if it lies strictly between 0 and 1."""
    number = real(name, value, "a share between 0 and 1")
    if not 0 < number < 1:
        raise SettingError(f"{name} must be a share between 0 and 1, both excluded, not {value!r}")
    return number


def real(name: str, value: object, wanted: str) -> float:
    """Return `value` as a float if it is a number at all; `wanted` says in the error what it should be."""
    if not isinstance(value, str | bytes | bool):
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            pass
    raise SettingError(f"{name} must be {wanted}, not {value!r}")


def choice(name: str, value: object, choices: Mapping[str, Entry]) -> Entry:
    """Return the entry of a registry, or name the nearest that there is.

    >>> choice("activation", "rellu", {"relu": 1, "tanh": 2})
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: unknown activation 'rellu': did you mean 'relu'? There are: relu, tanh
    """
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise SettingError(unknown(name, value, choices))


def unknown(name: str, value: object, choices: Iterable[str]) -> str:
    """The message for a name that does not exist, with the nearest one that does."""
    choices = list(choices)
    few = choices if len(choices) <= _COMPARED else []  # comparing takes long
    nearest = difflib.get_close_matches(str(value), few, n=1)
    hint = f": did you mean {nearest[0]!r}?" if nearest else "."
    return f"unknown {name} {value!r:.200}{hint} There are: {listed(choices)}"


def listed(names: Collection[str]) -> str:
    """Return names for a message, those of a long list not all.

    >>> listed(["a", "b"]), listed([str(i) for i in range(1000)])[-23:]
    ('a, b', '48, 49 … (1,000 in all)')
    """
    text = ", ".join(itertools.islice(names, limits.NAMES))
    return text if len(names) <= limits.NAMES else f"{text} … ({len(names):,} in all)"


def missing(library: str, purpose: str, extra: str) -> MissingDependencyError:
    """The error for an optional library that is not installed, with the command that installs it."""
    return MissingDependencyError(
        f"{purpose} needs {library}: install numlp with its extra {extra!r}, as in pip install '.[{extra}]'"
    )
