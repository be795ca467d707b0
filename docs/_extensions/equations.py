"""Equations: TeX as MathML, which browsers draw themselves, without scripts or another host."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

_NAMED = r"\\(?:log|ln|exp|sin|cos|tanh|max|min)\b"


def explicit(tex: str) -> str:
    r"""Return TeX with what its reader would not see by itself.

    docutils takes the 12 of ``\tfrac12`` for one number and a bar for an operator, and MathML has no thin spaces
    around named functions.

    >>> print(explicit(r"\tfrac12 t_k \log p_k + \log(1 - p)"))
    \tfrac{1}{2} t_k\,\log\, p_k + \log(1 - p)
    >>> print(explicit(r"\|w\| + |x - y|"))
    \lVert w\rVert + \lvert x - y\rvert
    """
    tex = re.sub(r"\\\|(.*?)\\\|", r"\\lVert \1\\rVert", tex)
    tex = re.sub(r"\|(.*?)\|", r"\\lvert \1\\rvert", tex)
    tex = re.sub(r"(\\t?frac)(\w)(\w)", r"\1{\2}{\3}", tex)
    tex = re.sub(rf"({_NAMED})(?=\s+[\w\\])", r"\1\,", tex)
    return re.sub(rf"(?<=[\w}})])\s*(?={_NAMED})", r"\,", tex)


def inline(translator: Any, node: nodes.math) -> None:
    r"""Write an equation within a line, which may break after ``,\ `` alone: browsers do not break equations."""
    parts = [tex2mathml(explicit(part)) for part in re.split(r",\\\s+", node.astext())]
    translator.body.append(", ".join(f'<span class="equation">{part}</span>' for part in parts))
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """Write an equation in a line of its own, which scrolls where the screen is narrower."""
    translator.body.append(f'<div class="equation">{tex2mathml(explicit(node.astext()), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer that conf.py names."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
