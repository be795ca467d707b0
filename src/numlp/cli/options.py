"""The options of the commands that train: one for each setting of a recipe, with the same name."""

from __future__ import annotations

import csv
import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from numlp.datasets import SOURCES
from numlp.datasets.reading import Reading
from numlp.errors import SettingError
from numlp.runs.recipe import OFF, Recipe
from numlp.settings import numerals
from numlp.settings.texts import parse_toml


def widths(text: str) -> list[int]:
    """Return the widths in a text such as "256,256"; "none" means no hidden layer.

    >>> widths("256,128"), widths("none")
    ([256, 128], [])
    """
    return [] if text.strip() in ("", "none") else [int(width) for width in text.split(",")]


def names(text: str) -> str | list[str]:
    """Split names at commas outside parentheses; return a single name unchanged.

    >>> names("relu,sgd(a = 1, b = 2)"), names("relu")
    (['relu', 'sgd(a = 1, b = 2)'], 'relu')
    """
    parts = re.split(r",(?![^(]*\))", text)
    return [part.strip() for part in parts] if len(parts) > 1 else text


def columns(text: str) -> list[str]:
    """Split a list at commas; a name that holds a comma stands in quotes.

    >>> columns("id,name"), columns('"last, first",id')
    (['id', 'name'], ['last, first', 'id'])
    """
    return next(csv.reader([text], skipinitialspace=True), [])


def class_weights(text: str) -> Any:
    """Return the class weights in a text: "balanced", "1,5" or "{cat = 1, dog = 5}".

    >>> class_weights("balanced"), class_weights("1,5"), class_weights("{cat = 1}")
    ('balanced', [1, 5], {'cat': 1})
    """
    if re.fullmatch(r"\s*[a-z]*\s*", text):
        return text.strip()
    return parse_toml(f"x = {text}" if text.lstrip().startswith("{") else f"x = [{text}]")["x"]


def data(text: str) -> str:
    """Return a data set's name unchanged, and a path as an absolute path."""
    return path(text) if text not in SOURCES and Path(text).exists() else text


def path(text: str) -> str:
    """Return a path as an absolute path."""
    return str(Path(text).resolve())


def array_or_column(text: str) -> str:
    """Return the path of an array as an absolute path, and a column's name unchanged."""
    return path(text) if text.lower().endswith((".npy", ".npz")) else text


def share_or_path(text: str) -> float | str:
    """Return a number if the text is one, else a path."""
    try:
        return float(text)
    except ValueError:
        return path(text)


def number_or_timed(text: str) -> int | str:
    """Return a whole number, or "timed" unchanged."""
    return text if text == "timed" else int(text)


_LISTS = ("drop", "keep", "kind", "missing")  # options that can be given several times
READING = ("missing", "decimal", "thousands", "day_first", "header")  # in which each file of a table may differ
_READERS: dict[str, Callable[[str], Any]] = {
    "layers": widths,
    "activation": names,
    "class_weight": class_weights,
    "data": data,
    "target": array_or_column,
    "weights": array_or_column,
    "validation": share_or_path,
    "test": path,
    "teacher": path,
    "threads": number_or_timed,
    "processes": number_or_timed,
}
_REMEDIES = {
    "layers": "write widths separated by commas, such as 256,256, or none",
    "class_weight": "write balanced, or numbers such as 1,5 or {cat = 1, dog = 5}",
    "threads": "write a whole number, or timed",
    "processes": "write a whole number, or timed",
}


def with_recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every setting of a recipe, and pass their values to it as `settings`.

    Parameters
    ----------
    command : callable
        Takes a keyword parameter `settings`, in which options not given are None. Its other parameters, `data` among
        them, stay its own.
    """
    return _with_options(command, [field.name for field in dataclasses.fields(Recipe)])


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of some settings of a recipe, as `with_recipe_options` does with all."""
    return lambda command: _with_options(command, names)


def with_data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what a file of data holds, as `with_recipe_options` does with all."""
    return _with_options(command, [field.name for field in dataclasses.fields(Reading)] + ["kind", "task"])


def _with_options(command: Callable[..., None], names: Collection[str]) -> Callable[..., None]:
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "settings"]
    fields = {
        field.name: field for field in dataclasses.fields(Recipe) if field.name in names and field.name != "data"
    }
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(field))
        for name, field in fields.items()
    ]

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        settings = {name: read(name, arguments.pop(name)) for name in [*fields]}
        if "data" in names:
            settings["data"] = read("data", arguments.pop("data"))
        command(settings=settings, **arguments)

    parameters = [*own, *options]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _annotation(field: dataclasses.Field[Any]) -> Any:
    """Return the annotation from which typer makes an option."""
    kinds = _kinds()[field.name]
    flag = bool in kinds
    off = field.default is False  # as it is unless named, so nobody needs --no-…
    option = typer.Option(
        *(["--" + field.name.replace("_", "-")] if flag and off else []),
        help=field.metadata["help"],
        rich_help_panel=field.metadata["panel"],
        show_default=False,
        metavar=None if flag else "NUMBER" if _number(kinds) else "TEXT",
    )
    # Numbers arrive as text for `read`, because "none" may stand for one, and to word the errors ourselves.
    kind: Any = list[str] if field.name in _LISTS else bool if flag else str
    return Annotated[kind | None, option]


def _number(kinds: set[Any]) -> type[int] | type[float] | None:
    """Return int or float for a setting that must be a number, else None."""
    numbers = [kind for kind in (int, float) if kind in kinds and not kinds & {str, tuple}]
    return numbers[0] if numbers else None


@functools.cache
def _kinds() -> dict[str, set[Any]]:
    """Return the types that each setting may have."""
    alternatives = {
        name: typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
        for name, hint in typing.get_type_hints(Recipe).items()
    }
    return {name: {typing.get_origin(kind) or kind for kind in kinds} for name, kinds in alternatives.items()}


def read(name: str, value: Any) -> Any:
    """Return the value that an option's text stands for; "none" turns off a setting whose default is None."""
    if name in _LISTS and value is not None:
        return [part for text in value for part in columns(text)] or None
    if not isinstance(value, str):
        return value
    if value == "none" and getattr(Recipe, name) is None:
        return OFF
    option, number = "--" + name.replace("_", "-"), _number(_kinds()[name])
    if number is not None:
        return read_number(option, value, number)
    try:
        return _READERS.get(name, str)(value)
    except ValueError as error:
        raise SettingError(f"{option}: {value!r} isn't valid: {_REMEDIES.get(name, Recipe.help()[name])}") from error


def read_number(option: str, text: str, kind: type[int] | type[float]) -> float:
    """Return the number that an option's text stands for."""
    try:
        return kind(text)
    except ValueError as error:
        remedy = numerals.remedy(text, seconds="time" in option, whole=kind is int)
        raise SettingError(f"{option} must be a {'whole ' * (kind is int)}number, not {text!r}{remedy}") from error
