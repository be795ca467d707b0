"""Again: what a page needs to train a small portable run once more in the reader's browser, and compare the bytes."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.table import Table, kind_of
from numlp.data.pictures import picture_shape
from numlp.datasets import AnySplit, Dataset
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.runs.folder import Run
from numlp.runs.paths import without_folders
from numlp.runs.unfinished import model_path
from numlp.version import __version__

MOST_BYTES = 200_000  # of training and validation rows
_BEYOND = (
    *("augmentation", "adversarial", "class_weight", "patience", "time_budget", "weights", "input_encoding"),
    "teacher",
)


def again(run: Run, model: Predictor, dataset: Dataset | None) -> dict[str, Any] | str:
    """Return what the page's script trains with and the digest that it must reach; or why the page can't train."""
    recipe = run.recipe
    if recipe.arithmetic != "portable":
        return "it was trained in ordinary arithmetic, whose last bits depend on the machine"
    beyond = [name.replace("_", " ") for name in _BEYOND if getattr(recipe, name)]
    if not isinstance(model, MLP) or recipe.folds is not None:
        return "it has several networks"
    if beyond:
        return f"the page's engine knows nothing of {', '.join(beyond)}"
    if run.metrics.get("ended") != "completed" or "calibration" in run.metrics:
        return "it was calibrated, or not trained to the end"
    written = (run.metrics.get("versions") or {}).get("numlp")
    if written != __version__:
        return f"numlp {written} trained it, and numlp {__version__} wrote this page"
    if dataset is None:
        return "its data could not be loaded when the page was written"
    parts = {"train": dataset.train, "validation": dataset.validation}
    if isinstance(dataset.train.x, Table):
        columns = [part.x[name] for part in parts.values() for name in part.x.columns]
        if any(kind_of(values) != "number" for values in columns):
            return "its table has columns of texts or dates, and the page's engine trains on numbers"
        size = sum(8 * len(values) for values in columns)
    elif dataset.train.x.dtype == np.uint8 and picture_shape(model) is not None:
        size = sum(part.x.size for part in parts.values())
    else:
        return "the page's engine trains on tables of numbers and on images of bytes alone"
    if size > MOST_BYTES:
        return f"its rows take {size / 1000:,.0f} KB, and a page holds at most {MOST_BYTES / 1000:.0f}"
    left_out = ("threads", "processes")
    stored = {name: value for name, value in without_folders(recipe.as_dict()).items() if name not in left_out}
    rows = {part: _rows(split, model) for part, split in parts.items()}
    return {
        "recipe": stored,
        "data": {
            "name": recipe.data,
            "features": model.layer_size[0],
            "columns": dataset.feature_names,
            "shape": list(dataset.train.x.shape[1:]),
            "classes": model.class_names,
            **rows["train"],
            "validation": rows["validation"],
        },
        "digest": hashlib.sha256(model_path(run.folder).read_bytes()).hexdigest(),
    }


def _rows(split: AnySplit, model: MLP) -> dict[str, str]:
    x: Any = split.x
    if isinstance(x, Table):
        x = np.stack([x[name].astype(np.float64) for name in x.columns], axis=1)
    targets = split.y.astype("<i4" if model.class_names else "<f8")
    return {"x": _encoded(x), "y": _encoded(targets)}


def _encoded(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
