"""Repository: a page for every file beside docs/ that a guide links to.

The guides are read on code-hosting sites too, so they link to sources, benchmarks and other pages of the repository
by relative paths. Here each such target becomes a page of the site, under its own path in docs/generated/repository/:
Markdown as it is, a folder as the list of its files, a source highlighted. Whatever else there is can be downloaded.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MIRROR = DOCS / "generated/repository"
# These have a page even if no guide links to them.
ALWAYS = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LANGUAGES = {"": "text", ".py": "python", ".toml": "toml", ".js": "javascript"}

_FENCE = re.compile(r"(^```.*?^```$)", flags=re.M | re.S)
_LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)(?=[)#])")


def leads_to(origin: Path, link: str) -> Path:
    """Return the file or folder of the repository that a file's link leads to."""
    return Path(os.path.normpath(origin.parent / link))


def links(origin: Path) -> Iterator[Path]:
    """Yield what a file or a folder of the repository leads to."""
    if origin.is_dir():
        yield from (path for path in sorted(origin.iterdir()) if path.is_dir() or path.suffix in {".md", ".py"})
    elif origin.suffix == ".md":
        for prose in _FENCE.split(origin.read_text())[::2]:
            yield from (leads_to(origin, link) for link in _LINK.findall(prose))


def page(path: Path) -> Path:
    """Return the file that the site has for a path of the repository."""
    if path.is_relative_to(DOCS):
        return path / "index.md" if path.is_dir() else path
    mirrored = MIRROR / path.relative_to(ROOT)
    if path.is_dir():
        return mirrored / "index.md"
    if path.suffix in LANGUAGES:
        return mirrored.with_name(f"{mirrored.name}.md")
    return mirrored if path.suffix == ".md" else path


def relinked(text: str, origin: Path) -> str:
    """Return the text of a Markdown file with links that lead from its page to other pages."""
    here = page(origin).parent

    def turned(link: re.Match[str]) -> str:
        return os.path.relpath(page(leads_to(origin, link[1])), here)

    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(turned, prose) for prose in parts[::2]]
    return "".join(parts)


def content(origin: Path) -> str:
    """Return the page of a file or a folder beside docs/, as Markdown."""
    name, here = origin.relative_to(ROOT), page(origin).parent
    if origin.suffix == ".md":
        return f"---\norphan: true\n---\n\n{relinked(origin.read_text(), origin)}"
    head = f"---\norphan: true\nnosearch: true\n---\n\n# `{name}`\n\n"
    if origin.is_dir():
        return head + "".join(f"- [{path.name}]({os.path.relpath(page(path), here)})\n" for path in links(origin))
    source, language = os.path.relpath(origin, here), LANGUAGES[origin.suffix]
    return f"{head}```{{literalinclude}} {source}\n:language: {language}\n```\n"


def write(app: Sphinx, config: Config) -> None:
    """Write the pages of all that the guides lead to, and of what these lead to."""
    waiting = [ROOT / name for name in ALWAYS]
    for guide in DOCS.glob("**/*.md"):
        if not guide.is_relative_to(DOCS / "generated"):
            waiting += links(guide)
    seen: set[Path] = set()
    while waiting:
        origin = waiting.pop()
        mirrored = page(origin)
        if origin in seen or not origin.exists() or not mirrored.is_relative_to(MIRROR):
            continue
        seen.add(origin)
        waiting += links(origin)
        mirrored.parent.mkdir(parents=True, exist_ok=True)
        mirrored.write_text(content(origin))


def relink(app: Sphinx, docname: str, text: list[str]) -> None:
    """Turn the links of a guide, as it is read, to the pages of this site."""
    origin = Path(app.env.doc2path(docname))
    if origin.suffix == ".md" and not origin.is_relative_to(MIRROR):
        text[0] = relinked(text[0], origin)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before any is read."""
    app.connect("config-inited", write)
    app.connect("source-read", relink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
