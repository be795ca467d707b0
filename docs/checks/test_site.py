"""The built site holds together: `make docs` runs this on docs/_build/html."""

import importlib
import inspect
import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

import numlp

DOCS = Path(__file__).parents[1]
SITE = DOCS / "_build/html"
# The theme keeps a template among its static files.
PAGES = sorted(page for page in SITE.rglob("*.html") if "_static" not in page.parts)
PACKAGES = ("numlp", "numlp.datasets", "numlp.onnx", "numlp.plots", "numlp.report", "numlp.sklearn")

sys.path.insert(0, str(DOCS / "_extensions"))


class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.resources: list[str] = []  # what a browser asks for without being told to
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the tag's anchor, and what it refers to."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if "href" in found:
            loaded = tag == "link" and found.get("rel") in {"stylesheet", "icon", "preload", "preconnect"}
            (self.resources if loaded else self.links).append(found["href"])
        self.resources += [found[name] for name in ("src", "data") if name in found and tag != "button"]
        self.resources += [part.split()[0] for part in found.get("srcset", "").split(",") if part.strip()]


@cache
def parsed(path: Path) -> Page:
    return Page(path)


class Target(NamedTuple):
    path: Path
    anchor: str


def target(page: Path, link: str) -> Target:
    """Return the file and the anchor that a link of a page leads to."""
    parts = urlsplit(link)
    return Target((page.parent / unquote(parts.path)).resolve() if parts.path else page, unquote(parts.fragment))


def elsewhere(link: str) -> bool:
    """Tell links into the world from those within the site."""
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def test_there_is_a_site() -> None:
    assert len(PAGES) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in parsed(page).links:
        if elsewhere(link):
            continue
        path, anchor = target(page, link)
        if not path.is_file() or (anchor and path.suffix == ".html" and anchor not in parsed(path).anchors):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE)))
def test_everything_a_page_needs_lies_beside_it(page: Path) -> None:
    resources = [resource for resource in parsed(page).resources if not resource.startswith("data:")]
    assert [resource for resource in resources if elsewhere(resource)] == []
    assert [resource for resource in resources if not target(page, resource).path.is_file()] == []


@pytest.mark.parametrize("sheet", sorted(SITE.rglob("*.css")), ids=lambda sheet: str(sheet.relative_to(SITE)))
def test_style_sheets_ask_no_other_host(sheet: Path) -> None:
    assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text())


@cache
def documented() -> set[str]:
    """Return every name that the reference has an entry for: they are the anchors of their entries."""
    return {anchor for page in PAGES for anchor in parsed(page).anchors if anchor.startswith("numlp.")}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    names = [name for name in module.__all__ if callable(getattr(module, name)) and name not in numlp.__all__]
    names = names if package != "numlp" else [name for name in numlp.__all__ if name != "__version__"]
    assert {f"{package}.{name}" for name in names} - documented() == set()


def test_every_entry_of_a_registry_is_documented() -> None:
    registries = importlib.import_module("registries")
    for name in registries.REGISTRIES:
        assert set(registries.paths(name).values()) <= documented(), name


def test_every_setting_is_in_the_glossary() -> None:
    fields = inspect.signature(importlib.import_module("settings").Recipe).parameters
    assert {f"term-{name}" for name in fields} <= parsed(SITE / "settings/index.html").anchors


def test_every_guide_can_be_reached_from_the_first_page() -> None:
    seen, waiting = set(), [SITE / "index.html"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".html" and page.is_file():
            seen.add(page)
            waiting += [target(page, link).path for link in parsed(page).links if not elsewhere(link)]
    guides = [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    assert [path for path in guides if SITE / path.relative_to(DOCS).with_suffix(".html") not in seen] == []


def test_the_search_knows_the_guides() -> None:
    index = (SITE / "searchindex.js").read_text()
    assert index.startswith("Search.setIndex(")
    assert all(f'"{path.stem}"' in index for path in DOCS.glob("*.md"))
