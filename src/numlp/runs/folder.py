"""A run's folder: recipe.toml, history.csv, gradients.csv, metrics.json, model.safetensors and figures/."""

import dataclasses
import io
import itertools
import json
import math
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numlp.data.weights import ClassWeight
from numlp.datasets import AnySplit, Dataset
from numlp.errors import FileFormatError, NumlpError, OutputError, SettingError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.files.models import save_model
from numlp.judging.evaluation import class_weights_of, evaluate
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe
from numlp.settings import limits
from numlp.settings.texts import parse_json, read_text
from numlp.training.calibration import calibrate
from numlp.training.history import History, from_csv, to_csv
from numlp.training.threads import count, limited
from numlp.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECIPE = "recipe.toml"
MODEL = "model.safetensors"
SNAPSHOTS = "snapshots.safetensors"
GRADIENTS = "gradients.csv"


@dataclass(frozen=True)
class Run:
    """What a run's folder holds, the weights aside."""

    folder: Path
    recipe: Recipe
    history: History
    metrics: dict[str, Any]
    gradients: History  # norms by layer, without epochs where the run measured none


def create_folder(recipe: Recipe, output: str | os.PathLike[str] | None = None) -> Path:
    """Make the folder of a run, and write its recipe into it.

    Parameters
    ----------
    recipe : Recipe
    output : path, optional
        A folder that does not exist yet; by default ``runs/<date>-<data>-<layers>``, made different from those that
        there are.

    Raises
    ------
    OutputError
        If the folder exists already or can't be made.
    """
    wanted = _default_folder(recipe) if output is None else Path(output)
    toml = recipe.to_toml().encode()
    # Another run may take a name in the same instant: a name is free only if the folder could be made.
    for folder in [wanted] if output is not None else numbered(wanted):
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError as error:
            if output is not None or not os.path.lexists(folder):
                raise OutputError(f"{folder} exists already: name another output folder, or remove it") from error
        except OSError as error:
            raise OutputError(f"can't make the folder {folder}: {error.strerror or error}") from error
    write_bytes(folder / RECIPE, toml)
    return folder


def _default_folder(recipe: Recipe) -> Path:
    widths = "-".join(str(width) for width in recipe.layers) or "linear"
    data = Path(recipe.data).stem.replace(".", "-")
    return Path("runs", f"{time.strftime('%Y-%m-%d-%H%M%S')}-{data}-{widths}")


def numbered(path: Path) -> Iterator[Path]:
    """Yield the path itself, then name-2, name-3 …"""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def free_path(path: Path) -> Path:
    """Return the path itself if nothing is there, else the first of name-2, name-3 … that is free."""
    return next(candidate for candidate in numbered(path) if not candidate.exists())


