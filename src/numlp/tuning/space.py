"""The space of a search: which settings of a recipe it varies, and over which values, as TOML.

A setting has a list of values, or a range::

    activation = ["relu", "silu"]
    learning_rate = { low = 0.001, high = 0.03, log = true }

The parts of a setting can vary, too: the number and the width of the hidden layers, and the own settings of a named
value, such as an optimizer::

    layers.depth = { low = 1, high = 4 }
    optimizer.weight_decay = { low = 0.01, high = 1.0, log = true }
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numlp.data.augmentation import AUGMENTATIONS
from numlp.data.teacher import refuse_preparation
from numlp.errors import SettingError
from numlp.network.encoder import ENCODINGS
from numlp.network.features import INPUT_FEATURES
from numlp.runs.data import DataSettings
from numlp.runs.recipe import OFF, Recipe
from numlp.settings.checks import listed, unknown
from numlp.settings.named import Named, resolve
from numlp.settings.texts import parse_toml
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

Value = str | int | float | bool | tuple[Any, ...]

_RANGE = ("low", "high", "log", "step")
_LAYERS = ("depth", "width")
_NAMED: dict[str, Mapping[str, type[Named]]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "input_features": INPUT_FEATURES,
    "input_encoding": ENCODINGS,
    "augmentation": AUGMENTATIONS,
}
# What the data are, how a model is judged, and what only changes how fast it trains, is the same in all trials.
_FIXED = {field.name for field in dataclasses.fields(DataSettings)} | {
    *("loss", "folds", "calibrate", "monitor", "snapshots"),
    *("seed", "threads", "processes", "time_budget", "arithmetic"),
}
SEARCHABLE = tuple(field.name for field in dataclasses.fields(Recipe) if field.name not in _FIXED)


@dataclass(frozen=True)
class Choices:
    """Values without an order."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.values

    @property
    def probes(self) -> tuple[Value, ...]:
        """The values that stand for all in a check."""
        return self.values

    def __str__(self) -> str:
        return f"[{', '.join(json.dumps(value) for value in self.values)}]"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, whole ones if both are; with `log`, their logarithms are equally likely."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether the range has whole numbers alone."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-9) and (not self.whole or value == int(value))

    @property
    def probes(self) -> tuple[Value, ...]:
        """The values that stand for all in a check."""
        return self.low, self.high

    def __str__(self) -> str:
        parts = {"low": self.low, "high": self.high, "log": self.log or None, "step": self.step}
        return (
            f"{{ {', '.join(f'{name} = {json.dumps(part)}' for name, part in parts.items() if part is not None)} }}"
        )


Space = Mapping[str, Choices | Range]


def read_space(text: str, base: Recipe) -> dict[str, Choices | Range]:
    r"""Return the space in a TOML text, whose every value must suit a recipe.

    Raises
    ------
    SettingError
        If the text isn't TOML, or holds an unknown name or a value that the recipe can't have.

    Examples
    --------
    >>> space = read_space("dropout = { low = 0.0, high = 0.5 }\nlayers.width = [64, 128]", Recipe())
    >>> space["layers.width"]
    Choices(values=(64, 128))
    >>> recipe_at(Recipe(), {"dropout": 0.25, "layers.width": 64}).layers
    (64, 64)
    >>> read_space("dropuot = [0.1, 0.2]", Recipe())
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: unknown setting 'dropuot': did you mean 'dropout'? Available: ...
    """
    try:
        parsed = parse_toml(text)
    except ValueError as error:
        raise SettingError(f"it isn't valid TOML: {error}") from error
    if base.teacher is not None or "teacher" in parsed:
        refuse_preparation(parsed)
    space: dict[str, Choices | Range] = {}
    for name, given in parsed.items():
        if name not in SEARCHABLE:
            if name in _FIXED:
                raise SettingError(
                    f"{name} is the same in all trials: leave it out, and give it to numlp tune instead"
                )
            raise SettingError(unknown("setting", name, SEARCHABLE))
        if isinstance(given, dict) and not given.keys() & set(_RANGE):
            known = _parts(name, base)
            for part, of_part in given.items():
                if part not in known:
                    raise SettingError(unknown(f"part of {name}", part, known))
                space[f"{name}.{part}"] = _values(f"{name}.{part}", of_part)
        else:
            space[name] = _values(name, given)
    if not space:
        raise SettingError("it has no setting to search: numlp tune --show-space shows the usual ones")
    check_space(space, base)
    return space


def check_space(space: Space, base: Recipe) -> None:
    """Refuse a space with a value that a recipe can't have beside its other settings."""
    for name, values in space.items():
        head = name.partition(".")[0]
        beside = {other: each.probes[0] for other, each in space.items() if other.startswith(f"{head}.")}
        for value in values.probes:
            try:
                recipe_at(base, {**beside, name: value})
            except SettingError as error:
                raise SettingError(f"{name} can't be {_text(value)}: {error}") from error


