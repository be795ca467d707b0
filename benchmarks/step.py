"""Where a training step's time goes: numlp's own NumPy calls, by what they are for.

Asked for: nothing; it shows what is left to gain. results/step.md says what came out, on which machine, in how many
rounds, and with which spread.

Every NumPy function that a step calls is replaced by one that takes the time and remembers who called it, so the
times are those within a step, where each call finds its arrays as the one before has left them; taking it makes a
step longer, by what counts as "Python". Networks and cases are those of `make bench-training`, 12,800 rows, an epoch
a round after one that does not count, threads as NumPy chooses. What Adam and regularization take beside plain SGD,
in numlp and by hand, is measured without that, by one process for each, two threads, an epoch each, A B C A B C …,
while the others sleep; asked for: at most 1.35 times as long.

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
from benchmarks.contenders import numlp as trainer
from benchmarks.data import load
from benchmarks.rounds import Worker, take_turns
from benchmarks.training import CASES, epochs

ROWS = 12_800
SHOWN = ("128³, 64", "256³, 256", "256³, 256, regularized")
IN_TURNS = ("256³, 256", "256³, 256, Adam", "256³, 256, regularized")
NAMES = ("numlp", "by_hand")
THREADS = 2  # in these
# All ufuncs, and what else a step calls.
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
    """A NumPy function that adds up its time by the room of numlp that called it."""

    def __init__(self, function: Callable[..., Any], spent: dict[str, float]) -> None:
        self.function, self.spent = function, spent

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        result = self.function(*arguments, **options)
        took = time.perf_counter() - began
        room = room_of(sys._getframe(1).f_code.co_filename)
        product = room == "linear" and self.function.__name__ == "dot" and arguments[0].ndim == 2
        self.spent["products" if product else room] += took
        return result

    def __getattr__(self, name: str) -> Any:
        return Timed(getattr(self.function, name), self.spent)


@functools.cache
def room_of(file: str) -> str:
    """Return the room of numlp that a file belongs to."""
    path = Path(file)
    return "losses" if path.parent.name == "losses" else path.stem


def profile(title: str, rounds: int) -> list[dict[str, float]]:
    """Return the seconds a step by purpose, of every round."""
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
    """Return each contender's seconds a step of plain SGD, of Adam and with regularization, in turns."""
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
    """Return the table of microseconds a step."""

    def cell(rounds: list[dict[str, float]], purpose: str) -> str:
        values = [each.get(purpose, 0.0) for each in rounds]
        if purpose == "rest":
            values = [each["whole"] - sum(each.get(other, 0.0) for other in PURPOSES) for each in rounds]
        return report.spread([1e6 * value for value in values], ".0f") if any(values) else ""

    purposes = PURPOSES | {"rest": "random numbers, the figures of the epoch, and Python", "whole": "**a step**"}
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
            "Microseconds a step, median (quartiles):",
            "",
            *report.table(["", *measured["cases"]], rows),
            "",
            "Whole steps that are not taken apart, a process for each, in turns:",
            "",
            *report.table(["", "case", "µs a step", "÷ its plain SGD of the same round"], whole),
        ]
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/step.md."""
    return report.page("step", "Where a training step's time goes", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Take a training step apart.")
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
