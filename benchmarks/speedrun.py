"""The speedrun: seconds from a process's start to 98.09 % on MNIST's test images, and to 89.69 % on Fashion-MNIST's.

Goal: 0.9 and 2.0 seconds on two cores. docs/speedrun.md has the records.

Each training is a new process with a seed of its own, from 200 on, which no search has used. The time includes
starting Python, imports, reading, verifying, decompressing and standardizing all images, and the whole training; it
ends with the training, before the test images judge it. A run counts if the mean of all seeds reaches the target. The
recipe is numlp's own of `make bench-search`, chosen on held-out training images, or a better one chosen so.

    python -m benchmarks.speedrun [--seeds 20] [--record WHAT_IS_NEW] [DATA …]
"""

import argparse
import datetime
import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.case import Case
from benchmarks.data import those_there
from benchmarks.quality import TARGETS, TITLES, quicker, train_once
from benchmarks.rounds import PAUSE
from benchmarks.search import described

FIRST_SEED = 200
PAGE = Path(__file__).parents[1] / "docs/speedrun.md"
BEGIN, END = "<!-- table: speedrun -->\n", "<!-- end -->"


def run(data: str, case: Case, seeds: int) -> dict[str, Any]:
    """Train with each seed; return the seconds and the accuracies."""
    threads, seconds, accuracies = quicker("numlp", data, case), list[float](), list[float]()
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        time.sleep(PAUSE)
        took, accuracy = train_once("numlp", data, "test", replace(case, seed=seed), threads)
        seconds.append(took)
        accuracies.append(accuracy)
    return {"threads": threads, "seconds": seconds, "accuracy": accuracies, "recipe": described(vars(case))}


def line(record: Mapping[str, Any]) -> list[str]:
    """Return a record's line of the table."""
    accuracies = record["accuracy"]
    error = statistics.stdev(accuracies) / len(accuracies) ** 0.5
    machine = record["machine"]
    return [
        record["date"],
        TITLES[record["data"]],
        f"**{report.spread(record['seconds'], '.2f')}**",
        f"{statistics.mean(accuracies):.2%} ± {error:.2%}",
        str(len(accuracies)),
        record["recipe"],
        f"{machine['processor']}, {record['threads']} of {machine['cores']} cores",
        record["what"],
    ]


def table(records: list[Mapping[str, Any]]) -> list[str]:
    """Return the claim, and the history of all records, the newest first."""
    lines = []
    for data in TARGETS:
        newest = next((record for record in reversed(records) if record["data"] == data), None)
        if newest is not None:
            seconds, machine = newest["seconds"], newest["machine"]
            lines.append(
                f"- **{TITLES[data]}: {statistics.median(seconds):.2f} seconds to {TARGETS[data]:.2%}** from the "
                f"start of the process, median of {len(seconds)} seeds whose mean test accuracy is "
                f"{statistics.mean(newest['accuracy']):.2%}, on {machine['processor']} with {newest['threads']} of "
                f"{machine['cores']} cores, in NumPy alone."
            )
    head = [
        "date",
        "data",
        "seconds, median (quartiles)",
        "mean test accuracy",
        "seeds",
        "recipe",
        "machine",
        "what is new",
    ]
    return [*lines, "", *report.table(head, [line(record) for record in reversed(records)])]


def with_table(page: str, records: list[Mapping[str, Any]]) -> str:
    """Return the page with its table rewritten."""
    head, rest = page.split(BEGIN)
    return "\n".join([head + BEGIN.rstrip(), *table(records), END + rest.split(END, 1)[1]])


def main() -> None:
    parser = argparse.ArgumentParser(description="Time numlp from the start of a process to a trained network.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--record", metavar="WHAT_IS_NEW", help="add the results to docs/speedrun.md")
    parser.add_argument("data", nargs="*", type=report.one_of(TARGETS), help="some of them: " + ", ".join(TARGETS))
    given = parser.parse_args()
    if given.seeds < 2:
        parser.error(f"--seeds must be 2 or more, to have a spread, not {given.seeds}")
    chosen, machine = report.stored("recipes")["chosen"], report.machine(["numlp"])
    records = report.stored("speedrun").get("records", [])
    for data in given.data or those_there(TARGETS):
        found = run(data, Case(**chosen[data]["numlp"]), given.seeds)
        mean = statistics.mean(found["accuracy"])
        counts = mean >= TARGETS[data]
        print(
            f"{TITLES[data]}: {report.spread(found['seconds'], '.2f')} s, {mean:.2%}{'' if counts else ': too low'}"
        )
        if given.record and counts:
            date = datetime.datetime.now(datetime.UTC).date().isoformat()
            records.append({"date": date, "data": data, "what": given.record, "machine": machine, **found})
    if given.record:
        report.store("speedrun", {"records": records})
        PAGE.write_text(with_table(PAGE.read_text(), records))
    print(json.dumps(machine["settings"]))


if __name__ == "__main__":
    main()
