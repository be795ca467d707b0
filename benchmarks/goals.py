"""The goals for numlp's speed beside the measurements, from the stored results of all families."""

import math
import statistics
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks import report
from benchmarks.contenders import contender
from benchmarks.quality import TARGETS, reached
from benchmarks.training import CASES

PEERS = ("jax", "pytorch", "pytorch_compiled", "scikit_learn", "onnxruntime")
Found = tuple[float, str]  # a measurement, and the peer that it is about


def ratio(a: list[float], b: list[float]) -> float:
    """Return the median of the ratios of all rounds."""
    return statistics.median(report.ratios(a, b))


def to(base: str, family: str, case: str, ours: str) -> Found:
    """Return the other's time ÷ ours, or our time ÷ the floor's."""
    seconds = report.stored(family)["cases"][case]["seconds"]
    pair = (ours, base) if base == "floor" else (base, ours)
    return ratio(*(seconds[name] for name in pair)), ""


def quickest(times: Mapping[str, float]) -> str:
    """Return the fastest peer."""
    peers = [name for name in PEERS if name in times]
    if not peers:
        raise LookupError("no peer was measured")
    return min(peers, key=times.__getitem__)


def to_quickest(family: str, case: str, ours: str) -> Found:
    """Return the fastest peer's time ÷ ours."""
    seconds = report.stored(family)["cases"][case]["seconds"]
    found = {name: ratio(each, seconds[ours]) for name, each in seconds.items()}
    name = quickest(found)
    return found[name], contender(name).NAME


def to_plain(case: str, ours: str) -> Found:
    """Return the time of a step with more work ÷ that of a step of plain SGD."""
    steps = report.stored("step")["in_turns"]["numlp_alone" if ours == "numlp" else ours]
    return ratio(steps[case], steps["256³, 256"]), ""


def seconds_until(data: str, ours: str) -> Found:
    """Return the median time to the reference's accuracy."""
    return statistics.median(report.stored("quality")["cases"][data]["seconds"][ours]), ""


def until_one_is_there(data: str, ours: str) -> Found:
    """Return the fastest peer's time ÷ ours, each divided by the share of seeds that reach the target."""
    case = report.stored("quality")["cases"][data]
    found = {}
    for name, seconds in case["seconds"].items():
        share = reached(case["accuracy"][name], TARGETS[data])
        found[name] = statistics.median(seconds) / share if share else math.inf
    name = quickest(found)
    return (found[name] / found[ours] if found[ours] < math.inf else 0.0), contender(name).NAME


def to_numpy(command: str, ours: str) -> Found:
    """Return the time of a command ÷ that of `import numpy`."""
    starts = report.stored("startup")["starts"]
    return ratio(starts[command.format(ours)], starts["`import numpy`"]), ""


BESIDE_JAX = {
    "128³, 64": 1.1,
    "256³, 64": 1.3,
    "256³, 256": 1.2,
    "128³, 64, Adam": 1.0,
    "256³, 256, Adam": 1.15,
    "128³, 64, regularized": 1.1,
    "256³, 256, regularized": 1.2,
}

# Name, comparison, goal, and the function that measures numlp or a contender in its place.
GOALS: list[tuple[str, str, float, Callable[[str], Found]]] = [
    ("training at 128³, 64: numlp ÷ the floor", "≤", 1.20, partial(to, "floor", "training", "128³, 64")),
    ("training at 256³, 256: numlp ÷ the floor", "≤", 1.10, partial(to, "floor", "training", "256³, 256")),
    ("training at 1024³, 256: numlp ÷ the floor", "≤", 1.10, partial(to, "floor", "training", "1024³, 256")),
    *(
        (f"training at {case}: JAX ÷ numlp", "≥", goal, partial(to, "jax", "training", case))
        for case, goal in BESIDE_JAX.items()
    ),
    *(
        (f"training at {case}: one process ÷ numlp", "≥", 1.7, partial(to, "numlp_alone", "training", case))
        for case in ("128³, 64", "256³, 64", "256³, 256")
    ),
    ("training at 128³, 64: PyTorch, eager ÷ numlp", "≥", 2.2, partial(to, "pytorch", "training", "128³, 64")),
    ("training at 128³, 64: scikit-learn ÷ numlp", "≥", 3.6, partial(to, "scikit_learn", "training", "128³, 64")),
    *(
        (f"training at {case}: quickest peer ÷ numlp", ">", 1.0, partial(to_quickest, "training", case))
        for case in CASES
    ),
    ("a step at 256³, 256: numlp's Adam ÷ plain SGD", "≤", 1.35, partial(to_plain, "256³, 256, Adam")),
    ("a step at 256³, 256: numlp regularized ÷ plain SGD", "≤", 1.35, partial(to_plain, "256³, 256, regularized")),
    ("MNIST: seconds to 98.09%", "≤", 2.5, partial(seconds_until, "mnist")),
    ("MNIST: quickest peer ÷ numlp", ">", 1.0, partial(to_quickest, "quality", "mnist")),
    (
        "MNIST: the same, seconds ÷ share of seeds that reach the target",
        ">",
        1.0,
        partial(until_one_is_there, "mnist"),
    ),
    ("MNIST: scikit-learn ÷ numlp", "≥", 4.0, partial(to, "scikit_learn", "quality", "mnist")),
    ("Fashion-MNIST: seconds to 89.69%", "≤", 6.0, partial(seconds_until, "fashion-mnist")),
    ("Fashion-MNIST: quickest peer ÷ numlp", ">", 1.0, partial(to_quickest, "quality", "fashion-mnist")),
    (
        "Fashion-MNIST: the same, seconds ÷ share of seeds that reach the target",
        ">",
        1.0,
        partial(until_one_is_there, "fashion-mnist"),
    ),
    ("prediction of 1 row: quickest peer ÷ numlp", ">", 1.0, partial(to_quickest, "inference", "1")),
    ("prediction of 10,000 rows: quickest peer ÷ numlp", ">", 1.0, partial(to_quickest, "inference", "10000")),
    ("start: `import numlp` ÷ `import numpy`", "≤", 1.15, partial(to_numpy, "`import {}`")),
    ("start: `numlp --help` ÷ `import numpy`", "<", 2.5, partial(to_numpy, "`{} --help`")),
]
HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "≤": lambda figure, goal: figure <= goal,
    "<": lambda figure, goal: figure < goal,
    "≥": lambda figure, goal: figure >= goal,
    ">": lambda figure, goal: figure > goal,
}


def table() -> str:
    """Return the table of goals, measurements, and what NumPy by hand would have reached in numlp's place."""
    rows = []
    for what, sign, goal, figure in GOALS:
        row = [what, f"{sign} {goal:.2f}"]
        try:
            found, whose = figure("numlp")
        except LookupError:  # the contender or the data set is missing
            rows.append([*row, "not measured", "", ""])
            continue
        answer = "yes" if HOLDS[sign](found, goal) else "no"
        rows.append([*row, f"{found:.2f}{f' ({whose})' if whose else ''}", answer, by_hand(figure)])
    return "\n".join(report.table(["measure", "goal", "measured", "reached", "NumPy by hand"], rows))


def by_hand(figure: Callable[[str], Found]) -> str:
    """Return the measurement of NumPy by hand in numlp's place, if there is one."""
    try:
        return f"{figure('by_hand')[0]:.2f}"
    except LookupError:
        return ""
