"""The commands, put together. A command loads only when it runs: listing them takes just a line each."""

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer import exceptions
from typer.core import TyperGroup

from numlp.errors import SettingError
from numlp.settings.checks import unknown
from numlp.settings.synonyms import nearest
from numlp.version import __version__

__all__ = ["COMMANDS", "app", "exceptions", "load", "said"]

# The line for each command in the list of commands, and the first paragraph of its own help.
COMMANDS = {
    "train": "Train a network and write its weights, history, metrics, figures and report to a folder.",
    "distill": "Train one network to answer as a trained model does, such as an average of many, and write a run's "
    "folder.",
    "resume": "Resume a stopped run from its newest checkpoint, to the same result as an uninterrupted run.",
    "report": "Write a run's report.html, with curves, weights, mistakes and a drawing pad, and its figures as PNG.",
    "lesson": "Write a page that trains a network before your eyes, with eight short lessons.",
    "verify": "Verify a run: whether its files and data are as they were and, with --retrain, whether its recipe "
    "gives its weights.",
    "tune": "Search for a recipe that does better on validation rows, and train with the best one found.",
    "find-lr": "Suggest a learning rate: train briefly with a rising rate until the loss rises as well.",
    "evaluate": "Show a network's metrics on data, and for classes the accuracy of each and which it is taken for.",
    "explain": "Show which columns a network needs, how it uses them and where it is worst; or why it answers as it "
    "does.",
    "predict": "Predict the class and its probability, or the value, of every sample.",
    "compare": "Show the results of runs and the settings that differ side by side, "
    "and draw their curves in one figure.",
    "inspect": "Show what a model file or a checkpoint contains, without reading its weights; or what data hold.",
    "export": "Export a network to one ONNX file, for onnxruntime or any other ONNX runtime.",
    "import": "Import a dense network that numlp, PyTorch, Keras or skl2onnx exported to ONNX, "
    "and save it as a model file.",
    "datasets": "Show the named data sets, where they are stored, and whether their contents match the checksums.",
    "recipes": "Show the recipes that come with numlp, as TOML; "
    "--settings shows the defaults for settings that a recipe leaves out.",
}

_CONTEXT = {"help_option_names": ["-h", "--help"]}


def load(name: str) -> Any:
    """Load a command and return it, ready to run."""
    module = import_module("numlp.cli." + {"import": "import_"}.get(name, name.replace("-", "_")))
    alone = typer.Typer(
        rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False, context_settings=_CONTEXT
    )
    alone.command(name, epilog=module.EXAMPLES)(module.COMMAND)
    return typer.main.get_command(alone)


class _Commands(TyperGroup):
    """A group that knows only the names and help lines of its commands until one of them runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise SettingError(unknown("command", args[0], COMMANDS))
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(str(command.name)), rest


app = typer.Typer(
    name="numlp",
    cls=_Commands,
    help="Train, evaluate and use multilayer perceptrons on a CPU, with NumPy.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)

for name, line in COMMANDS.items():
    app.command(name, help=line)(lambda: None)


def said(error: Any, arguments: Sequence[str]) -> str:
    """Return what a usage error says; for an unknown option, with the option or argument that it means."""
    name, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    text: str = error.format_message()
    if not name or context is None or not text.startswith("No such option"):
        return text
    # Of "-lr", typer's error names "-l" alone.
    typed = next((part.split("=")[0] for part in arguments if part.startswith(name)), name)
    parameters = context.command.params
    options = [word for parameter in parameters for word in (*parameter.opts, *parameter.secondary_opts)]
    meant = nearest(typed, [word for word in options if not word.startswith("-") or len(word) > 2])
    if meant is None:
        return f"there is no option {typed}: {context.command_path} --help lists the options"
    if not meant.startswith("-"):
        return f"there is no option {typed}: write the {meant} alone, as {context.command_path} --help shows"
    return f"there is no option {typed}: did you mean {meant}?"


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
