"""Each contender's recipe for `make bench-quality`, chosen on held-out training images.

All contenders search the same grid: two hidden layers of 128 or 256; Adam (0.9, 0.99) with batches of 128 or 256, or
SGD with Nesterov's momentum 0.9 and batches of 128; two to eight epochs; one cycle of the learning rate, linear up
and down, which scikit-learn follows from epoch to epoch; standardized inputs; label smoothing of 0.1, except for
scikit-learn, which has none.

Each recipe is tried with four seeds, and each seed holds out a different 3,000 training images. A recipe passes if
its mean accuracy on these 12,000 reaches the target, or on Fashion-MNIST the target plus 0.6 points. Among many
recipes, some pass by luck. So those that pass are tried again with eight other seeds, the fastest first, and the
first that passes again is chosen. If none does, the most accurate recipe is chosen. Compiled PyTorch uses eager
PyTorch's recipe, because it computes the same. No recipe was chosen by test images. But when this rule was made, test
accuracies of recipes chosen by earlier rules had been seen: without the 0.6 points, the mean test accuracy of each
contender was 0.3 to 0.6 points below the target on Fashion-MNIST; without the second trial, fewer than half of
numlp's seeds on Fashion-MNIST and of JAX's on MNIST reached the target.

    python -m benchmarks.search [--contenders NAME …] [DATA …]
"""

import argparse
import functools
import itertools
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import those_there
from benchmarks.quality import TARGETS, TITLES, compiled_once, train_once

NAMES = ("numlp", "jax", "pytorch", "scikit_learn")
FOLDS = (0, 1, 2, 3)  # the folds that the seeds hold out, in turn
SEEDS, OTHER_SEEDS = range(4), range(4, 12)
HIDDEN = ((128, 128), (256, 256))
STEPS: tuple[dict[str, Any], ...] = (
    {"batch_size": 128, "optimizer": "adam", "beta2": 0.99, "learning_rate": 0.003},
    {"batch_size": 256, "optimizer": "adam", "beta2": 0.99, "learning_rate": 0.004},
    {"batch_size": 128, "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1},
)
ALLOWANCE = {"mnist": 0.0, "fashion-mnist": 0.006}  # its test images are harder than its training images
EPOCHS = {"mnist": (2, 3, 4, 5), "fashion-mnist": (4, 5, 6, 8)}


def grid(name: str, data: str) -> Iterator[Case]:
    """Yield the recipes to try."""
    smoothing = 0.0 if name == "scikit_learn" else 0.1
    for hidden, step, epochs in itertools.product(HIDDEN, STEPS, EPOCHS[data]):
        yield Case(hidden, **step, epochs=epochs, schedule="one_cycle", label_smoothing=smoothing, standardize=True)


def train_by(name: str, data: str, cases: Sequence[Case], seeds: Sequence[int]) -> list[list[tuple[float, float]]]:
    """Return each case's seconds and accuracies, seed by seed; one training runs per core."""
    jobs = [(replace(case, seed=seed), FOLDS[seed % len(FOLDS)]) for case in cases for seed in seeds]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda job: train_once(name, data, job[1], job[0], 1), jobs))
    return [found[i : i + len(seeds)] for i in range(0, len(found), len(seeds))]


def tried(name: str, data: str, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Try every recipe."""
    return [
        {
            "recipe": asdict(case),
            "accuracy": [accuracy for _, accuracy in runs],
            "seconds": min(seconds for seconds, _ in runs),  # another run has filled the compilation cache
        }
        for case, runs in zip(cases, train_by(name, data, cases, SEEDS), strict=True)
    ]


def accuracies_again(name: str, data: str, recipe: Mapping[str, Any]) -> list[float]:
    """Try a recipe with the other seeds."""
    (runs,) = train_by(name, data, [Case(**recipe)], OTHER_SEEDS)
    return [accuracy for _, accuracy in runs]


def choose(
    data: str, found: Sequence[dict[str, Any]], again: Callable[[dict[str, Any]], list[float]]
) -> dict[str, Any]:
    """Return the fastest recipe that reaches the target twice, the second time by `again`; else the most accurate.

    The accuracies of the second trial are stored beside those of the first.
    """
    target = TARGETS[data] + ALLOWANCE[data]
    for each in sorted(found, key=lambda each: each["seconds"]):
        if statistics.mean(each["accuracy"]) >= target:
            each["again"] = again(each["recipe"])
            if statistics.mean(each["again"]) >= target:
                return each
    return max(found, key=lambda each: statistics.mean(each["accuracy"] + each.get("again", [])))


def described(recipe: Mapping[str, Any]) -> str:
    """Describe a recipe in words."""
    momentum = f", momentum {recipe['momentum']}" if recipe["momentum"] else ""
    return (
        f"{'-'.join(map(str, recipe['hidden']))}, {recipe['epochs']} epochs, batches of {recipe['batch_size']}, "
        f"{recipe['optimizer']}{momentum}, learning rate {recipe['learning_rate']:.3g} {recipe['schedule']}, "
        f"label smoothing {recipe['label_smoothing']}"
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/recipes.md."""
    lines = ["# The recipes for time to quality", "", "Written by `make bench-search`; do not edit."]
    for part in (__doc__ or "").split("\n\n")[1:3]:
        lines += ["", " ".join(part.split())]
    for data, names in measured["tried"].items():
        for name, found in names.items():
            lines += ["", f"## {contender(name).NAME}, {TITLES[data]}", ""]
            chosen = measured["chosen"][data][name]
            rows = []
            for each in sorted(found, key=lambda each: each["seconds"]):
                mark = "**" if each["recipe"] == chosen else ""
                words = f"{mark}{described(each['recipe'])}{mark}"
                trials = [each["accuracy"], each.get("again", [])]
                means = [f"{statistics.mean(trial):.2%}" if trial else "" for trial in trials]
                accuracies = " ".join(f"{accuracy:.2%}" for accuracy in itertools.chain(*trials))
                rows.append([words, *means, accuracies, f"{each['seconds']:.2f}"])
            head = [
                "recipe",
                "mean accuracy",
                "mean with other seeds",
                "of each seed",
                "fewest seconds, two at a time",
            ]
            lines += report.table(head, rows)
    return "\n".join([*lines, "", *report.machine_lines(measured["machine"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description="Find each contender's recipe.")
    some = "some of them: " + ", ".join(NAMES)
    parser.add_argument("--contenders", nargs="*", type=report.one_of(NAMES), default=list(NAMES), help=some)
    parser.add_argument("data", nargs="*", type=report.one_of(TARGETS), help="some of them: " + ", ".join(TARGETS))
    given = parser.parse_args()
    measured = {"tried": {}, "chosen": {}} | report.stored("recipes") | {"machine": report.machine(NAMES)}
    with compiled_once():
        for data, name in itertools.product(given.data or those_there(TARGETS), given.contenders):
            found, chosen = (measured[stage].setdefault(data, {}) for stage in ("tried", "chosen"))
            found[name] = tried(name, data, list(grid(name, data)))
            winner = choose(data, found[name], functools.partial(accuracies_again, name, data))
            chosen[name] = winner["recipe"]
            if name == "pytorch":
                chosen["pytorch_compiled"] = winner["recipe"]
            print(data, name, described(winner["recipe"]), winner["accuracy"], winner.get("again"), flush=True)
            report.store("recipes", measured)
    report.write("recipes", page(measured))


if __name__ == "__main__":
    main()
