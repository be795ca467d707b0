"""What the first layer sees: the weights into each of its units as pictures, at one or more epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.data.pictures import as_pictures, weight_shape
from numlp.errors import FileFormatError
from numlp.network.mlp import MLP
from numlp.network.shape import PictureShape
from numlp.report.curves import numbers
from numlp.report.sprites import columns_of, signed

_MOST_PIXELS = 800_000  # over all epochs: about a megabyte of the page
_MOST_UNITS = 1024


def units(network: MLP, snapshots: Mapping[int, Array]) -> dict[str, Any]:
    """Return pictures of the units with the largest weights, as sprites, for each snapshot and for the model.

    If the inputs aren't images, a unit is a strip of cells.

    Raises
    ------
    FileFormatError
        If the snapshots belong to another network.
    """
    weight = network.linear_layers[0].weight
    n_inputs, n_units = weight.shape
    if any(snapshot.shape != weight.shape for snapshot in snapshots.values()):
        raise FileFormatError(
            f"the run's snapshots don't belong to its model, whose first layer has shape {weight.shape}"
        )
    picture, is_of_cells = weight_shape(network), network.architecture["input_features"] is not None
    shape = picture or PictureShape(1, n_inputs)
    frames = {f"epoch {epoch}" if epoch else "before training": snapshot for epoch, snapshot in snapshots.items()}
    # The last snapshot is usually the model itself, but early stopping restores an earlier epoch.
    if not frames or not np.array_equal(list(frames.values())[-1], weight):
        frames["the network"] = weight
    count = max(1, min(n_units, _MOST_UNITS, _MOST_PIXELS // (n_inputs * len(frames))))
    norms = np.linalg.norm(weight.astype(np.float64), axis=0)
    shown = np.sort(np.argsort(-norms, kind="stable")[:count])
    largest = float(np.quantile(np.abs(weight[:, shown]), 0.999)) or 1.0
    _, height, width = as_pictures(weight[:, :1].T, shape).shape
    return {
        "is_picture": picture is not None,
        "directions": shape.channels if is_of_cells else 0,
        "height": height,
        "width": width,
        "columns": columns_of(count, height, width),
        "numbers": shown.tolist(),
        "norms": numbers(norms[shown].tolist()),
        "total": n_units,
        "outputs": len(network.linear_layers) == 1,
        "largest": float(f"{largest:.3g}"),
        "features": list(network.feature_names or ()) if n_inputs <= 50 and not is_of_cells else [],
        "frames": [
            {"name": name, "sprite": signed(as_pictures(frame[:, shown].T, shape), largest)}
            for name, frame in frames.items()
        ],
    }
