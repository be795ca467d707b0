"""The loss of a range test against the learning rate."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from numlp.plots.style import BEST, TRAIN, VALIDATION, axes_of, log_scale_if_wide
from numlp.plots.text import draws
from numlp.training.range_test import RangeTest


@draws
def learning_rates(result: RangeTest, title: str = "") -> Figure:
    """Draw the loss of a range test against the learning rate, and mark the rate that it suggests.

    Parameters
    ----------
    result : RangeTest
        The result of `numlp.find_learning_rate`.
    title : str, optional
    """
    drawing, axes = axes_of("loss", title)
    rates, smoothed, losses = result.learning_rates, result.smoothed, result.losses
    axes.plot(rates, smoothed, color=VALIDATION, label="smoothed", linewidth=2, zorder=3)
    if smoothed.min() > 0:
        log_scale_if_wide(axes)
    # Near the end, single batches may be off by any factor: let them leave the figure.
    low, high = float(min(losses.min(), smoothed.min())), float(smoothed.max())
    if axes.get_yscale() == "log":
        axes.set_ylim(max(low, float(smoothed.min()) / 3) / 1.2, high * 1.5)
    else:
        margin = 0.06 * (high - low) or 1.0
        axes.set_ylim(low - margin, high + 2 * margin)
    axes.plot(rates, losses, color=TRAIN, label="each batch", linewidth=0.8, alpha=0.6)
    if not math.isnan(result.suggestion):
        at = float(np.interp(math.log(result.suggestion), np.log(rates), smoothed))
        axes.axvline(result.suggestion, color=BEST, linewidth=1, linestyle=":", zorder=2)
        label = f"suggested: {result.suggestion:.2g}"
        axes.plot(result.suggestion, at, "o", color=BEST, markersize=6, zorder=4, label=label)
    axes.set(xlabel="Learning rate", xlim=(rates[0] / 2, rates[-1] * 2), xscale="log")
    axes.legend(frameon=False)
    return drawing
