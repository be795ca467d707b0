"""The commands, put together."""

from typing import Annotated

import typer
from typer import exceptions

from numlp.cli import (
    compare,
    datasets,
    evaluate,
    export,
    find_lr,
    import_,
    inspect,
    predict,
    recipes,
    report,
    resume,
    train,
)
from numlp.version import __version__

__all__ = ["app", "exceptions"]

app = typer.Typer(
    name="numlp",
    help="Train, judge and use multilayer perceptrons, on a CPU, with NumPy.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (
    train,
    resume,
    report,
    find_lr,
    evaluate,
    predict,
    compare,
    inspect,
    export,
    import_,
    datasets,
    recipes,
):
    app.command(module.COMMAND.__name__.rstrip("_").replace("_", "-"), epilog=module.EXAMPLES)(module.COMMAND)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"numlp {__version__}")
        raise typer.Exit


@app.callback()
def numlp(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...
