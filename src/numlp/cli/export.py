"""`numlp export`: a network as an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.output import Force, check_free, console
from numlp.files.models import load_model
from numlp.settings.checks import listed

EXAMPLES = """[bold]Examples[/bold]

  numlp export run-1 digits.onnx

  numlp export run-1/model.safetensors digits.onnx --bytes --fold-norms
"""


def export(
    model: Annotated[str, typer.Argument(help="A run's folder or a model file.", show_default=False)],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT.onnx", help="The file to write.", show_default=False)],
    bytes_input: Annotated[
        bool,
        typer.Option("--bytes", help="Read the input as bytes from 0 to 255, as images are stored, not as floats."),
    ] = False,
    fold_norms: Annotated[
        bool, typer.Option("--fold-norms", help="Fold batch norms into the weights before them.")
    ] = False,
    force: Force = False,
) -> None:
    """Export a network to one ONNX file, for onnxruntime or any other ONNX runtime.

    The exported network scales its input and returns labels, probabilities and logits, or predictions in the units of
    the data. It reads float input as numlp does: if the training data was bytes, divide them by 255. A network for a
    table has an input for each column, with the column's name.
    """
    from numlp.onnx import export_onnx
    from numlp.runs.unfinished import model_path

    check_free(output, (".onnx",), force)
    network = load_model(model_path(model))
    export_onnx(network, output, bytes_input=bytes_input, fold_norms=fold_norms)
    console().print(f"{output}: {network!r}")
    if network.input_encoding is not None:
        inputs = listed([f"{column.name} ({column.kind})" for column in network.input_encoding.columns])
        console().print(f"inputs, each of shape (n, 1): {inputs}")


COMMAND = export
