"""MPI: numlp's training by two ranks beside one process, and a model of what more machines would give.

Goals: two ranks on two cores, with one BLAS thread each, train at least 1.7 times as many rows a second as one
process with one thread for three hidden layers of 256 units and batches of 512 or more, and 1.85 times for 1024
units. results/mpi.md has the results, with machine, rounds and spread.

The networks train on MNIST's images with SGD. One process, two ranks, and two processes that share out units take
turns; each turn starts anew and trains a few epochs, of which the fastest counts. The model takes the time of a step
over its rows from one process, a + b · rows, fitted to the measured batches; and the time of an Allreduce among N
machines as that of a ring, 2 (N − 1)/N · bytes/bandwidth + 2 log₂ N · latency. Bandwidths and latencies are assumed,
not measured, and nothing overlaps.

    python -m benchmarks.mpi [--rounds 3] [--widths 256 1024] [--batches 512 1024 2048]
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.rounds import thread_settings

GOALS = {256: 1.7, 1024: 1.85}
WIDTHS, BATCHES = (256, 1024), (512, 1024, 2048)
EPOCHS = 4
SIZES = (1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000)  # float32 numbers in an Allreduce
PIECES = 4  # as many as the networks have layers
MACHINES = (2, 4, 8, 16, 32, 64)
# Bits a second, and seconds that a message takes however short it is: what such networks usually have.
NETWORKS = {"1 Gb/s": (1e9, 50e-6), "10 Gb/s": (1e10, 20e-6), "100 Gb/s": (1e11, 2e-6)}
WAYS = {"one process": [], "two ranks": ["mpiexec", "-n", "2"], "two processes": []}


def train(way: str, width: int, batch: int) -> None:
    """Print the seconds of an epoch's step, in the process or rank that this is."""
    import numlp
    from benchmarks.data import load

    images, steps = load(), max(12, 96 * 256 * 512 // (width * batch))
    rows = min(steps * batch, len(images.x) // batch * batch)
    net = numlp.MLP([784, width, width, width, 10], seed=0)
    ranks = numlp.MPITeam() if way == "two ranks" else None
    history = numlp.train(
        net,
        (images.x[:rows], images.y[:rows]),
        batch_size=batch,
        epochs=EPOCHS,
        processes=2 if way == "two processes" else 1,
        team=ranks,
    )
    if ranks is None or ranks.rank == 0:
        print(json.dumps(min(history["seconds"][1:]) * batch / rows))


def exchange() -> None:
    """Print the seconds of an Allreduce of each size, as a whole and in pieces, in the rank that this is."""
    import numpy as np

    import numlp

    ranks = numlp.MPITeam()
    found: dict[str, dict[str, float]] = {"whole": {}, "pieces": {}}
    for size in SIZES:
        numbers = np.zeros(size, np.float32)
        for name, parts in {"whole": [numbers], "pieces": np.array_split(numbers, PIECES)}.items():
            times = []
            for _ in range(40):
                started = time.perf_counter()
                for part in parts:
                    ranks.total(part)
                times.append(time.perf_counter() - started)
            found[name][str(size)] = statistics.median(times)
    if ranks.rank == 0:
        print(json.dumps(found))


def run(way: str, *task: object) -> Any:
    """Return what a task prints that is carried out in one of the ways."""
    prefix = [str(Path(sys.executable).with_name(word)) if word == "mpiexec" else word for word in WAYS[way]]
    command = [*prefix, sys.executable, "-m", "benchmarks.mpi", "--task", way, *map(str, task)]
    with thread_settings(1):
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def ratios(seconds: Mapping[str, list[float]], way: str) -> list[float]:
    """Return the time of one process ÷ that of another way, in every round."""
    return report.ratios(seconds["one process"], seconds[way])


def parameters(width: int) -> int:
    """Return the number of the network's parameters."""
    return 784 * width + 2 * width * width + 10 * width + 3 * width + 10


def line(by_batch: Mapping[str, Mapping[str, list[float]]]) -> tuple[float, float]:
    """Return a and b of a + b · rows, the seconds of one process's step, by least squares over the batches."""
    points = [(int(batch), statistics.median(seconds["one process"])) for batch, seconds in by_batch.items()]
    x, y = (statistics.mean(each) for each in zip(*points, strict=True))
    slope = sum((u - x) * (v - y) for u, v in points) / sum((u - x) ** 2 for u, _ in points)
    return max(0.0, y - slope * x), slope


def modelled(width: int, fixed: float, each: float, network: str, machines: int, batch: int) -> float:
    """Return how many times as fast as one machine so many would take a step, by the model."""
    bits, latency = NETWORKS[network]
    travel = 2 * (machines - 1) / machines * 32 * parameters(width) / bits + 2 * math.log2(machines) * latency
    return (fixed + each * batch) / (fixed + each * batch / machines + travel)


def tables(measured: Mapping[str, Any]) -> str:
    """Return the measured ratios, the times of Allreduce, and the model's figures."""
    lines = ["The time of one process's step ÷ that of the other way in the same round, median (quartiles):", ""]
    rows = [
        [f"{width}³", batch, *(report.spread(ratios(seconds, way), ".2f") for way in ("two ranks", "two processes"))]
        for width, by_batch in measured["steps"].items()
        for batch, seconds in by_batch.items()
    ]
    lines += report.table(["network", "batch", "two ranks: rows", "two processes: units"], rows)
    lines += ["", "An Allreduce between two ranks of this machine, median of 40:", ""]
    exchanges = measured["allreduce"]
    lines += report.table(
        ["float32 numbers", *(f"{int(size):,}" for size in exchanges["whole"])],
        [
            [title, *(f"{1e6 * seconds:.0f}" for seconds in exchanges[name].values())]
            for name, title in (("whole", "µs"), ("pieces", f"µs in {PIECES} pieces"))
        ],
    )
    for width, by_batch in measured["steps"].items():
        if len(by_batch) < 2:
            continue
        fixed, each = line(by_batch)
        lines += [
            "",
            f"**From the model, not measured**: how many times as fast as one machine with one thread, {width}³ "
            f"({parameters(int(width)):,} parameters, a step of {1e3 * fixed:.1f} ms + {1e6 * each:.1f} µs a row), "
            "and the smallest batch, a power of two, with which so many are 0.8 times as fast as perfect:",
            "",
        ]
        heads = ["network", "batch", *(f"{machines} machines" for machines in MACHINES)]
        body = []
        for network in NETWORKS:
            for batch in (512, 4096, 32768):
                gains = [modelled(int(width), fixed, each, network, n, batch) for n in MACHINES]
                body.append([network, f"{batch:,}", *(f"{gain:.1f}" for gain in gains)])
            least = [least_batch(int(width), fixed, each, network, n) for n in MACHINES]
            body.append([network, "smallest for 0.8", *least])
        lines += report.table(heads, body)
    return "\n".join(lines)


def least_batch(width: int, fixed: float, each: float, network: str, machines: int) -> str:
    """Return the smallest batch with which so many machines are 0.8 times as fast as perfect, by the model."""
    for power in range(6, 31):
        if modelled(width, fixed, each, network, machines, 1 << power) >= 0.8 * machines:
            return f"{1 << power:,}"
    return "none"


def page(measured: Mapping[str, Any]) -> str:
    """Return results/mpi.md."""
    return report.page("mpi", "Rows shared out over MPI", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time steps of numlp with one process and with two ranks.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        way, *numbers = given.task
        return train(way, *map(int, numbers)) if numbers else exchange()
    measured = report.stored("mpi") or {"steps": {}}
    measured |= {"machine": report.machine(["numlp"]), "rounds": given.rounds, "allreduce": run("two ranks")}
    for width in given.widths:
        by_batch = measured["steps"].setdefault(str(width), {})
        for batch in given.batches:
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(given.rounds):
                for way in WAYS:
                    found[way].append(run(way, width, batch))
            by_batch[str(batch)] = found
            told = {way: report.spread(ratios(found, way), ".2f") for way in list(WAYS)[1:]}
            print(f"{width}³, batches of {batch}: {told}, goal {GOALS.get(width)}", flush=True)
            report.store("mpi", measured)
    report.write("mpi", page(measured))
    return None


if __name__ == "__main__":
    main()
