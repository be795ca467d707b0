"""Writes the stored results of all families into docs/performance.md, as tables.

python -m benchmarks.performance
"""

import re
from pathlib import Path

from benchmarks import choices, goals, growth, inference, quality, report, search, startup, step, summary, training

GUIDE = Path(__file__).parents[1] / "docs/performance.md"
FAMILIES = {
    "training": training,
    "step": step,
    "choices": choices,
    "quality": quality,
    "inference": inference,
    "startup": startup,
    "growth": growth,
}
PAGES = {name: family.page for name, family in FAMILIES.items()} | {"recipes": search.page}


def with_tables(guide: str) -> str:
    """Return the page with its tables rewritten."""

    def table(found: re.Match[str]) -> str:
        family, measured = found[1], report.stored(found[1])
        if family == "goals":
            shown = goals.table()
        elif family == "summary":
            shown = summary.table()
        elif measured:
            where = measured["machine"]
            details = f"[details](../benchmarks/results/{family}.md)"
            shown = FAMILIES[family].tables(measured)
            shown += f"\n\n{where['processor']}, {where['cores']} cores; {details}."
        else:
            shown = "Not measured yet."
        return f"<!-- table: {found[1]} -->\n\n{shown}\n\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", table, guide, flags=re.S)


if __name__ == "__main__":
    GUIDE.write_text(with_tables(GUIDE.read_text()))
