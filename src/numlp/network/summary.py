"""Summary: what a network consists of, as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numlp.network.layers import Activate, Encode, GradientHistograms, Layer, Linear


class Summary(str):
    """Text that a notebook shows as `print` does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def one_line(layer_size: Sequence[int], layers: Sequence[Layer], settings: dict[str, Any]) -> str:
    """Return a network's sizes, its settings other than the usual ones, and its number of parameters in one line."""
    names = [str(layer.activation) for layer in layers if isinstance(layer, Activate)]
    settings = {"activation": names[0] if len(set(names)) == 1 else names, **settings}
    pairs = ", ".join(f"{n}={value!r}" for n, value in settings.items() if value not in ([], None, "none", 0.0))
    return f"MLP({list(layer_size)}, {pairs}): {n_parameters(layers):,} parameters"


def n_parameters(layers: Sequence[Layer]) -> int:
    """Return the number of parameters of layers."""
    return sum(math.prod(shape) for layer in layers for shape in layer.shapes.values())


def table(inputs: Sequence[int], layers: Sequence[Layer]) -> str:
    """Return a line for each layer: its name, the shape of what it gives for a row, and its parameters."""
    width = math.prod(inputs)
    rows = [("inputs", inputs, 0)]
    if len(inputs) > 1:
        rows.append(("flatten", (width,), 0))
    for layer in layers:
        width = layer.weight.shape[1] if isinstance(layer, Linear) else width
        width = layer.width if isinstance(layer, Encode | GradientHistograms) else width
        name = str(layer.activation) if isinstance(layer, Activate) else layer.kind
        rows.append((name, (width,), n_parameters([layer])))
    lines = [("layer", "shape", "parameters")]
    lines += [(name, " × ".join(map(str, shape)), f"{count:,}" if count else "–") for name, shape, count in rows]
    lines.append(("total", "", f"{n_parameters(layers):,}"))
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    return "\n".join(f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in lines)
