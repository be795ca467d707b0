"""Which rule ends the trials of `numlp tune` that fall behind: what each saves, and what it costs.

Random recipes of the usual space are trained to their end on some tables, and their course is stored. Then the trials
of each table are gone through in 200 random orders, and each rule ends those that it would have ended. "Cost" is the
time that is left of the whole; "regret" is how much worse the best trial is that came to its end than the best of
all, as a share of the difference between the median trial and the best. Both are means over the tables.

    python -m benchmarks.pruning [--tables NAME …]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.cli.train import choose
from numlp.errors import DivergenceError
from numlp.tuning.space import Choices, Range, recipe_at
from numlp.tuning.trial import train_trial
from numlp.tuning.usual import usual_space

from .tables import read
from .tuning import write

RESULTS = Path(__file__).parent / "results"
STORED, PAGE = RESULTS / "pruning.json", RESULTS / "pruning.md"
TABLES, TRIALS, ORDERS, FULL = ("titanic", "wage", "pima2", "mpg", "slid"), 16, 200, 5
Course = npt.NDArray[np.float64]
Rule = Callable[[Course, Sequence[Course]], bool]  # of a trial's values so far and the courses of those that ended


def median(first: int, *, best: bool = False) -> Rule:
    """End a trial that is worse than the median there; with `best`, its best value so far counts, as in Optuna."""

    def ends(course: Course, ended: Sequence[Course]) -> bool:
        step = len(course)
        if step < first or len(ended) < FULL:
            return False
        return bool((course.min() if best else course[-1]) > np.median([other[step - 1] for other in ended]))

    return ends


def halving(first: int, share: int = 3) -> Rule:
    """End all but the best third at each rung, of those that have reached it; rungs lie at 1, 3, 9 … times `first`.

    L. Li et al., "A system for massively parallel hyperparameter tuning" (2020).
    """
    rungs: dict[int, list[float]] = {first * share**power: [] for power in range(5)}

    def ends(course: Course, ended: Sequence[Course]) -> bool:
        if len(course) not in rungs:
            return False
        seen = rungs[len(course)]
        seen.append(float(course[-1]))
        return bool(course[-1] > sorted(seen)[max(0, -(-len(seen) // share) - 1)])

    return ends


RULES: dict[str, Callable[[], Rule]] = {
    "none": lambda: lambda course, ended: False,
    "median, from step 1": lambda: median(1),
    "median, from step 3": lambda: median(3),
    "median, from step 5": lambda: median(5),
    "median, from step 10": lambda: median(10),
    "Optuna's median, from step 1": lambda: median(1, best=True),
    "Optuna's median, from step 5": lambda: median(5, best=True),
    "successive halving, from step 2": lambda: halving(2),
    "successive halving, from step 5": lambda: halving(5),
}


def drawn(values: Choices | Range, rng: np.random.Generator) -> Any:
    """Return a random value."""
    if isinstance(values, Choices):
        return values.values[rng.integers(len(values.values))]
    low, high = (np.log([values.low, values.high])) if values.log else (values.low, values.high)
    number = float(np.exp(rng.uniform(low, high)) if values.log else rng.uniform(low, high))
    return round(number) if values.whole else number


def trained(name: str) -> list[dict[str, Any]]:
    """Return the courses of random trials on a table, their values and seconds; the first is the default recipe."""
    folder = Path(os.environ["NUMLP_DATA_DIR"], "tables")
    entry = next(each for each in json.loads((folder / "index.json").read_text()) if each["name"] == name)
    rng = np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        table, path = read(folder, entry), Path(place, "train.csv")
        write(table, table.split(0)[0], path)
        base, dataset = choose(None, {"data": str(path), "target": entry["target"], "task": entry["task"]})
    base = base.edited(threads=1, processes=1)
    space = usual_space(base, dataset.task)
    while len(found) < TRIALS:
        point = {setting: drawn(values, rng) for setting, values in space.items()} if found else {}
        course: list[float] = []
        seconds: list[float] = []
        began = time.process_time()

        def tell(step: int, value: float, course: list[float] = course, seconds: list[float] = seconds) -> bool:
            course.append(value)
            seconds.append(time.process_time() - began)  # noqa: B023  # told before the next trial begins
            return False

        recipe = recipe_at(base, point)
        try:
            done = train_trial(recipe, dataset, "loss", tell)
        except DivergenceError:
            continue
        assert done is not None
        found.append({"course": course, "seconds": seconds, "value": done.value})
    return found


def tried(trials: list[dict[str, Any]], make: Callable[[], Rule]) -> tuple[float, float]:
    """Return the cost and the regret of a rule on a table."""
    rng, costs, regrets = np.random.default_rng(0), [], []
    values = [trial["value"] for trial in trials]
    whole = sum(trial["seconds"][-1] for trial in trials)
    for _ in range(ORDERS):
        rule, ended, best, cost = make(), list[Course](), np.inf, 0.0
        for i in rng.permutation(len(trials)):
            course = np.array(trials[i]["course"])
            last = next((step for step in range(1, len(course) + 1) if rule(course[:step], ended)), None)
            cost += trials[i]["seconds"][(last or len(course)) - 1]
            if last is None:
                ended.append(course)
                best = min(best, values[i])
        costs.append(cost / whole)
        regrets.append((best - min(values)) / (np.median(values) - min(values)))
    return float(np.mean(costs)), float(np.mean(regrets))


def page(stored: dict[str, Any]) -> str:
    """Return results/pruning.md."""
    lines = ["| rule | cost | regret |", "|---|---|---|"]
    for name, make in RULES.items():
        found = np.mean([tried(trials, make) for trials in stored.values()], axis=0)
        lines.append(f"| {name} | {found[0]:.2f} | {found[1]:.3f} |")
    head = f"Written by `make bench-tuning`; do not edit. {TRIALS} trials on each of {', '.join(stored)}."
    return "\n".join(["# Which trials to end", "", head, "", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="*", default=TABLES)
    stored: dict[str, Any] = json.loads(STORED.read_text()) if STORED.exists() else {}
    for name in parser.parse_args().tables:
        if name not in stored:
            stored[name] = trained(name)
            STORED.write_text(json.dumps(stored) + "\n")
    PAGE.write_text(page(stored))
    print(page(stored))


if __name__ == "__main__":
    main()
