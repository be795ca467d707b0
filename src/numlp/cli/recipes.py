"""`numlp recipes`: the named recipes, and what is in them."""

from typing import Annotated

import typer

from numlp.cli.output import Json, console, print_json
from numlp.recipes import load_recipe, recipe_names, recipe_text

EXAMPLES = """[bold]Examples[/bold]

  numlp recipes

  numlp recipes reference > mine.toml
"""


def recipes(
    name: Annotated[str | None, typer.Argument(help="By default all.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Show the recipes that come with numlp, as TOML; what one does not name is off, or at its default."""
    texts = {known: recipe_text(known) for known in ([name] if name is not None else recipe_names())}
    if json:
        print_json({known: load_recipe(known).as_dict() for known in texts})
        return
    screen = console()
    for known, text in texts.items():
        if name is None:
            screen.print(f"# {known}", style="bold")
        screen.print(text)


COMMAND = recipes
