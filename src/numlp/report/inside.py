"""Inside: the distribution of every layer's weights and activations, and the share of dead units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray
from numlp.judging.inspection import dead_units, hidden_activations, histogram
from numlp.network.mlp import MLP
from numlp.report.curves import numbers

MOST_ROWS = 1000
_BINS = 48


def inside(network: MLP, x: AnyArray | None) -> list[dict[str, Any]]:
    """Return what the page shows of each layer; without rows `x`, weights only."""
    activations = [] if x is None else hidden_activations(network, x[:MOST_ROWS])
    shown = []
    for number, layer in enumerate(network.linear_layers):
        last = number == len(network.linear_layers) - 1
        entry: dict[str, Any] = {
            "name": f"Layer {number + 1}",
            "shape": f"{layer.weight.shape[0]:,} → {layer.weight.shape[1]:,}",
            "weights": _distribution(layer.weight),
        }
        if not last and activations:
            entry["activations"] = _distribution(activations[number])
            entry["activation"] = str(network.activations[number])
            entry["dead"] = int(dead_units(activations[number]).sum())
            entry["units"] = int(layer.weight.shape[1])
        shown.append(entry)
    return shown


def _distribution(values: npt.NDArray[np.floating]) -> dict[str, Any]:
    """Return a histogram of shares, with mean and standard deviation."""
    flat = values.ravel().astype(np.float64)
    shares, edges = histogram(flat, _BINS)
    return {
        "shares": numbers(shares.tolist()),
        "low": float(f"{edges[0]:.4g}"),
        "high": float(f"{edges[-1]:.4g}"),
        "mean": float(f"{flat.mean():.4g}"),
        "deviation": float(f"{flat.std():.4g}"),
    }
