"""`numlp report`: one page that shows what a run's network learned."""

from typing import Annotated

import typer

from numlp.cli.output import Json, console, print_json

EXAMPLES = """[bold]Examples[/bold]

  numlp report runs/an-earlier-run

  numlp report run-1 --json
"""


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    json: Json = False,
) -> None:
    """Write a run's report.html, with curves, weights, mistakes and a drawing pad, and its figures as PNG.

    The page is one file that needs no internet connection and no server. docs/report.md explains what it shows.
    """
    from numlp.report import write_report

    page, absent = write_report(run)
    if json:
        print_json({"report": str(page), "absent": absent or None})
        return
    screen = console()
    if absent:
        screen.print(f"warning: the page shows no rows: {absent}")
    screen.print(f"report: {page}")


COMMAND = report
