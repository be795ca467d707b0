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
        bool, typer.Option("--bytes", help="The input is bytes, 0 to 255, as images are stored, not floats.")
    ] = False,
    fold_norms: Annotated[
        bool, typer.Option("--fold-norms", help="Make batch norms part of the weights before them.")
    ] = False,
    force: Force = False,
) -> None:
    """Write a network as one ONNX file, for onnxruntime and whatever else runs ONNX.

    The file scales its input and gives labels, probabilities and logits, or predictions in the units of the data. A
    float input means what it means to numlp: where the training data were bytes, parts of 255.
    """
    from numlp.onnx import export_onnx
    from numlp.runs.folder import model_path

    check_free(output, ".onnx", force)
    network = load_model(model_path(model))
    export_onnx(network, output, bytes_input=bytes_input, fold_norms=fold_norms)
    console().print(f"{output}: {network!r}")


COMMAND = export
