"""`numlp evaluate`: a network's metrics on data."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from numlp.cli.options import READING, read, with_options
from numlp.cli.output import Json, console, fits, print_json, table
from numlp.datasets import AnySplit, load_rows, parts_in
from numlp.datasets.array_files import npz_names
from numlp.datasets.dataset import count_rows
from numlp.datasets.parts import pattern_of
from numlp.datasets.suffixes import suffix_of
from numlp.errors import FileFormatError
from numlp.files.models import load_model, read_description
from numlp.judging.confusions import MOST_CLASSES, class_accuracy, confusions
from numlp.judging.figures import FIGURES, figure_of, meaning, shown
from numlp.judging.metrics import confusion_matrix
from numlp.judging.recognized import label_accuracy, pairs
from numlp.network.predictor import Predictor
from numlp.runs.data import reading_of
from numlp.runs.memory import usual_memory
from numlp.settings.checks import as_bytes

_MOST_LINES = 20  # of a list of classes

EXAMPLES = """[bold]Examples[/bold]

  numlp evaluate run-1 mnist

  numlp evaluate run-1/model.safetensors mnist --split validation

  numlp evaluate run-1 more.npz --json
"""


@with_options(*READING, "drop_missing_target", "memory")
def evaluate(
    model: Annotated[str, typer.Argument(help="A run's folder or a model file.", show_default=False)],
    data: Annotated[str, typer.Argument(help="A data set's name, a file or a folder.", show_default=False)],
    split: Annotated[
        str | None,
        typer.Option(help="The split of data that has several: train, validation or test; by default test."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="The target column of a table or the array y of an .npz, by default the one the model was trained "
            "on; or the .npy or .npz file with y."
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(help="The array x of an .npz, by default the one the model was trained on, or x, x_test, …"),
    ] = None,
    class_weight: Annotated[
        str | None, typer.Option(help="Class weights: 'balanced', or numbers: 1,5 or {cat = 1, dog = 5}.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Sample weights: a column of the table, an array in the .npz, or a .npy file."),
    ] = None,
    json: Json = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Show a network's metrics on data, and for classes the accuracy of each and which it is taken for."""
    from numlp.runs.scores import judge
    from numlp.runs.unfinished import model_path

    path = model_path(model)
    network = load_model(path)
    recipe = read_description(path)["recipe"] or {}
    named = {"target": target, "inputs": inputs, "weights": weights}
    part, rows, _ = rows_of(
        network, recipe, data, split=split, **named, settings=settings, memory=_memory(recipe, settings, split)
    )
    by_class = None if class_weight is None else read("class_weight", class_weight)
    result: dict[str, Any] = {"rows": part or "all", "samples": count_rows(rows), **judge(network, rows, by_class)}
    if network.loss.task != "regression":
        result |= _by_class(network, rows)
    # The model stores the name of its training file, not the folder.
    result["trained_on_this"] = part is None and Path(str(recipe.get("data"))).name in _names_of(data)
    if json:
        print_json(result)
    else:
        _print(data, result, network)


def rows_of(
    network: Predictor,
    recipe: Mapping[str, Any],
    data: str,
    *,
    split: str | None = None,
    target: str | None = None,
    inputs: str | None = None,
    weights: str | None = None,
    settings: Mapping[str, Any] | None = None,
    memory: int | None = None,
) -> tuple[str | None, AnySplit, Any]:
    """Return which part of the data the rows for a network are, None for all; them; and their numbers in the file.

    The recipe is the one in the network's model file, which holds no folders; `settings` say otherwise how to read.
    Rows that would take more `memory`, in bytes, come in chunks.
    """
    data = pattern_of(data)
    held_out = recipe.get("validation")
    # Columns and arrays have the same names in every file; a file of targets fits only one.
    target, inputs = _wanted(data, target, recipe.get("target")), _wanted(data, inputs, recipe.get("inputs"))
    named = {"target": target, "inputs": inputs, "weights": weights}
    for_tables = ("kind", *READING, "drop_missing_target")
    trained = {name: recipe.get(name) for name in for_tables if suffix_of(data) is not None}
    reading = reading_of(trained, settings or {}, named, usual=True)
    part = split or ("test" if parts_in(data, reading) else None)
    rows, numbers = load_rows(
        data,
        n_features=network.layer_size[0],
        names=network.class_names,
        columns=network.feature_names,
        column_kinds=network.column_kinds,
        part=split,
        reading=reading,
        validation=held_out if isinstance(held_out, float) else None,
        split=recipe.get("split"),
        seed=recipe.get("seed", 0),
        memory=memory,
    )
    return part, rows, numbers


