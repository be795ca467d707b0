r"""Equations: a small part of LaTeX, turned into MathML, which browsers show without any script.

Letters, numbers and signs stand for themselves. `_` and `^` take what comes next, or a group in braces. Commands are
``\frac``, ``\sqrt``, ``\hat``, ``\text``, functions such as ``\log``, and the signs in `_SIGNS`.
"""

from __future__ import annotations

import re
from collections import deque
from html import escape

_TOKEN = re.compile(r"\\text\{[^}]*\}|\\[A-Za-z]+|\d+(?:\.\d+)?|\S")
_SIGNS = {
    "alpha": "α", "beta": "β", "delta": "δ", "epsilon": "ε", "eta": "η", "lambda": "λ", "mu": "μ", "rho": "ρ",
    "sigma": "σ", "theta": "θ", "Phi": "Φ", "omega": "ω", "pi": "π", "partial": "∂", "sum": "∑", "cdot": "·",
    "odot": "⊙", "le": "≤", "ge": "≥", "leftarrow": "←", "top": "⊤", "quad": "\u2003", "approx": "≈",
}  # fmt: skip
_FUNCTIONS = ("max", "min", "exp", "log", "cos", "sin", "tanh", "sign", "clip", "cov")
_TAGS = {"_": "msub", "^": "msup", "_^": "msubsup"}


def mathml(latex: str) -> str:
    r"""Return an equation as a `math` element.

    >>> mathml(r"z_j = \frac{1}{2}")
    '<math display="block"><msub><mi>z</mi><mi>j</mi></msub><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></math>'
    """
    return f'<math display="block">{_row(deque(_TOKEN.findall(latex)))}</math>'


def _row(tokens: deque[str]) -> str:
    """Return the elements of tokens up to the end of their group."""
    found = []
    while tokens and tokens[0] != "}":
        base, scripts = _element(tokens), dict[str, str]()
        while tokens and tokens[0] in "_^":
            sign = tokens.popleft()
            scripts[sign] = _element(tokens)
        if scripts:
            tag = _TAGS["".join(sorted(scripts, reverse=True))]
            base = f"<{tag}>{base}{''.join(scripts[sign] for sign in '_^' if sign in scripts)}</{tag}>"
        found.append(base)
    return "".join(found)


def _element(tokens: deque[str]) -> str:
    part = tokens.popleft()
    if part == "{":
        row = _row(tokens)
        tokens.popleft()
        return f"<mrow>{row}</mrow>" if row.count("<m") > 1 else row
    if part.startswith("\\text"):
        words = part[6:-1].replace(" ", "\u00a0")  # spaces at the ends would be lost
        return f"<mtext>{escape(words)}</mtext>"
    if not part.startswith("\\"):
        if part in "()|{}":
            return f'<mo stretchy="false">{part}</mo>'
        tag = "mn" if part[0].isdigit() else "mi" if part.isalpha() else "mo"
        return f"<{tag}>{escape(part.replace('-', '−'))}</{tag}>"
    name = part[1:]
    if name == "frac":
        return f"<mfrac>{_element(tokens)}{_element(tokens)}</mfrac>"
    if name == "sqrt":
        return f"<msqrt>{_element(tokens)}</msqrt>"
    if name == "hat":
        return f"<mover>{_element(tokens)}<mo>^</mo></mover>"
    if name in _FUNCTIONS:
        return f"<mi>{name}</mi>"
    sign = _SIGNS[name]
    return f"<mi>{sign}</mi>" if sign.isalpha() else f"<mo>{sign}</mo>"
