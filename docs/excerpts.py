"""Cuts the excerpts in the guides from the source again: functions without their docstrings, each below its mark.

A mark names a file and a function in it: <!-- source: src/numlp/network/layers/linear.py Linear.forward -->

python docs/excerpts.py
"""

import re
from pathlib import Path

from numlp.page.excerpts import excerpt

ROOT = Path(__file__).parents[1]
EXCERPT = re.compile(r"^<!-- source: (\S+) (\S+) -->\n\n```python\n.*?^```$", flags=re.M | re.S)


def source(path: str, name: str) -> str:
    """Return the text of a function or of a method, such as "Linear.forward", without its docstring."""
    return excerpt(ROOT / path, name) + "\n"


def with_excerpts(page: str) -> str:
    """Return a page with its excerpts cut again."""
    return EXCERPT.sub(
        lambda mark: f"<!-- source: {mark[1]} {mark[2]} -->\n\n```python\n{source(mark[1], mark[2])}```", page
    )


if __name__ == "__main__":
    for path in sorted((ROOT / "docs").glob("*.md")):
        path.write_text(with_excerpts(path.read_text()))
