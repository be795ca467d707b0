"""`numlp recipes`: the named recipes, and what is in them."""

from typing import Annotated

import typer

from numlp.checks import choice
from numlp.cli.output import Json, console, print_json
from numlp.recipes import load_recipe, recipe_names

EXAMPLES = """[bold]Examples[/bold]

  numlp recipes

  numlp recipes reference > mine.toml
"""


def recipes(
    name: Annotated[str | None, typer.Argument(help="By default all.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Show the recipes that come with numlp, as TOML."""
    if name is not None:
        choice("recipe", name, dict.fromkeys(recipe_names()))
    chosen = {known: load_recipe(known) for known in ([name] if name is not None else recipe_names())}
    if json:
        print_json({known: recipe.as_dict() for known, recipe in chosen.items()})
        return
    screen = console()
    for known, recipe in chosen.items():
        if name is None:
            screen.print(f"# {known}", style="bold")
        screen.print(recipe.to_toml())


COMMAND = recipes
