"""Comparison: whether the losses of several runs may stand side by side."""

import warnings
from collections.abc import Iterable

import numpy as np

from numlp.errors import FileFormatError, NumlpWarning
from numlp.files.models import load_model
from numlp.network.predictor import Predictor
from numlp.runs.folder import Run
from numlp.runs.unfinished import model_path


def loss_note(runs: Iterable[Run]) -> str:
    """Return why the losses of runs can't be compared, as a sentence for people; an empty text if they can.

    They can't if the runs have different loss functions, or if different training rows scaled their targets. Runs
    without a model file are taken for comparable.
    """
    models = [model for run in runs if (model := _model(run)) is not None]
    if any(model.loss != models[0].loss for model in models):
        return "the runs use different loss functions, whose values can't be compared: compare the other metrics"
    scales = [model.target_scaling for model in models]
    if any(
        not np.array_equal(getattr(scale, part), getattr(scales[0], part))
        for scale in scales
        for part in ("shift", "factor")
    ):
        return (
            "the losses are of targets that different training rows scaled, and can't be compared: "
            "compare the other metrics"
        )
    return ""


def _model(run: Run) -> Predictor | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumlpWarning)  # whoever compares says how the trainings ended
        try:
            return load_model(model_path(run.folder))
        except FileFormatError:
            return None
