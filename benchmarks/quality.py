"""Time to quality: seconds from a process's start to 98.09 % on MNIST's test images, to 89.69 % on Fashion-MNIST's.

Goal: numlp needs at most 2.5 and 6 seconds, and no contender at its best needs less. results/quality.md has the
results, with machine, rounds and spread.

The time includes starting Python, imports, reading and decompressing all images, standardizing them, compiling, and
the complete training. numlp reads and standardizes with its own functions. The others use the few lines of NumPy in
benchmarks/data.py and case.py; these also use two threads and exact sums, but verify nothing. Each contender trains
by its own recipe, which `make bench-search` chose on held-out training images (results/recipes.md). Every round has a
new seed, none of which the search used, and every training a new process; the contenders take turns (A B C A B C …).
Libraries that compile have filled their cache on disk before. The time ends with the training. The tables also show
the share of seeds that reach the target on the test images, and the time divided by that share: the expected time
until one network reaches it. The number of threads is one or two, whichever was faster for this contender in three
trainings before.

    python -m benchmarks.quality [--rounds 11]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import those_there
from benchmarks.rounds import PAUSE, THREADS, environment, thread_settings

NAMES = ("numlp", "jax", "pytorch", "pytorch_compiled", "scikit_learn")
FIRST_SEED = 100  # the search uses smaller ones
TARGETS = {"mnist": 0.9809, "fashion-mnist": 0.8969}
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let processes started here share a compilation cache: JAX needs to be told where, PyTorch has a place."""
    with tempfile.TemporaryDirectory() as cache:
        told = {"JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        with environment(told):
            yield


def train_once(name: str, data: str, split: str | int, case: Case, threads: int) -> tuple[float, float]:
    """Return the seconds from the start of a new process to its trained network, and the accuracy."""
    command = [sys.executable, "-m", "benchmarks.once", name, data, str(split), json.dumps(asdict(case))]
    with thread_settings(threads):
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.perf_counter() - began
            rest = process.stdout.read()
    if line != "trained\n" or process.returncode:
        raise RuntimeError(f"{name} did not get to the end of its training")
    return seconds, float(rest)


def quicker(name: str, data: str, case: Case) -> int:
    """Return the number of threads with which training is fastest."""
    times: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for _ in range(3):
        for threads, found in times.items():
            found.append(train_once(name, data, 0, case, threads)[0])
    return min(THREADS, key=lambda threads: statistics.median(times[threads]))


def compare(data: str, recipes: Mapping[str, Case], rounds: int) -> dict[str, Any]:
    """Let all contenders train in turns."""
    threads = {name: quicker(name, data, case) for name, case in recipes.items()}
    seconds: dict[str, list[float]] = {name: [] for name in recipes}
    accuracy: dict[str, list[float]] = {name: [] for name in recipes}
    for seed in range(FIRST_SEED, FIRST_SEED + rounds):
        for name, case in recipes.items():
            time.sleep(PAUSE)
            took, found = train_once(name, data, "test", replace(case, seed=seed), threads[name])
            seconds[name].append(took)
            accuracy[name].append(found)
    return {"threads": threads, "seconds": seconds, "accuracy": accuracy}


def reached(accuracies: Sequence[float], target: float) -> float:
    """Return the share of seeds that reach the target."""
    return sum(accuracy >= target for accuracy in accuracies) / len(accuracies)


def tables(measured: Mapping[str, Any]) -> str:
    """Return a table for each data set."""
    lines = []
    for data, case in measured["cases"].items():
        target, rows = TARGETS[data], []
        for name, seconds in case["seconds"].items():
            share = reached(case["accuracy"][name], target)
            rows.append(
                [
                    contender(name).NAME,
                    report.spread(seconds, ".2f"),
                    report.spread(report.ratios(seconds, case["seconds"]["numlp"]), ".2f"),
                    f"{statistics.mean(case['accuracy'][name]):.2%}",
                    f"{share:.0%}",
                    f"{statistics.median(seconds) / share:.2f}" if share else "never",
                    str(case["threads"][name]),
                ]
            )
        head = ["", "seconds, median (quartiles)", "÷ numlp's", "mean test accuracy", "seeds that reach it"]
        lines += [f"{TITLES[data]}, target {target:.2%}:", ""]
        lines += [*report.table([*head, "seconds ÷ share of seeds", "threads"], rows), ""]
    return "\n".join(lines[:-1])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/quality.md."""
    return report.page("quality", "Time to quality", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time complete trainings, numlp's beside its peers'.")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("data", nargs="*", type=report.one_of(TARGETS), help="some of them: " + ", ".join(TARGETS))
    given = parser.parse_args()
    measured = report.begun("quality", "cases", NAMES, given.rounds, anew=not given.data)
    chosen = report.stored("recipes")["chosen"]
    with compiled_once():
        for data in given.data or those_there(TARGETS):
            recipes = {name: Case(**chosen[data][name]) for name in report.present(NAMES)}
            measured["cases"][data] = compare(data, recipes, given.rounds)
            report.store("quality", measured)
    report.write("quality", page(measured))


if __name__ == "__main__":
    main()
