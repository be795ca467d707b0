"""What a benchmark reports: the machine, medians, spread and ratios, as JSON and as a page."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import contender, versions
from benchmarks.rounds import Turn

RESULTS = Path(__file__).parent / "results"


def present(names: Iterable[str]) -> list[str]:
    """Return the contenders that are installed."""
    return [name for name in names if versions(name) is not None]


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """Return an argument type that accepts one of these names."""

    def checked(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"{name!r} isn't one of {'; '.join(names)}")
        return name

    return checked


def machine(names: Iterable[str]) -> dict[str, Any]:
    """Return the machine, the versions and settings, and the contenders that are missing."""
    found = {name: versions(name) or {} for name in present(names)}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "versions": {"Python": platform.python_version()}
        | {package: version for packages in found.values() for package, version in packages.items()},
        "settings": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(("OMP_", "OPENBLAS_", "MKL_", "XLA_", "JAX_", "TORCH", "KMP_", "GOMP_", "NPROC"))
        },
        "skipped": [contender(name).NAME for name in names if name not in found],
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the lines of a page about the machine."""
    settings = ", ".join(f"{name}={value}" for name, value in found["settings"].items())
    lines = [
        f"{found['processor']}, {found['cores']} cores, {found['system']}. "
        + ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        + f". Settings from outside: {settings or 'none'}."
    ]
    if found["skipped"]:
        lines += ["", f"Skipped because not installed: {', '.join(found['skipped'])}."]
    return lines


def busy(found: Mapping[str, Sequence[Turn]]) -> float:
    """Return the largest share of a core that a contender used while it waited for its turn."""
    return max(
        sum(turn["busy"] for turn in turns) / max(sum(turn["waited"] for turn in turns), 1e-9)
        for turns in found.values()
    )


def waiting(measured: Mapping[str, Any]) -> str:
    """Return the line of a page about waiting contenders."""
    busiest = max(case["busy"] for case in measured["cases"].values())
    return f"While waiting for its turn, no contender used more than {busiest:.1%} of a core."


def page(family: str, title: str, doc: str | None, measured: Mapping[str, Any], tables: str) -> str:
    """Return a family's page; the procedure is the third paragraph of the script's docstring."""
    procedure = " ".join((doc or "").split("\n\n")[2].split())
    return "\n".join(
        [
            f"# {title}",
            "",
            f"Written by `make bench-{family}`; do not edit. {procedure} There were {measured['rounds']} rounds.",
            "",
            tables,
            "",
            *machine_lines(measured["machine"]),
            "",
        ]
    )


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of every round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float], form: str = ".3f") -> str:
    """Return the median and the quartiles as text."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:{form}} ({low:{form}} – {high:{form}})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def by_case(
    first: str,
    names: Sequence[str],
    cases: Mapping[str, Mapping[str, Any]],
    cell: Callable[[Mapping[str, Any], str], str],
) -> list[str]:
    """Return a table with a row for each case and a column for each contender."""
    rows = (
        [title, *(cell(case, name) if name in case["seconds"] else "" for name in names)]
        for title, case in cases.items()
    )
    return table([first, *(contender(name).NAME for name in names)], rows)


def seconds(unit: float = 1.0, form: str = ".3f") -> Callable[[Mapping[str, Any], str], str]:
    """Return a function that formats a contender's time in a case, in units of `unit` seconds, and its threads."""
    return lambda case, name: (
        f"{spread([each / unit for each in case['seconds'][name]], form)}, {case['threads'][name]}"
    )


def ratio_to(base: str) -> Callable[[Mapping[str, Any], str], str]:
    """Return a function that formats the ratio of a contender's time in a case to another's."""
    return lambda case, name: spread(ratios(case["seconds"][name], case["seconds"][base]), ".2f")


def begun(family: str, part: str, names: Iterable[str], rounds: int, *, anew: bool = False) -> dict[str, Any]:
    """Return a family's stored measurements to add to, if machine and rounds are the same and `anew` is false."""
    now: dict[str, Any] = {"machine": machine(names), "rounds": rounds}
    before = {} if anew else stored(family)
    return before if now.items() <= before.items() else now | {part: {}}


def store(family: str, measured: Mapping[str, Any]) -> None:
    """Write results/FAMILY.json."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{family}.json").write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")


def stored(family: str) -> dict[str, Any]:
    """Read results/FAMILY.json, if it exists."""
    path = RESULTS / f"{family}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write(family: str, page: str) -> None:
    """Write results/FAMILY.md and print it."""
    (RESULTS / f"{family}.md").write_text(page)
    print(page)
