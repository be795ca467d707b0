"""What some choices save: numlp's steps with each of them, and without it.

Asked for: nothing; it shows why the code that it leaves out is there. results/choices.md says what came out, on which
machine, in how many rounds, and with which spread.

Networks and cases are those of `make bench-training`, and one with Nesterov's momentum 0.9; 12,800 rows. Without
aligned arrays, `numpy.empty` makes them, and they begin where the C library puts them; without flushing, running
averages become denormal where gradients are 0 for long. With and without have a process each; an epoch each, A B A B
…, while the other sleeps, after nine that do not count.

    python -m benchmarks.choices [--rounds 15]
"""

import argparse
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

from benchmarks import report, training
from benchmarks.case import Case
from benchmarks.contenders import numlp as trainer
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, take_turns

ROWS = 12_800
WARM_UP = 8  # epochs after the first: 1,600 steps with batches of 64, after which some averages are denormal
CASES = training.CASES | {"128³, 64, momentum": Case((128,) * 3, 64, momentum=0.9, learning_rate=0.05)}


class Choice(NamedTuple):
    """What takes a choice back, and the cases that are to show what it saves."""

    undo: Callable[[], None]
    cases: tuple[str, ...]


def not_aligned() -> None:
    import numpy as np

    from numlp import buffers

    buffers.empty = np.empty


def not_flushed() -> None:
    from numlp import special

    special.flush = lambda x, decay: None


CHOICES = {
    "aligned arrays": Choice(not_aligned, ("128³, 64", "256³, 64", "256³, 256", "256³, 256, regularized")),
    "flushed averages": Choice(not_flushed, ("128³, 64, momentum", "128³, 64, Adam")),
}


def epochs(turns: Turns, title: str, without: str | None) -> None:
    """Train, perhaps without a choice, an epoch a turn."""
    if without is not None:
        CHOICES[without].undo()
    images = load()
    trainer.train(CASES[title], images.x[:ROWS], images.y[:ROWS], lambda loss: turns(loss=loss))


def compare(choice: str, title: str, threads: int, rounds: int, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """Return the seconds a step of every round, with the choice and without."""
    steps = ROWS // CASES[title].batch_size
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(epochs, threads, (title, without)))
            for name, without in (("with", None), ("without", choice))
        }
        take_turns(workers, warm_up)
        found = take_turns(workers, rounds)
    return {name: [turn["seconds"] / steps for turn in turns] for name, turns in found.items()}


def tables(measured: Mapping[str, Any]) -> str:
    """Return the table of microseconds a step."""
    rows = []
    for choice, cases in measured["choices"].items():
        for title, by_threads in cases.items():
            for threads, found in by_threads.items():
                times = [report.spread([1e6 * each for each in found[name]], ".0f") for name in ("with", "without")]
                ratio = report.spread(report.ratios(found["with"], found["without"]), ".2f")
                rows.append([choice, title, threads, *times, ratio])
    head = ["", "case", "threads", "with", "without", "ratio within a round"]
    return "\n".join(["Microseconds a step, median (quartiles):", "", *report.table(head, rows)])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/choices.md."""
    return report.page("choices", "What some choices save", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time steps with and without what is to make them shorter.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    measured = {
        "machine": report.machine(["numlp"]),
        "rounds": rounds,
        "choices": {
            choice: {
                title: {str(threads): compare(choice, title, threads, rounds) for threads in (1, 2)}
                for title in CHOICES[choice].cases
            }
            for choice in CHOICES
        },
    }
    report.store("choices", measured)
    report.write("choices", page(measured))


if __name__ == "__main__":
    main()
