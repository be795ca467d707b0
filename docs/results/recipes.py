"""Trains the named recipes with three seeds, and writes the results beside this file.

`make reproduce` runs this script, on all cores, one training at a time. The recipes were chosen on held-out training
images. Only this script evaluates them on the test images, once for each trained network.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from numlp import __version__, evaluate
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, load_recipe, train_model

HERE = Path(__file__).parent
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
TASKS = (
    ("fast", "mnist"),
    ("default", "mnist"),
    ("default", "fashion-mnist"),
    ("wide", "fashion-mnist"),
    ("adversarial", "mnist"),
    ("augmented", "mnist"),
)
SEEDS = range(3)


def train(recipe: Recipe) -> dict[str, float]:
    """Train once; return the test metrics and the training time, including validation."""
    dataset = load_data(recipe)
    assert dataset.test is not None
    started = time.perf_counter()
    model = train_model(recipe, dataset)
    seconds = time.perf_counter() - started
    threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count() or 1))
    return evaluate(model, dataset.test) | {"seconds": round(seconds, 2), "threads": threads}


def page(results: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page with the table."""
    lines = [
        "# What the recipes reach",
        "",
        "Written by `make reproduce`; do not edit. Each recipe was chosen on held-out training images. It was then "
        "trained with three seeds on all training images except those for validation (the last 5 %, or 1 %). The "
        "table shows the test accuracy after the last epoch, and the training time in seconds, including validation.",
        "",
        "| recipe | data | test accuracy, seeds 0, 1, 2 | mean | seconds | threads |",
        "|---|---|---|---|---|---|",
    ]
    for name, data in TASKS:
        runs = results[f"{name} {data}"]
        accuracies = ", ".join(f"{100 * run['accuracy']:.2f}" for run in runs)
        mean = statistics.mean(run["accuracy"] for run in runs)
        seconds = ", ".join(f"{run['seconds']:.1f}" for run in runs)
        threads = runs[0]["threads"]
        lines.append(f"| `{name}` | {TITLES[data]} | {accuracies} | **{mean:.2%}** | {seconds} | {threads} |")
    lines += [
        "",
        "`numlp train DATA --recipe NAME --seed SEED --processes 1` repeats one of these runs. `numlp recipes NAME` "
        "shows a recipe.",
        "",
        f"numlp {__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.machine()}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the named recipes.")
    parser.add_argument("recipes", nargs="*", help="some of them; by default all")
    names = parser.parse_args().recipes
    stored = HERE / "recipes.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    for name, data in TASKS:
        if not names or name in names:
            results[f"{name} {data}"] = runs = []
            for seed in SEEDS:
                runs.append(train(load_recipe(name).edited(data=data, seed=seed)))
                print(name, data, seed, json.dumps(runs[-1]), flush=True)
            stored.write_text(json.dumps(results, indent=1) + "\n")
    if len(results) == len(TASKS):
        (HERE / "recipes.md").write_text(page(results))


if __name__ == "__main__":
    main()
