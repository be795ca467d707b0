"""`numlp tune`: searches for a recipe that does better on validation rows, and trains with it."""

import re
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from numlp.cli.arguments import DATA, RECIPE, REPORT
from numlp.cli.options import read_number, with_recipe_options
from numlp.cli.output import Commentary, Json, console, print_json
from numlp.cli.ranks import team
from numlp.cli.running import check_parts
from numlp.cli.searching import Searching
from numlp.cli.train import choose
from numlp.errors import OutputError, SettingError
from numlp.parallel.sizes import cores
from numlp.runs.recipes import make_network
from numlp.runs.unfinished import Lock
from numlp.settings import numerals
from numlp.settings.checks import positive, whole_number
from numlp.training.threads import limited
from numlp.tuning.kept import Kept
from numlp.tuning.plan import BEST, PAGE, SPACE, STUDY, TRIALS, make_plan
from numlp.tuning.storage import reached

EXAMPLES = """[bold]Examples[/bold]

  numlp tune table.csv --target price --trials 50

  numlp tune mnist --time 1h --metric accuracy

  numlp tune table.csv --target price --show-space > space.toml

  numlp tune table.csv --target price --space space.toml --output runs/narrow

  numlp tune table.csv --target price --study /shared/price.journal
"""

_TRIALS, _ENDLESS = 50, 10**9
_UNITS = {"s": 1, "m": 60, "h": 3600}


def read_seconds(text: str) -> float:
    """Return the seconds in a time such as "90s", "30m" or "1h".

    >>> read_seconds("1h"), read_seconds("2.5m")
    (3600.0, 150.0)
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*([smh])\s*", text)
    if found is None:
        meant = numerals.remedy(text, seconds=True)
        meant = meant.replace(", in seconds", "s") if meant.endswith("seconds") else ""
        raise SettingError(f"--time must be a time such as 90s, 30m or 1h, not {text!r}{meant}")
    return positive("--time", read_number("--time", found[1], float) * _UNITS[found[2]])


@with_recipe_options
def tune(
    data: DATA = None,
    *,
    settings: dict[str, Any],
    recipe: RECIPE = None,
    trials: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="How many trials the study shall have in all; by default 50, or as many as the time allows.",
            show_default=False,
        ),
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option("--time", help="How long to search, such as 90s, 30m or 1h.", show_default=False)
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="A TOML file with the settings to search and their values.", show_default=False),
    ] = None,
    show_space: Annotated[
        bool,
        typer.Option("--show-space", help="Print the space that would be searched, as TOML, and search nothing."),
    ] = False,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What counts on the validation rows: loss, accuracy or r2; by default accuracy for many images, "
            "else loss.",
            show_default=False,
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            help="Where the study is: a file that several machines share, or a database's URL; by default a file in "
            "the output folder.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="The study's name in its file or database; by default that of the data.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER", help="How many trials run at a time; by default one on each core.", show_default=False
        ),
    ] = None,
    keep_runs: Annotated[
        str,
        typer.Option(
            metavar="NUMBER", help="How many of the best trials keep their runs, with reports, and may be averaged."
        ),
    ] = "10",
    output: Annotated[
        Path | None, typer.Option(help="A folder for the results; by default runs/tune-<data>.", show_default=False)
    ] = None,
    report: REPORT = True,
    json: Json = False,
) -> None:
    """Search for a recipe that does better on validation rows, and train with the best one found.

    With folds, as by default for tables, its networks are averaged with those of the recipe to begin with.

    The same command goes on with a search that was stopped, or joins one that another machine has begun.
    """
    if team() is not None:
        raise SettingError(
            "numlp tune starts its own workers: leave mpiexec out, or share a --study between machines"
        )
    screen = console(Commentary, stderr=json)
    seconds = None if time_limit is None else read_seconds(time_limit)
    limit = _ENDLESS if trials is None and seconds is not None else _TRIALS
    limit = limit if trials is None else _count("--trials", trials)
    kept = _count("--keep-runs", keep_runs, minimum=0)
    at_once = None if workers is None else _count("--workers", workers)
    base, dataset = choose(recipe, settings)
    for alone in ("threads", "processes"):
        if getattr(base, alone) == "timed":
            raise SettingError(f"--{alone} must be a number, not 'timed': trials run beside each other")
    threads, processes = int(base.threads or 1), int(base.processes or 1)
    base = base.edited(threads=threads, processes=processes)
    at_once = at_once or max(1, cores() // max(threads, processes))
    fixed = {setting for setting, value in settings.items() if value is not None}
    plan = make_plan(base, dataset, fixed=fixed, space=space, metric=metric, study=study, name=name, output=output)
    if show_space:
        typer.echo(plan.text, nl=False)
        return
    check_parts(make_network(base, dataset), dataset)  # before many trials fail, or the last step does
    with closing(_locked(plan.folder)), limited(threads), reached(plan.place):
        opened = plan.open()
        search = Searching(plan, opened, Kept(plan.folder / TRIALS, kept), at_once, screen)
        search.introduce()
        if number := search.run(limit, seconds):
            screen.print(f"stopped: the study has {opened.standing()}; run the same command to go on")
            raise typer.Exit(128 + number)
        standing = opened.standing()
        if (best := standing.best) is None:
            raise SettingError(f"the study has {standing}, and none came to its end: give more --trials or --time")
        screen.print(f"\nthe best of {standing} is {search.described(best)}\n")
        outcome = search.train(best, report=report)
        average = None if outcome.signal else search.average(best)
        screen.print(f"\nthe page of the study: {plan.folder / PAGE}")
    found = {"trial": best.number, plan.metric: best.value, "settings": dict(best.point)}
    if json:
        made = plan.folder / BEST if average is None else plan.folder
        metrics = outcome.metrics if average is None else average
        where = {"output": str(made), "page": str(plan.folder / PAGE), "study": opened.where}
        print_json({**metrics, **where, "trials": standing.counts, "best": found})
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)


def _count(option: str, text: str, *, minimum: int = 1) -> int:
    return whole_number(option, read_number(option, text, int), minimum=minimum)


def _locked(folder: Path) -> Lock:
    """Create the folder for the results, unless it is that of a search, and let no other process work in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not any((folder / name).is_file() for name in (SPACE, STUDY)):
            raise OutputError(f"{folder} already exists, and holds no search: name another --output")
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"can't create the folder {folder}: {error.strerror or error}") from error
    try:
        return Lock(folder, None)
    except OutputError as error:
        raise OutputError(f"{error}, or join its study from here with --study and another --output") from error


COMMAND = tune
