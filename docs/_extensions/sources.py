"""Sources: the way back from a highlighted module to the reference, where it leads somewhere.

viewcode writes "[docs]" beside all that is documented, but links by a path of its own making: `numlp.Calibration` in
a module that has a public name, or the path of a module where the reference has that of its package.
"""

import re
from typing import Any

from sphinx.application import Sphinx

_BACK = re.compile(r'(<a class="viewcode-back" href="[^"#]*#)([^"]*)(">.*?</a>)')


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Turn the links of a module's page to the entries of the reference, and take out those that lead to none."""
    known = app.env.domains.python_domain.objects

    def turned(link: re.Match[str]) -> str:
        return f"{link[1]}{known[link[2]].node_id}{link[3]}" if link[2] in known else ""

    if page.startswith("_modules/"):
        context["body"] = _BACK.sub(turned, context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at each page before it is written."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
