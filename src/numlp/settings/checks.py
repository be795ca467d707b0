"""Checks of settings: each returns the value it is given, or raises a `SettingError` that says what to do."""

import itertools
import math
import operator
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from numlp.errors import MissingDependencyError, SettingError
from numlp.settings import limits, numerals
from numlp.settings.synonyms import nearest

Entry = TypeVar("Entry")

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_LEAST_MEMORY = 1 << 26  # bytes, for rows


def whole_number(name: str, value: object, *, minimum: int = 1, maximum: int | None = None) -> int:
    """Return `value` as an int if it is a whole number from `minimum` to `maximum`.

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
        wanted = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise SettingError(
            f"{name} must be a whole number {wanted}, not {value!r}{numerals.remedy(value, whole=True)}"
        )
    return number


def positive(name: str, value: object) -> float:
    """Return `value` as a float if it is finite and above 0.

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
    """Return `value` as a float if it is finite and at least 0."""
    number = real(name, value, "a finite number of at least 0")
    if not 0 <= number < math.inf:
        raise SettingError(f"{name} must be a finite number of at least 0, not {value!r}")
    return number


def share_or_all(name: str, value: object) -> float:
    """Return `value` as a float if it lies in (0, 1], like a part of a whole.

    >>> share_or_all("distillation", 0)
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: distillation must be above 0 and at most 1, not 0
    """
    number = real(name, value, "above 0 and at most 1")
    if not 0 < number <= 1:
        raise SettingError(f"{name} must be above 0 and at most 1, not {value!r}")
    return number


def fraction(name: str, value: object) -> float:
    """Return `value` as a float if it lies in [0, 1), like a momentum or a dropout rate.

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
    """Return `value` if it is a bool."""
    if not isinstance(value, bool):
        raise SettingError(f"{name} must be true or false, not {value!r}")
    return value


def share(name: str, value: object) -> float:
    """Return `value` as a float if it lies strictly between 0 and 1."""
    number = real(name, value, "a share above 0 and below 1")
    if not 0 < number < 1:
        raise SettingError(f"{name} must be a share above 0 and below 1, not {value!r}")
    return number


def real(name: str, value: object, wanted: str) -> float:
    """Return `value` as a float if it is a number; otherwise the error says that it must be `wanted`."""
    if not isinstance(value, str | bytes | bool):
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            pass
    remedy = numerals.remedy(value, seconds="time" in name)
    raise SettingError(f"{name} must be {wanted}, not {value!r}{remedy}")


def choice(name: str, value: object, choices: Mapping[str, Entry]) -> Entry:
    """Return an entry of a registry, or raise an error that suggests the nearest name.

    >>> choice("activation", "rellu", {"relu": 1, "tanh": 2})
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: unknown activation 'rellu': did you mean 'relu'? Available: relu, tanh
    """
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise SettingError(unknown(name, value, choices))


def unknown(name: str, value: object, choices: Iterable[str]) -> str:
    """Return the message for an unknown name, with the known one that it means."""
    choices = list(choices)
    meant = nearest(value, choices)
    hint = "." if meant is None else f": did you mean {meant!r}?"
    return f"unknown {name} {value!r:.200}{hint} Available: {listed(choices)}"


def listed(names: Collection[str]) -> str:
    """Return names for a message, with a long list cut short.

    >>> listed(["a", "b"]), listed([str(i) for i in range(1000)])[-23:]
    ('a, b', '48, 49 … (1,000 in all)')
    """
    text = ", ".join(itertools.islice(names, limits.NAMES))
    return text if len(names) <= limits.NAMES else f"{text} … ({len(names):,} in all)"


def as_bytes(name: str, value: object) -> int:
    """Return a number of bytes, at least 64 MiB, that may be written with a unit.

    >>> as_bytes("memory", "4GB"), as_bytes("memory", "512 MiB")
    (4000000000, 536870912)
    """
    number: object = value
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]i?)?B?\s*", value)):
        number = int(float(found[1]) * _UNITS[found[2] or ""])
    if isinstance(number, bool) or not isinstance(number, int) or number < _LEAST_MEMORY:
        raise SettingError(
            f"{name} must be a number of bytes such as '4GB' or '512MiB', at least 64MiB, not {value!r:.80}"
        )
    return number


def missing(library: str, purpose: str, extra: str) -> MissingDependencyError:
    """Return the error for an optional library that isn't installed, with the command that installs it."""
    return MissingDependencyError(
        f"{purpose} needs {library}; install numlp with the extra {extra!r}, as in pip install '.[{extra}]'"
    )
