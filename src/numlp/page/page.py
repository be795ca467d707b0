"""The page: a template, data, style and scripts in one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numlp.page.engine import engine_text
from numlp.settings.checks import missing

_FOLDER = Path(__file__).parent


def page(
    template: Path,
    scripts: Sequence[str],
    data: Mapping[str, Any],
    context: Mapping[str, Any],
    *,
    trains: bool = False,
) -> bytes:
    """Return an HTML page in UTF-8.

    Parameters
    ----------
    template : Path
        A template that extends base.html; all values put into it are escaped. The style sheets beside it follow
        page.css.
    scripts : sequence of str
        The names of the scripts, in the order in which they run: files in scripts/ beside the template, or here.
    data : mapping
        The data for the scripts: anything that JSON can hold.
    context : mapping
        The values for the template, which also gets `data`.
    trains : bool
        Whether the page holds the engine, which trains networks: as an element of its own, before the scripts, whose
        text also makes a worker.

    Raises
    ------
    MissingDependencyError
        Without Jinja2.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise missing("jinja2", "writing a page", "app") from error
    from markupsafe import Markup

    folders = template.parent, _FOLDER
    texts = [engine_text()] if trains else []
    texts.append(joined(scripts, folders))
    style = "\n".join(_read(path) for path in [_FOLDER / "page.css", *sorted(template.parent.glob("*.css"))])
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = "{:,}".format
    rendered = environment.get_template(template.name).render(
        context,
        data=data,
        policy=policy(texts, style, workers=trains),
        engine=Markup(texts[0]) if trains else "",  # noqa: S704  # all are files of this package
        script=Markup(texts[-1]),  # noqa: S704
        style=Markup(style),  # noqa: S704
        json=Markup(escaped_json(data)),  # noqa: S704
    )
    return rendered.encode()


def joined(names: Sequence[str], folders: Sequence[Path]) -> str:
    """Return the text of scripts, each from the first of the folders whose scripts/ has it."""
    found = [next(path for folder in folders if (path := folder / f"scripts/{name}.js").exists()) for name in names]
    return "\n".join(['"use strict";', *map(_read, found)])


def escaped_json(data: Mapping[str, Any]) -> str:
    r"""Return JSON that is safe in a script element: nothing in it ends the element or the line.

    >>> escaped_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def policy(scripts: Sequence[str], style: str, *, workers: bool = False) -> str:
    """Return a Content-Security-Policy: it allows these scripts, this style, pictures in data URLs, and nothing else.

    `workers` allows workers that the page makes of its own text. See https://www.w3.org/TR/CSP3/, on how hashes
    identify inline elements.
    """
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src '{_hash(style)}'; img-src data:; "
        f"{'worker-src blob:; ' if workers else ''}base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
