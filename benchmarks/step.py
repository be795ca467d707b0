"""Where the time of a training step goes: numlp's own NumPy calls, by purpose.

Goal: none; this benchmark shows what is left to gain. results/step.md has the results, with machine, rounds and
spread.

A timing function replaces every NumPy function that a step calls, and records which module called it. So the times
are those within a step, where each call finds its arrays as the previous call left them. The timing itself makes a
step longer, which counts as "Python". The networks and cases are those of `make bench-training`, with 12,800 rows and
one epoch per round after one that does not count; NumPy chooses the number of threads. The second table compares Adam
and regularization with plain SGD, in numlp and by hand, without those timing functions. Each has a process with two
threads; they take turns (A B C A B C …) of one epoch, and the others sleep meanwhile. The goal there is at most 1.35
times as long as plain SGD.

    python -m benchmarks.step [--rounds 9]
"""

import argparse
import functools
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.contenders import contender
from benchmarks.contenders import numlp_alone as trainer
from benchmarks.data import load
from benchmarks.rounds import Worker, take_turns
from benchmarks.training import CASES, epochs

ROWS = 12_800
SHOWN = ("128³, 64", "256³, 256", "256³, 256, regularized")
IN_TURNS = ("256³, 256", "256³, 256, Adam", "256³, 256, regularized")
NAMES = ("numlp_alone", "by_hand")
THREADS = 2  # when they take turns
# All ufuncs, and the other functions that a step calls.
OPERATIONS = [
    *(name for name, value in vars(np).items() if isinstance(value, np.ufunc)),
    "dot",
    "einsum",
    "take",
    "copyto",
]
PURPOSES = {
    "products": "matrix products",
    "linear": "biases and their gradients",
    "activations": "activations",
    "activate": "slopes in the backward pass",
    "batches": "gathering",
    "scaling": "scaling",
    "losses": "the loss and its gradient",
    "norm": "batch norm",
    "noise": "dropout, without its random numbers",
    "optimizers": "the update",
}


class Timed:
    """A NumPy function that adds up its time by the module of numlp that called it."""

    def __init__(self, function: Callable[..., Any], spent: dict[str, float]) -> None:
        self.function, self.spent = function, spent

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        result = self.function(*arguments, **options)
        took = time.perf_counter() - began
        module = module_of(sys._getframe(1).f_code.co_filename)
        product = module == "linear" and self.function.__name__ == "dot" and arguments[0].ndim == 2
        self.spent["products" if product else module] += took
        return result

    def __getattr__(self, name: str) -> Any:
        return Timed(getattr(self.function, name), self.spent)


@functools.cache
def module_of(file: str) -> str:
    """Return the module of numlp, or the package, that a file belongs to."""
    path = Path(file)
    return "losses" if path.parent.name == "losses" else path.stem


def profile(title: str, rounds: int) -> list[dict[str, float]]:
    """Return the seconds per step, by purpose, of every round."""
    case, images, spent = CASES[title], load(), defaultdict[str, float](float)
    found: list[dict[str, float]] = []
    began = time.perf_counter()

    def after_epoch(loss: float) -> bool:
        nonlocal began
        now = time.perf_counter()
        found.append({**spent, "whole": now - began})
        spent.clear()
        began = time.perf_counter()
        return len(found) > rounds

    kept = {name: getattr(np, name) for name in OPERATIONS}
    try:
        for name, function in kept.items():
            setattr(np, name, Timed(function, spent))
        trainer.train(case, images.x[:ROWS], images.y[:ROWS], after_epoch)
    finally:
        for name, function in kept.items():
            setattr(np, name, function)
    steps = ROWS // case.batch_size
    return [{purpose: seconds / steps for purpose, seconds in each.items()} for each in found[1:]]


def in_turns(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return each contender's seconds per step with plain SGD, with Adam and with regularization, in turns."""
    with ExitStack() as stack:
        workers = {
            f"{name}: {title}": stack.enter_context(Worker(epochs, THREADS, (name, CASES[title], ROWS)))
            for name, title in itertools.product(NAMES, IN_TURNS)
        }
        take_turns(workers, 1)
        found = take_turns(workers, rounds)
    return {
        name: {
            title: [turn["seconds"] * CASES[title].batch_size / ROWS for turn in found[f"{name}: {title}"]]
            for title in IN_TURNS
        }
        for name in NAMES
    }


def tables(measured: Mapping[str, Any]) -> str:
    """Return the tables of microseconds per step."""

    def cell(rounds: list[dict[str, float]], purpose: str) -> str:
        values = [each.get(purpose, 0.0) for each in rounds]
        if purpose == "rest":
            values = [each["whole"] - sum(each.get(other, 0.0) for other in PURPOSES) for each in rounds]
        return report.spread([1e6 * value for value in values], ".0f") if any(values) else ""

    purposes = PURPOSES | {
        "rest": "random numbers, the metrics of the epoch, and Python",
        "whole": "**the whole step**",
    }
    rows = [
        [words, *(cell(rounds, purpose) for rounds in measured["cases"].values())]
        for purpose, words in purposes.items()
    ]
    whole = [
        [
            contender(name).NAME,
            title,
            report.spread([1e6 * each for each in seconds], ".0f"),
            report.spread(report.ratios(seconds, turns[IN_TURNS[0]]), ".2f"),
        ]
        for name, turns in measured["in_turns"].items()
        for title, seconds in turns.items()
    ]
    return "\n".join(
        [
            "Microseconds per step, median (quartiles):",
            "",
            *report.table(["", *measured["cases"]], rows),
            "",
            "Complete steps, timed as a whole, each in its own process, in turns:",
            "",
            *report.table(["", "case", "µs per step", "÷ its plain SGD in the same round"], whole),
        ]
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/step.md."""
    return report.page("step", "Where the time of a training step goes", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the parts of a training step.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    measured = {
        "machine": report.machine(["numlp"]),
        "rounds": rounds,
        "cases": {title: profile(title, rounds) for title in SHOWN},
        "in_turns": in_turns(rounds),
    }
    report.store("step", measured)
    report.write("step", page(measured))


if __name__ == "__main__":
    main()