def recipe_at(base: Recipe, point: Mapping[str, Any]) -> Recipe:
    """Return a recipe with the settings at a point of a space.

    >>> recipe_at(Recipe(), {"optimizer.momentum": 0.5, "layers.depth": 3}).as_dict()["layers"]
    [512, 512, 512]
    """
    changes: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name, value in point.items():
        head, _, part = name.partition(".")
        if part:
            parts.setdefault(head, {})[part] = value
        else:
            changes[head] = OFF if value == "none" and getattr(Recipe, head) is None else value
    for head, given in parts.items():
        changes[head] = _joined(head, given, base)
    return base.edited(**changes)


def point_of(base: Recipe, space: Space) -> dict[str, Any]:
    """Return the values that a recipe has for the settings of a space; None for layers that differ in width.

    >>> point_of(Recipe(layers=(64, 64)), {"layers.depth": Range(1, 4), "layers.width": Range(32, 128)})
    {'layers.depth': 2, 'layers.width': 64}
    """
    point = {}
    for name in space:
        head, _, part = name.partition(".")
        value = getattr(base, head)
        if head == "layers" and part:
            uniform = len(set(value)) == 1
            value = None if not uniform else len(value) if part == "depth" else value[0]
        elif part:
            value = None if value is None else getattr(resolve(head, value, _NAMED[head]), part)
        elif value is None:
            value = "none"
        point[name] = value
    return point


def left_out(base: Recipe, space: Space) -> dict[str, Any]:
    """Return the values of a recipe that its space leaves out, by their names.

    >>> left_out(Recipe(layers=(64, 64)), {"layers.depth": Range(1, 4), "layers.width": Range(128, 256)})
    {'layers.width': 64}
    """
    outside = {name: value for name, value in point_of(base, space).items() if value not in space[name]}
    return {name: getattr(base, name.partition(".")[0]) if v is None else v for name, v in outside.items()}


def space_text(space: Space, comments: Iterable[str] = ()) -> str:
    """Return a space as TOML.

    >>> print(space_text({"dropout": Range(0.0, 0.5), "activation": Choices(("relu", "silu"))}), end="")
    dropout = { low = 0.0, high = 0.5 }
    activation = ["relu", "silu"]
    """
    lines = [f"# {comment}" for comment in comments] + [f"{name} = {values}" for name, values in space.items()]
    return "\n".join(lines) + "\n"


def _values(name: str, given: object) -> Choices | Range:
    if isinstance(given, list):
        values = tuple(tuple(value) if isinstance(value, list) else value for value in given)
        if len(values) < 2 or len(set(map(json.dumps, values))) < len(values):
            raise SettingError(f"{name} must list at least two values, each once, not {_text(given)}")
        if any(isinstance(value, dict) for value in values):
            raise SettingError(f"{name} must list values, not tables")
        return Choices(values)
    if not isinstance(given, dict):
        raise SettingError(
            f"{name} must be a list of values, or a range such as {{ low = 0.1, high = 0.5 }}, not {_text(given)}: "
            "leave out what is the same in all trials, and give it to numlp tune instead"
        )
    for key in given:
        if key not in _RANGE:
            raise SettingError(f"{name}: " + unknown("part of a range", key, _RANGE))
    low, high, step, log = (given.get(key) for key in ("low", "high", "step", "log"))
    numbers = [low, high] + ([] if step is None else [step])
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers):
        raise SettingError(f"{name} must have the numbers low and high, and step if any, not {_text(given)}")
    if log is not None and not isinstance(log, bool):
        raise SettingError(f"{name}: log must be true or false, not {_text(log)}")
    assert isinstance(low, int | float) and isinstance(high, int | float)  # noqa: PT018
    if low >= high:
        raise SettingError(f"{name}: low must be below high, not {low} and {high}")
    if log and (low <= 0 or step is not None):
        raise SettingError(f"{name}: with log, low must be above 0, and there is no step")
    found = Range(low, high, bool(log), step)
    if step is not None and (step <= 0 or high not in found or (found.whole and not isinstance(step, int))):
        raise SettingError(f"{name}: steps of {step} must lead from {low} to {high}")
    return found


def _parts(name: str, base: Recipe) -> list[str]:
    """Return the parts of a setting that can be searched, each by itself."""
    if name == "layers":
        return list(_LAYERS)
    if name not in _NAMED:
        raise SettingError(
            f"{name} must be a list of values, or a range such as {{ low = 0.1, high = 0.5 }}: it has no parts"
        )
    value = getattr(base, name)
    if value is None:
        raise SettingError(f"the recipe has no {name} whose parts could be searched: name one beside the data")
    return [field.name for field in dataclasses.fields(resolve(name, value, _NAMED[name]))]


def _joined(head: str, given: Mapping[str, Any], base: Recipe) -> Any:
    """Return a setting with some of its parts changed."""
    if head != "layers":
        return str(dataclasses.replace(resolve(head, getattr(base, head), _NAMED[head]), **given))
    if "width" not in given and len(set(base.layers)) > 1:
        raise SettingError(f"the layers {_text(base.layers)} differ in width: search layers.width as well")
    width = given.get("width", base.layers[0] if base.layers else 0)
    return (width,) * given.get("depth", len(base.layers) or 1)


def _text(value: Any) -> str:
    return listed([json.dumps(value, default=str)])[:200]
