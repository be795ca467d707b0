"""`numlp compare`: several runs in one table and one figure."""

import dataclasses
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from numlp.cli.output import Json, console, print_json, setting_text, table
from numlp.errors import NumlpWarning, SettingError
from numlp.files.models import read_description
from numlp.judging.figures import figure_of, shown

if TYPE_CHECKING:
    from rich.table import Table

    from numlp.runs.folder import Run
    from numlp.training.history import History

EXAMPLES = """[bold]Examples[/bold]

  numlp compare run-1 run-2

  numlp compare runs/* --output widths.png

  numlp compare run-1 run-2 run-3 --html
"""


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="The folders of two or more runs.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="A new PNG file for the curves; by default comparison.png, or the next free name; with --json none."
        ),
    ] = None,
    html: Annotated[
        bool,
        typer.Option(
            "--html", help="Also write a page, named like the figure: readable curves and a sortable table."
        ),
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also show the settings that all runs share.")] = False,
    json: Json = False,
) -> None:
    """Show the results of runs and the settings that differ side by side, and draw their curves in one figure."""
    from numlp.runs.comparison import loss_note
    from numlp.runs.folder import load_run
    from numlp.runs.paths import free_path, new_figure_path

    if len(runs) < 2:
        raise SettingError(f"compare needs at least two runs, not {len(runs)}: name another one")
    figure = new_figure_path(output, "comparison.png") if output or not json else None
    loaded = dict(zip(_labels(runs), [load_run(run) for run in runs], strict=True))
    settings = {name: _settings(run) for name, run in loaded.items()}
    results = {name: _results(run) for name, run in loaded.items()}
    for name, run in loaded.items():
        if run.metrics.get("ended") == "diverged":
            warnings.warn(f"the training of {name} diverged: its results are those from before", NumlpWarning, 2)
    losses = {name: str(chosen["loss"]) for name, chosen in settings.items()}
    several_losses = len(set(losses.values())) > 1
    note = loss_note(loaded.values())
    if figure is not None:
        legend = {name: f"{name}, {losses[name]}" if several_losses else name for name in loaded}
        _draw({legend[name]: run.history for name, run in loaded.items()}, figure)
    page = None
    if html:
        from numlp.report import write_comparison

        page = free_path((figure or Path("comparison.png")).with_suffix(".html"))
        write_comparison(loaded, page)
    if json:
        files = {name: path and str(path) for name, path in (("figure", figure), ("page", page))}
        print_json(
            files
            | {"note": note or None}
            | {"runs": {name: settings[name] | _as_keys(results[name]) for name in loaded}}
        )
        return
    screen = console()
    screen.print(_table(settings, results, every=every))
    if note:
        screen.print(f"\n{note}")
    screen.print(f"\ncurves: {figure}")
    if page is not None:
        screen.print(f"page: {page}")


def _table(settings: dict[str, dict[str, Any]], results: dict[str, dict[str, Any]], *, every: bool) -> "Table":
    """Return a table with a column for each run: its settings, `every` one or those that differ, and its results."""
    comparison = table("", *settings)
    for setting in next(iter(settings.values())):
        cells = [setting_text(chosen[setting]) for chosen in settings.values()]
        if every or len(set(cells)) > 1:
            comparison.add_row(setting, *cells)
    comparison.add_row()
    for result in dict.fromkeys(result for found in results.values() for result in found):
        comparison.add_row(_title(result), *(_result(result, found.get(result)) for found in results.values()))
    return comparison


def _draw(histories: "dict[str, History]", figure: Path) -> None:
    from numlp.plots import compare as draw
    from numlp.runs.folder import save_figure

    save_figure(draw(histories), figure)


def _as_keys(results: dict[str, Any]) -> dict[str, Any]:
    """Return results under keys for programs, such as validation_accuracy."""
    return {name.replace(" ", "_"): value for name, value in results.items()}


def _labels(runs: list[str]) -> list[str]:
    """Return the folders' names, or the paths of folders that share a name."""
    names = [Path(run).resolve().name for run in runs]
    labels = [run if names.count(name) > 1 else name for run, name in zip(runs, names, strict=True)]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise SettingError(f"the run {twice} is named twice: name each run once")
    return labels


def _settings(run: "Run") -> dict[str, Any]:
    """Return all settings of a run, with None for those that are off, and the loss chosen for its targets."""
    from numlp.runs.unfinished import model_path

    loss = run.recipe.loss or read_description(model_path(run.folder))["networks"][0]["loss"]
    return dataclasses.asdict(run.recipe) | {"loss": loss}


def _results(run: "Run") -> dict[str, Any]:
    results = {
        f"{part} {name}": value
        for part in ("train", "validation", "test")
        for name, value in (run.metrics.get(part) or {}).items()
    }
    best = {}
    if "validation_loss" in run.history:
        losses = run.history["validation_loss"]
        best = {"epoch of least validation loss": losses.index(min(losses)) + 1}
    return results | best | {"epochs trained": len(run.history), "seconds": run.metrics.get("seconds")}


def _title(name: str) -> str:
    part, _, metric = name.partition(" ")
    return f"{part} {figure_of(metric).title}" if part in ("train", "validation", "test") else name


def _result(name: str, value: Any) -> str:
    return shown(name.rsplit(" ", 1)[-1], value) if isinstance(value, float) or value is None else str(value)


COMMAND = compare