def new_figure_path(path: Path | None, default: str) -> Path:
    """Return where a new figure goes: the path if it can be one, or the default's name or the next free one.

    Raises
    ------
    SettingError, OutputError
    """
    if path is None:
        return free_path(Path(default))
    if path.suffix.lower() != ".png":
        raise SettingError(f"--output must be a .png file, not {path}")
    if path.exists():
        raise OutputError(f"{path} exists already: name another file, or remove it")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}: make it, or name another file")
    return path


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
) -> dict[str, Any]:
    """Calibrate a trained model if its recipe says so, judge it, and write all but the recipe into the run's folder.

    Parameters
    ----------
    folder : path
        Made by `create_folder`.
    recipe, model, dataset
    history : History
        Of an ensemble, the mean of its members'.
    seconds : float
        How long the training took, validation included.
    ended : "completed", "interrupted" or "diverged"
    gradients : History, optional
        As `numlp.training.callbacks.GradientNorms` records them.

    Returns
    -------
    dict
        What metrics.json holds: for "train", "validation" and "test" the loss and the accuracy (or R²), None where
        there are no test rows; "epochs", "seconds", "parameters", "ended", "threads" and "versions"; and
        "calibration" where that was asked for.
    """
    # The class weights of the training, "balanced" ones too, in every figure.
    weights = None if recipe.class_weight is None else class_weights_of(model, dataset.train, recipe.class_weight)
    networks = model.members if isinstance(model, Ensemble) else (model,)
    calibration = _calibrated(model, dataset) if recipe.calibrate else None
    save_model(model, folder / MODEL, recipe=_without_folders(recipe), training=_summary(history, ended))
    write_bytes(folder / "history.csv", to_csv(history).encode())
    if gradients:
        write_bytes(folder / GRADIENTS, to_csv(gradients).encode())
    with limited(recipe.threads if isinstance(recipe.threads, int) else None):
        threads = count()  # more than the BLAS can have may have been asked for
    metrics = {
        "train": judge(model, dataset.train, weights),
        "validation": judge(model, dataset.validation, weights),
        "test": None if dataset.test is None else judge(model, dataset.test, weights),
        "epochs": len(history),
        "seconds": round(seconds, 3),
        "parameters": sum(network.params.size for network in networks),
        "ended": ended,
        "threads": threads,
        "versions": {"numlp": __version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    if calibration is not None:
        metrics["calibration"] = calibration
    write_bytes(folder / "metrics.json", (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())
    save_figures(folder, recipe, networks[0], history)
    return metrics


def _calibrated(model: MLP | Ensemble, dataset: Dataset) -> dict[str, Any]:
    """Calibrate a model, and say what came of it: where it can't be done, the training is not lost for that."""
    try:
        return dataclasses.asdict(calibrate(model, dataset.validation))
    except NumlpError as error:
        return {"failed": str(error)}


def _summary(history: History, ended: str) -> dict[str, Any]:
    """Return what a model file says of its training: nothing that differs when the training is repeated."""
    last = {name: value for name, value in (history.rows or [{}])[-1].items() if name not in ("epoch", "seconds")}
    return {"epochs": len(history), "ended": ended, "last_epoch": last}


def _without_folders(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe whose files have no folders: a model that is passed on should not tell where it was made."""
    settings = recipe.as_dict()
    files = {name: Path(value).name for name, value in settings.items() if isinstance(value, str) and os.sep in value}
    return settings | files


def judge(predictor: Predictor, rows: AnySplit, class_weight: ClassWeight | None = None) -> dict[str, float | None]:
    """Return the figures of a predictor as JSON can hold them: None where a ruined network's are not finite."""
    figures = evaluate(predictor, rows, class_weight=class_weight)
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def save_figures(folder: Path, recipe: Recipe, network: MLP, history: History) -> None:
    """Draw the curves and the first layer's weights into the folder's figures/."""
    from numlp import plots

    title = f"{Path(recipe.data).stem} {'-'.join(str(width) for width in network.layer_size)}"
    several = recipe.ensemble > 1
    figures = {"weights": plots.weights(network, f"{title}{f', network 1 of {recipe.ensemble}' if several else ''}")}
    for name in ("loss", "accuracy", "r2"):
        if f"train_{name}" in history:
            mean = f", mean of {recipe.ensemble} networks" if several else ""
            figures[name] = plots.curves(history, name, f"{title}{mean}")
    save_drawings(folder, figures)


def save_drawings(folder: Path, figures: "Mapping[str, Figure]") -> None:
    """Write figures as PNG files into a run's figures/, by the names that they get there."""
    drawn = part_of(folder, "figures")
    try:
        drawn.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make the folder {drawn}: {error.strerror or error}") from error
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
        If it is no folder of a run, or a file in it is damaged.
    """
    folder = Path(folder)
    for name in (RECIPE, "history.csv", "metrics.json"):
        if not (folder / name).is_file():
            raise FileFormatError(f"{folder} is no run: it has no file {name}")
    try:
        metrics = parse_json(read_text(part_of(folder, "metrics.json"), limits.TEXT_BYTES))
        history = _history(part_of(folder, "history.csv"))
        gradients = _history(part_of(folder, GRADIENTS)) if (folder / GRADIENTS).is_file() else History()
        if not _is_metrics(metrics):
            raise ValueError("metrics.json does not hold what it should")
    except FileFormatError:
        raise
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{folder} is damaged: {error}") from error
    return Run(folder, load_recipe(part_of(folder, RECIPE)), history, metrics, gradients)


def _is_metrics(metrics: Any) -> bool:
    """Tell whether what was in metrics.json has the kinds that `save_run` writes, as far as it is there."""
    if not isinstance(metrics, dict):
        return False
    parts = [metrics.get(part) or {} for part in ("train", "validation", "test")]
    if not all(isinstance(part, dict) for part in [*parts, metrics.get("versions", {})]):
        return False
    figures = [
        *(value for part in parts for value in part.values()),
        metrics.get("seconds"),
        metrics.get("parameters"),
    ]
    return all(isinstance(value, int | float | None) for value in figures)


def model_path(run_or_model: str | os.PathLike[str]) -> Path:
    """Return the model file of a run's folder, or the path itself if it is none."""
    path = Path(run_or_model)
    return part_of(path, MODEL) if path.is_dir() else path


def _history(path: Path) -> History:
    try:
        return from_csv(read_text(path, limits.TEXT_BYTES))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
