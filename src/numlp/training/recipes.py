"""The recipes that come with numlp, as TOML: what `numlp train` and the presets of `numlp.sklearn` start from."""

from pathlib import Path
from typing import Any

from numlp.settings.checks import choice
from numlp.settings.texts import parse_toml

FOLDER = Path(__file__).with_name("recipes")


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with numlp, sorted.

    >>> recipe_names()[:4]
    ['adversarial', 'augmented', 'default', 'fast']
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def recipe_text(name: str) -> str:
    """Return the text of a recipe that comes with numlp, comments included."""
    choice("recipe", name, dict.fromkeys(recipe_names()))
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def recipe_settings(name: str) -> dict[str, Any]:
    """Return the settings of a recipe that comes with numlp, by name.

    >>> recipe_settings("reference")["layers"]
    [256, 256, 256]
    """
    return parse_toml(recipe_text(name))
