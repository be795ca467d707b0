"""`numlp resume`: goes on with a training that was killed or interrupted."""

from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.output import Json, console, print_json
from numlp.cli.running import Opening, read_interval, run
from numlp.cli.train import CHECKPOINT_EVERY, REPORT
from numlp.errors import FileFormatError, SettingError
from numlp.recipes import load_data, load_recipe

EXAMPLES = """[bold]Examples[/bold]

  numlp resume runs/an-unfinished-run
"""


def resume(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Go on with a training from its newest checkpoint, to the same result as if it had never been stopped."""
    from numlp.unfinished import can_go_on

    if not (folder / "recipe.toml").is_file():
        raise FileFormatError(f"{folder} is no run: it has no file recipe.toml")
    recipe = load_recipe(folder / "recipe.toml")
    if not can_go_on(folder):
        raise SettingError(f"{folder} is a run that has ended: there is nothing to go on with")
    screen = console(stderr=json)
    opening = Opening(folder, read_interval(checkpoint_every), existing=True)
    _, metrics = run(recipe, load_data(recipe), opening, screen, report=report)
    if json:
        print_json({"output": str(folder), **metrics})


COMMAND = resume
