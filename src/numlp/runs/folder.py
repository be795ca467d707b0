"""A run's folder: recipe.toml, history.csv, gradients.csv, metrics.json, model.safetensors and figures/."""

import io
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numlp.datasets import Dataset
from numlp.errors import FileFormatError, OutputError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.files.kinds import refused
from numlp.files.models import save_model
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.folds import folded, write_out_of_fold
from numlp.runs.layout import FIGURES, GRADIENTS, HISTORY, METRICS, MODEL, OUT_OF_FOLD, RECIPE
from numlp.runs.paths import numbered, without_folders
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import calibrates, load_recipe
from numlp.runs.scores import calibrated, scores
from numlp.runs.unfinished import how_it_stands
from numlp.settings import limits
from numlp.settings.texts import parse_json, read_text
from numlp.training.history import History, from_csv, to_csv
from numlp.training.threads import count, limited
from numlp.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Run:
    """The contents of a run's folder, except the weights."""

    folder: Path
    recipe: Recipe
    history: History
    metrics: dict[str, Any]
    gradients: History  # norms by layer; empty if the run measured none


def create_folder(recipe: Recipe, output: str | os.PathLike[str] | None = None) -> Path:
    """Create a run's folder and write its recipe into it.

    Parameters
    ----------
    recipe : Recipe
    output : path, optional
        A folder that does not exist yet; by default ``runs/<date>-<data>-<layers>``, numbered if that exists.

    Raises
    ------
    OutputError
        If the folder already exists or can't be created.
    """
    wanted = _default_folder(recipe) if output is None else Path(output)
    toml = recipe.to_toml().encode()
    # Another run may take a name in the same instant: only creating the folder proves that its name was free.
    for folder in [wanted] if output is not None else numbered(wanted):
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError as error:
            if output is not None or not os.path.lexists(folder):
                stands = how_it_stands(folder)
                remedy = f"it {stands}, or name" if stands else "remove it, or name"
                raise OutputError(f"{folder} already exists: {remedy} another output folder") from error
        except OSError as error:
            raise OutputError(f"can't create the folder {folder}: {error.strerror or error}") from error
    write_bytes(folder / RECIPE, toml)
    return folder


def _default_folder(recipe: Recipe) -> Path:
    widths = "-".join(str(width) for width in recipe.layers) or "linear"
    data = Path(recipe.data).stem.replace(".", "-")
    return Path("runs", f"{time.strftime('%Y-%m-%d-%H%M%S')}-{data}-{widths}")


