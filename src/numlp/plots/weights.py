"""The weights into the units of the first layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from numlp.data.pictures import as_pictures, weight_shape
from numlp.network.mlp import MLP
from numlp.plots.style import DPI
from numlp.plots.text import draws, heading, literal

_MOST_UNITS = 4096


@draws
def weights(network: MLP, title: str = "") -> Figure:
    """Draw the weights from the inputs to the first layer, as one image for each unit.

    Red is positive, blue negative and white zero, on one scale for all units. If the inputs aren't images, each unit
    is a row of cells. If the network has `input_features`, each unit has an image of cells for each direction, side
    by side.

    Parameters
    ----------
    network : MLP
    title : str, optional
    """
    matrix = network.named_parameters()["linear.0.weight"]
    n_units = min(matrix.shape[1], _MOST_UNITS)
    units = matrix[:, :n_units].T.astype(np.float64)
    # Let one weight in a thousand exceed the scale: otherwise a single large one would make all others pale.
    largest = float(np.quantile(np.abs(units), 0.999)) or 1.0
    shown = f"{n_units:,} unit{'s' if n_units > 1 else ''}"
    shown = shown if n_units == matrix.shape[1] else f"the first {n_units:,} of {matrix.shape[1]:,} units"
    caption = f"{heading(title) + ': ' if title else ''}weights into {shown} of the first layer"
    shape = weight_shape(network)
    if shape is None:
        return _cells(units, largest, network.feature_names, caption)
    image = mosaic(as_pictures(units, shape))
    return _pixels(image, largest, f"{caption}, white 0, red ≥ {largest:.2g}, blue ≤ −{largest:.2g}")


def _cells(units: npt.NDArray[np.float64], largest: float, names: Sequence[str] | None, caption: str) -> Figure:
    """Draw one row of cells for each unit, with a color bar."""
    drawing = Figure(figsize=(7.2, 5.4), dpi=DPI, layout="constrained")
    axes = drawing.subplots()
    image = axes.imshow(units, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    drawing.colorbar(image, ax=axes, extend="both", label="Weight")
    axes.set(xlabel="Input", ylabel="Unit of the first layer")
    if names is not None and len(names) <= 30:
        shown = [literal(name, most=24) for name in names]
        axes.set_xticks(range(len(names)), shown, rotation=45 if len(names) > 6 else 0)
    elif units.shape[1] > 1:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_xticks([0])
    if len(units) > 1:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_yticks([0])
    axes.set_title(caption, fontsize=11)
    return drawing


def _pixels(image: npt.NDArray[np.float64], largest: float, caption: str) -> Figure:
    """Draw an image with a whole number of pixels for each cell, so that none is blurred or dropped."""
    height, width = (size * max(1, round(1200 / max(image.shape))) / DPI for size in image.shape)
    band = 0.3  # inches for the caption
    drawing = Figure(figsize=(max(width, 4), height + band), dpi=DPI)
    axes = drawing.add_axes((0, 0, width / max(width, 4), height / (height + band)))
    axes.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest", aspect="auto")
    axes.axis("off")
    drawing.suptitle(caption, fontsize=10, y=1 - 0.06 / drawing.get_figheight(), va="top")
    return drawing


def mosaic(images: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the images in a nearly square grid, separated by blank lines."""
    _, height, width = images.shape
    columns = math.ceil(math.sqrt(len(images) * height / width))
    rows = math.ceil(len(images) / columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        grid[top : top + height, left : left + width] = image
    return grid
