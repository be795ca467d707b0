"""Excerpts: lines of numlp's own source, cut from the files that run, so that they can't be out of date."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

SOURCE = Path(__file__).parents[1]


def excerpt(path: str | Path, name: str) -> str:
    """Return the text of a function or of a method, without its docstring.

    Parameters
    ----------
    path : path
        Of a module, from numlp's own folder.
    name : str
        Such as "Linear.forward".

    Raises
    ------
    LookupError
        If the module has no such function.

    Examples
    --------
    >>> print(excerpt("network/layers/noise.py", "GaussianNoise.backward"))
    def backward(self, delta: Array) -> Array:
        return delta
    """
    text = (SOURCE / path).read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        inner = (child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
        found = next(inner, None)
        if found is None:
            raise LookupError(f"{path} has no {name}")
        node = found
    assert isinstance(node, ast.FunctionDef)
    body = node.body[1 if ast.get_docstring(node) else 0 :]
    lines = text.splitlines()
    head = lines[node.lineno - 1 : node.body[0].lineno - 1]
    return textwrap.dedent("\n".join(head + lines[body[0].lineno - 1 : node.end_lineno]))
