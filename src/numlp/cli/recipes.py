"""`numlp recipes`: the named recipes and their settings."""

from typing import Annotated

import typer

from numlp.cli.output import Json, console, print_json, setting_text, table
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe
from numlp.training.recipes import recipe_names, recipe_text

EXAMPLES = """[bold]Examples[/bold]

  numlp recipes

  numlp recipes reference > mine.toml

  numlp recipes --settings
"""


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="The recipe to show; by default all.", show_default=False)
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Show all settings and their defaults instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the recipes that come with numlp, as TOML; --settings shows the defaults for settings that a recipe leaves
    out.
    """
    if settings:
        _show_settings(json)
        return
    texts = {known: recipe_text(known) for known in ([name] if name is not None else recipe_names())}
    if json:
        print_json({known: load_recipe(known).as_dict() for known in texts})
        return
    screen = console()
    for known, text in texts.items():
        if name is None:
            screen.print(f"# {known}", style="bold")
        screen.print(text)


def _show_settings(json: bool) -> None:
    """Show the defaults for settings that a recipe leaves out."""
    defaults = Recipe()
    if json:
        print_json(defaults.as_dict())
        return
    shown = table("setting", "default", "")
    shown.columns[2].justify = "left"
    for name, text in Recipe.help().items():
        shown.add_row(name, setting_text(getattr(defaults, name)), text)
    console().print(shown)


COMMAND = recipes
