"""Trains the reference project's networks, and writes the results beside this file.

`make reproduce` runs this script. It trains the recipe `reference` once, with seed 0, for MNIST and Fashion-MNIST,
for three hidden layers of 128 and of 256 units, and for both softmax cross-entropy and the reference project's own
sigmoid with squared error. It evaluates each network on the test images twice: after the last epoch, and with the
weights of the epoch with the best validation accuracy. Nothing is chosen on the test images.
"""

import argparse
import json
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from numlp import MLP, __version__, evaluate
from numlp.plots import compare, weights
from numlp.runs.folder import save_figure
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, load_recipe, make_network, train_network
from numlp.training.callbacks import KeepBest
from numlp.training.history import History

HERE = Path(__file__).parent
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
REFERENCE = {"mnist": 0.9809, "fashion-mnist": 0.8969}  # as the reference project's page reports them
LOSSES = {"softmax_cross_entropy": "softmax + cross-entropy", "sigmoid_squared_error": "sigmoid + squared error"}
REMARKS = {
    "mnist": "With softmax and cross-entropy, the validation loss rises again after about ten epochs, while the "
    "accuracy does not fall: the networks overfit. With the reference project's sigmoid and squared error, it does "
    "not rise."
}


def train(recipe: Recipe) -> tuple[dict[str, Any], History, MLP]:
    """Train once; return the row of the table, the history and the network."""
    dataset = load_data(recipe)
    assert dataset.test is not None
    network = make_network(recipe, dataset)
    best = KeepBest("validation_accuracy")
    history = train_network(recipe, network, dataset, after_epoch=[best])
    last = evaluate(network, dataset.test)
    final = network.params.copy()
    network.params[:] = best.params
    chosen = evaluate(network, dataset.test)
    network.params[:] = final
    row = {
        "data": recipe.data,
        "hidden": "-".join(str(width) for width in recipe.layers),
        "loss": recipe.loss,
        "test_accuracy": last["accuracy"],
        "chosen_epoch": best.epoch,
        "chosen_validation_accuracy": max(history["validation_accuracy"]),
        "chosen_test_accuracy": chosen["accuracy"],
    }
    return row, history, network


def page(rows: list[dict[str, Any]], epochs: int) -> str:
    """Return the page with the table and the figures."""
    lines = [
        "# The reference project's results, reproduced",
        "",
        "Written by `make reproduce`; do not edit. Each network was trained once, with seed 0, by the recipe "
        f"`reference`: plain SGD, learning rate 0.1, batches of 64, {epochs} epochs, images scaled to [−1, 1], and "
        "the last 5 % of the training images for validation. *Last* is the test accuracy after the last epoch. "
        "*Chosen* is the test accuracy of the epoch with the best validation accuracy (the first, if several are "
        "equal). Nothing was chosen on the test images.",
        "",
        "| data | hidden layers | output, loss | last | chosen | at epoch |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {TITLES[row['data']]} | {row['hidden']} | {LOSSES[row['loss']]} | {row['test_accuracy']:.2%} "
            f"| {row['chosen_test_accuracy']:.2%} | {row['chosen_epoch']} |"
        )
    reference = " and ".join(f"{accuracy:.2%} on {TITLES[data]}" for data, accuracy in REFERENCE.items())
    lines += [
        "",
        f"[The reference project](https://github.com/KaiFabi/NumpyMultilayerPerceptron) reports {reference} for its "
        "best network.",
        "",
        f"numlp {__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.machine()}. The results of all runs are in [results.json](results.json).",
    ]
    for data, title in TITLES.items():
        lines += [
            "",
            f"## {title}",
            "",
            "The curves show the validation loss and accuracy of the four networks. The two kinds of loss have "
            "different units, so compare each only with its own kind.",
            "",
            *([REMARKS[data], ""] if data in REMARKS else []),
        ]
        lines += [f"![validation loss and accuracy on {title}]({data}-curves.png)", ""]
        lines += [
            "The second figure shows the weights into the 256 units of the first layer, in the last of the four "
            "networks: what each unit looks for.",
            "",
        ]
        lines += [f"![the weights into the first hidden layer, trained on {title}]({data}-weights.png)"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reference project's networks.")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=HERE)
    arguments = parser.parse_args()
    reference = load_recipe("reference").edited(epochs=arguments.epochs)
    for data in TITLES:
        load_data(reference.edited(data=data))  # report missing data now, not in five minutes
    recipes = [
        reference.edited(data=data, layers=(width,) * 3, loss=loss)
        for data in TITLES
        for width in (128, 256)
        for loss in LOSSES
    ]
    # One process per core, with one thread each: small batches gain nothing from a second thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        results = []
        for result in pool.map(train, recipes):
            results.append(result)
            print(json.dumps(result[0]), flush=True)
    rows = [row for row, _, _ in results]
    for data, title in TITLES.items():
        own = [result for result in results if result[0]["data"] == data]
        histories = {f"3×{row['hidden'].split('-')[0]} {LOSSES[row['loss']]}": history for row, history, _ in own}
        save_figure(compare(histories), arguments.output / f"{data}-curves.png")
        network = own[-1][2]
        save_figure(
            weights(network, f"{title}, 3×256 sigmoid + squared error"), arguments.output / f"{data}-weights.png"
        )
    (arguments.output / "results.json").write_text(json.dumps(rows, indent=2) + "\n")
    (arguments.output / "README.md").write_text(page(rows, arguments.epochs))


if __name__ == "__main__":
    main()
