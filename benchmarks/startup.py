"""Start, size and memory: how long programs take to start, what they need on disk, and what a training needs.

Goal: `import numlp` takes at most 1.15 times as long as `import numpy`, and `numlp --help` less than 2.5 times as
long. results/startup.md has the results, with machine, rounds and spread.

Start is the wall time of a fresh process from start to end, with files in the system's cache, in turns (A B C A B C
…). `import numlp` loads nothing, so the table also shows what a training loads. Size is that of the files of a
distribution and of all its requirements, as installed here, without the Python interpreter; PyTorch is its build for
CPUs. Memory is the largest resident set of a fresh process that loads MNIST and trains 784-256-256-256-10 in batches
of 256 for one epoch with one thread, as the contenders do in `make bench-training`; the table shows the median of
three.

    python -m benchmarks.startup [--rounds 15]
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from benchmarks import report
from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load
from benchmarks.rounds import Turns, Worker

NAMES = ("numlp", "jax", "pytorch", "scikit_learn")
CASE = Case((256,) * 3, 256, epochs=1)
IMPORTS = {"numlp": "numlp", "jax": "jax", "pytorch": "torch", "scikit_learn": "sklearn.neural_network"}
SIZES = {"numlp": ("numlp", "numlp[app]"), "jax": ("jax",), "pytorch": ("torch",), "scikit_learn": ("scikit-learn",)}


def commands(names: list[str]) -> dict[str, list[str]]:
    """Return the commands to run, by their titles in the table."""
    imports = ["import numpy", *(f"import {IMPORTS[name]}" for name in names), "from numlp import MLP, train"]
    statements = {f"`{code}`": [sys.executable, "-c", code] for code in ("pass", *imports)}
    return statements | {"`numlp --help`": [_script("numlp"), "--help"]}


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def seconds_of(command: list[str]) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def closure(requirement: str) -> dict[str, Distribution]:
    """Return a distribution and all its requirements, by name."""
    found: dict[str, Distribution] = {}
    todo = [Requirement(requirement)]
    while todo:
        wanted = todo.pop()
        name = wanted.name.lower().replace("_", "-")
        key = f"{name}[{','.join(sorted(wanted.extras))}]"
        if key not in found:
            found[key] = distribution(name)
            for text in found[key].requires or ():
                needed = Requirement(text)
                extras = wanted.extras or {""}
                if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                    todo.append(needed)
    return {key.split("[")[0]: each for key, each in found.items()}


def size_of(installed: Distribution) -> int:
    """Return the bytes of a distribution's files; for an editable installation, those of its sources."""
    paths = [Path(str(file.locate())) for file in installed.files or ()]
    for path in paths:
        if path.suffix == ".pth" and path.exists():
            source = Path(path.read_text().strip())
            paths += source.rglob("*") if source.is_dir() else ()
    return sum(path.stat().st_size for path in paths if path.is_file() and "__pycache__" not in path.parts)


def train_once(turns: Turns, name: str | None) -> None:
    """Train for one epoch, or only load the images, and report the largest resident set in bytes."""
    import resource

    images = load()
    if name is not None:
        contender(name).train(CASE, images.x, images.y, lambda loss: None)
    unit = 1 if sys.platform == "darwin" else 1024
    turns(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def peak_of(name: str | None) -> float:
    with Worker(train_once, 1, (name,)) as worker:
        return worker.warm_up["peak"]


def tables(measured: Mapping[str, Any]) -> str:
    """Return the tables of starts, sizes and memory."""
    numpy = measured["starts"]["`import numpy`"]
    starts = [
        [
            title,
            report.spread([1e3 * each for each in times], ".0f"),
            report.spread(report.ratios(times, numpy), ".2f"),
        ]
        for title, times in measured["starts"].items()
    ]
    sizes = [
        [f"`pip install {name}`", f"{found['bytes'] / 1e6:,.0f}", str(found["distributions"])]
        for name, found in measured["sizes"].items()
    ]
    peaks = [
        ["only the images" if name == "images" else contender(name).NAME, f"{statistics.median(each) / 1e6:,.0f}"]
        for name, each in measured["peaks"].items()
    ]
    return "\n".join(
        [
            *report.table(
                ["start", "milliseconds, median (quartiles)", "÷ `import numpy` of the same round"], starts
            ),
            "",
            *report.table(["installed", "MB", "distributions"], sizes),
            "",
            *report.table(["one epoch of training", "largest resident set, MB"], peaks),
        ]
    )


def page(measured: Mapping[str, Any]) -> str:
    """Return results/startup.md."""
    return report.page("startup", "Start, size and memory", __doc__, measured, tables(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure start, size and memory, numlp's beside its peers'.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    names = report.present(NAMES)
    runs = commands(names)
    for command in runs.values():
        seconds_of(command)  # fills the system's cache with the files that it reads
    starts: dict[str, list[float]] = {title: [] for title in runs}
    for _ in range(rounds):
        for title, command in runs.items():
            starts[title].append(seconds_of(command))
    sizes = {}
    for requirement in (each for name in names for each in SIZES[name]):
        needed = closure(requirement)
        sizes[requirement] = {"bytes": sum(map(size_of, needed.values())), "distributions": len(needed)}
    peaks: dict[str, list[float]] = {name: [] for name in ("images", *names)}
    for _ in range(3):
        for name in peaks:
            peaks[name].append(peak_of(None if name == "images" else name))
    measured = {"machine": report.machine(NAMES), "rounds": rounds, "starts": starts, "sizes": sizes, "peaks": peaks}
    report.store("startup", measured)
    report.write("startup", page(measured))


if __name__ == "__main__":
    main()
