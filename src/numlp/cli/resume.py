"""`numlp resume`: resumes a run that was killed or interrupted."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.output import Commentary, Json, console, print_json
from numlp.cli.running import Opening, read_interval, run
from numlp.cli.train import CHECKPOINT_EVERY, REPORT
from numlp.errors import FileFormatError, SettingError
from numlp.runs.recipes import load_data, load_recipe

EXAMPLES = """[bold]Examples[/bold]

  numlp resume runs/an-unfinished-run
"""


def resume(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    checkpoint_every: CHECKPOINT_EVERY = "60s",
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Resume a stopped run from its newest checkpoint, to the same result as an uninterrupted run."""
    from numlp.files.atomic import remove_leftovers
    from numlp.runs.folder import RECIPE
    from numlp.runs.unfinished import Lock, is_unfinished

    if not (folder / RECIPE).is_file():
        if not folder.exists():
            raise FileFormatError(f"there is no folder {folder}")
        raise FileFormatError(f"{folder} isn't a run's folder: it has no file {RECIPE}")
    recipe = load_recipe(folder / RECIPE)
    screen = console(Commentary, stderr=json)
    with closing(Lock(folder)) as lock:
        if not is_unfinished(folder):
            raise SettingError(f"{folder} is a finished run: there is nothing to resume")
        remove_leftovers(folder)
        opening = Opening(folder, read_interval(checkpoint_every), lock)
        _, metrics = run(recipe, load_data(recipe), opening, screen, report=report)
    if json:
        print_json({"output": str(folder), **metrics})


COMMAND = resume
