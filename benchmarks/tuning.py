"""`numlp tune` beside the default recipe on real tables, and two workers beside one.

Goals: on at least two thirds of the tables, 30 trials end in a lower loss on held-out rows than the default recipe;
and two workers on two cores get through at least 1.8 times as much as one.

For each table, a share of the rows is held out, as index.json says. `numlp train` trains its default recipe on the
others, and `numlp tune` averages networks of the trials, out of 30, that do best together on the validation rows of
its folds, none of which are held out; both then show their loss on the rows held out. The loss is the log-loss, or
the squared error of scaled targets. A tie is a search that ended in the default recipe alone, its first trial.
Results are stored table by table, and what is stored isn't measured again.

Each table has three splits. The usual space, and the rule that chooses what to average, were made while the held-out
rows of split 0 were looked at. On split 1, an earlier rule, which took the best trial alone, did worse than the
default recipe; so the claim is about split 2, of which nobody had seen a result before. It is the last split: after a
change that follows from results on it, there must be others.

    python -m benchmarks.tuning tables [--split N] [--tables NAME …] [--trials N] [--workers N]
    python -m benchmarks.tuning workers [--rounds N]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import numlp
from numlp.tuning.storage import open_storage

from .paired import geometric_mean
from .tables import Rows, Table, read

RESULTS = Path(__file__).parent / "results"
STORED, PAGE = RESULTS / "tuning.json", RESULTS / "tuning.md"
WHO = ("default", "tuned")
SEARCHED = {"name": "satellite", "target": "classes", "task": "classification", "categorical": []}


def call(*arguments: str) -> dict[str, Any]:
    """Run a command of numlp and return what it prints as JSON."""
    command = [sys.executable, "-m", "numlp", *arguments, "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return found


def write(table: Table, rows: Rows, path: Path) -> None:
    """Write rows as CSV, with the names of classes."""
    target = rows.y if table.classes is None else np.array(table.classes, dtype=object)[rows.y]
    rows.x.assign(**{table.entry["target"]: target}).to_csv(path, index=False)


def compare(table: Table, seed: int, trials: int, workers: int, folder: Path) -> dict[str, Any]:
    """Return what the default recipe and a search reach on a split."""
    parts = {part: folder / f"{part}.csv" for part in ("train", "test")}
    for rows, path in zip(table.split(seed), parts.values(), strict=True):
        write(table, rows, path)
    task = "regression" if table.classes is None else "classification"
    data = [str(parts["train"]), "--target", table.entry["target"], "--test", str(parts["test"]), "--task", task]
    began = time.perf_counter()
    alone = call("train", *data, "--threads", "1", "--output", str(folder / "default"), "--no-report")
    between = time.perf_counter()
    options = ["--trials", str(trials), "--workers", str(workers), "--no-report"]
    tuned = call("tune", *data, *options, "--output", str(folder / "tuned"))
    ended = time.perf_counter()
    return {
        "default": alone["test"] | {"validation": alone["validation"]["loss"], "seconds": round(between - began, 1)},
        "tuned": tuned["test"] | {"validation": tuned["validation"]["loss"], "seconds": round(ended - between, 1)},
        "best": tuned["best"],
        "averaged": tuned.get("averaged", [tuned["best"]["trial"]]),
        "trials": tuned["trials"],
    }


def tables(arguments: argparse.Namespace) -> None:
    """Compare on tables, and store the results one by one."""
    folder = Path(os.environ["NUMLP_DATA_DIR"], "tables")
    index = {entry["name"]: entry for entry in json.loads((folder / "index.json").read_text())}
    asked = {"split": arguments.split, "trials": arguments.trials}
    stored = load()
    if stored["tables"] and {name: stored[name] for name in asked} != asked:
        raise SystemExit(f"{STORED} is of split {stored['split']} and {stored['trials']} trials: remove it first")
    stored |= asked | {"of": len(index), "machine": machine()}
    for name in arguments.tables or index:
        if name in stored["tables"]:
            continue
        seed = index[name]["split_seeds"][arguments.split]
        with tempfile.TemporaryDirectory() as place:
            found = compare(read(folder, index[name]), seed, arguments.trials, arguments.workers, Path(place))
        stored["tables"][name] = found
        losses = [f"{found[who]['loss']:.4g}" for who in WHO]
        print(name, *losses, found["averaged"], found["tuned"]["seconds"], flush=True)
        save(stored)


def workers(arguments: argparse.Namespace) -> None:
    """Time the same search with one worker and with two, in turns, and store how much each gets through.

    That is the number of steps that trials tell, each a tenth of a network's epochs, which all cost the same here, a
    second: trials end early, and not the same ones do. The seconds are those from the first trial's begin until the
    time is up, when the trials under way are given back.
    """
    table = read(Path(os.environ["NUMLP_DATA_DIR"], "tables"), SEARCHED)
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as place:
        data, space = Path(place, "data.csv"), Path(place, "space.toml")
        write(table, Rows(table.x, table.y), data)
        space.write_text("dropout = { low = 0.1, high = 0.2 }\nlearning_rate = { low = 0.002, high = 0.004 }\n")
        fixed = ["--target", "classes", "--validation", "0.2", "--epochs", "20", "--patience", "20", "--no-report"]
        search = [str(data), *fixed, "--space", str(space), "--time", "20s", "--keep-runs", "0"]
        for number in range(arguments.rounds):
            found = {}
            for count in (1, 2) if number % 2 else (2, 1):
                folder = Path(place, f"{number}-{count}")
                call("tune", *search, "--workers", str(count), "--output", str(folder))
                study = open_storage(str(folder / "study.journal"))
                trials = study.get_all_trials(study.get_all_studies()[0]._study_id)
                trials = [trial for trial in trials if trial.intermediate_values]
                steps = sum(len(trial.intermediate_values) for trial in trials)
                span = max(each.datetime_complete for each in trials) - min(each.datetime_start for each in trials)
                found[str(count)] = steps / span.total_seconds()
            rounds.append(found)
            print(found, f"{found['2'] / found['1']:.2f}", flush=True)
    save(load() | {"workers": {"rounds": rounds, "machine": machine()}})


def load() -> dict[str, Any]:
    """Return the stored results."""
    stored: dict[str, Any] = json.loads(STORED.read_text()) if STORED.exists() else {"tables": {}}
    return stored


def save(stored: dict[str, Any]) -> None:
    """Store results, and write their page."""
    STORED.write_text(json.dumps(stored, indent=1) + "\n")
    PAGE.write_text(page(stored))


def outcome(found: dict[str, Any]) -> str:
    """Return whether the loss on held-out rows is "lower", "higher" or a "tie": the default recipe alone."""
    if found["averaged"] == [0]:
        return "tie"
    return "lower" if found["tuned"]["loss"] < found["default"]["loss"] else "higher"


def summary(stored: dict[str, Any]) -> str:
    """Return the results in a few words."""
    tables = stored["tables"].values()
    outcomes = [outcome(found) for found in tables]
    lower, tie, higher = (outcomes.count(word) for word in ("lower", "tie", "higher"))
    ratio = geometric_mean([(found["tuned"]["loss"], found["default"]["loss"]) for found in tables])
    lacks = stored["of"] - len(outcomes)
    return (
        f"On {lower} of {len(outcomes)} tables, the loss on held-out rows is lower after {stored['trials']} trials "
        f"than with the default recipe; on {tie} it is the same, and on {higher} higher. The geometric mean of the "
        f"ratios is {ratio:.3f}." + (f" {lacks} of the {stored['of']} tables haven't been run yet." if lacks else "")
    )


def lines(stored: dict[str, Any]) -> list[str]:
    """Return the table with the results on all tables, as lines of Markdown."""
    made = [
        "| table | loss, default | tuned | ratio | error or RMSE, default | tuned | averaged trials |",
        "|---" * 7 + "|",
    ]
    for name, found in stored["tables"].items():
        default, tuned = (found[who]["loss"] for who in WHO)
        ratio = f"**{tuned / default:.3f}**" if tuned < default else f"{tuned / default:.3f}"
        others = [other_figure(found[who]) for who in WHO]
        figures = [f"{figure:.4g}" for figure in (default, tuned)]
        cells = [name, *figures, ratio, *(f"{other:.4g}" for other in others), ", ".join(map(str, found["averaged"]))]
        made.append(f"| {' | '.join(cells)} |")
    return made


def other_figure(metrics: dict[str, float]) -> float:
    """Return the root mean squared error of values, or the share of classes that are wrong."""
    return metrics["root_mean_squared_error"] if "root_mean_squared_error" in metrics else 1 - metrics["accuracy"]


def throughput(stored: dict[str, Any]) -> str:
    """Return what two workers get through, in a few words."""
    ratios = sorted(found["2"] / found["1"] for found in stored["workers"]["rounds"])
    return (
        f"Two workers on two cores get through {np.median(ratios):.2f} times as much as one, the median of "
        f"{len(ratios)} rounds from {ratios[0]:.2f} to {ratios[-1]:.2f}."
    )


def page(stored: dict[str, Any]) -> str:
    """Return results/tuning.md."""
    text = ["# numlp tune beside the default recipe", "", "Written by `make bench-tuning`; do not edit."]
    if "workers" in stored:
        text += ["", f"{throughput(stored)} {stored['workers']['machine']}"]
    if stored["tables"]:
        text += [
            "",
            f"{summary(stored)} Losses are log-losses, or squared errors of scaled targets, on the held-out rows of "
            f"split {stored['split']}, by which nothing was chosen. Trial 0 is the default recipe itself. "
            f"{stored['machine']}",
            "",
            *lines(stored),
        ]
    return "\n".join([*text, ""])


def machine() -> str:
    """Return what measures."""
    return (
        f"numlp {numlp.__version__}, NumPy {np.__version__}, Python {platform.python_version()}, {os.cpu_count()} "
        f"cores, {platform.machine()}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["tables", "workers"])
    parser.add_argument("--split", type=int, default=2)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--tables", nargs="*", help="in this order; by default all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    {"tables": tables, "workers": workers}[arguments.what](arguments)


if __name__ == "__main__":
    main()
