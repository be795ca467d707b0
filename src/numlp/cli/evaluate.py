"""`numlp evaluate`: a network's metrics on data."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from numlp.arrays.targets import as_classes, as_labels
from numlp.cli.options import read
from numlp.cli.output import Json, console, print_json, shown, table
from numlp.datasets import load_rows, parts_in
from numlp.datasets.array_files import npz_names
from numlp.files.models import load_model, read_description
from numlp.judging.metrics import class_accuracy, confusion_matrix, mean_absolute_error

EXAMPLES = """[bold]Examples[/bold]

  numlp evaluate run-1 mnist

  numlp evaluate run-1/model.safetensors mnist --split validation

  numlp evaluate run-1 more.npz --json
"""


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
            help="The target column of a .csv or the array y of an .npz, by default the one the model was trained "
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
        typer.Option(help="Sample weights: a column of the .csv, an array in the .npz, or a .npy file."),
    ] = None,
    json: Json = False,
) -> None:
    """Show a network's loss, accuracy, accuracy per class and confusion matrix on data."""
    from numlp.runs.folder import judge, model_path

    path = model_path(model)
    network = load_model(path)
    recipe = read_description(path)["recipe"] or {}
    held_out = recipe.get("validation")
    # Columns and arrays have the same names in every file; a file of targets fits only one.
    target, inputs = _named(data, target, recipe.get("target")), _named(data, inputs, recipe.get("inputs"))
    part = split or ("test" if parts_in(data, inputs=inputs, target=target) else None)
    rows = load_rows(
        data,
        n_features=network.layer_size[0],
        names=network.class_names,
        columns=network.feature_names,
        part=split,
        target=target,
        inputs=inputs,
        weights=weights,
        validation=held_out if isinstance(held_out, float) else 0.05,
    )
    x, y, *rest = rows
    counts = rest[0] if rest else None
    by_class = None if class_weight is None else read("class_weight", class_weight)
    result: dict[str, Any] = {"rows": part or "all", "samples": len(x), **judge(network, rows, by_class)}
    predicted = network.predict(x, indices=True)
    names = network.classes
    if network.loss.task == "regression":
        # A loss may predict several values for each target: judge the one that estimates the target itself.
        point = predicted if network.loss.blocks == 1 else predicted[:, network.loss.point]
        result["mean_absolute_error"] = mean_absolute_error(y.reshape(point.shape), point, counts)
    elif predicted.ndim == 2:
        shares = np.average(predicted == (as_labels(y, len(names), None) > 0.5), axis=0, weights=counts)
        result["class_accuracy"] = dict(zip(names, shares.tolist(), strict=True))
    else:
        classes = as_classes(y, len(names), network.class_names)
        classes = classes if classes.ndim == 1 else classes.argmax(axis=1)
        confusion = confusion_matrix(classes, predicted, len(names), counts)
        recalls = [None if np.isnan(share) else float(share) for share in class_accuracy(confusion)]
        result["class_accuracy"] = dict(zip(names, recalls, strict=True))
        result["confusion_matrix"] = confusion.tolist()
    # The model stores the name of its training file, not the folder.
    result["trained_on_this"] = part is None and Path(data).name == Path(str(recipe.get("data"))).name
    if json:
        print_json(result)
    else:
        _print(data, result)


def _named(data: str, given: str | None, trained: object) -> str | None:
    """Return the name of a column or an array: the given one, or that of the training data if `data` may hold it."""
    if given is not None or not isinstance(trained, str):
        return given
    suffix = Path(data).suffix.lower()
    held = suffix == ".csv" or (suffix == ".npz" and trained in npz_names(Path(data)))
    return trained if held else None


def _print(data: str, result: dict[str, Any]) -> None:
    screen = console()
    part = "" if result["rows"] == "all" else f"{result['rows']} "
    screen.print(f"{data}: {'' if part else 'all '}{result['samples']:,} {part}rows")
    if result["trained_on_this"]:
        screen.print("note: the network was trained on a file of this name, so these metrics may flatter it")
    screen.print()
    for name in ("loss", "accuracy", "r2", "mean_absolute_error"):
        if name in result:
            screen.print(f"{name.replace('_', ' '):<20}{shown(name, result[name])}")
    if "confusion_matrix" in result:
        names = list(result["class_accuracy"])
        screen.print("\naccuracy of every class, and the number of its rows predicted as each class")
        confusion = table("class", "accuracy", *names)
        for name, counts in zip(names, result["confusion_matrix"], strict=True):
            share = shown("accuracy", result["class_accuracy"][name])
            confusion.add_row(name, share, *(f"{count:.6g}" if count else "·" for count in counts))
        screen.print(confusion)
    elif "class_accuracy" in result:
        screen.print("\naccuracy of every label")
        labels = table("label", "accuracy")
        for name, share in result["class_accuracy"].items():
            labels.add_row(name, shown("accuracy", share))
        screen.print(labels)


COMMAND = evaluate