def save_run(
    folder: Path,
    recipe: Recipe,
    model: MLP | Ensemble,
    dataset: Dataset,
    history: History,
    *,
    seconds: float,
    ended: str,
    gradients: History | None = None,
    ranks: int = 1,
) -> dict[str, Any]:
    """Calibrate a trained model if its recipe says so, evaluate it, and write all but the recipe to its folder.

    Parameters
    ----------
    folder : path
        Created by `create_folder`, with the recipe in it.
    recipe, model, dataset
    history : History
        For an ensemble, the mean over its members.
    seconds : float
        How long the training took, validation included.
    ended : "completed", "interrupted", "stopped" or "diverged"
        "stopped" if the loss on the validation rows isn't finite, "diverged" if training itself can't go on.
    gradients : History, optional
        As `numlp.training.callbacks.GradientNorms` records them.
    ranks : int
        How many processes of mpiexec shared out the rows.

    Returns
    -------
    dict
        The contents of metrics.json: "train", "validation" and "test" with the loss and the accuracy (or R²), None
        if there are no test rows; "epochs", "seconds", "parameters", "arithmetic", "ended", "threads", "processes",
        "ranks" and "versions"; and "calibration" if there was one, so that the coverage of "validation" is on the
        rows that it was fitted to.
        With folds, "validation" has the means of "folds", which has each fold's metrics by the networks that it
        validated, and "standard_errors" those of the means.
    """
    networks = model.members if isinstance(model, Ensemble) else (model,)
    calibration = calibrated(model, dataset) if calibrates(recipe, model.loss) else None
    write_model(folder / MODEL, model, recipe.as_dict(), history, ended)
    write_bytes(folder / HISTORY, to_csv(history).encode())
    if gradients:
        write_bytes(folder / GRADIENTS, to_csv(gradients).encode())
    with limited(recipe.threads if isinstance(recipe.threads, int) else None):
        threads = count()  # the recipe may ask for more than the BLAS allows
    metrics: dict[str, Any] = {
        **scores(recipe, model, dataset),
        "epochs": len(history),
        "seconds": round(seconds, 3),
        "parameters": sum(network.params.size for network in networks),
        "arithmetic": recipe.arithmetic,
        "ended": ended,
        "threads": threads,
        "processes": recipe.processes if isinstance(recipe.processes, int) else 1,
        "ranks": ranks,
        "versions": {"numlp": __version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    if calibration is not None:
        metrics["calibration"] = calibration
    if dataset.folds:
        write_out_of_fold(folder / OUT_OF_FOLD, folded(model, dataset), dataset)
    write_bytes(folder / METRICS, (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())
    save_figures(folder, recipe, networks[0], history)
    return metrics


def write_model(path: Path, model: MLP | Ensemble, settings: Mapping[str, Any], history: History, ended: str) -> None:
    """Write a model file with a run's settings and how its training went, but nothing that repetitions don't share.

    In portable arithmetic, the numbers of threads and processes change no bit of it, so they are left out.
    """
    left_out = ("threads", "processes") if model.arithmetic.name == "portable" else ()
    stored = {name: value for name, value in without_folders(settings).items() if name not in left_out}
    last = {name: value for name, value in (history.rows or [{}])[-1].items() if name not in ("epoch", "seconds")}
    save_model(model, path, recipe=stored, training={"epochs": len(history), "ended": ended, "last_epoch": last})


def save_figures(folder: Path, recipe: Recipe, network: MLP, history: History) -> None:
    """Draw the curves and the first layer's weights into the folder's figures/."""
    from numlp import plots

    title = f"{Path(recipe.data).stem} {'-'.join(str(width) for width in network.layer_size)}"
    several = recipe.n_networks > 1
    figures = {
        "weights": plots.weights(network, f"{title}{f', network 1 of {recipe.n_networks}' if several else ''}")
    }
    for name in ("loss", "accuracy", "r2"):
        if f"train_{name}" in history:
            mean = f", mean of {recipe.n_networks} networks" if several else ""
            figures[name] = plots.curves(history, name, f"{title}{mean}")
    save_drawings(folder, figures)


def save_drawings(folder: Path, figures: "Mapping[str, Figure]") -> None:
    """Write figures, by name, as PNG files to a run's figures/."""
    drawn = part_of(folder, FIGURES)
    try:
        drawn.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't create the folder {drawn}: {error.strerror or error}") from error
    for name, figure in figures.items():
        save_figure(figure, drawn / f"{name}.png")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    write_bytes(path, drawn.getvalue())


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Read a run's folder.

    Raises
    ------
    FileFormatError
        If it doesn't exist or isn't a run's folder, or a file in it is damaged.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileFormatError(f"there is no folder {folder}")
    for name in (RECIPE, HISTORY, METRICS):
        if not (folder / name).is_file():
            stands = how_it_stands(folder) or f"isn't a run's folder: it has no file {name}"
            unknown = f"{folder} {stands}"
            raise refused(folder, "a run's folder", ("run", "folder"), "", unknown=unknown)
    try:
        metrics = parse_json(read_text(part_of(folder, METRICS), limits.TEXT_BYTES))
        history = _history(part_of(folder, HISTORY))
        gradients = _history(part_of(folder, GRADIENTS)) if (folder / GRADIENTS).is_file() else History()
        if not _is_metrics(metrics):
            raise ValueError("metrics.json doesn't hold a run's metrics")
    except FileFormatError:
        raise
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{folder} is damaged: {error}") from error
    return Run(folder, load_recipe(part_of(folder, RECIPE)), history, metrics, gradients)


def _is_metrics(metrics: Any) -> bool:
    """Return whether the entries of metrics.json that are present have the types that `save_run` writes."""
    if not isinstance(metrics, dict):
        return False
    parts = [metrics.get(part) or {} for part in ("train", "validation", "test")]
    if not all(isinstance(part, dict) for part in [*parts, metrics.get("versions", {})]):
        return False
    numbers = [
        *(value for part in parts for value in part.values()),
        metrics.get("seconds"),
        metrics.get("parameters"),
    ]
    return all(isinstance(value, int | float | None) for value in numbers)


def _history(path: Path) -> History:
    try:
        return from_csv(read_text(path, limits.TEXT_BYTES))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
