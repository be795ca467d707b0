"""The common style of all figures: colors, axes, scales."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from numlp.plots.text import heading
from numlp.training.history import History

DOTTED = 12  # up to so many epochs are drawn as dots as well

TRAIN, VALIDATION, BEST = "#7a8ca3", "#c8402f", "#1f2933"
RUNS = ("#c8402f", "#2b6cb0", "#2f855a", "#b7791f", "#6b46c1", "#0987a0", "#97266d", "#4a5568")
DPI = 150
TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "r2": "R²",
    "learning rate": "Learning rate",
    "gradient norm": "Gradient norm",
}


def axes_of(figure: str, title: str) -> tuple[Figure, Axes]:
    drawing = Figure(figsize=(7, 4.4), dpi=DPI, layout="constrained")
    axes = drawing.subplots()
    style(axes, figure, title)
    return drawing, axes


def style(axes: Axes, figure: str, title: str) -> None:
    axes.set_title(heading(title), fontsize=11, loc="left")
    axes.set_xlabel("Epoch")
    axes.set_ylabel(TITLES[figure])
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    if figure == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))


def log_scale_if_wide(axes: Axes) -> None:
    """Use a logarithmic scale if positive values differ by more than a factor of 5."""
    values = [value for value in _values(axes) if value > 0]
    if values and max(values) > 5 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def set_limits(axes: Axes, figure: str) -> None:
    """Begin at the first epoch; let R² far below the median, as after a bad first epoch, leave the figure."""
    if axes.get_xlim()[1] > 2:
        axes.set_xlim(left=1)
    values = _values(axes) if figure == "r2" else []
    if values and (least := 11 * np.median(values) - 10 * max(values) - 0.05) > min(values):
        axes.set_ylim(least, max(values) + 0.05 * (max(values) - least))


def _values(axes: Axes) -> list[float]:
    return [float(value) for line in axes.lines for value in np.ravel(line.get_ydata())]


def line(axes: Axes, history: History, column: str, color: str, label: str, dashes: str = "-") -> None:
    marker = "." if len(history) <= DOTTED else ""
    axes.plot(history["epoch"], history[column], dashes, color=color, label=label, marker=marker, linewidth=1.6)
