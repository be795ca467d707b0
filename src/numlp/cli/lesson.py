"""`numlp lesson`: one page that trains a network before one's eyes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from numlp.cli.options import with_options
from numlp.cli.output import Force, Json, check_free, console, print_json
from numlp.runs.data import reading_of

EXAMPLES = """[bold]Examples[/bold]

  numlp lesson

  numlp lesson flowers.csv --target species --output flowers.html
"""
_READING = ("target", "inputs", "drop", "keep", "kind", "missing", "decimal", "thousands", "day_first", "header")


@with_options(*_READING, "drop_missing_target")
def lesson(
    data: Annotated[
        str | None,
        typer.Argument(help="A data set's name, or a file, to begin with.", show_default=False),
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The page's file.")] = Path("lesson.html"),
    force: Force = False,
    json: Json = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Write a page that trains a network before your eyes, with eight short lessons.

    The page is one file that needs no internet connection and no server. It has small data sets of its own, and takes
    CSV files that are dropped onto it. docs/lesson.md says what it shows.
    """
    from numlp.lesson import write_lesson

    check_free(output, (".html",), force)
    page = write_lesson(output, data, reading_of(settings))
    if json:
        print_json({"page": str(page), "bytes": page.stat().st_size})
        return
    console().print(f"page: {page}")


COMMAND = lesson
