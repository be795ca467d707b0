"""`numlp report`: one page that shows what a run's network learned."""

from typing import Annotated

import typer

from numlp.cli.output import Json, console, print_json
from numlp.settings.texts import counted

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
    In provenance.json, the page and the figures get new digests if the run's other files and data are as they were.
    """
    from numlp.report import write_report

    page, absent, renewed, changed = write_report(run)
    if json:
        print_json(
            {"report": str(page), "absent": absent or None, "renewed": list(renewed), "changed": list(changed)}
        )
        return
    screen = console()
    if absent:
        screen.print(f"warning: the page shows no rows: {absent}")
    if changed:
        screen.print(
            f"warning: the page shows other data than the run began with, in {', '.join(changed)}: provenance.json "
            "stays as it is, and numlp verify finds that the page differs"
        )
    screen.print(f"report: {page}")
    if renewed:
        files = counted(len(renewed), "file")
        screen.print(f"provenance.json has new digests of {files}: if it was signed, sign it again")


COMMAND = report
