"""Each contender's recipe for `make bench-quality`, chosen on images held out of the training's.

The same grid for everybody: two hidden layers of 128 or 256; Adam (0.9, 0.99) with batches of 128 or 256, or SGD with
Nesterov's momentum 0.9 and batches of 128; two to eight epochs; one cycle of the learning rate, linear up and down;
inputs standardized; labels smoothed by 0.1, but for scikit-learn, which can't. scikit-learn's rate moves from epoch
to epoch, and is also tried constant. Two seeds each, judged on the last 3,000 of the training images.

What counts is the time to success: seconds ÷ the chance that the test images' accuracy is at the mark, as far as the
mean accuracy on the rows that were held out tells: a normal distribution with the sampling errors of both. The five
that are best by that are trained again, with four seeds, each without another 3,000 of the training images, and the
best of them by these is chosen. Compiled PyTorch takes eager PyTorch's recipe: it computes the same. The test
images are not looked at for any recipe; but when this rule was made, test accuracies of a trial of an earlier one had
been seen.

    python -m benchmarks.search [--contenders NAME …] [--finals]
"""

import argparse
import itertools
import math
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.quality import MARKS, TITLES, train_once

NAMES = ("numlp", "jax", "pytorch", "scikit_learn")
ROWS = 3_000  # that are held out
FOLDS, FINAL_FOLDS = (0, 0), (0, 1, 2, 3)  # of every seed
FINALISTS, FINAL_ROWS = 5, len(FINAL_FOLDS) * ROWS
TEST_ROWS = 10_000
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


def tried(name: str, data: str, cases: Sequence[Case], folds: Sequence[int]) -> list[dict[str, Any]]:
    """Train by every recipe, as many at a time as there are cores, with one thread each."""
    jobs = [(replace(case, seed=seed), fold) for case in cases for seed, fold in enumerate(folds)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda job: train_once(name, data, job[1], job[0], 1), jobs))
    return [
        {
            "recipe": asdict(case),
            "accuracy": [accuracy for _, accuracy in runs],
            "seconds": statistics.mean(seconds for seconds, _ in runs),
        }
        for case, runs in zip(cases, zip(*[iter(found)] * len(folds), strict=True), strict=True)
    ]


def chance(data: str, accuracies: Sequence[float], rows: int) -> float:
    """Return the chance that the accuracy on the test images is at the mark, judging by that on `rows` others."""
    mark = MARKS[data]
    error = math.sqrt(mark * (1 - mark) * (1 / rows + 1 / TEST_ROWS))
    return statistics.NormalDist(mark, error).cdf(statistics.mean(accuracies))


def ranked(data: str, found: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """Return recipes by their time to success, the least first."""
    return sorted(found, key=lambda each: each["seconds"] / max(chance(data, each["accuracy"], rows), 1e-9))


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
    for stage, rows, title in (
        ("finals", FINAL_ROWS, "the best five again"),
        ("tried", ROWS, "all"),
    ):
        for data, names in measured[stage].items():
            for name, found in names.items():
                lines += ["", f"## {contender(name).NAME}, {TITLES[data]}: {title}", ""]
                chosen = measured["chosen"][data][name]
                cells = []
                for each in ranked(data, found, rows):
                    mark = "**" if each["recipe"] == chosen else ""
                    accuracy = " ".join(f"{accuracy:.2%}" for accuracy in each["accuracy"])
                    at_mark = chance(data, each["accuracy"], rows)
                    cells.append(
                        [
                            f"{mark}{described(each['recipe'])}{mark}",
                            accuracy,
                            f"{each['seconds']:.2f}",
                            f"{at_mark:.0%}",
                        ]
                    )
                lines += report.table(["recipe", "accuracy", "seconds, two at a time", "chance"], cells)
    return "\n".join([*lines, "", *report.machine_lines(measured["machine"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description="Find each contender's recipe.")
    parser.add_argument("--contenders", nargs="*", default=list(NAMES), help="some of them: " + ", ".join(NAMES))
    parser.add_argument("--finals", action="store_true", help="begin with the stored accuracies of all recipes")
    parser.add_argument("data", nargs="*", help="some of them: " + ", ".join(MARKS))
    given = parser.parse_args()
    measured = (
        {"tried": {}, "finals": {}, "chosen": {}} | report.stored("recipes") | {"machine": report.machine(NAMES)}
    )
    for data in given.data or MARKS:
        found, finals, chosen = (measured[stage].setdefault(data, {}) for stage in ("tried", "finals", "chosen"))
        for name in given.contenders:
            if not given.finals:
                found[name] = tried(name, data, list(grid(name, data)), FOLDS)
            best = [Case(**each["recipe"]) for each in ranked(data, found[name], ROWS)[:FINALISTS]]
            finals[name] = tried(name, data, best, FINAL_FOLDS)
            winner = ranked(data, finals[name], FINAL_ROWS)[0]
            chosen[name] = winner["recipe"]
            if name == "pytorch":
                chosen["pytorch_compiled"] = winner["recipe"]
            print(data, name, described(winner["recipe"]), winner["accuracy"], flush=True)
            report.store("recipes", measured)
    report.write("recipes", page(measured))


if __name__ == "__main__":
    main()
