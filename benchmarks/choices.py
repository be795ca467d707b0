"""What some choices save: numlp's steps or predictions with each of these choices, and without it.

Goal: none; this benchmark shows why the code for these choices is there. results/choices.md has the results, with
machine, rounds and spread.

The networks and cases are those of `make bench-training`, and one with Nesterov's momentum 0.9; each has 12,800 rows.
Without aligned arrays, `numpy.empty` makes the arrays, and they start where the C library puts them. Without
flushing, running averages become denormal if gradients stay 0 for long. Without products of few rows, one call
multiplies the whole batch by a layer's weights. Predictions are of 10,000 rows of float32, in
a process that has done nothing before. Without kept memory, the C library may return the memory of their arrays to
the system. "With" and "without" each have a process. They take turns (A B A B …) of one epoch or 20 predictions, and
each sleeps while the other works. The first nine turns do not count.

    python -m benchmarks.choices [--rounds 15] [CHOICE …]
"""

import argparse
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

from benchmarks import report, training
from benchmarks.case import Case
from benchmarks.contenders import numlp_alone as trainer
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, take_turns

ROWS = 12_800
WARM_UP = 8  # epochs after the first: after 1,600 steps with batches of 64, some averages are denormal
PREDICTIONS = 20  # per turn
PREDICTED = {f"{width}³, predictions": [784, width, width, width, 10] for width in (128, 256)}
CASES = training.CASES | {"128³, 64, momentum": Case((128,) * 3, 64, momentum=0.9, learning_rate=0.05)}


class Choice(NamedTuple):
    """A function that undoes a choice, and the cases that show what the choice saves."""

    undo: Callable[[], None]
    cases: tuple[str, ...]


def not_aligned() -> None:
    import numpy as np

    from numlp.arrays import buffers

    buffers.empty = np.empty


def not_flushed() -> None:
    from numlp.arrays import special

    special.flush = lambda x, decay: None


def not_cut() -> None:
    from numlp.arrays import products

    products.rows_at_once = lambda *sizes: 0


def not_kept() -> None:
    from numlp.arrays import buffers

    buffers.keep_freed = lambda: None


CHOICES = {
    "aligned arrays": Choice(not_aligned, ("128³, 64", "256³, 64", "256³, 256", "256³, 256, regularized")),
    "flushed averages": Choice(not_flushed, ("128³, 64, momentum", "128³, 64, Adam")),
    "products of few rows": Choice(not_cut, ("128³, 64", "256³, 64", "256³, 256")),
    "kept memory": Choice(not_kept, ("128³, predictions", "256³, predictions")),
}


def work(turns: Turns, title: str, without: str | None, amount: int) -> None:
    """Train or predict, with or without a choice; a turn is one epoch of so many rows, or so many predictions."""
    if without is not None:
        CHOICES[without].undo()
    if title in PREDICTED:
        predictions(turns, PREDICTED[title], amount)
        return
    images = load()
    trainer.train(CASES[title], images.x[:amount], images.y[:amount], lambda loss: turns(loss=loss))


def predictions(turns: Turns, layer_size: list[int], amount: int) -> None:
    """Predict with an untrained network."""
    import numpy as np

    from numlp import MLP

    net, x = MLP(layer_size), np.random.default_rng(0).random((10_000, layer_size[0]), np.float32)
    stop = False
    while not stop:
        for _ in range(amount):
            net.predict_proba(x)
        stop = turns()


def compare(choice: str, title: str, threads: int, rounds: int, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """Return the seconds per step or prediction of every round, with the choice and without."""
    amount = PREDICTIONS if title in PREDICTED else ROWS
    times = amount if title in PREDICTED else amount // CASES[title].batch_size
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(work, threads, (title, without, amount)))
            for name, without in (("with", None), ("without", choice))
        }
        take_turns(workers, warm_up)
        found = take_turns(workers, rounds)
    return {name: [turn["seconds"] / times for turn in turns] for name, turns in found.items()}


def tables(measured: Mapping[str, Any]) -> str:
    """Return the table of microseconds."""
    rows = []
    for choice, cases in measured["choices"].items():
        for title, by_threads in cases.items():
            for threads, found in by_threads.items():
                times = [report.spread([1e6 * each for each in found[name]], ".0f") for name in ("with", "without")]
                ratio = report.spread(report.ratios(found["with"], found["without"]), ".2f")
                rows.append([choice, title, threads, *times, ratio])
    head = ["", "case", "threads", "with", "without", "ratio within a round"]
    return "\n".join(["Microseconds per step or prediction, median (quartiles):", "", *report.table(head, rows)])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/choices.md."""
    return report.page("choices", "What some choices save", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time steps and predictions with and without the choices that make them faster."
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("choices", nargs="*", type=report.one_of(CHOICES), help="some of them: " + "; ".join(CHOICES))
    given = parser.parse_args()
    measured = report.begun("choices", "choices", ["numlp"], given.rounds, anew=not given.choices)
    for choice in given.choices or CHOICES:
        measured["choices"][choice] = {
            title: {str(threads): compare(choice, title, threads, given.rounds) for threads in (1, 2)}
            for title in CHOICES[choice].cases
        }
        report.store("choices", measured)
    report.write("choices", page(measured))


if __name__ == "__main__":
    main()
