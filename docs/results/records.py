"""Trains the record recipes with three seeds, and what is left of each without its ingredients.

`make records` runs this script, two trainings at a time, with one thread each. The recipes were chosen on the last
10,000 training images, held out. Only the records themselves are evaluated on the test images, once for each trained
network. What each ingredient brings (`--parts`) is measured on the held-out images again, from 50,000.

It writes the tables into `docs/records.md`, and all that it has measured beside this file, to measure nothing twice.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from numlp import MLP, Ensemble, __version__, evaluate, load_model
from numlp.runs.recipes import load_data, load_recipe

HERE = Path(__file__).parent
RUNS = HERE.parents[1] / "runs/records"  # which keeps the models, for their average
STORED = HERE / "records.json"
PAGE = HERE.parent / "records.md"
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
SEEDS = range(3)
HELD_OUT = 1 / 6  # of the training images: the last 10,000
ALONE = {"threads": 1, "processes": 1}
SHORT = {"validation": HELD_OUT, "epochs": 15}  # what each ingredient brings shows sooner than a record


class Record(NamedTuple):
    """A recipe, what it holds the record in, and what each of its ingredients may be replaced by."""

    task: str
    parts: list[dict[str, Any]]


PLAIN = {"input_features": "none", "input_scaling": "standardize"}
RECORDS = {
    "record-fashion-mnist": Record(
        "anything but convolutions, no augmentation",
        [
            {},
            PLAIN,
            {"input_features": "oriented_gradients(stride = 4)"},
            {"mixup": 0.0},
            {"dropout": 0.0},
            {"normalization": "none", "learning_rate": 0.001},
            {"label_smoothing": 0.0},
            {"averaging": 0.0},
            {"augmentation": "images(flip = 0.5, shift = 1.0)"},
        ],
    ),
    "record-mnist": Record(
        "anything but convolutions",
        [
            {},
            PLAIN,
            {"input_features": "oriented_gradients(stride = 4)"},
            {"augmentation": "none"},
            {"augmentation": "images(shift = 2.0, rotation = 12.0, scale = 0.12, shear = 0.12)"},
            {"normalization": "none", "learning_rate": 0.001},
            {"label_smoothing": 0.0},
            {"averaging": 0.0},
        ],
    ),
    "record-mnist-pixels": Record(
        "pixels in any order, no augmentation",
        [
            {},
            {"adversarial": 0.0},
            {"adversarial": 1.5},
            {"adversarial": 5.0},
            {"normalization": "none", "learning_rate": 0.001},
            {"label_smoothing": 0.0},
            {"averaging": 0.0},
            {"layers": "1024,1024"},
        ],
    ),
}


def machine() -> str:
    """Return what the records were trained with."""
    versions = f"numlp {__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    processors = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{versions}, {os.cpu_count()} cores, {processors[0].partition(': ')[2]}"


def options(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as options of `numlp train`."""
    pairs = [("--" + name.replace("_", "-"), value) for name, value in settings.items()]
    return [part for option, value in pairs for part in (option, f"{value}")]


def train(name: str, settings: Mapping[str, Any], run: Path) -> dict[str, Any]:
    """Train by a recipe, as a user would; return its metrics, and the digest of its model."""
    command = ["numlp", "train", "--recipe", name, *options(settings), "--no-report", "--output", str(run)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.DEVNULL, env=environment)
    metrics = json.loads((run / "metrics.json").read_text())
    sha256 = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    found = {part: metrics[part]["accuracy"] for part in ("validation", "test")}
    return {**found, "seconds": metrics["seconds"], "sha256": sha256, "machine": machine()}


def average(name: str) -> float:
    """Return the test accuracy of the average of a record's networks."""
    loaded = [load_model(RUNS / f"{name}-{seed}" / "model.safetensors") for seed in SEEDS]
    networks = [model for model in loaded if isinstance(model, MLP)]
    test = load_data(load_recipe(name)).test
    assert test is not None
    return float(evaluate(Ensemble(networks), test)["accuracy"])


