"""Curves over the epochs: of a history, of several histories and of gradient norms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from numlp.errors import SettingError
from numlp.plots.style import (
    BEST,
    DPI,
    RUNS,
    TITLES,
    TRAIN,
    VALIDATION,
    axes_of,
    line,
    log_scale_if_wide,
    set_limits,
    style,
)
from numlp.plots.text import draws, legend
from numlp.training.history import History

SCORES = ("loss", "accuracy", "r2")


@draws
def curves(history: History, figure: str, title: str = "") -> Figure:
    """Draw a metric on training and validation data over the epochs.

    A dot marks the best epoch on validation data. Once the validation loss rises again, the network is overfitting.

    Parameters
    ----------
    history : History
    figure : str
        "loss", "accuracy" or "r2".
    title : str, optional
        What was trained; the figure adds what it shows.
    """
    if figure not in SCORES:
        raise SettingError(f"figure must be one of {', '.join(SCORES)}, not {figure!r}")
    rows = "training and validation rows" if f"validation_{figure}" in history else "training rows"
    caption = f"{'R²' if figure == 'r2' else figure} on {rows}"
    drawing, axes = axes_of(figure, f"{title}: {caption}" if title else caption)
    for part, color in (("train", TRAIN), ("validation", VALIDATION)):
        column = f"{part}_{figure}"
        if column in history:
            line(axes, history, column, color, "training" if part == "train" else "validation")
    if f"validation_{figure}" in history:
        values = history[f"validation_{figure}"]
        best = int(np.argmin(values) if figure == "loss" else np.argmax(values))
        epoch = history["epoch"][best]
        axes.plot(epoch, values[best], "o", color=BEST, markersize=5, zorder=3)
        shown = f"{values[best]:.2%}" if figure == "accuracy" else f"{values[best]:.4g}"
        axes.plot([], [], "o", color=BEST, markersize=5, label=f"best: {shown} in epoch {epoch:g}")
    axes.legend(frameon=False)
    set_limits(axes, figure)
    return drawing


@draws
def compare(histories: Mapping[str, History]) -> Figure:
    """Draw the validation losses and scores of several runs in one figure.

    Parameters
    ----------
    histories : mapping of str to History
        The histories by their names in the legend.
    """
    scores = [score for score in ("accuracy", "r2") if any(f"validation_{score}" in h for h in histories.values())]
    panels = ["loss", *scores]
    drawing = Figure(figsize=(6.2 * len(panels), 4.6), dpi=DPI, layout="constrained")
    for axes, figure in zip(np.atleast_1d(drawing.subplots(1, len(panels))), panels, strict=True):
        style(axes, figure, "")
        axes.set_ylabel(f"{TITLES[figure]} on validation data")
        for i, (name, history) in enumerate(histories.items()):
            if f"validation_{figure}" in history:
                # After the last color, start again with the first one, dashed.
                dashes = ("-", "--", ":")[i // len(RUNS) % 3]
                line(axes, history, f"validation_{figure}", RUNS[i % len(RUNS)], name, dashes)
        if figure == "loss":
            log_scale_if_wide(axes)
        set_limits(axes, figure)
    lines = drawing.axes[0].lines
    if drawn := [name for name, history in histories.items() if "validation_loss" in history]:
        legend(drawing, lines, drawn, loc="outside lower center", ncols=min(len(drawn), 4))
    return drawing


@draws
def learning_rate(history: History, title: str = "") -> Figure:
    """Draw the learning rate of each epoch's last step.

    Parameters
    ----------
    history : History
    title : str, optional

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "learning_rate": 0.1})
    >>> learning_rate(history).axes[0].get_ylabel()
    'Learning rate'
    """
    drawing, axes = axes_of("learning rate", title)
    line(axes, history, "learning_rate", VALIDATION, "")
    axes.set_ylim(bottom=0)
    set_limits(axes, "learning rate")
    return drawing


@draws
def gradients(norms: History, title: str = "") -> Figure:
    """Draw the gradient norm of each layer's weights, at each epoch's last step.

    Parameters
    ----------
    norms : History
        As `numlp.training.callbacks.GradientNorms` records them.
    title : str, optional

    Examples
    --------
    >>> norms = History()
    >>> norms.append({"epoch": 1, "layer 1": 0.5, "layer 2": 0.2})
    >>> len(gradients(norms).axes[0].lines)
    2
    """
    drawing, axes = axes_of("gradient norm", title)
    for i, column in enumerate(name for name in norms.columns if name != "epoch"):
        line(axes, norms, column, RUNS[i % len(RUNS)], column)
    axes.legend(frameon=False)
    log_scale_if_wide(axes)
    set_limits(axes, "gradient norm")
    return drawing
