"""Trains the named recipes with three seeds, and writes the results beside this file.

`make reproduce` runs this script, on all cores, one training at a time. The recipes were chosen on held-out training
images. Only this script evaluates them on the test images, once for each trained network.

It also trains the quick ones in portable arithmetic, as a user would, and writes the SHA-256 of each model, which
everybody gets, into the README as well. `--digests` does that alone, and `--check` compares with those written.
"""

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
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
QUICK = TASKS[:3]
SEEDS = range(3)
PORTABLE = "portable"  # the key in recipes.json of what the quick ones reach in portable arithmetic
README = HERE.parents[1] / "README.md"
BITS = HERE.parents[1] / "tests/portable/digests.txt"  # changes if portable arithmetic does: then so do the models


def train(recipe: Recipe) -> dict[str, float]:
    """Train once; return the test metrics and the training time, including validation."""
    dataset = load_data(recipe)
    assert dataset.test is not None
    started = time.perf_counter()
    model = train_model(recipe, dataset)
    seconds = time.perf_counter() - started
    threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count() or 1))
    return evaluate(model, dataset.test) | {"seconds": round(seconds, 2), "threads": threads}


def numlp(*arguments: object) -> str:
    """Run a command of numlp; return what it prints."""
    command = [sys.executable, "-m", "numlp", *(str(argument) for argument in arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train_portable(name: str, data: str) -> dict[str, Any]:
    """Train a recipe in portable arithmetic with seed 0; return the test accuracy and the model's digest."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place, "run")
        settings = ("--recipe", name, "--arithmetic", "portable", "--seed", 0, "--no-report")
        numlp("train", data, *settings, "--output", run)
        verified = json.loads(numlp("verify", run, "--json"))
        metrics = json.loads((run / "metrics.json").read_text())
    found = {"accuracy": metrics["test"]["accuracy"], "sha256": verified["model"]}
    print(name, data, PORTABLE, json.dumps(found), flush=True)
    return found


def check(known: dict[str, dict[str, Any]]) -> int:
    """Train in portable arithmetic again; return the number of models that differ from those written."""
    wrong = 0
    for name, data in QUICK:
        same = train_portable(name, data)["sha256"] == known[f"{name} {data}"]["sha256"]
        print(f"{name} {data}: {'the same bytes' if same else 'OTHER BYTES than those published'}")
        wrong += not same
    return wrong


def digests(known: dict[str, dict[str, Any]]) -> list[str]:
    """Return the lines of the table of digests."""
    lines = ["| recipe | data | test accuracy | SHA-256 of `model.safetensors` |", "|---|---|---|---|"]
    for name, data in QUICK:
        one = known[f"{name} {data}"]
        lines.append(f"| `{name}` | {TITLES[data]} | {one['accuracy']:.2%} | `{one['sha256']}` |")
    return lines


def write_digests(known: dict[str, dict[str, Any]]) -> None:
    """Write the table of digests into the README."""
    begin, end = "<!-- table: digests -->\n", "<!-- end: digests -->"
    head, rest = README.read_text().split(begin)
    README.write_text("\n".join([head + begin, *digests(known), "", end + rest.split(end)[1]]))


def page(results: dict[str, Any]) -> str:
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
        "## The same bytes everywhere",
        "",
        "In [portable arithmetic](../portable.md), a recipe gives the same model file on every machine. These are "
        "from `numlp train DATA --recipe NAME --arithmetic portable --seed 0 --output RUN`, and "
        "`numlp verify RUN --digest SHA256` checks yours. `make digests` trains and checks all of them.",
        "",
        *digests(results[PORTABLE]),
        "",
        f"numlp {__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.machine()}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the named recipes.")
    parser.add_argument("recipes", nargs="*", help="some of them; by default all")
    parser.add_argument("--digests", action="store_true", help="train in portable arithmetic alone")
    parser.add_argument("--check", action="store_true", help="compare the digests with those written; write nothing")
    arguments = parser.parse_args()
    names = arguments.recipes
    stored = HERE / "recipes.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    if arguments.check:
        raise SystemExit(min(check(results[PORTABLE]), 1))
    for name, data in TASKS:
        if not arguments.digests and (not names or name in names):
            results[f"{name} {data}"] = runs = []
            for seed in SEEDS:
                runs.append(train(load_recipe(name).edited(data=data, seed=seed)))
                print(name, data, seed, json.dumps(runs[-1]), flush=True)
            stored.write_text(json.dumps(results, indent=1) + "\n")
    if arguments.digests or not names:
        results[PORTABLE] = {f"{name} {data}": train_portable(name, data) for name, data in QUICK}
        results[PORTABLE]["digests.txt"] = hashlib.sha256(BITS.read_bytes()).hexdigest()
        stored.write_text(json.dumps(results, indent=1) + "\n")
        write_digests(results[PORTABLE])
    if len(results) == len(TASKS) + 1:
        (HERE / "recipes.md").write_text(page(results))


if __name__ == "__main__":
    main()
