"""Inside a network: the weights and activations of each layer, and the inputs that predictions depend on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numlp.arrays.inputs import as_array
from numlp.data.pictures import as_pictures, picture_shape
from numlp.errors import SettingError
from numlp.judging.inspection import dead_units, hidden_activations, histogram
from numlp.judging.inspection import saliency as saliency_of
from numlp.network.mlp import MLP
from numlp.plots.style import DPI, TRAIN, VALIDATION
from numlp.plots.text import draws, heading, literal

_BINS = 60


@draws
def layers(network: MLP, x: npt.ArrayLike, title: str = "") -> Figure:
    """Draw the distributions of each layer's weights and activations, with the share of dead units.

    Parameters
    ----------
    network : MLP
    x : array_like, shape (n, …)
        Rows of data, all held in memory at once: a thousand are enough.
    title : str, optional

    Examples
    --------
    >>> drawing = layers(MLP([3, 4, 2]), np.eye(3))
    >>> drawing.axes[0].get_title(loc="left")
    'weights, layer 1'
    """
    activations = hidden_activations(network, x)
    linear = network.linear_layers
    drawing = Figure(figsize=(9, 2.1 * len(linear) + 0.5), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title), fontsize=11, x=0.01, ha="left")
    panels = drawing.subplots(len(linear), 2, squeeze=False)
    for number, layer in enumerate(linear):
        left, right = panels[number]
        last = number == len(linear) - 1
        name = f"layer {number + 1}"
        _histogram(left, layer.weight, f"weights, {name}", VALIDATION)
        if last:
            right.axis("off")
        else:
            dead = f"{dead_units(activations[number]).mean():.1%} dead units"
            _histogram(right, activations[number], f"activations, {name}: {dead}", TRAIN)
    return drawing


def _histogram(axes: Axes, values: npt.NDArray[np.floating], label: str, color: str) -> None:
    shares, edges = histogram(values, _BINS)
    axes.stairs(shares, edges, fill=True, color=color)
    axes.set_title(label, fontsize=9, loc="left")
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)


@draws
def saliency(network: MLP, x: npt.ArrayLike, title: str = "") -> Figure:
    """Draw images, and below each the gradient of its highest logit with respect to the scaled input.

    Where the gradient is red, more light would support the prediction; where it is blue, more light would weaken it.

    Parameters
    ----------
    network : MLP
        With images as inputs.
    x : array_like, shape (n, …)
        A few rows.
    title : str, optional

    Raises
    ------
    SettingError
        If the inputs aren't images.

    Examples
    --------
    >>> len(saliency(MLP([64, 4, 2]), np.ones((3, 8, 8))).axes)  # three images, and a gradient below each
    6
    """
    shape = picture_shape(network)
    if shape is None:
        raise SettingError("network must have images as inputs: saliency is drawn pixel by pixel")
    rows = as_array(x, "x")
    images = as_pictures(rows.reshape(len(rows), -1).astype(np.float64), shape)
    gradients = as_pictures(saliency_of(network, rows), shape)
    drawing = Figure(figsize=(1.5 * len(rows), 3.6), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title), fontsize=11, x=0.01, ha="left")
    panels = drawing.subplots(2, len(rows), squeeze=False)
    for column, guess in enumerate(network.predict(rows, indices=True)):
        largest = float(np.abs(gradients[column]).max()) or 1.0
        panels[0, column].imshow(images[column], cmap="gray", interpolation="nearest")
        panels[1, column].imshow(
            gradients[column], cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest"
        )
        if network.loss.task == "classification":
            panels[0, column].set_title(literal(network.classes[int(guess)], most=16), fontsize=9)
        for axes in panels[:, column]:
            axes.axis("off")
    return drawing