def _memory(recipe: Mapping[str, Any], settings: Mapping[str, Any], split: str | None) -> int | None:
    """Return how much memory rows may take, in bytes.

    Rows that were held out of a file are the same ones only if they are read as they were read for training.
    """
    trained = recipe.get("memory")
    if split in ("train", "validation"):
        return None if trained is None else as_bytes("memory", trained)
    return as_bytes("memory", settings["memory"] or trained or usual_memory())


def _wanted(data: str, given: str | None, trained: object) -> str | None:
    """Return the name of a column or an array: the given one, or that of the training data if `data` may hold it."""
    if given is not None or not isinstance(trained, str):
        return given
    suffix = Path(data).suffix.lower()
    held = suffix_of(data) is not None or (suffix == ".npz" and trained in npz_names(Path(data)))
    return trained if held else None


def _names_of(data: str) -> set[str]:
    """Return the names of data, without folders: a folder of tables is a pattern of all of them, too."""
    names, folder = {Path(data).name, Path(pattern_of(data)).name}, Path(data).absolute().parent
    with contextlib.suppress(FileFormatError):  # of tables of several kinds, of which the pattern is of one
        if "*" in Path(data).name and Path(pattern_of(folder)).name == Path(data).name:
            names.add(folder.name)
    return names


def _by_class(network: Predictor, rows: AnySplit) -> dict[str, Any]:
    """Return the accuracy of every class or label and, of classes, how often each is predicted as another."""
    names = network.classes
    if network.loss.task == "labels" and network.n_targets > 1:
        return {"class_accuracy": _named(names, label_accuracy(network, rows))}
    found = pairs(network, rows)
    result: dict[str, Any] = {"class_accuracy": _named(names, class_accuracy(*found[:2], len(names), found.counts))}
    if len(names) <= MOST_CLASSES:
        matrix = confusion_matrix(*found[:2], len(names), found.counts)
        result["confusion_matrix"] = matrix.astype(found.counts.dtype).tolist()
    true, predicted, counts = confusions(*found)
    listed = (part.tolist() for part in (true, predicted, counts.astype(found.counts.dtype)))
    result["confusions"] = [
        {"true": names[i], "predicted": names[j], "rows": count} for i, j, count in zip(*listed, strict=True)
    ]
    return result


def _named(names: Sequence[str], shares: npt.NDArray[np.float64]) -> dict[str, float | None]:
    return {name: None if np.isnan(share) else share for name, share in zip(names, shares.tolist(), strict=True)}


def _print(data: str, result: dict[str, Any], network: Predictor) -> None:
    screen = console()
    part = "" if result["rows"] == "all" else f"{result['rows']} "
    screen.print(f"{data}: {'' if part else 'all '}{result['samples']:,} {part}rows")
    if result["trained_on_this"]:
        screen.print("note: the network was trained on a file of this name, so these metrics may flatter it")
    screen.print()
    for name in (name for name in result if name in FIGURES or name.startswith("coverage")):
        text = f"{figure_of(name).title:<20}{shown(name, result[name]):<12}{meaning(name, network)}"
        screen.print(text.rstrip())
    if "class_accuracy" in result:
        _print_classes(screen, result, "class" if "confusions" in result else "label")


def _print_classes(screen: Console, result: dict[str, Any], kind: str) -> None:
    """Print the confusion matrix where it fits; else the worst classes and the most frequent confusions."""
    accuracies = result["class_accuracy"]
    if "confusion_matrix" in result:
        matrix = table("class", "accuracy", *accuracies)
        for (name, share), counts in zip(accuracies.items(), result["confusion_matrix"], strict=True):
            matrix.add_row(name, shown("accuracy", share), *(f"{count:.6g}" if count else "·" for count in counts))
        if fits(screen, matrix):
            screen.print("\naccuracy of every class, and the number of its rows predicted as each class")
            screen.print(matrix)
            return
    worst = sorted((share, name) for name, share in accuracies.items() if share is not None)
    listed = table(kind, "accuracy")
    if len(accuracies) <= _MOST_LINES:
        screen.print(f"\naccuracy of every {kind}")
        chosen = list(accuracies)
    else:
        plural = "classes" if kind == "class" else "labels"
        screen.print(f"\nlowest accuracies, of {len(accuracies):,} {plural}")
        chosen = [name for _, name in worst[:_MOST_LINES]]
    for name in chosen:
        listed.add_row(name, shown("accuracy", accuracies[name]))
    screen.print(listed)
    if result.get("confusions"):
        pairs = table("true", "predicted", "rows")
        for pair in result["confusions"][:_MOST_LINES]:
            pairs.add_row(pair["true"], pair["predicted"], f"{pair['rows']:.6g}")
        screen.print(f"\nmost frequent confusions, of {len(result['confusions']):,}")
        screen.print(pairs)
    if len(accuracies) > _MOST_LINES:
        screen.print("\n--json lists all of them")


COMMAND = evaluate
