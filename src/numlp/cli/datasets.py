"""`numlp datasets`: the named data sets and where they are stored."""

from typing import Annotated, Any

import typer

from numlp.cli.output import Json, console, print_json
from numlp.datasets import SOURCES
from numlp.datasets.download import fetch as download
from numlp.datasets.folder import read_folder
from numlp.datasets.sources import Source, locate
from numlp.errors import FileFormatError
from numlp.settings.checks import choice

EXAMPLES = """[bold]Examples[/bold]

  numlp datasets

  numlp datasets fashion-mnist --fetch
"""


def datasets(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="The data sets to show; by default all.", show_default=False),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download data sets that are missing on this machine.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the named data sets, where they are stored, and whether their contents match the checksums."""
    states = [_state(choice("data set", name, SOURCES), fetch) for name in names or SOURCES]
    if json:
        print_json(states)
        return
    screen = console()
    for state in states:
        screen.print(state["name"], style="bold")
        screen.print(f"    {state['title']}; {state['license']}")
        missing = f"not on this machine; download it with: numlp datasets {state['name']} --fetch"
        screen.print(f"    {state['folder'] or missing}")
        if state["folder"]:
            screen.print("    verified" if state["verified"] else f"    not verified: {state['problem']}")


def _state(source: Source, fetch: bool) -> dict[str, Any]:
    folder = locate(source.name)
    if folder is None and fetch:
        folder = download(source)
    problem = None
    if folder is not None:
        try:
            read_folder(folder, source.sha256)
        except FileFormatError as error:
            problem = str(error)
    return {
        "name": source.name,
        "title": source.title,
        "license": source.license,
        "folder": None if folder is None else str(folder),
        "verified": folder is not None and problem is None,
        "problem": problem,
    }


COMMAND = datasets
