"""Measures what a small network learns from a committee, and writes the table into `docs/distillation.md`.

`make distillation` runs this script. Each row shows the accuracy on the last 10,000 training images, held out, of
three seeds. The script never looks at the test images.
"""

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "distillation.md"
START, END = "<!-- table: distillation -->\n", "<!-- end -->"
DATA = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
SEEDS = range(3)
COMMITTEE = "numlp train DATA --recipe fast --validation 0.1666667 --epochs 10 --ensemble 5 --output COMMITTEE"
LABELS = "numlp train DATA --recipe fast --validation 0.1666667 --layers 32 --epochs 40"
PUPIL = "numlp distill COMMITTEE --layers 32 --epochs 40"
ROWS = {
    "five networks of 256-256 units": COMMITTEE,
    "32 units, from the labels": LABELS,
    "32 units, from the five": PUPIL,
    "32 units, from the labels, mixed": f"{LABELS} --mixup 1.0",
    "32 units, from the five, mixed": f"{PUPIL} --mixup 1.0",
}


def accuracy(command: str, run: Path, committee: Path, data: str, seed: int) -> float:
    """Carry out a row's command, into a run's folder; return the accuracy on the held-out images."""
    words = {"DATA": data, "COMMITTEE": str(committee)}
    given = [words.get(word, word) for word in shlex.split(command)]
    given += [] if "--output" in given else ["--output", str(run)]
    given += ["--seed", f"{seed}", "--threads", "1", "--processes", "1", "--no-report"]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", *given], check=True, stdout=subprocess.DEVNULL, env=environment)
    found: float = json.loads((run / "metrics.json").read_text())["validation"]["accuracy"]
    return found


def measure(data: str, seed: int, place: Path) -> dict[str, float]:
    """Return what each row reaches with a data set and a seed; the committee comes first: others learn from it."""
    committee = place / f"{data}-{seed}-0"
    runs = [place / f"{data}-{seed}-{i}" for i in range(len(ROWS))]
    return {
        title: accuracy(command, run, committee, data, seed)
        for run, (title, command) in zip(runs, ROWS.items(), strict=True)
    }


def mean_and_error(values: list[float]) -> str:
    """Return the mean in percent and its standard error."""
    return f"{100 * statistics.mean(values):.2f} ± {100 * statistics.stdev(values) / len(values) ** 0.5:.2f} %"


def table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    """Return the table of what each row reaches with each data set, and the commands."""
    lines = ["| network | " + " | ".join(DATA[data] for data in found) + " |", "|---" * (len(found) + 1) + "|"]
    for title in ROWS:
        cells = [mean_and_error([each[title] for each in runs]) for runs in found.values()]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    commands = [COMMITTEE, LABELS, PUPIL]
    return "\n".join([*lines, "", "```console", *(f"$ {command}" for command in commands), "```", ""])


def main() -> None:
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(2) as pool:
        jobs = [(data, seed, Path(place)) for data in DATA for seed in SEEDS]
        results = list(pool.map(lambda job: measure(*job), jobs))
    found: dict[str, list[dict[str, Any]]] = {data: [] for data in DATA}
    for (data, *_), result in zip(jobs, results, strict=True):
        found[data].append(result)
    head, rest = PAGE.read_text().split(START)
    PAGE.write_text(head + START + table(found) + END + rest.split(END, 1)[1])


if __name__ == "__main__":
    main()
