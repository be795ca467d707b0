"""The results in one table, from the stored results: numlp's times, and the other libraries' beside them.

docs/performance.md opens with it. Every stored case has a row, so that nobody chooses the cases that flatter numlp.
"""

import statistics
from typing import NamedTuple

from benchmarks import report
from benchmarks.contenders import contender
from benchmarks.goals import PEERS, ratio
from benchmarks.quality import TARGETS, TITLES

FAMILIES = ("training", "quality", "inference")


class Row(NamedTuple):
    """A piece of work, numlp's seconds, and each peer's time ÷ numlp's."""

    work: str
    seconds: float
    ratios: dict[str, float]


def rows() -> list[Row]:
    """Return a row for every case that was measured with numlp."""
    cases = [
        (_work(family, case), measured["seconds"])
        for family in FAMILIES
        for case, measured in report.stored(family).get("cases", {}).items()
    ]
    return [
        Row(
            work,
            statistics.median(seconds["numlp"]),
            {peer: ratio(seconds[peer], seconds["numlp"]) for peer in PEERS if peer in seconds},
        )
        for work, seconds in cases
        if "numlp" in seconds
    ]


def wins(peer: str) -> tuple[int, int]:
    """Return in how many rows numlp is faster than a peer, and how many rows the peer has."""
    ratios = [row.ratios[peer] for row in rows() if peer in row.ratios]
    return sum(each > 1 for each in ratios), len(ratios)


def table() -> str:
    """Return the table of all rows, with the shortest time of each in bold, and the machine."""
    names = [f"{contender(peer).NAME} ÷ numlp" for peer in PEERS]
    lines = report.table(["work", "numlp", *names], [*(_cells(row) for row in rows()), _last()])
    measured = [report.stored(family).get("machine") for family in FAMILIES]
    machines = {f"{each['processor']}, {each['cores']} cores" for each in measured if each}
    return "\n".join([*lines, "", f"{'; '.join(sorted(machines)) or 'Not measured yet'}."])


def _work(family: str, case: str) -> str:
    if family == "quality":
        return f"{TITLES[case]}, to {TARGETS[case]:.2%}"
    return f"an epoch at {case}" if family == "training" else f"prediction of {_counted(int(case))}"


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _cells(row: Row) -> list[str]:
    shortest = min([1.0, *row.ratios.values()])
    shown = {peer: _marked(f"{each:.2f}", each == shortest) for peer, each in row.ratios.items()}
    return [row.work, _marked(_duration(row.seconds), shortest == 1), *(shown.get(peer, "") for peer in PEERS)]


def _last() -> list[str]:
    return ["numlp is faster in", "", *("{} of {}".format(*wins(peer)) for peer in PEERS)]


def _marked(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text


def _duration(seconds: float) -> str:
    """Return a time with three digits, in the unit that reads best."""
    unit, size = next((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 0.0)) if seconds >= size)
    return f"{seconds / (size or 1e-6):#.3g}".rstrip(".") + f" {unit}"
