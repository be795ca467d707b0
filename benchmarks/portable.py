"""Portable arithmetic: its epoch beside the ordinary one, the errors of its products, and the accuracy of both.

Goal: an epoch takes at most 2.8 times the ordinary one at 128-128-128 in batches of 64, and 2.4 times at 256-256-256
in batches of 256; a product's error is at most 4 times float32's; the accuracies agree within noise.
results/portable.md has the results.

Both train on MNIST's images, 500 steps an epoch or fewer, with one BLAS thread and with two, in processes of their
own that take turns of one epoch while the others sleep. The first epoch does not count. The time of each is that with
its better number of threads.

The accuracies are those on test images after five epochs, 128-128-128 in batches of 64, and on held-out rows of a
table made of random numbers: 20 columns whose units differ by up to 10⁶, not standardized, 64-64, Adam, 20 epochs.
Seeds 0 to 4 differ in the first weights and in the order of rows.

The errors are root mean squares over a whole product, divided by those of NumPy's in float32, of a layer with so many
inputs and outputs in batches of so many rows: the largest of three quotients, for x W, xᵀ δ and δ Wᵀ, and of five
draws. W and δ are normal, x is normal or, for "positive", 0 where that is negative.

    python -m benchmarks.portable [--rounds 9]
    python -m benchmarks.portable --errors    prints the errors alone
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.case import Case, Rows
from benchmarks.contenders.numlp import load as read
from benchmarks.contenders.numlp import trained
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker, take_turns
from numlp.arrays.arithmetic import PORTABLE

STEPS = 500
CASES = {"128³, 64": Case((128,) * 3, 64), "256³, 64": Case((256,) * 3, 64), "256³, 256": Case((256,) * 3, 256)}
ARITHMETICS = ("ordinary", "portable")
SEEDS = range(5)
LENGTHS = (16, 32, 64, 128, 256, 512, 784, 1000, 1024, 2048, 4096, 8192)
SHAPES = [(64, k, 128) for k in LENGTHS] + [(256, 256, 256), (1000, 1000, 1000), (3000, 16, 16), (64, 16, 3000)]


def epochs(turns: Turns, case: Case, arithmetic: str) -> None:
    """Train, one epoch per turn."""
    images = load()
    rows = STEPS * case.batch_size
    trained(case, images.x[:rows], images.y[:rows], lambda loss: turns(loss=loss), arithmetic=arithmetic)


def compare(case: Case, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round, by arithmetic and threads."""
    with ExitStack() as stack:
        workers = {
            f"{arithmetic}, {threads}": stack.enter_context(Worker(epochs, threads, (case, arithmetic)))
            for arithmetic in ARITHMETICS
            for threads in (1, 2)
        }
        found = take_turns(workers, rounds)
    return {name: [turn["seconds"] for turn in turns] for name, turns in found.items()}


