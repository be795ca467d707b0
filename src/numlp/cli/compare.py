"""`numlp compare`: several runs in one table and on one figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from numlp.cli.output import Json, console, print_json, shown, table
from numlp.errors import SettingError

if TYPE_CHECKING:
    from numlp.runs import Run

EXAMPLES = """[bold]Examples[/bold]

  numlp compare run-1 run-2

  numlp compare runs/* --output widths.png

  numlp compare run-1 run-2 run-3 --html
"""


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Two runs' folders or more.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="A new PNG file for the curves; by default comparison.png or the next free name."),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write a page, too, of the figure's name: curves to read, a table to sort.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the settings and results of runs side by side, and draw their curves on one figure."""
    from numlp.plots import compare as draw
    from numlp.runs import free_path, load_run, new_figure_path, save_figure

    if len(runs) < 2:
        raise SettingError("name at least two runs to compare")
    figure = new_figure_path(output, "comparison.png")
    loaded = dict(zip(_labels(runs), [load_run(run) for run in runs], strict=True))
    save_figure(draw({name: run.history for name, run in loaded.items()}), figure)
    page = None
    if html:
        from numlp.report import write_comparison

        page = free_path(figure.with_suffix(".html"))
        write_comparison(loaded, page)
    rows = {name: _row(run) for name, run in loaded.items()}
    if json:
        print_json({"figure": str(figure), "page": None if page is None else str(page), "runs": rows})
        return
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    comparison = table("", *rows)
    for column in columns:
        values = [row.get(column) for row in rows.values()]
        # What is the same in all runs is no news: it is shown dimmed.
        style = "dim" if len({str(value) for value in values}) == 1 else None
        comparison.add_row(column, *(_cell(column, value) for value in values), style=style)
    screen = console()
    screen.print(comparison)
    screen.print(f"\ncurves: {figure}")
    if page is not None:
        screen.print(f"page: {page}")


def _labels(runs: list[str]) -> list[str]:
    """Return the folders' names, or their paths where two have the same name."""
    names = [Path(run).resolve().name for run in runs]
    labels = [run if names.count(name) > 1 else name for run, name in zip(runs, names, strict=True)]
    if len(set(labels)) < len(labels):
        raise SettingError("a run is named twice")
    return labels


def _row(run: "Run") -> dict[str, Any]:
    settings = run.recipe.as_dict()
    results = {
        f"{part} {name}": value
        for part in ("train", "validation", "test")
        for name, value in (run.metrics.get(part) or {}).items()
    }
    best = {}
    if "validation_loss" in run.history:
        losses = run.history["validation_loss"]
        best = {"epoch of least validation loss": losses.index(min(losses)) + 1}
    return settings | results | best | {"epochs trained": len(run.history), "seconds": run.metrics.get("seconds")}


def _cell(column: str, value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(part) for part in value) or "none"
    if isinstance(value, float):
        return shown(column.rsplit(" ", 1)[-1], value)
    return "–" if value is None else str(value)


COMMAND = compare
