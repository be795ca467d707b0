"""Columns: which columns of a table a model needs, and how its predictions depend on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from numlp.arrays.table import gaps_in
from numlp.errors import SettingError
from numlp.judging.dependence import Dependence
from numlp.judging.figures import figure_of
from numlp.judging.importance import Importance
from numlp.plots.style import BEST, DPI, RUNS, TRAIN, VALIDATION
from numlp.plots.text import draws, heading, legend, literal

_MOST_COLUMNS = 20
_MOST_OUTPUTS = 5
_ACROSS = 4  # panels beside each other


@draws
def importance(found: Importance, title: str = "") -> Figure:
    """Draw by how much the loss and the error rise when a column is permuted, with intervals.

    Of more than 20 columns, it draws the most important ones.

    Parameters
    ----------
    found : Importance
        As `numlp.judging.importance.permutation_importance` returns it.
    title : str, optional

    Examples
    --------
    >>> from numlp import MLP
    >>> from numlp.judging.importance import permutation_importance
    >>> data = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2
    >>> [axes.get_xlabel() for axes in importance(permutation_importance(MLP([3, 2]), data)).axes]
    ['Rise of the loss', 'Rise of the error']
    """
    parts = found.columns[:_MOST_COLUMNS][::-1]
    drawing = Figure(figsize=(10, 1.6 + 0.3 * len(parts)), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title), fontsize=11, x=0.01, ha="left")
    left, right = drawing.subplots(1, 2, sharey=True)
    for axes, estimates in ((left, [part.loss for part in parts]), (right, [part.error for part in parts])):
        values = np.array([[one.value, one.low, one.high] for one in estimates])
        whiskers = np.nan_to_num(np.abs(values[:, 1:] - values[:, :1]).T, posinf=0)
        axes.barh(np.arange(len(parts)), values[:, 0], color=f"{TRAIN}90", height=0.7)
        axes.errorbar(values[:, 0], np.arange(len(parts)), xerr=whiskers, fmt="none", ecolor=BEST, elinewidth=1)
        axes.axvline(0, color=BEST, linewidth=0.8)
        _plain(axes)
    is_share = found.metric == "error"
    left.set_yticks(range(len(parts)), [literal(" + ".join(part.columns), 30) for part in parts])
    left.set(xlabel="Rise of the loss", ylim=(-0.6, len(parts) - 0.4))
    right.set_xlabel("Rise of the error" if is_share else f"Rise of the {figure_of(found.metric).title}")
    right.xaxis.set_major_formatter(PercentFormatter(xmax=1) if is_share else StrMethodFormatter("{x:,.10g}"))
    return drawing


@draws
def dependence(found: Sequence[Dependence], title: str = "") -> Figure:
    """Draw the mean prediction if all rows had one value in a column, for each of several columns.

    If there is one output, or two classes, bands show where 80 % of the rows' own curves lie, each moved to the
    mean's level. Of more outputs, the figure draws the five that change most.

    Parameters
    ----------
    found : sequence of Dependence
        As `numlp.judging.dependence.partial_dependence` returns them.
    title : str, optional

    Examples
    --------
    >>> from numlp import MLP
    >>> from numlp.judging.dependence import partial_dependence
    >>> net = MLP([2, 1], loss="squared_error", feature_names=["age", "size"])
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> [axes.get_title() for axes in dependence([partial_dependence(net, x, name) for name in ("age", "size")]).axes]
    ['age', 'size']
    """
    if not found:
        raise SettingError("found must hold the dependence on at least one column")
    down = math.ceil(len(found) / _ACROSS)
    across = math.ceil(len(found) / down)
    drawing = Figure(figsize=(max(5.0, 3.1 * across), 0.9 + 2.6 * down), dpi=DPI, layout="constrained")
    drawing.suptitle(heading(title), fontsize=11, x=0.01, ha="left")
    panels = drawing.subplots(down, across, squeeze=False, sharey=True).ravel()
    names = found[0].outputs
    swings = np.max([one.swing for one in found], axis=0)
    outputs = [len(names) - 1] if len(names) <= 2 else sorted(np.argsort(-swings)[:_MOST_OUTPUTS].tolist())
    colors = [VALIDATION] if len(outputs) == 1 else RUNS[: len(outputs)]
    for axes, one in zip(panels, found, strict=False):
        for output, color in zip(outputs, colors, strict=True):
            _draw(axes, one, output, color, band=len(outputs) == 1)
        axes.set_title(literal(one.column, 30), fontsize=10)
        _plain(axes)
    for axes in panels[len(found) :]:
        axes.remove()
    if found[0].probabilities:
        panels[0].yaxis.set_major_formatter(PercentFormatter(xmax=1))
    else:
        panels[0].yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    if len(names) > 1:
        handles = [Line2D([], [], color=color) for color in colors]
        legend(drawing, handles, [names[output] for output in outputs], loc="outside lower center", ncols=5)
    return drawing


def _draw(axes: Axes, one: Dependence, output: int, color: str, *, band: bool) -> None:
    """Draw a line over numbers or dates, dots over texts, and a dot for gaps to the right of them."""
    gaps = gaps_in(one.values)
    known = ~gaps
    mean, low, high = one.mean[:, output], one.low[:, output], one.high[:, output]
    if one.kind == "text" or not known.any():
        places = np.arange(len(mean))
        labels = ["missing" if gap else literal(str(value), 16) for value, gap in zip(one.values, gaps, strict=True)]
        axes.set_xticks(places, labels, rotation=35, ha="right", fontsize=8)
        whiskers = np.maximum([mean - low, high - mean], 0) if band else None
        axes.set_xlim(-0.5, len(mean) - 0.5)
        axes.errorbar(places, mean, yerr=whiskers, fmt="o", color=color, ecolor=f"{color}70", markersize=4)
        return
    x = one.values[known]
    axes.plot(x, mean[known], "-", color=color, linewidth=1.6, marker="." if len(x) < 3 else "")
    if band:
        axes.fill_between(x, low[known], high[known], color=color, alpha=0.15, linewidth=0)
    if gaps.any():
        axes.axhline(mean[gaps][0], color=color, linewidth=1, linestyle=":")
        axes.annotate("missing", (0.02, mean[gaps][0]), xycoords=("axes fraction", "data"), fontsize=7, color=color)
    if one.kind == "date":
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=4))  # type: ignore[no-untyped-call]
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))


def _plain(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
