"""Figures of a history, of weights, of a range test and of probabilities, with matplotlib.

Every function returns a `matplotlib.figure.Figure` and opens no window: ``figure.savefig(path)`` writes it, and a
notebook shows it as it is.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from numlp.checks import missing
from numlp.errors import SettingError
from numlp.history import History
from numlp.metrics import expected_calibration_error
from numlp.metrics import reliability as reliability_bins
from numlp.network import MLP
from numlp.range_test import RangeTest

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import (
        FormatStrFormatter,
        LogLocator,
        MaxNLocator,
        MultipleLocator,
        NullFormatter,
        PercentFormatter,
        StrMethodFormatter,
    )
except ImportError as error:
    raise missing("matplotlib", "drawing figures", "app") from error

_TRAIN, _VALIDATION, _BEST = "#7a8ca3", "#c8402f", "#1f2933"
_RUNS = ("#c8402f", "#2b6cb0", "#2f855a", "#b7791f", "#6b46c1", "#0987a0", "#97266d", "#4a5568")
_MOST_UNITS, _DPI = 4096, 150
_TITLES = {"loss": "Loss", "accuracy": "Accuracy", "r2": "R²"}


def curves(history: History, figure: str, title: str = "") -> Figure:
    """Draw a figure of the history on training and validation data against the epochs.

    The epoch that is best on the validation data is marked: from where the loss rises again, the network over-fits.

    Parameters
    ----------
    history : History
    figure : str
        "loss", "accuracy" or "r2".
    title : str, optional
    """
    drawing, axes = _axes(figure, title)
    for part, colour in (("train", _TRAIN), ("validation", _VALIDATION)):
        column = f"{part}_{figure}"
        if column in history:
            _line(axes, history, column, colour, "training" if part == "train" else "validation")
    if f"validation_{figure}" in history:
        values = history[f"validation_{figure}"]
        best = int(np.argmin(values) if figure == "loss" else np.argmax(values))
        epoch = history["epoch"][best]
        axes.plot(epoch, values[best], "o", color=_BEST, markersize=5, zorder=3)
        shown = f"{values[best]:.2%}" if figure == "accuracy" else f"{values[best]:.4g}"
        axes.plot([], [], "o", color=_BEST, markersize=5, label=f"best: {shown} in epoch {epoch:g}")
    axes.legend(frameon=False)
    _set_limits(axes, figure)
    return drawing


def compare(histories: Mapping[str, History]) -> Figure:
    """Draw the validation losses and scores of several runs on one figure.

    Parameters
    ----------
    histories : mapping of str to History
        By the name that the legend shows.
    """
    scores = [score for score in ("accuracy", "r2") if any(f"validation_{score}" in h for h in histories.values())]
    panels = ["loss", *scores]
    drawing = Figure(figsize=(6.2 * len(panels), 4.6), dpi=_DPI, layout="constrained")
    for axes, figure in zip(np.atleast_1d(drawing.subplots(1, len(panels))), panels, strict=True):
        _style(axes, figure, "")
        axes.set_ylabel(f"{_TITLES[figure]} on validation data")
        for i, (name, history) in enumerate(histories.items()):
            if f"validation_{figure}" in history:
                # After the last colour the first one again, dashed.
                dashes = ("-", "--", ":")[i // len(_RUNS) % 3]
                _line(axes, history, f"validation_{figure}", _RUNS[i % len(_RUNS)], name, dashes)
        if figure == "loss":
            _log_scale_if_wide(axes)
        _set_limits(axes, figure)
    handles, labels = drawing.axes[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), frameon=False)
    return drawing


def learning_rates(result: RangeTest, title: str = "") -> Figure:
    """Draw the loss of a range test against the learning rate, and mark the rate that it suggests.

    Parameters
    ----------
    result : RangeTest
        As `numlp.find_learning_rate` returns it.
    title : str, optional
    """
    drawing, axes = _axes("loss", title)
    rates, smoothed, losses = result.learning_rates, result.smoothed, result.losses
    axes.plot(rates, smoothed, color=_VALIDATION, label="smoothed", linewidth=2, zorder=3)
    if smoothed.min() > 0:
        _log_scale_if_wide(axes)
    # Single batches near the end may be off by any factor: they leave the figure.
    low, high = float(min(losses.min(), smoothed.min())), float(smoothed.max())
    if axes.get_yscale() == "log":
        axes.set_ylim(max(low, float(smoothed.min()) / 3) / 1.2, high * 1.5)
    else:
        margin = 0.06 * (high - low) or 1.0
        axes.set_ylim(low - margin, high + 2 * margin)
    axes.plot(rates, losses, color=_TRAIN, label="of each batch", linewidth=0.8, alpha=0.6)
    if not math.isnan(result.suggestion):
        at = float(np.interp(math.log(result.suggestion), np.log(rates), smoothed))
        axes.axvline(result.suggestion, color=_BEST, linewidth=1, linestyle=":", zorder=2)
        label = f"suggested: {result.suggestion:.2g}"
        axes.plot(result.suggestion, at, "o", color=_BEST, markersize=6, zorder=4, label=label)
    axes.set(xlabel="Learning rate", xlim=(rates[0] / 2, rates[-1] * 2), xscale="log")
    axes.legend(frameon=False)
    return drawing


def reliability(probabilities: npt.ArrayLike, labels: npt.ArrayLike, title: str = "") -> Figure:
    """Draw how often predictions are right against how sure they are; those on the diagonal mean what they say.

    Below the diagonal they are too sure, above it not sure enough. Whiskers are twice the standard deviation that
    chance alone gives the accuracy of so many rows. The panel below shows how many rows are how sure.

    Parameters
    ----------
    probabilities : array_like, shape (n, classes)
        As `predict_proba` returns them.
    labels : array_like of int, shape (n,)
        Class indices.
    title : str, optional
    """
    shares, confidence, accuracy = reliability_bins(probabilities, labels)
    counts = np.round(shares * len(np.asarray(labels)))
    whiskers = 2 * np.sqrt(confidence * (1 - confidence) / np.maximum(counts, 1))
    drawing = Figure(figsize=(5.6, 6.4), dpi=_DPI, layout="constrained")
    upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _style(upper, "accuracy", title)
    _style(lower, "accuracy", "")
    upper.plot([0, 1], [0, 1], "--", color=_TRAIN, linewidth=1.2, label="perfectly calibrated")
    error = f"expected calibration error {expected_calibration_error(probabilities, labels):.2%}"
    points = (values[counts > 0] for values in (confidence, accuracy, whiskers))
    upper.errorbar(*points, fmt="o-", color=_VALIDATION, ecolor=f"{_VALIDATION}70", markersize=4, label=error)
    upper.legend(frameon=False, loc="upper left")
    upper.set(xlabel="", ylim=(0, 1.02))
    edges = np.linspace(0, 1, len(counts) + 1)
    lower.bar(edges[:-1], counts, np.diff(edges), align="edge", color=f"{_TRAIN}70", edgecolor="white")
    # On a linear scale the surest rows, mostly by far the most, would hide all others.
    lower.set(xlabel="Confidence", ylabel="Rows", xlim=(0, 1), yscale="log", ylim=(0.5, 2 * counts.max()))
    lower.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    lower.yaxis.set_minor_formatter(NullFormatter())
    lower.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    lower.xaxis.set_major_locator(MultipleLocator(0.2))
    return drawing


def weights(network: MLP, title: str = "") -> Figure:
    """Draw the weights from the inputs to each unit of the first layer, as one image for each unit.

    Red is positive, blue negative, white zero, on one scale for all units. Inputs that are no images are drawn as one
    row of cells for each unit.

    Parameters
    ----------
    network : MLP
    title : str, optional
    """
    matrix = network.named_parameters()["linear.0.weight"]
    n_units = min(matrix.shape[1], _MOST_UNITS)
    units = matrix[:, :n_units].T.astype(np.float64)
    # One weight in a thousand may be paler than it should: a single large one would pale all others.
    largest = float(np.quantile(np.abs(units), 0.999)) or 1.0
    shown = f"{n_units} unit{'s' if n_units > 1 else ''}"
    shown = shown if n_units == matrix.shape[1] else f"the first {n_units} of {matrix.shape[1]} units"
    caption = f"{title + ': ' if title else ''}weights into {shown} of the first layer"
    images = _images(units, network)
    if images is None:
        return _cells(units, largest, network.feature_names, caption)
    return _pixels(_mosaic(images), largest, f"{caption}, white 0, red ≥ {largest:.2g}, blue ≤ −{largest:.2g}")


def _cells(units: npt.NDArray[np.float64], largest: float, names: Sequence[str] | None, caption: str) -> Figure:
    """Draw one row of cells for each unit, with a colour bar."""
    drawing = Figure(figsize=(7.2, 5.4), dpi=_DPI, layout="constrained")
    axes = drawing.subplots()
    image = axes.imshow(units, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    drawing.colorbar(image, ax=axes, extend="both", label="weight")
    axes.set(xlabel="input", ylabel="unit of the first layer")
    if names is not None and len(names) <= 30:
        axes.set_xticks(range(len(names)), names, rotation=45 if len(names) > 6 else 0)
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
    """Draw an image with a whole number of pixels for each of its cells, so that none is blurred or left out."""
    height, width = (size * max(1, round(1200 / max(image.shape))) / _DPI for size in image.shape)
    band = 0.3  # inches for the caption
    drawing = Figure(figsize=(max(width, 4), height + band), dpi=_DPI)
    axes = drawing.add_axes((0, 0, width / max(width, 4), height / (height + band)))
    axes.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest", aspect="auto")
    axes.axis("off")
    drawing.suptitle(caption, fontsize=10, y=1 - 0.06 / drawing.get_figheight(), va="top")
    return drawing


def _images(units: npt.NDArray[np.float64], network: MLP) -> npt.NDArray[np.float64] | None:
    """Return every unit's weights as one image, (units, height, width), if the inputs are images.

    Colours are laid side by side. Flat inputs count as images if their number is a square.
    """
    shape = network.input_shape or ()
    if len(shape) == 2:
        return units.reshape(-1, *shape)
    if len(shape) == 3 and min(shape[0], shape[2]) <= 4:
        colours = units.reshape(-1, *shape)
        # To (units, height, colours, width), from (height, width, colours) or (colours, height, width).
        colours = colours.transpose(0, 1, 3, 2) if shape[2] <= 4 else colours.transpose(0, 2, 1, 3)
        return colours.reshape(*colours.shape[:2], -1)
    side = math.isqrt(units.shape[1])
    return units.reshape(-1, side, side) if side * side == units.shape[1] and side >= 8 else None


def _mosaic(images: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lay images out in a grid, as near to a square as they fill, with a blank line between them."""
    _, height, width = images.shape
    columns = math.ceil(math.sqrt(len(images) * height / width))
    rows = math.ceil(len(images) / columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        grid[top : top + height, left : left + width] = image
    return grid


def _axes(figure: str, title: str) -> tuple[Figure, Axes]:
    if figure not in _TITLES:
        raise SettingError(f"figure must be one of {', '.join(_TITLES)}, not {figure!r}")
    drawing = Figure(figsize=(7, 4.4), dpi=_DPI, layout="constrained")
    axes = drawing.subplots()
    _style(axes, figure, title)
    return drawing, axes


def _style(axes: Axes, figure: str, title: str) -> None:
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel("epoch")
    axes.set_ylabel(_TITLES[figure])
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    if figure == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))


def _log_scale_if_wide(axes: Axes) -> None:
    """Draw losses that differ by more than a factor of 5 on a logarithmic scale."""
    values = [value for value in _values(axes) if value > 0]
    if values and max(values) > 5 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _set_limits(axes: Axes, figure: str) -> None:
    """Begin at the first epoch; R² far below the median, as a bad first epoch has, leaves the figure."""
    if axes.get_xlim()[1] > 2:
        axes.set_xlim(left=1)
    values = _values(axes) if figure == "r2" else []
    if values and (least := 11 * np.median(values) - 10 * max(values) - 0.05) > min(values):
        axes.set_ylim(least, max(values) + 0.05 * (max(values) - least))


def _values(axes: Axes) -> list[float]:
    return [float(value) for line in axes.lines for value in np.ravel(line.get_ydata())]


def _line(axes: Axes, history: History, column: str, colour: str, label: str, dashes: str = "-") -> None:
    marker = "." if len(history) == 1 else ""
    axes.plot(history["epoch"], history[column], dashes, color=colour, label=label, marker=marker, linewidth=1.6)
