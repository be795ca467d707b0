"""Names: a table of the public ones, and a link from wherever a docstring has one.

Docstrings write parameters, settings and public names alike in single backticks. Only some of them have an entry; the
others are no mistake, so they must not warn, as an explicit ``:class:`` does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.domains.python import ObjectEntry
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

import numlp


def entry(objects: Mapping[str, ObjectEntry], name: str) -> ObjectEntry | None:
    """Return the entry of a public name, or of the one class or constant that is called so wherever it lives."""
    if f"numlp.{name}" in objects:
        return objects[f"numlp.{name}"]
    # `layers` is a parameter in one place and a plot in another; `Loss` and `LOSSES` are the same everywhere.
    if not name[:1].isupper():
        return None
    found = {objects[path].node_id: objects[path] for path in objects if path.endswith(f".{name}")}
    return next(iter(found.values())) if len(found) == 1 else None


def link(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Element | None:
    """Return a link to the entry of a name, and the bare text of a name without one."""
    if node.get("refdomain") != "py" or node["reftype"] != "obj":
        return None
    known = entry(env.domains.python_domain.objects, node["reftarget"])
    if known is None:
        return content
    return make_refnode(app.builder, node["refdoc"], known.docname, known.node_id, content)


def write(app: Sphinx, config: Config) -> None:
    """Write the table of the names of numlp itself where the reference's first page includes it."""
    folder = Path(app.srcdir, "generated")
    folder.mkdir(exist_ok=True)
    names = [f"   numlp.{name}\n" for name in numlp.__all__ if name != "__version__"]
    (folder / "names.txt").write_text(".. autosummary::\n   :nosignatures:\n\n" + "".join(names))


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the table before it is read, and look names up that Sphinx did not find."""
    app.connect("config-inited", write)
    app.connect("missing-reference", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
