"""Named values: frozen settings under a name, written alike in Python, recipes, model files and the command line.

An activation, a loss, an optimizer or a schedule is a frozen value with a `name`; its fields are its settings.
Its text is the name, then in parentheses, as TOML, the settings that differ from their defaults:
``"adam"``, ``"sgd(momentum = 0.9, nesterov = true)"``. Reading a text looks names up and executes nothing.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from numlp.errors import SettingError
from numlp.settings import limits
from numlp.settings.checks import choice, unknown
from numlp.settings.synonyms import nearest
from numlp.settings.texts import parse_toml

Value = TypeVar("Value")
Entry = TypeVar("Entry", bound="Named")
Check = Callable[[str, object], Any]

# Habits from languages other than TOML.
_MISTAKES = {
    r"^[^=]*$": "each setting needs its name, as in name = value",
    r"(?<!\w)\.\d": "a number needs a digit before its point, as in 0.9",
    r"\b(True|False)\b": "true and false are lowercase",
}


def setting(default: Value, check: Check, **metadata: Any) -> Value:
    """Declare a setting of a frozen dataclass: ``check(name, value)`` returns the value to store, or raises."""
    field: Any = dataclasses.field(default=default, metadata={"check": check, **metadata})
    return field  # type: ignore[no-any-return]  # mypy should see the value's type, as with `field`


def optional(check: Check) -> Check:
    """Return a check that also accepts None, which switches the setting off."""
    return lambda name, value: None if value is None else check(name, value)


def check_settings(value: Any) -> None:
    """Check every setting of a frozen dataclass."""
    for field in dataclasses.fields(value):
        object.__setattr__(value, field.name, field.metadata["check"](field.name, getattr(value, field.name)))


class _Frozen:
    """Refuses to set attributes: a frozen dataclass does so only for itself, not for classes that inherit from it."""

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


@dataclass(frozen=True)
class Named(_Frozen):
    """A frozen value with a name. A subclass with settings is a dataclass; one without just inherits.

    >>> @dataclass(frozen=True)
    ... class Ramp(Named):
    ...     name = "ramp"
    ...     slope: float = setting(1.0, lambda name, value: float(value))
    >>> str(Ramp()), str(Ramp(slope=2))
    ('ramp', 'ramp(slope = 2.0)')
    >>> resolve("shape", "ramp(slope = 3)", {"ramp": Ramp})
    Ramp(slope=3.0)
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_settings(self)

    def __str__(self) -> str:
        pairs = ((field, getattr(self, field.name)) for field in dataclasses.fields(self))
        # JSON's numbers, strings, lists and booleans are also TOML.
        settings = [f"{field.name} = {json.dumps(value)}" for field, value in pairs if value != field.default]
        return f"{self.name}({', '.join(settings)})" if settings else self.name


def resolve(kind: str, value: object, registry: Mapping[str, type[Entry]]) -> Entry:
    """Return the value that a text names in a registry; return a value of the registry's types unchanged.

    Parameters
    ----------
    kind : str
        What the value is, for messages: "optimizer".
    value : str or Named
    registry : mapping of str to type

    Raises
    ------
    SettingError
        If the name is unknown, or a setting is unknown or out of range.
    """
    if isinstance(value, Named) and isinstance(value, tuple(registry.values())):
        return value  # type: ignore[return-value]  # the tuple's types are the registry's
    short = value.strip() if isinstance(value, str) and len(value) <= limits.SETTING else ""
    text = re.fullmatch(r"(\w+)\s*(?:\(([^{}#\n]*)\))?", short)
    if text is None:
        example = next(iter(registry))
        raise SettingError(
            f"{kind} must be a name such as {example!r}, with any settings in parentheses, not {value!r:.200}"
        )
    name, settings = text[1], _settings(kind, value, text[2] or "")
    entry = choice(kind, name, registry)
    known = [field.name for field in dataclasses.fields(entry)]
    for key in settings:
        if key not in known and kind == "optimizer" and nearest(key, ["learning_rate"]):
            raise SettingError(f"{kind} {name} has no setting {key!r}: give learning_rate beside the optimizer")
        if key not in known:
            raise SettingError(unknown(f"setting of {kind} {name}", key, known or ["none"]))
    try:
        return entry(**settings)
    except SettingError as error:
        raise SettingError(f"{kind} {name}: {error}") from error


def _settings(kind: str, value: object, text: str) -> dict[str, Any]:
    why = ""
    try:
        parsed = parse_toml(f"settings = {{{text}}}")
    except ValueError as error:
        parsed, why = {}, f" ({error})"
    if list(parsed) != ["settings"]:
        mistakes = [says for pattern, says in _MISTAKES.items() if re.search(pattern, text)]
        wrong = ", and ".join(mistakes) or "the settings aren't valid TOML"
        raise SettingError(
            f"{kind} {value!r:.200}: {wrong}; write settings as in 'sgd(momentum = 0.9, nesterov = true)'{why}"
        )
    settings: dict[str, Any] = parsed["settings"]
    return settings
