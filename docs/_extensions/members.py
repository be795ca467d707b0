"""Members: of a class, those that numlp itself wrote; what it inherits from other libraries is documented there."""

from typing import Any

from sphinx.application import Sphinx


def skip(app: Sphinx, what: str, name: str, member: Any, skipped: bool, options: Any) -> bool | None:
    """Say whether a member is left out; None leaves that to others."""
    written_by = getattr(member, "__module__", None) or type(member).__module__
    own = isinstance(member, property) or written_by.partition(".")[0] == "numlp"
    return None if own or what == "module" else True


def setup(app: Sphinx) -> dict[str, Any]:
    """Have every member looked at."""
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
