"""Training: one epoch of MNIST, numlp beside its peers and beside the matrix products alone.

Goal: JAX takes at least 1.1 times as long as numlp at 128-128-128 and 1.2 to 1.3 times at 256-256-256, and two
processes of numlp are 1.7 times as fast as one. No contender's epoch is shorter.
results/training.md has the results, with machine, rounds and spread.

All contenders train on the same 57,000 images, in batches of the same sizes (the last one is short) and in a new
random order every epoch. The time includes shuffling, gathering, scaling bytes to float32 (PyTorch and scikit-learn
get scaled rows), forward and backward pass, update, and the epoch's mean loss as a Python float; for numlp it also
includes the accuracy. It does not include loading, compiling and the first two epochs. Nothing is validated. Each
contender has a process of its own. They take turns (A B C A B C …) of one epoch, and the others sleep meanwhile. The
number of threads is one or two, whichever was faster for this contender and case in five short epochs before (of
12,800 images). Where others have two threads, numlp has two processes with one thread each; "one process" is numlp
with the faster of one and two threads.

    python -m benchmarks.training [--rounds 9] [CASE …]
"""

import argparse
import functools
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, choose_threads, take_turns

SHORT = 12_800  # images for choosing the number of threads
NAMES = ("floor", "by_hand", "numlp", "numlp_alone", "jax", "pytorch", "pytorch_compiled", "scikit_learn")
ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.001}
REGULARIZED: dict[str, Any] = {"optimizer": "adamw", "learning_rate": 0.001, "dropout": 0.2, "batch_norm": True}
CASES = {
    "128³, 64": Case((128,) * 3, 64),
    "256³, 64": Case((256,) * 3, 64),
    "256³, 256": Case((256,) * 3, 256),
    "1024³, 256": Case((1024,) * 3, 256),
    "128³, 64, Adam": Case((128,) * 3, 64, **ADAM),
    "256³, 256, Adam": Case((256,) * 3, 256, **ADAM),
    "128³, 64, regularized": Case((128,) * 3, 64, **REGULARIZED),
    "256³, 256, regularized": Case((256,) * 3, 256, **REGULARIZED),
}


def epochs(turns: Turns, name: str, case: Case, rows: int | None) -> None:
    """Train on all images, or on some of them, one epoch per turn."""
    images = load()
    contender(name).train(case, images.x[:rows], images.y[:rows], lambda loss: turns(loss=loss))


def can(name: str, case: Case) -> bool:
    """Tell whether a contender supports a case: scikit-learn has no batch norm."""
    return name != "scikit_learn" or not (case.dropout or case.batch_norm)


def compare(case: Case, names: Sequence[str], rounds: int) -> dict[str, Any]:
    """Let all contenders take turns at a case."""
    names = [name for name in names if can(name, case)]
    threads = {
        name: choose_threads(functools.partial(Worker, epochs, arguments=(name, case, SHORT))) for name in names
    }
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(epochs, threads[name], (name, case, None))) for name in names}
        take_turns(workers, 1)
        found = take_turns(workers, rounds)
    return {
        "threads": threads,
        "seconds": {name: [turn["seconds"] for turn in turns] for name, turns in found.items()},
        "loss": {name: turns[-1]["loss"] for name, turns in found.items() if name != "floor"},
        "busy": report.busy(found),
    }


def tables(measured: Mapping[str, Any]) -> str:
    """Return the tables of times and ratios."""
    names = [name for name in NAMES if any(name in case["seconds"] for case in measured["cases"].values())]
    cases = measured["cases"]
    return "\n".join(
        [
            "A case names the widths of the hidden layers and the batch size. Training uses plain SGD unless the "
            "case says Adam or regularized: dropout 0.2, batch norm and AdamW, which scikit-learn does not have.",
            "",
            "Seconds per epoch, median (quartiles), and threads:",
            "",
            *report.by_case("case", names, cases, report.seconds()),
            "",
            "Time ÷ the floor's time in the same round, median (quartiles):",
            "",
            *report.by_case("case", names, cases, report.ratio_to("floor")),
            "",
            "Time ÷ numlp's time in the same round, median (quartiles):",
            "",
            *report.by_case("case", names, cases, report.ratio_to("numlp")),
            "",
            report.waiting(measured),
        ]
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/training.md."""
    return report.page("training", "Training: one epoch of MNIST", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time training, numlp beside its peers.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("cases", nargs="*", type=report.one_of(CASES), help="some of them: " + "; ".join(CASES))
    given = parser.parse_args()
    measured = report.begun("training", "cases", NAMES, given.rounds, anew=not given.cases)
    for title in given.cases or CASES:
        measured["cases"][title] = compare(CASES[title], report.present(NAMES), given.rounds)
        print(
            title,
            {name: round(min(each), 3) for name, each in measured["cases"][title]["seconds"].items()},
            flush=True,
        )
        report.store("training", measured)
    report.write("training", page(measured))


if __name__ == "__main__":
    main()
