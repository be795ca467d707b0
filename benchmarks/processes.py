"""Processes: numlp's epoch with one process beside that with two, over widths and batch sizes.

Goal: none; this benchmark shows when several processes pay. The constants of the rule by which `numlp train` takes
several (`numlp.parallel.sizes.usual_processes`) come from it. results/processes.md has the results, with machine,
rounds and spread.

The networks have two or three hidden layers of one width and train on MNIST's images, 500 steps an epoch, or fewer
where the images don't suffice. One process has one BLAS thread or two, whichever took less time; two processes have
one each. All three have a process to themselves and take turns (A B C A B C …) of one epoch, while the others sleep.
The first epoch does not count.

    python -m benchmarks.processes [--rounds 5] [--coarse]
"""

import argparse
import itertools
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders.numlp import trained
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, take_turns
from benchmarks.training import ADAM, REGULARIZED

STEPS = 500
WIDTHS = (16, 32, 64, 128, 256, 512, 1024)
BATCHES = (16, 32, 64, 128, 256, 512)
COARSE = (32, 64, 128, 256, 1024), (16, 64, 256)
KINDS: dict[str, tuple[int, dict[str, Any]]] = {
    "two hidden layers, SGD": (2, {}),
    "three hidden layers, SGD": (3, {}),
    "three hidden layers, Adam": (3, ADAM),
    "three hidden layers, regularized": (3, REGULARIZED),
}
# Processes and BLAS threads, by the names in results/processes.json.
WAYS = {"one process": (1, 1), "one process, two threads": (1, 2), "two processes": (2, 1)}


def epochs(turns: Turns, case: Case, processes: int) -> None:
    """Train, one epoch per turn."""
    images = load()
    rows = STEPS * case.batch_size
    trained(case, images.x[:rows], images.y[:rows], lambda loss: turns(loss=loss), processes)


def compare(case: Case, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round, by the ways to train."""
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(epochs, threads, (case, processes)))
            for name, (processes, threads) in WAYS.items()
        }
        found = take_turns(workers, rounds)
    return {name: [turn["seconds"] for turn in turns] for name, turns in found.items()}


def gains(seconds: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the time of one process, with its better number of threads, ÷ that of two, in every round."""
    alone = min((seconds["one process"], seconds["one process, two threads"]), key=statistics.median)
    return report.ratios(alone, seconds["two processes"])


def tables(measured: Mapping[str, Any]) -> str:
    """Return a table of gains for each kind of training."""
    lines = [
        "The time of an epoch with one process ÷ that with two in the same round, median (quartiles): above 1, two "
        "processes are faster."
    ]
    for kind, by_width in measured["kinds"].items():
        batches = list(next(iter(by_width.values())))
        rows = [
            [width, *(report.spread(gains(by_batch[batch]), ".2f") for batch in batches)]
            for width, by_batch in by_width.items()
        ]
        heads = ["width", *(f"batches of {batch}" for batch in batches)]
        lines += ["", f"{kind[0].upper()}{kind[1:]}:", "", *report.table(heads, rows)]
    return "\n".join(lines)


def page(measured: Mapping[str, Any]) -> str:
    """Return results/processes.md."""
    return report.page("processes", "When several processes pay", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time epochs of numlp with one process and with two.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--coarse", action="store_true", help="a few sizes, with SGD alone; stores nothing")
    given = parser.parse_args()
    widths, batches = COARSE if given.coarse else (WIDTHS, BATCHES)
    kinds = ["three hidden layers, SGD"] if given.coarse else KINDS
    measured: dict[str, Any] = {"machine": report.machine(["numlp"]), "rounds": given.rounds, "kinds": {}}
    for kind in kinds:
        depth, settings = KINDS[kind]
        by_width: dict[str, dict[str, Any]] = {str(width): {} for width in widths}
        measured["kinds"][kind] = by_width
        for width, batch in itertools.product(widths, batches):
            found = compare(Case((width,) * depth, batch, **settings), given.rounds)
            by_width[str(width)][str(batch)] = found
            print(kind, width, batch, report.spread(gains(found), ".2f"), flush=True)
    if given.coarse:
        print(page(measured))
        return
    report.store("processes", measured)
    report.write("processes", page(measured))


if __name__ == "__main__":
    main()
