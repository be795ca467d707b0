"""Initials: a paragraph that begins with "C. Bishop" isn't a list whose first item is C."""

import re
from typing import Any

from sphinx.application import Sphinx


def escape(app: Sphinx, what: str, name: str, entry: Any, options: Any, lines: list[str]) -> None:
    """Escape the initial at the beginning of a docstring's line."""
    lines[:] = [re.sub(r"^(\s*)(?=[A-Z]\. )", r"\1\\", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Have every docstring looked at."""
    app.connect("autodoc-process-docstring", escape)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