def costs(seconds: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the time of portable arithmetic ÷ that of ordinary, each with its better number of threads."""
    better = [min((seconds[f"{name}, {n}"] for n in (1, 2)), key=statistics.median) for name in ARITHMETICS]
    return report.ratios(better[1], better[0])


def errors() -> dict[str, list[float]]:
    """Return the error of products ÷ that of products in float32, for normal and for positive inputs, by shape."""
    return {
        f"{inputs:,} × {outputs:,}, {rows:,}": [
            max(error(np.random.default_rng(seed), rows, inputs, outputs, positive) for seed in SEEDS)
            for positive in (False, True)
        ]
        for rows, inputs, outputs in SHAPES
    }


def error(rng: np.random.Generator, n: int, k: int, m: int, positive: bool) -> float:
    """Return the largest quotient among the three products of a layer."""
    x, w, delta = (rng.normal(size=shape).astype(np.float32) for shape in ((n, k), (k, m), (n, m)))
    if positive:
        x = np.maximum(x, 0)
    products = PORTABLE.products(n, k, m, "float32")
    products.resize(n)
    found = [products.outputs(x, w, np.empty((n, m), np.float32))]
    products.take(delta)
    found += [products.weight_gradient(np.empty_like(w)), products.input_gradient(np.empty_like(x))]
    quotients = []
    for ours, a, b in zip(found, (x, x.T, delta), (w, delta, w.T), strict=True):
        true = a.astype(np.float64) @ b.astype(np.float64)
        quotients.append(float(np.sqrt(np.mean((ours - true) ** 2) / np.mean((a @ b - true) ** 2))))
    return max(quotients)


def table_of_errors(found: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the table of errors."""
    rows = [[shape, *(f"{quotient:.1f}" for quotient in quotients)] for shape, quotients in found.items()]
    return report.table(["inputs × outputs, rows", "normal", "positive"], rows)


def table() -> tuple[Rows, Rows]:
    """Return 4,000 rows of 20 columns whose units differ by up to 10⁶, and their classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 20))
    wanted = x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.3 * rng.normal(size=4000) > 0
    return (x * 10.0 ** np.linspace(-3, 3, 20)[rng.permutation(20)]).astype(np.float32), wanted.astype(np.int64)


def accuracies(arithmetic: str) -> dict[str, list[float]]:
    """Return the accuracy for each seed, by data."""
    import numlp

    found: dict[str, list[float]] = {}
    for name in ("mnist", "fashion-mnist"):
        images = read(name)
        found[name] = []
        for seed in SEEDS:
            case = Case((128,) * 3, 64, epochs=5, seed=seed)
            net = trained(case, images.x, images.y, lambda loss: None, arithmetic=arithmetic)
            found[name].append(
                numlp.evaluate(net, (images.x_test.reshape(len(images.x_test), -1), images.y_test))["accuracy"]
            )
    x, y = table()
    found["table"] = []
    for seed in SEEDS:
        net = numlp.MLP([20, 64, 64, 2], arithmetic=arithmetic, seed=seed)
        numlp.train(net, (x[:3000], y[:3000]), optimizer="adam", epochs=20, batch_size=32, seed=seed)
        found["table"].append(numlp.evaluate(net, (x[3000:], y[3000:]))["accuracy"])
    return found


def tables(measured: Mapping[str, Any]) -> str:
    """Return the costs and the accuracies."""
    rows = []
    for name, found in measured["cases"].items():
        milliseconds = [f"{1000 * statistics.median(seconds):.0f}" for seconds in found.values()]
        rows.append([name, *milliseconds, report.spread(costs(found), ".2f")])
    heads = ["ordinary, 1 thread", "ordinary, 2", "portable, 1 thread", "portable, 2", "portable ÷ ordinary"]
    lines = ["Milliseconds an epoch, median; the quotient with quartiles.", "", *report.table(["case", *heads], rows)]
    lines += ["", "Error of a product ÷ float32's own, the largest of three products and five draws.", ""]
    lines += table_of_errors(measured["errors"])
    lines += ["", "Accuracy in percent: mean of five seeds ± standard error of the mean.", ""]
    found = measured["accuracies"]
    shown = [[name, *(_mean(found[arithmetic][name]) for arithmetic in ARITHMETICS)] for name in found["ordinary"]]
    return "\n".join([*lines, *report.table(["data", *ARITHMETICS], shown)])


def _mean(shares: Sequence[float]) -> str:
    error = statistics.stdev(shares) / len(shares) ** 0.5
    return f"{100 * statistics.mean(shares):.2f} ± {100 * error:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare portable arithmetic with ordinary arithmetic.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--errors", action="store_true", help="print the errors of products, and measure nothing else"
    )
    given = parser.parse_args()
    if given.errors:
        print("\n".join(table_of_errors(errors())))
        return
    measured: dict[str, Any] = {"machine": report.machine(["numlp"]), "rounds": given.rounds, "cases": {}}
    for name, case in CASES.items():
        measured["cases"][name] = compare(case, given.rounds)
        print(name, report.spread(costs(measured["cases"][name]), ".2f"), flush=True)
    measured["errors"] = errors()
    measured["accuracies"] = {arithmetic: accuracies(arithmetic) for arithmetic in ARITHMETICS}
    report.store("portable", measured)
    report.write("portable", report.page("portable", "Portable arithmetic", __doc__, measured, tables(measured)))


if __name__ == "__main__":
    main()