def jobs(names: list[str], parts: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the recipe of each training, its key in what is stored, and its settings."""
    for seed in SEEDS:
        for name in names:
            for part in RECORDS[name].parts if parts else [{}]:
                key = f"{shlex.join(options(part))} --seed {seed}".strip()
                yield name, key, {**part, **(SHORT if parts else {}), "seed": seed, **ALONE}


def measure(names: list[str], parts: bool) -> None:
    """Train whatever isn't stored yet."""
    results: dict[str, Any] = json.loads(STORED.read_text()) if STORED.exists() else {}
    stage, lock = results.setdefault("parts" if parts else "records", {}), Lock()
    kept = {name: stage.setdefault(name, {}) for name in names}

    def one(job: tuple[str, str, dict[str, Any]]) -> None:
        name, key, settings = job
        if parts:  # which are not judged by test images
            with tempfile.TemporaryDirectory() as place:
                found = train(name, settings, Path(place, "run"))
            found = {"validation": found["validation"], "seconds": found["seconds"]}
        else:
            run = RUNS / f"{name}-{settings['seed']}"
            shutil.rmtree(run, ignore_errors=True)
            found = train(name, settings, run)
        print(name, key, json.dumps(found), flush=True)
        with lock:
            kept[name][key] = found
            STORED.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [job for job in jobs(names, parts) if job[1] not in kept[job[0]]]))
    if not parts:
        averages = results.setdefault("averages", {})
        for name in names:
            if name not in averages:
                averages[name] = average(name)
        STORED.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def mean_and_error(values: list[float]) -> str:
    """Return the mean in percent and its standard error."""
    if len(values) < 2:
        return f"{100 * values[0]:.2f} %"
    error = statistics.stdev(values) / len(values) ** 0.5
    return f"{100 * statistics.mean(values):.2f} ± {100 * error:.2f} %"


def records(results: dict[str, Any]) -> list[str]:
    """Return the table of the records."""
    lines = [
        "| command | data | what it may use | test accuracy, each seed | mean ± standard error | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in results["records"].items():
        each = [runs[f"--seed {seed}"] for seed in SEEDS if f"--seed {seed}" in runs]
        data = load_recipe(name).data
        shown = ", ".join(f"{100 * run['test']:.2f}" for run in each)
        seconds = statistics.mean(run["seconds"] for run in each)
        mean = mean_and_error([run["test"] for run in each])
        lines.append(
            f"| `numlp train --recipe {name}` | {TITLES[data]} | {RECORDS[name].task} | {shown} | **{mean}** "
            f"| {seconds:.0f} |"
        )
        if name in results.get("averages", {}):
            lines.append(f"| the average of the three | | | | **{100 * results['averages'][name]:.2f} %** | |")
    lines += [
        "",
        "The SHA-256 of `model.safetensors` for `--seed 0 --processes 1 --threads 1`, and the "
        "machine that trained it; one of another kind may round otherwise:",
        "",
    ]
    firsts = {name: runs["--seed 0"] for name, runs in results["records"].items()}
    return lines + [f"- `{name}`: `{run['sha256']}`; {run['machine']}" for name, run in firsts.items()]


def parts(results: dict[str, Any], name: str) -> list[str]:
    """Return the table of what a record's ingredients bring."""
    lines = [
        f"Every row runs `numlp train --recipe {name} --validation 0.1666667 --epochs 15` with these settings:",
        "",
        "| settings | accuracy on the 10,000 held-out images | seconds |",
        "|---|---|---|",
    ]
    for part in RECORDS[name].parts:
        row = shlex.join(options(part))
        runs = [results["parts"][name].get(f"{row} --seed {seed}".strip()) for seed in SEEDS]
        runs = [run for run in runs if run is not None]
        if runs:
            mean = mean_and_error([run["validation"] for run in runs])
            seconds = statistics.mean(run["seconds"] for run in runs)
            lines.append(f"| {f'`{row}`' if row else 'the recipe'} | {mean} | {seconds:.0f} |")
    return lines


def with_tables(text: str, results: dict[str, Any]) -> str:
    """Return the page with its tables rewritten between their marks."""
    tables = {"records": records(results)} if results.get("records") else {}
    tables |= {name: parts(results, name) for name in results.get("parts", {})}
    for name, lines in tables.items():
        head, rest = text.split(f"<!-- table: {name} -->\n")
        text = "\n".join([f"{head}<!-- table: {name} -->", *lines, "<!-- end -->" + rest.split("<!-- end -->", 1)[1]])
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the record recipes.")
    parser.add_argument("recipes", nargs="*", help=f"some of them, by default all: {', '.join(RECORDS)}")
    parser.add_argument("--parts", action="store_true", help="measure what each ingredient brings")
    given = parser.parse_args()
    if wrong := [name for name in given.recipes if name not in RECORDS]:
        parser.error(f"there is no record {wrong[0]!r}: {', '.join(RECORDS)}")
    measure(given.recipes or list(RECORDS), given.parts)
    PAGE.write_text(with_tables(PAGE.read_text(), json.loads(STORED.read_text())))


if __name__ == "__main__":
    main()
