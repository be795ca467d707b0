"""Folds: how a run's networks do on the rows that they haven't trained on."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.data.rows import check_rows
from numlp.datasets import Dataset
from numlp.errors import SettingError
from numlp.files.atomic import write_bytes
from numlp.network.ensemble import Ensemble
from numlp.network.predictor import Predictor
from numlp.training.folds import Folded

Metrics = Mapping[str, float | None]


def folded(model: Predictor, dataset: Dataset) -> Folded:
    """Return a trained model with the logits of each row by the networks that it validated, at their temperature.

    Parameters
    ----------
    model : MLP or Ensemble
        Of a run with folds; if that ended early, of its first networks.
    dataset : Dataset
        With folds.
    """
    if not dataset.folds:
        raise SettingError(f"{dataset.name} has no folds: train with --folds")
    by_fold = networks_of_folds(model, dataset)
    rows = check_rows(by_fold[0], dataset.train, model.class_names)
    logits = np.full((rows.x.shape[0], model.layer_size[-1]), np.nan, model.dtype)
    for network, fold in zip(by_fold, dataset.folds, strict=False):
        logits[fold.validation] = np.concatenate(list(network.chunks(rows.x[fold.validation])))
    return Folded(model if isinstance(model, Ensemble) else by_fold[0], rows, logits, ())


def networks_of_folds(model: Predictor, dataset: Dataset) -> list[Ensemble]:
    """Return for each fold the networks that it validated."""
    members: Any = model.members if isinstance(model, Ensemble) else (model,)
    k = min(len(dataset.folds), len(members))
    return [Ensemble(members[i :: len(dataset.folds)]) for i in range(k)]


def mean_and_error(metrics: Sequence[Metrics]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Return the mean of each metric over the folds, and its standard error; None where a fold has none.

    >>> mean_and_error([{"accuracy": 0.5}, {"accuracy": 0.75}])
    ({'accuracy': 0.625}, {'accuracy': 0.125})
    """
    means: dict[str, float | None] = {}
    errors: dict[str, float | None] = {}
    for name in metrics[0]:
        values = [value for fold in metrics if (value := fold[name]) is not None]
        whole = len(values) == len(metrics)
        means[name] = fmean(values) if whole else None
        errors[name] = stdev(values) / math.sqrt(len(values)) if whole and len(values) > 1 else None
    return means, errors


def write_out_of_fold(path: Path, found: Folded, dataset: Dataset) -> None:
    """Write the predictions for all rows that a fold validates, by networks that haven't trained on them, as CSV.

    The columns are the row's number in its file, from 0, its fold, its target, the prediction, and the
    probability of every class.
    """
    fold_of = np.full(len(found.logits), -1)
    for number, fold in enumerate(dataset.folds):
        fold_of[fold.validation] = number
    index = np.flatnonzero(found.validated)
    columns: dict[str, AnyArray] = {
        "row": dataset.numbers_of("training")[index],
        "fold": fold_of[index],
        "target": dataset.train.y[index],
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns |= _predictions(found, index)
    if dataset.class_names is not None and columns["target"].ndim == 1:
        columns["target"] = np.array(dataset.class_names, dtype=object)[columns["target"].astype(int)]
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    write_bytes(path, text.getvalue().encode())


def _predictions(found: Folded, index: AnyArray) -> dict[str, AnyArray]:
    model, logits = found.model, found.logits[index]
    if model.loss.task == "regression":
        linked = model.link(logits).reshape(len(logits), model.loss.blocks, model.n_targets)
        values = model.loss.unscale(linked, model.target_scaling)
        return {
            f"{name}{f' {i + 1}' if model.n_targets > 1 else ''}": values[:, block, i]
            for i in range(model.n_targets)
            for block, name in enumerate(model.loss.block_names)
        }
    shares = model.probabilities(logits)
    names = np.array(model.classes, dtype=object)
    several = model.loss.task == "labels" and model.n_targets > 1
    chosen: dict[str, AnyArray] = {} if several else {"class": names[shares.argmax(axis=1)]}
    return chosen | {f"probability of {name}": shares[:, i] for i, name in enumerate(names)}
