"""What it saves that arrays begin with a cache line: numlp's steps with and without `numlp.buffers`.

Asked for: nothing; it shows why `numlp.buffers` is there. results/buffers.md says what came out, on which machine, in
how many rounds, and with which spread.

Networks and cases are those of `make bench-training`, 12,800 rows. Without means that `numpy.empty` makes the arrays,
which begin where the C library puts them. Each of both has a process of its own; an epoch each, A B A B …, while the
other sleeps.

    python -m benchmarks.buffers [--rounds 25]
"""

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks import report
from benchmarks.contenders import numlp as trainer
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, take_turns
from benchmarks.training import CASES

ROWS = 12_800
SHOWN = ("128³, 64", "256³, 64", "256³, 256", "256³, 256, regularized")


def epochs(turns: Turns, title: str, aligned: bool) -> None:
    """Train with or without aligned arrays, an epoch a turn."""
    import numpy as np

    from numlp import buffers

    if not aligned:
        buffers.empty = np.empty
    images = load()
    trainer.train(CASES[title], images.x[:ROWS], images.y[:ROWS], lambda loss: turns(loss=loss))


def compare(title: str, threads: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds a step of every round, with and without."""
    steps = ROWS // CASES[title].batch_size
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(epochs, threads, (title, name == "with")))
            for name in ("with", "without")
        }
        take_turns(workers, 1)
        found = take_turns(workers, rounds)
    return {name: [turn["seconds"] / steps for turn in turns] for name, turns in found.items()}


def tables(measured: Mapping[str, Any]) -> str:
    """Return the table of microseconds a step."""
    rows = []
    for title, by_threads in measured["cases"].items():
        for threads, found in by_threads.items():
            times = [report.spread([1e6 * each for each in found[name]], ".0f") for name in ("with", "without")]
            rows.append(
                [title, threads, *times, report.spread(report.ratios(found["with"], found["without"]), ".2f")]
            )
    head = ["case", "threads", "aligned", "as NumPy makes them", "ratio within a round"]
    return "\n".join(["Microseconds a step, median (quartiles):", "", *report.table(head, rows)])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/buffers.md."""
    return report.page("buffers", "Arrays that begin with a cache line", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time steps with and without aligned arrays.")
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    measured = {
        "machine": report.machine(["numlp"]),
        "rounds": rounds,
        "cases": {title: {str(threads): compare(title, threads, rounds) for threads in (1, 2)} for title in SHOWN},
    }
    report.store("buffers", measured)
    report.write("buffers", page(measured))


if __name__ == "__main__":
    main()
