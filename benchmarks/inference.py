"""Inference: probabilities of 1, 64 and 10,000 rows, from a trained network of 784-128-128-128-10.

Goal: no contender, onnxruntime with the same network included, is faster than numlp for one row and for 10,000.
results/inference.md has the results, with machine, rounds and spread.

The time is that of one call of the library, from rows of float32 in a NumPy array to probabilities of float32 or
float64 in a NumPy array. The floor is the matrix products alone. NumPy by hand adds biases, ReLUs and softmax. It
works between preallocated arrays, except for the result, and does not check its input. A turn is the median of as
many calls as fit into a third of a second, after some that do not count. Each contender has a process of its own.
They take turns (A B C A B C …), and the others sleep meanwhile. The number of threads is one or two, whichever was
faster for this contender and this number of rows in five turns before.

    python -m benchmarks.inference [--rounds 9]
"""

import argparse
import functools
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, choose_threads, take_turns

NAMES = ("floor", "by_hand", "numlp", "jax", "pytorch", "pytorch_compiled", "scikit_learn", "onnxruntime")
CASE = Case((128,) * 3, 64, epochs=1)
ROWS = (1, 64, 10_000)
SECONDS = 0.33  # per turn


def calls(turns: Turns, name: str, rows: int) -> None:
    """Predict as often as fits into a turn, and report the median seconds of a call."""
    images = load()
    predict = contender(name).train(CASE, images.x[:6_400], images.y[:6_400], lambda loss: None)
    given = (images.x_test.reshape(len(images.x_test), -1) / 255).astype("float32")[:rows].copy()
    right = float((predict(given).argmax(axis=1) == images.y_test[:rows]).mean())
    for _ in range(3):
        predict(given)
    while True:
        times: list[float] = []
        end = time.perf_counter() + SECONDS
        while not times or time.perf_counter() < end:
            began = time.perf_counter()
            predict(given)
            times.append(time.perf_counter() - began)
        if turns(call=statistics.median(times), right=right):
            break


def compare(rows: int, names: Sequence[str], rounds: int) -> dict[str, Any]:
    """Let all contenders take turns at some rows."""
    threads = {
        name: choose_threads(functools.partial(Worker, calls, arguments=(name, rows)), figure="call")
        for name in names
    }
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(calls, threads[name], (name, rows))) for name in names}
        take_turns(workers, 1)
        found = take_turns(workers, rounds)
    return {
        "threads": threads,
        "seconds": {name: [turn["call"] for turn in turns] for name, turns in found.items()},
        "right": {name: turns[-1]["right"] for name, turns in found.items()},
        "busy": report.busy(found),
    }


def tables(measured: Mapping[str, Any]) -> str:
    """Return the table of times and ratios."""
    names = [name for name in NAMES if name in next(iter(measured["cases"].values()))["seconds"]]
    cases = {f"{int(rows):,}": case for rows, case in measured["cases"].items()}
    return "\n".join(
        [
            "Microseconds per call, median (quartiles), and threads:",
            "",
            *report.by_case("rows", names, cases, report.seconds(1e-6, ",.0f")),
            "",
            "Time ÷ numlp's time in the same round, median (quartiles):",
            "",
            *report.by_case("rows", names, cases, report.ratio_to("numlp")),
            "",
            report.waiting(measured),
        ]
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/inference.md."""
    return report.page("inference", "Inference", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time predictions, numlp beside its peers.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    measured: dict[str, Any] = {"machine": report.machine(NAMES), "rounds": rounds, "cases": {}}
    for rows in ROWS:
        measured["cases"][str(rows)] = compare(rows, report.present(NAMES), rounds)
        report.store("inference", measured)
    report.write("inference", page(measured))


if __name__ == "__main__":
    main()
