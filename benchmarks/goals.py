"""What is asked of numlp's speed, beside what was measured: from the stored results of all families."""

import math
import statistics
from collections.abc import Callable, Mapping

from benchmarks import report
from benchmarks.contenders import contender
from benchmarks.quality import MARKS, reached
from benchmarks.training import CASES

PEERS = ("jax", "pytorch", "pytorch_compiled", "scikit_learn", "onnxruntime")
Found = tuple[float, str]  # a figure, and whose it is besides numlp's


def ratio(a: list[float], b: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(report.ratios(a, b))


def to(base: str, family: str, case: str) -> Found:
    """Return another's time ÷ numlp's, or numlp's ÷ the floor's."""
    seconds = report.stored(family)["cases"][case]["seconds"]
    pair = ("numlp", base) if base == "floor" else (base, "numlp")
    return ratio(*(seconds[name] for name in pair)), ""


def quickest(times: Mapping[str, float]) -> str:
    """Return the peer that takes least."""
    peers = [name for name in PEERS if name in times]
    if not peers:
        raise LookupError("no peer was there")
    return min(peers, key=times.__getitem__)


def to_quickest(family: str, case: str) -> Found:
    """Return the quickest peer's time ÷ numlp's."""
    seconds = report.stored(family)["cases"][case]["seconds"]
    found = {name: ratio(each, seconds["numlp"]) for name, each in seconds.items()}
    name = quickest(found)
    return found[name], contender(name).NAME


def to_plain(case: str) -> Found:
    """Return the time of a step with more ÷ that of plain SGD's."""
    steps = report.stored("step")["in_turns"]
    return ratio(steps[case], steps["256³, 256"]), ""


def seconds_until(data: str) -> Found:
    """Return the median time to the reference's accuracy."""
    return statistics.median(report.stored("quality")["cases"][data]["seconds"]["numlp"]), ""


def until_one_is_there(data: str) -> Found:
    """Return the quickest peer's time ÷ numlp's, both ÷ the share of seeds that are at the mark."""
    case = report.stored("quality")["cases"][data]
    found = {}
    for name, seconds in case["seconds"].items():
        share = reached(case["accuracy"][name], MARKS[data])
        found[name] = statistics.median(seconds) / share if share else math.inf
    name = quickest(found)
    return (found[name] / found["numlp"] if found["numlp"] < math.inf else 0.0), contender(name).NAME


def to_numpy(command: str) -> Found:
    """Return the time of a start ÷ that of `import numpy`."""
    starts = report.stored("startup")["starts"]
    return ratio(starts[command], starts["`import numpy`"]), ""


# What, the sign between figure and goal, the goal, the figure.
GOALS: list[tuple[str, str, float, Callable[[], Found]]] = [
    ("training at 128³, 64: numlp ÷ the floor", "≤", 1.20, lambda: to("floor", "training", "128³, 64")),
    ("training at 256³, 256: numlp ÷ the floor", "≤", 1.10, lambda: to("floor", "training", "256³, 256")),
    ("training at 1024³, 256: numlp ÷ the floor", "≤", 1.10, lambda: to("floor", "training", "1024³, 256")),
    ("training at 128³, 64: JAX ÷ numlp", "≥", 1.4, lambda: to("jax", "training", "128³, 64")),
    ("training at 128³, 64: PyTorch, eager ÷ numlp", "≥", 2.2, lambda: to("pytorch", "training", "128³, 64")),
    ("training at 128³, 64: scikit-learn ÷ numlp", "≥", 3.6, lambda: to("scikit_learn", "training", "128³, 64")),
    *(
        (f"training at {case}: quickest peer ÷ numlp", ">", 1.0, lambda case=case: to_quickest("training", case))
        for case in list(CASES)[1:]
    ),
    ("a step at 256³, 256: numlp's Adam ÷ plain SGD", "≤", 1.35, lambda: to_plain("256³, 256, Adam")),
    ("a step at 256³, 256: numlp regularized ÷ plain SGD", "≤", 1.35, lambda: to_plain("256³, 256, regularized")),
    ("MNIST: seconds to 98.09%", "≤", 2.5, lambda: seconds_until("mnist")),
    ("MNIST: quickest peer ÷ numlp", ">", 1.0, lambda: to_quickest("quality", "mnist")),
    ("MNIST: the same, seconds ÷ share of seeds at the mark", ">", 1.0, lambda: until_one_is_there("mnist")),
    ("MNIST: scikit-learn ÷ numlp", "≥", 4.0, lambda: to("scikit_learn", "quality", "mnist")),
    ("Fashion-MNIST: seconds to 89.69%", "≤", 6.0, lambda: seconds_until("fashion-mnist")),
    ("Fashion-MNIST: quickest peer ÷ numlp", ">", 1.0, lambda: to_quickest("quality", "fashion-mnist")),
    (
        "Fashion-MNIST: the same, seconds ÷ share of seeds at the mark",
        ">",
        1.0,
        lambda: until_one_is_there("fashion-mnist"),
    ),
    ("prediction of 1 row: quickest peer ÷ numlp", ">", 1.0, lambda: to_quickest("inference", "1")),
    ("prediction of 10,000 rows: quickest peer ÷ numlp", ">", 1.0, lambda: to_quickest("inference", "10000")),
    ("start: `import numlp` ÷ `import numpy`", "≤", 1.15, lambda: to_numpy("`import numlp`")),
    ("start: `numlp --help` ÷ `import numpy`", "<", 2.5, lambda: to_numpy("`numlp --help`")),
]
HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "≤": lambda figure, goal: figure <= goal,
    "<": lambda figure, goal: figure < goal,
    "≥": lambda figure, goal: figure >= goal,
    ">": lambda figure, goal: figure > goal,
}


def table() -> str:
    """Return the table of what was asked and what came out."""
    rows = []
    for what, sign, goal, figure in GOALS:
        row = [what, f"{sign} {goal:.2f}"]
        try:
            found, whose = figure()
        except LookupError:  # no such contender or data set was there
            rows.append([*row, "not measured", ""])
        else:
            answer = "yes" if HOLDS[sign](found, goal) else "no"
            rows.append([*row, f"{found:.2f}{f' ({whose})' if whose else ''}", answer])
    return "\n".join(report.table(["figure", "goal", "measured", "reached"], rows))
