"""`numlp import`: a network from an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from numlp.cli.output import Force, check_free, console
from numlp.files.models import save_model

EXAMPLES = """[bold]Examples[/bold]

  numlp import digits.onnx

  numlp import torch.onnx digits.safetensors --loss softmax_cross_entropy
"""


def import_(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.onnx", help="An ONNX file of a dense network.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Argument(metavar="OUTPUT.safetensors", help="The file to write; by default MODEL.safetensors."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(help="The loss, which implies the link, if the file outputs logits: softmax_cross_entropy, …"),
    ] = None,
    follow: Annotated[
        str | None, typer.Option(metavar="NAME", help="The output to follow if the file has several float outputs.")
    ] = None,
    force: Force = False,
) -> None:
    """Import a dense network that numlp, PyTorch, Keras or skl2onnx exported to ONNX, and save it as a model file."""
    from numlp.onnx import import_onnx

    path = output or model.with_suffix(".safetensors")
    if path != model:  # a model file instead of an ONNX file is told as such, not as an output that exists
        check_free(path, (".safetensors",), force)
    network = import_onnx(model, loss=loss, output=follow)
    check_free(path, (".safetensors",), force)
    save_model(network, path)
    console().print(f"{path}: {network!r}")


COMMAND = import_
