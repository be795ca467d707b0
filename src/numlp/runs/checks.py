"""Checks of a recipe's settings, beyond those of `numlp.settings.checks`; each returns the value to store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numlp.arrays.randomness import as_seed
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.settings import limits
from numlp.settings.checks import as_bytes, choice, nonnegative, share, whole_number
from numlp.settings.named import Check, resolve


def text(name: str, value: object) -> str:
    """Return a string without zero bytes."""
    if not isinstance(value, str) or "\0" in value:
        raise SettingError(f"{name} must be a string without zero bytes, not {value!r}")
    return value


def one_of(registry: Mapping[str, object]) -> Check:
    """Return a check for the names in a registry."""

    def check(name: str, value: object) -> Any:
        choice(name, value, registry)
        return value

    return check


def named(registry: Mapping[str, type[Any]]) -> Check:
    """Return a check for a name in a registry, with settings of its own in parentheses."""
    return lambda name, value: str(resolve(name, value, registry))


def widths(name: str, value: object) -> tuple[int, ...]:
    """Return the widths of the hidden layers as a tuple."""
    if not isinstance(value, list | tuple):
        raise SettingError(f"{name} must be a list of widths, such as [256, 256], not {value!r}")
    return tuple(whole_number(f"each of {name}", width, maximum=limits.UNITS) for width in value)


def activation(name: str, value: object) -> str | tuple[str, ...]:
    """Return the text of one activation, or a tuple with one for each hidden layer."""
    if isinstance(value, list | tuple):
        return tuple(str(resolve(name, each, ACTIVATIONS)) for each in value)
    return str(resolve(name, value, ACTIVATIONS))


def share_or_path(name: str, value: object) -> float | str:
    """Return a share of the training rows, or a path."""
    return text(name, value) if isinstance(value, str) else share(name, value)


def memory(name: str, value: object) -> str:
    """Return a number of bytes as text."""
    as_bytes(name, value)
    return str(value)


def class_weight(name: str, value: object) -> str | dict[str, float] | tuple[float, ...]:
    """Return "balanced", or weights by class name or in the order of the classes."""
    if isinstance(value, Mapping):
        return {str(key): nonnegative(f"{name} of {key}", weight) for key, weight in value.items()}
    if isinstance(value, list | tuple):
        return tuple(nonnegative(name, weight) for weight in value)
    choice(name, value, {"balanced": None})
    return "balanced"


def count(most: int | None = None, least: int = 1) -> Check:
    """Return a check for a whole number from `least` to `most`."""
    return lambda name, value: whole_number(name, value, minimum=least, maximum=most)


def folds(name: str, value: object) -> int:
    """Return a number of folds."""
    try:
        return whole_number(name, value, minimum=2, maximum=limits.NETWORKS)
    except SettingError as error:
        raise SettingError(f"{error}; none turns them off") from error


def count_or_timed(most: int) -> Check:
    """Return a check for a whole number up to `most`, or "timed"."""

    def check(name: str, value: object) -> int | str:
        if isinstance(value, str):
            if value != "timed":
                raise SettingError(f"{name} must be a whole number from 1 to {most}, or 'timed', not {value!r}")
            return value
        return whole_number(name, value, maximum=most)

    return check


def seed(name: str, value: object) -> int:
    """Return a seed of randomness."""
    return as_seed(value)
