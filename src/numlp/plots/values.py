"""Regression: predicted against true values, and the residuals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from numlp.arrays.inputs import as_array
from numlp.plots.style import BEST, DPI, TRAIN, VALIDATION
from numlp.plots.text import draws, heading


@draws
def predictions(targets: npt.ArrayLike, predicted: npt.ArrayLike, title: str = "") -> Figure:
    """Draw predicted against true values, and the residuals (true minus predicted) against the predictions.

    Parameters
    ----------
    targets, predicted : array_like, shape (n,)
        Values of a single target, in its units.
    title : str, optional

    Examples
    --------
    >>> [axes.get_ylabel() for axes in predictions([1.0, 2.0], [1.5, 2.0]).axes]
    ['Predicted', 'True − predicted']
    """
    true, guess = (as_array(values, "values").astype(np.float64).ravel() for values in (targets, predicted))
    drawing = Figure(figsize=(10, 4.6), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title), fontsize=11, x=0.01, ha="left")
    left, right = drawing.subplots(1, 2)
    ends = [min(true.min(), guess.min()), max(true.max(), guess.max())]
    left.plot(ends, ends, "--", color=TRAIN, linewidth=1.2, label="perfect prediction")
    left.scatter(true, guess, s=10, color=VALIDATION, alpha=0.5, linewidths=0)
    left.set(xlabel="True", ylabel="Predicted")
    left.legend(frameon=False)
    right.axhline(0, color=BEST, linewidth=1)
    right.scatter(guess, true - guess, s=10, color=VALIDATION, alpha=0.5, linewidths=0)
    right.set(xlabel="Predicted", ylabel="True − predicted")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.xaxis.set_major_locator(MaxNLocator(5))  # few enough for prices in full
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axes.spines[["top", "right"]].set_visible(False)
    return drawing
