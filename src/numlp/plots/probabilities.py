"""Probabilities and mistakes: reliability, the confusion matrix and the most confident mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from numlp.arrays.inputs import as_array
from numlp.data.pictures import as_pictures, picture_shape
from numlp.errors import SettingError
from numlp.judging.confusions import MOST_CLASSES, confusion_among, most_confused
from numlp.judging.metrics import expected_calibration_error
from numlp.judging.metrics import reliability as reliability_bins
from numlp.network.predictor import Predictor
from numlp.plots.style import DPI, TRAIN, VALIDATION, style
from numlp.plots.text import draws, heading, literal


@draws
def reliability(probabilities: npt.ArrayLike, labels: npt.ArrayLike, title: str = "") -> Figure:
    """Draw the accuracy of predictions against their confidence, which are equal on the diagonal.

    Below the diagonal, predictions are overconfident, above it underconfident. Whiskers show twice the standard
    deviation that chance alone gives the accuracy of this many rows. The lower panel counts the rows by confidence.

    Parameters
    ----------
    probabilities : array_like, shape (n, classes)
        In the form that `predict_proba` returns.
    labels : array_like of int, shape (n,)
        Class indices.
    title : str, optional
    """
    shares, confidence, accuracy = reliability_bins(probabilities, labels)
    counts = np.round(shares * len(as_array(labels, "labels")))
    whiskers = 2 * np.sqrt(confidence * (1 - confidence) / np.maximum(counts, 1))
    drawing = Figure(figsize=(5.6, 6.4), dpi=DPI, layout="constrained")
    upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    style(upper, "accuracy", title)
    style(lower, "accuracy", "")
    upper.plot([0, 1], [0, 1], "--", color=TRAIN, linewidth=1.2, label="perfectly calibrated")
    error = f"expected calibration error {expected_calibration_error(probabilities, labels):.2%}"
    points = (values[counts > 0] for values in (confidence, accuracy, whiskers))
    upper.errorbar(*points, fmt="o-", color=VALIDATION, ecolor=f"{VALIDATION}70", markersize=4, label=error)
    upper.legend(frameon=False, loc="upper left")
    upper.set(xlabel="", ylim=(0, 1.02))
    edges = np.linspace(0, 1, len(counts) + 1)
    lower.bar(edges[:-1], counts, np.diff(edges), align="edge", color=f"{TRAIN}70", edgecolor="white")
    # On a linear scale the most confident rows, usually by far the most, would hide all others.
    lower.set(xlabel="Confidence", ylabel="Rows", xlim=(0, 1), yscale="log", ylim=(0.5, 2 * counts.max()))
    lower.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    lower.yaxis.set_minor_formatter(NullFormatter())
    lower.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    lower.xaxis.set_major_locator(MultipleLocator(0.2))
    return drawing


@draws
def confusion(labels: npt.ArrayLike, predicted: npt.ArrayLike, names: Sequence[str], title: str = "") -> Figure:
    """Draw a confusion matrix, with the recall of each class.

    Colors show shares of the row, so that classes of different sizes compare; the numbers are counts. Of more than
    `MOST_CLASSES` classes, the figure shows those with the most mistakes.

    Parameters
    ----------
    labels, predicted : array_like of int, shape (n,)
        Class indices.
    names : sequence of str
        The names of the classes.
    title : str, optional

    Examples
    --------
    >>> confusion([0, 0, 1], [0, 1, 1], ["cat", "dog"]).axes[0].get_xlabel()
    'Predicted'
    """
    chosen = most_confused(labels, predicted, len(names), MOST_CLASSES)
    counts = confusion_among(chosen, labels, predicted)
    totals = np.bincount(np.asarray(labels), minlength=len(names))[chosen, None]
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    shown = [literal(names[i], most=24) for i in chosen]
    side = min(max(4.2, 0.55 * len(shown)), 16)
    beside = 0.08 * max(map(len, shown))  # inches for the names
    drawing = Figure(figsize=(side + 1 + beside, side + beside), dpi=DPI, layout="constrained")
    axes = drawing.subplots()
    # The diagonal, usually near 1, would leave all mistakes white: leave it out of the color scale.
    mistakes = np.where(np.eye(len(chosen)), np.nan, shares)
    most = max(np.max(mistakes, where=mistakes > 0, initial=0.0), 1e-9)
    axes.imshow(mistakes, cmap=colormaps["Oranges"].with_extremes(bad="#e4e2dd"), vmin=0, vmax=most * 1.3)
    axes.set(xlabel="Predicted", ylabel="True", xticks=range(len(shown)), yticks=range(len(shown)))
    axes.set_xticklabels(shown)
    if max(map(len, shown)) > 3:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticklabels([f"{name}  {share:.1%}" for name, share in zip(shown, np.diag(shares), strict=True)])
    some = len(shown) < len(names)
    caption = f"the {len(shown)} of {len(names):,} classes with the most mistakes" if some else ""
    axes.set_title(", ".join(filter(None, (heading(title), caption))), fontsize=11, loc="left")
    if len(shown) <= 20:
        for row, column in zip(*np.nonzero(counts), strict=True):
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=8, weight=weight)
    return drawing


@draws
def mistakes(network: Predictor, x: npt.ArrayLike, labels: npt.ArrayLike, title: str = "", most: int = 24) -> Figure:
    """Draw the most confident mistakes: images with predicted class, confidence and true class.

    Parameters
    ----------
    network : MLP or Ensemble
        A classifier with images as inputs.
    x : array_like, shape (n, …)
    labels : array_like of int, shape (n,)
        Class indices.
    title : str, optional
    most : int
        The largest number of images to show.

    Raises
    ------
    SettingError
        If the inputs aren't images.

    Examples
    --------
    >>> from numlp import MLP
    >>> drawing = mistakes(MLP([64, 2]), np.ones((3, 8, 8)), [0, 1, 1], "the most confident mistakes")
    >>> drawing.get_suptitle()
    'the most confident mistakes'
    """
    shape = picture_shape(network)
    if shape is None:
        raise SettingError("network must have images as inputs: mistakes are drawn as images")
    rows, truth = as_array(x, "x"), as_array(labels, "labels")
    probabilities = network.predict_proba(rows)
    guess = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)
    wrong = wrong[np.argsort(-probabilities[wrong, guess[wrong]], kind="stable")][:most]
    images = as_pictures(rows[wrong].reshape(len(wrong), network.layer_size[0]).astype(np.float64), shape)
    columns = 8
    lines = max(1, -(-len(wrong) // columns))
    drawing = Figure(figsize=(9.6, 1.55 * lines + 0.4), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title if len(wrong) else f"{title}: no mistakes".lstrip(": ")), fontsize=11)
    for i, axes in enumerate(drawing.subplots(lines, columns, squeeze=False).ravel()):
        axes.axis("off")
        if i < len(wrong):
            axes.imshow(images[i], cmap="gray", interpolation="nearest")
            row = wrong[i]
            taken, true = (literal(network.classes[i[row]], most=16) for i in (guess, truth))
            axes.set_title(f"{taken} {probabilities[row, guess[row]]:.0%}\ntrue: {true}", fontsize=7)
    return drawing
