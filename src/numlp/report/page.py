"""The page: a template, data, style and scripts in one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numlp.report.settings import shown
from numlp.settings.checks import missing

_FOLDER = Path(__file__).parent


def page(template: str, scripts: tuple[str, ...], data: Mapping[str, Any], context: Mapping[str, Any]) -> bytes:
    """Return an HTML page in UTF-8.

    Parameters
    ----------
    template : str
        The name of a template file in this folder; all values put into it are escaped.
    scripts : tuple of str
        The names of the files in scripts/, in the order in which they run.
    data : mapping
        The data for the scripts: anything that JSON can hold.
    context : mapping
        The values for the template, which also gets `data`.

    Raises
    ------
    MissingDependencyError
        Without Jinja2.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise missing("jinja2", "writing a report", "app") from error
    from markupsafe import Markup

    script = "\n".join(['"use strict";', *(_read(f"scripts/{name}.js") for name in scripts)])
    style = _read("page.css")
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["setting"] = shown
    environment.filters["thousands"] = "{:,}".format
    rendered = environment.get_template(template).render(
        context,
        data=data,
        policy=policy(script, style),
        script=Markup(script),  # noqa: S704  # both are files of this package
        style=Markup(style),  # noqa: S704
        json=Markup(escaped_json(data)),  # noqa: S704
    )
    return rendered.encode()


def escaped_json(data: Mapping[str, Any]) -> str:
    r"""Return JSON that is safe in a script element: nothing in it ends the element or the line.

    >>> escaped_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def policy(script: str, style: str) -> str:
    """Return a Content-Security-Policy that allows this script, this style, pictures in data URLs, and nothing else.

    See https://www.w3.org/TR/CSP3/, on how hashes identify inline elements.
    """
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
