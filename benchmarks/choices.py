"""What some choices save: numlp's steps or predictions with each of them, and without it.

Asked for: nothing; it shows why the code that it leaves out is there. results/choices.md says what came out, on which
machine, in how many rounds, and with which spread.

Networks and cases are those of `make bench-training`, and one with Nesterov's momentum 0.9; 12,800 rows. Without
aligned arrays, `numpy.empty` makes them, and they begin where the C library puts them; without flushing, running
averages become denormal where gradients are 0 for long. Predictions are of 10,000 rows, float32, in a process that
has done nothing before; without kept memory the C library may give that of their arrays back to the system. With and
without have a process each; an epoch or 20 predictions each, A B A B …, while the other sleeps, after nine that do
not count.

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
PREDICTIONS = 20  # of a turn
PREDICTED = {f"{width}³, predictions": [784, width, width, width, 10] for width in (128, 256)}
CASES = training.CASES | {"128³, 64, momentum": Case((128,) * 3, 64, momentum=0.9, learning_rate=0.05)}


class Choice(NamedTuple):
    """What takes a choice back, and the cases that are to show what it saves."""

    undo: Callable[[], None]
    cases: tuple[str, ...]


def not_aligned() -> None:
    import numpy as np

    from numlp.arrays import buffers

    buffers.empty = np.empty


def not_flushed() -> None:
    from numlp.arrays import special

    special.flush = lambda x, decay: None


def not_kept() -> None:
    from numlp.arrays import buffers

    buffers.keep_freed = lambda: None


CHOICES = {
    "aligned arrays": Choice(not_aligned, ("128³, 64", "256³, 64", "256³, 256", "256³, 256, regularized")),
    "flushed averages": Choice(not_flushed, ("128³, 64, momentum", "128³, 64, Adam")),
    "kept memory": Choice(not_kept, ("128³, predictions", "256³, predictions")),
}


def work(turns: Turns, title: str, without: str | None) -> None:
    """Train or predict, perhaps without a choice, an epoch or some predictions a turn."""
    if without is not None:
        CHOICES[without].undo()
    if title in PREDICTED:
        predictions(turns, PREDICTED[title])
        return
    images = load()
    trainer.train(CASES[title], images.x[:ROWS], images.y[:ROWS], lambda loss: turns(loss=loss))


def predictions(turns: Turns, layer_size: list[int]) -> None:
    """Predict with a network that has learned nothing."""
    import numpy as np

    from numlp import MLP

    net, x = MLP(layer_size), np.random.default_rng(0).random((10_000, layer_size[0]), np.float32)
    stop = False
    while not stop:
        for _ in range(PREDICTIONS):
            net.predict_proba(x)
        stop = turns()


def compare(choice: str, title: str, threads: int, rounds: int, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """Return the seconds a step or a prediction of every round, with the choice and without."""
    times = PREDICTIONS if title in PREDICTED else ROWS // CASES[title].batch_size
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(work, threads, (title, without)))
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
    return "\n".join(["Microseconds a step or a prediction, median (quartiles):", "", *report.table(head, rows)])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/choices.md."""
    return report.page("choices", "What some choices save", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time steps and predictions with and without what is to make them shorter."
    )
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
