"""`numlp predict`: a network's predictions for samples."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from numlp.arrays.table import Table
from numlp.cli.options import READING, with_options
from numlp.cli.output import Force, Json, check_free, console, print_aligned, print_json
from numlp.cli.predictions import WRITERS, write_predictions
from numlp.datasets.image import SUFFIXES, read_image
from numlp.datasets.parts import is_larger, pattern_of
from numlp.datasets.readers import is_array_file, read_samples
from numlp.datasets.reading import Reading
from numlp.errors import SettingError
from numlp.files.models import load_model, read_description
from numlp.judging.figures import shown
from numlp.network.predictor import Predictor
from numlp.runs.data import reading_of
from numlp.runs.memory import usual_memory
from numlp.settings.checks import as_bytes

_CELL = 200  # bytes that a prediction takes before it is written

EXAMPLES = """[bold]Examples[/bold]

  numlp predict run-1 digit.png another.png

  numlp predict run-1/model.safetensors images.npy --json

  numlp predict runs/houses new-houses.csv --output prices.csv
"""


@with_options(*READING, "memory")
def predict(
    model: Annotated[str, typer.Argument(help="A run's folder or a model file.", show_default=False)],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Images (PNG, JPEG, WebP, GIF, BMP), tables (.csv, .parquet, …) or folders of them, .npy, .npz or "
            "IDX files.",
            show_default=False,
        ),
    ],
    array: Annotated[
        str | None, typer.Option("--inputs", help="The array of an .npz to read, if it isn't x or the only one.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="A .csv or .parquet file for the predictions, with all probabilities or quantiles."),
    ] = None,
    force: Force = False,
    json: Json = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Predict the class and its probability, or the value, of every sample.

    An image must have the size of the training images and look like them. MNIST's digits are white on black; numlp
    inverts an image that is black on white, and says so in a note. A warning says if numbers are unlike those that
    the model was trained on. Files larger than memory are read, and their predictions written, a part at a time.
    """
    from numlp.runs.unfinished import model_path

    if output is not None:
        check_free(output, tuple(WRITERS), force)
    path = model_path(model)
    network = load_model(path)
    recipe = read_description(path)["recipe"] or {}
    reading = dataclasses.replace(reading_of(recipe, settings, usual=True), inputs=array)
    memory = as_bytes("memory", settings["memory"] or usual_memory())
    inputs = [pattern_of(name) for name in inputs]
    if output is not None:
        target = recipe.get("target")
        named = isinstance(target, str) and not is_array_file(target)
        read = [(name, _chunks(name, network, reading, memory)) for name in inputs]
        count = write_predictions(output, network, read, target if named else None, memory)
        if json:
            print_json({"output": str(output), "samples": count})
        else:
            console().print(f"{output}: {count:,} predictions")
        return
    for name in inputs:
        if Path(name).suffix.lower() not in SUFFIXES and is_larger(name, memory, alone=True):
            raise SettingError(f"{name} doesn't fit into the memory that it may take: name a file for --output")
    results = [
        {"input": name if len(samples) == 1 else f"{name}[{i}]", **prediction}
        for name, samples in ((name, _samples(name, network, reading)) for name in inputs)
        for i, prediction in enumerate(_predictions(network, samples))
    ]
    if json:
        print_json(results)
        return
    rows = [_columns(result) for result in results]
    print_aligned({column: [_cell(column, row[column]) for row in rows] for column in rows[0]})


def _columns(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result's cells in the table, by column; each of several targets has its own."""
    columns: dict[str, Any] = {}
    for name, value in result.items():
        if isinstance(value, list) and name != "labels":
            columns |= {f"{name} {i}": part for i, part in enumerate(value, start=1)}
        elif name != "probabilities":
            columns[name] = value
    return columns


def _cell(column: str, value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(value)
    if column == "probability":
        return shown("accuracy", value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _predictions(network: Predictor, samples: npt.NDArray[Any]) -> list[dict[str, Any]]:
    if network.loss.task == "regression":
        values = network.predict(samples)
        values = values[:, None] if network.loss.blocks == 1 else values
        return [dict(zip(network.loss.block_names, row.tolist(), strict=True)) for row in values]
    names = network.classes
    if network.loss.task == "labels" and network.n_targets > 1:
        return [
            {
                "labels": [name for name, share in zip(names, row, strict=True) if share > 0.5],
                "probabilities": dict(zip(names, row.tolist(), strict=True)),
            }
            for row in network.predict_proba(samples)
        ]
    return [
        {
            "class": names[int(np.argmax(row))],
            "probability": float(np.max(row)),
            "probabilities": dict(zip(names, row.tolist(), strict=True)),
        }
        for row in network.predict_proba(samples)
    ]


def _chunks(name: str, network: Predictor, reading: Reading, memory: int) -> Iterator[Any]:
    """Yield the samples of a file: all at once, unless they don't fit into memory."""
    if Path(name).suffix.lower() in SUFFIXES or not is_larger(name, memory, alone=True):
        yield _samples(name, network, reading)
        return
    from numlp.datasets.larger_rows import larger_samples

    beside = _CELL * network.layer_size[-1]
    yield from larger_samples(name, network.feature_names, reading, network.column_kinds, memory, beside)


def _samples(name: str, network: Predictor, reading: Reading) -> Any:
    if Path(name).suffix.lower() in SUFFIXES:
        return read_image(Path(name), network)
    samples = read_samples(name, network.feature_names, reading, network.column_kinds)
    if isinstance(samples, Table):
        return samples
    alone = network.input_shape is not None and samples.shape == network.input_shape
    return samples[None] if alone else samples


COMMAND = predict
