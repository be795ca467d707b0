"""Growth: numlp's time for an epoch against rows, width, depth and batch size.

Goal: time grows in proportion to the rows, and memory does not grow with them. A training set that is larger than the
memory of the process is read from its file one batch at a time. results/growth.md has the results, with machine,
rounds and spread.

The rows are MNIST's images as bytes, repeated as often as needed. Unless a table says otherwise, the network has
hidden layers 256-256-256 and trains with plain SGD on 12,800 rows in batches of 256. The first epoch does not count.
The number of threads is the faster of one and two. For the growth in rows, the rows are in a memory-mapped file. The
process then has two threads and is limited to 512 MB of its own memory (RLIMIT_DATA), which is read after every
epoch.

    python -m benchmarks.growth [--rounds 5]
"""

import argparse
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import numlp_alone as trainer
from benchmarks.data import load
from benchmarks.rounds import THREADS, Turns, Worker, choose_threads, take_turns

FIGURE = Path(__file__).parents[1] / "docs/performance/growth.png"
LIMIT = 512_000_000  # bytes
ROWS = 12_800
BASE = Case((256,) * 3, 256)
GROWTH: dict[str, dict[int, tuple[Case, int]]] = {
    "rows": {rows: (BASE, rows) for rows in (1_000, 10_000, 100_000, 1_000_000)},
    "width": {width: (Case((width,) * 3, 256), ROWS) for width in (32, 64, 128, 256, 512, 1024, 2048)},
    "depth": {depth: (Case((256,) * depth, 256), ROWS) for depth in (1, 2, 4, 8, 16)},
    "batch size": {size: (Case((256,) * 3, size), ROWS) for size in (8, 16, 32, 64, 128, 256, 512, 1024)},
}


def epochs(turns: Turns, case: Case, rows: int, file: str | None) -> None:
    """Train, one epoch per turn; if there is a file, on its rows and with limited memory."""
    images = load()
    which = np.arange(rows) % len(images.x)
    if file is None:
        x = images.x.reshape(len(images.x), -1)[which]
    else:
        import resource

        x = np.load(file, mmap_mode="r")
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    trainer.train(case, x, images.y[which], lambda loss: turns(own=own_memory()))


def own_memory() -> float:
    """Return the bytes of this process's own memory, without the pages of mapped files."""
    status = Path("/proc/self/status").read_text()
    return 1024 * float(status.split("RssAnon:")[1].split()[0])


def write_rows(path: Path, rows: int) -> None:
    """Write MNIST's images to a file, repeated as often as needed."""
    images = load()
    x = images.x.reshape(len(images.x), -1)
    file = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, x.shape[1]))
    for start in range(0, rows, len(x)):
        file[start : start + len(x)] = x[: rows - start]


def measure(case: Case, rows: int, file: str | None, rounds: int) -> dict[str, Any]:
    """Time some epochs."""
    make = functools.partial(Worker, epochs, arguments=(case, rows, file))
    threads = choose_threads(make) if file is None else max(THREADS)
    with make(threads) as worker:
        turns = take_turns({"numlp": worker}, rounds)["numlp"]
    return {
        "threads": threads,
        "seconds": [turn["seconds"] for turn in turns],
        "own": max(turn["own"] for turn in turns),
    }


def tables(measured: Mapping[str, Any]) -> str:
    """Return a table for each quantity that grows."""
    lines = []
    for what, cases in measured["growth"].items():
        rows = []
        for size, found in cases.items():
            count = GROWTH[what][int(size)][1]
            row = [f"{int(size):,}", report.spread(found["seconds"]), str(found["threads"])]
            micro = 1e6 / count
            row.insert(2, report.spread([micro * each for each in found["seconds"]], ".1f"))
            if what == "rows":
                row += [f"{784 * count / 1e6:,.0f}", f"{found['own'] / 1e6:,.0f}"]
            rows.append(row)
        head = [what, "seconds per epoch, median (quartiles)", "µs per row", "threads"]
        lines += [*report.table(head + (["file, MB", "own memory, MB"] if what == "rows" else []), rows), ""]
    return "\n".join(lines[:-1])


def page(measured: Mapping[str, Any]) -> str:
    """Return results/growth.md."""
    figure = "![seconds per epoch against rows, width, depth and batch size](../../docs/performance/growth.png)"
    return report.page("growth", "Growth", __doc__, measured, tables(measured) + f"\n\n{figure}")


def draw(measured: Mapping[str, Any], path: Path) -> None:
    """Draw the time of an epoch against each quantity that grows."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(9, 6), layout="constrained")
    for axes, (what, cases) in zip(figure.subplots(2, 2).flat, measured["growth"].items(), strict=True):
        sizes = [int(size) for size in cases]
        quartiles = np.array([np.quantile(found["seconds"], (0.25, 0.5, 0.75)) for found in cases.values()])
        axes.fill_between(sizes, quartiles[:, 0], quartiles[:, 2], alpha=0.3, linewidth=0)
        axes.loglog(sizes, quartiles[:, 1], "o-", markersize=4)
        axes.set_xlabel(what)
        axes.set_ylabel("seconds an epoch")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time numlp at growing sizes.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(GROWTH), default=list(GROWTH))
    given = parser.parse_args()
    measured = report.begun("growth", "growth", ("numlp",), given.rounds)
    for what in given.only:
        measured["growth"][what] = {}
        for size, (case, rows) in GROWTH[what].items():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "rows.npy"
                if what == "rows":
                    write_rows(path, rows)
                found = measure(case, rows, str(path) if what == "rows" else None, given.rounds)
            measured["growth"][what][str(size)] = found
            print(what, size, min(found["seconds"]), flush=True)
        measured["growth"] = {each: measured["growth"][each] for each in GROWTH if each in measured["growth"]}
        report.store("growth", measured)
    draw(measured, FIGURE)
    report.write("growth", page(measured))


if __name__ == "__main__":
    main()
