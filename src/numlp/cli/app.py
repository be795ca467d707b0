"""The commands, put together. Each loads when it is run: for the list of all, a line each is enough."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer import exceptions
from typer.core import TyperGroup

from numlp.version import __version__

__all__ = ["COMMANDS", "app", "exceptions", "load"]

# What the list of commands says of each; of a command alone, it is the first paragraph of its help.
COMMANDS = {
    "train": "Train a network, and write its weights, history, metrics, figures and a report into a folder.",
    "resume": "Go on with a training from its newest checkpoint, to the same result as if it had never been stopped.",
    "report": "Write report.html into a run's folder: curves, weights, mistakes, and a pad to draw on; "
    "and the figures as PNG.",
    "find-lr": "Suggest a learning rate, by a short training whose rate rises until the loss does, too.",
    "evaluate": "Show a network's loss and accuracy on data, for every class, with the confusion matrix.",
    "predict": "Show the class and its probability, or the value, of every sample.",
    "compare": "Show the settings that differ and the results of runs side by side, "
    "and draw their curves on one figure.",
    "inspect": "Show what a model file or a checkpoint holds, without reading its weights.",
    "export": "Write a network as one ONNX file, for onnxruntime and whatever else runs ONNX.",
    "import": "Read a dense network that numlp, PyTorch, Keras or skl2onnx wrote as ONNX, "
    "and save it as a model file.",
    "datasets": "Show the named data sets, where they lie, and whether their content is what it should be.",
    "recipes": "Show the recipes that come with numlp, as TOML; "
    "what one does not name is at its default (--settings).",
}

_CONTEXT = {"help_option_names": ["-h", "--help"]}


def load(name: str) -> Any:
    """Return a command, ready to run."""
    module = import_module("numlp.cli." + {"import": "import_"}.get(name, name.replace("-", "_")))
    alone = typer.Typer(
        rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False, context_settings=_CONTEXT
    )
    alone.command(name, epilog=module.EXAMPLES)(module.COMMAND)
    return typer.main.get_command(alone)


class _Commands(TyperGroup):
    """A group whose commands are names and lines of help, until one is to be run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(str(command.name)), rest


app = typer.Typer(
    name="numlp",
    cls=_Commands,
    help="Train, judge and use multilayer perceptrons, on a CPU, with NumPy.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings=_CONTEXT,
)

for name, line in COMMANDS.items():
    app.command(name, help=line)(lambda: None)


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
