"""`numlp export`: a network as an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.output import Force, check_free, console
from numlp.files.models import load_model

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
    the data. It reads float input as numlp does: if the training data was bytes, divide them by 255.
    """
    from numlp.onnx import export_onnx
    from numlp.runs.folder import model_path

    check_free(output, (".onnx",), force)
    network = load_model(model_path(model))
    export_onnx(network, output, bytes_input=bytes_input, fold_norms=fold_norms)
    console().print(f"{output}: {network!r}")


COMMAND = export
