"""The recipes that come with numlp, and training from a recipe."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays.inputs import as_rows
from numlp.arrays.randomness import member_seed
from numlp.arrays.sparse import is_sparse
from numlp.arrays.table import Table
from numlp.arrays.targets import check_several_classes
from numlp.data.chunked import Chunked, chunks_of
from numlp.data.teacher import learned_by
from numlp.datasets import AnySplit, Dataset, load_dataset, parts_in
from numlp.datasets.validation import Folds
from numlp.errors import FileFormatError, SettingError
from numlp.files.folders import part_of
from numlp.files.kinds import refused
from numlp.network.encoder import ENCODINGS, ColumnEncoder
from numlp.network.ensemble import Ensemble
from numlp.network.losses import LOSSES, Loss, Task
from numlp.network.mlp import MLP
from numlp.network.moments import Moments
from numlp.network.scaling import SCALINGS, standardize, standardized
from numlp.parallel.ranks import Ranks
from numlp.runs.parallelism import step_settings, with_timed_numbers
from numlp.runs.recipe import OFF, Recipe
from numlp.runs.teachers import teacher_of
from numlp.settings import limits
from numlp.settings.checks import unknown
from numlp.settings.named import resolve
from numlp.settings.texts import parse_toml, read_text
from numlp.training.callbacks import EarlyStopping, TimeBudget
from numlp.training.history import History
from numlp.training.progress import Progress
from numlp.training.recipes import FOLDER, recipe_names
from numlp.training.sizes import table_settings
from numlp.training.state import Callback
from numlp.training.threads import limited
from numlp.training.training import train

_KEPT = 64  # the part of the memory that numbers fill of which quantiles are taken, a byte for each eight
_FEW_ROWS = 10_000  # with fewer, an epoch has too few steps for the recipe "default"
_USUAL_LOSSES = {
    "classification": "softmax_cross_entropy",
    "labels": "sigmoid_binary_cross_entropy",
    "regression": "squared_error",
}


def load_recipe(name: str | os.PathLike[str]) -> Recipe:
    """Load a recipe by name, from a TOML file, or from a run's folder.

    Raises
    ------
    SettingError
        If there is no recipe of that name, or a setting in it is unknown or out of range.
    FileFormatError
        If the file isn't valid TOML, or can't be read.

    Examples
    --------
    >>> load_recipe("reference").layers
    (256, 256, 256)
    """
    name = os.fspath(name)
    path = FOLDER / f"{name}.toml" if name in recipe_names() else Path(name)
    if path.is_dir():
        path = part_of(path, "recipe.toml")
    try:
        settings = parse_toml(read_text(path, limits.RECIPE_BYTES))
    except FileNotFoundError as error:
        raise SettingError(
            unknown("recipe", name, recipe_names()) + "; or name a TOML file or a run's folder"
        ) from error
    except OSError as error:
        raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
    except ValueError as error:
        invalid = f"{path} isn't valid TOML: {error}"
        raise refused(path, "a recipe", ("recipe",), error, unknown=invalid) from error
    try:
        return Recipe.from_dict(settings)
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error


def fitting_recipe(rows: AnySplit, task: Task) -> str:
    """Return the name of the default recipe for training rows."""
    x: Any = rows.x
    of_table = isinstance(x, Table) or x.shape[0] < _FEW_ROWS or task == "regression"
    return "table" if of_table else "default"


def sized(dataset: Dataset, validation: float | str | None = None) -> dict[str, Any]:
    """Return the settings of the recipe "table" that follow from the size of a data set, for `Recipe.edited`.

    The rows of a `validation` file, or of the data's own validation part, never train, so they don't count.
    """
    apart = isinstance(validation, str) or "validation" in parts_in(dataset.name, dataset.reading)
    rows = dataset.rows["training"] + (0 if apart else dataset.rows.get("validation", 0))
    settings = table_settings(rows, dataset.n_features)
    if not isinstance(dataset.held("training").x, Table):
        del settings["input_encoding"]  # arrays of numbers are scaled
    return {name: OFF if value is None else value for name, value in settings.items()}


def load_data(recipe: Recipe, folds: Folds = None) -> Dataset:
    """Load the data that a recipe names, split into the recipe's folds unless others are given."""
    return load_dataset(
        recipe.data,
        target=recipe.target,
        inputs=recipe.inputs,
        task=recipe.known_task,
        validation=recipe.validation,
        validation_by=recipe.validation_by,
        split=recipe.split,
        seed=recipe.seed,
        folds=folds or recipe.folds,
        test=recipe.test,
        weights=recipe.weights,
        drop=recipe.drop,
        keep=recipe.keep,
        kind=recipe.kind,
        missing=recipe.missing,
        decimal=recipe.decimal,
        thousands=recipe.thousands,
        header=recipe.header,
        drop_missing_target=recipe.drop_missing_target,
        day_first=recipe.day_first,
        memory=recipe.memory,
    )


def make_network(recipe: Recipe, dataset: Dataset, *, member: int = 0) -> MLP:
    """Return an untrained network for a data set, with scalings computed from its training rows.

    Parameters
    ----------
    recipe : Recipe
    dataset : Dataset
    member : int
        The network's number in its ensemble; each network has its own seed.
    """
    loss = _loss(recipe, dataset)
    recipe.check_task(loss.task)
    calibrates(recipe, loss)
    teacher = teacher_of(recipe)
    learned = _learned(recipe, loss, dataset) if teacher is None else learned_by(teacher, dataset.n_features, loss)
    x = dataset.held("training").x
    return MLP(
        [dataset.n_features, *recipe.layers, _n_outputs(loss, dataset)],
        activation=recipe.activation,
        loss=loss,
        input_features=recipe.input_features,
        initializer=recipe.initializer,
        normalization=recipe.normalization,
        dropout=recipe.dropout,
        input_dropout=recipe.input_dropout,
        noise=recipe.noise,
        input_noise=recipe.input_noise,
        dtype=recipe.dtype,
        arithmetic=recipe.arithmetic,
        seed=member_seed(recipe.seed, member),
        **learned,
        input_shape=x.shape[1:],
        feature_names=dataset.feature_names,
        class_names=dataset.class_names,
    )


def _learned(recipe: Recipe, loss: Loss, dataset: Dataset) -> dict[str, Any]:
    """Return the scalings, or the encoding of a table's columns, that a network learns in one pass over the rows."""
    train: Any = dataset.train
    encoder = _encoder(recipe, dataset.held("training").x)
    most = None if not isinstance(train, Chunked) else train.memory // _KEPT
    columns = None if encoder is None else encoder.learner(dataset.rows["training"], most)
    scaling = SCALINGS[recipe.input_scaling]
    inputs, targets = Moments(), Moments()
    for x, y, *_ in chunks_of(train):
        if columns is not None:
            columns.see(x)
        elif scaling is standardize:
            inputs.see(x)
        if loss.scales_targets:
            targets.see(as_rows(y, "y"))
    if columns is None:
        inputs_scaled = standardized(inputs) if scaling is standardize else scaling(dataset.held("training").x)
    return {
        "input_scaling": inputs_scaled if columns is None else None,
        "input_encoding": None if columns is None else columns.encoding(),
        "target_scaling": standardized(targets) if loss.scales_targets else None,
    }


def _encoder(recipe: Recipe, x: Any) -> ColumnEncoder | None:
    """Return what encodes a table's columns, or rows of numbers if the recipe names it."""
    if isinstance(x, Table):
        return resolve("input_encoding", recipe.input_encoding or "columns", ENCODINGS)
    of_numbers = recipe.input_encoding is not None and not is_sparse(x) and x.ndim == 2 and x.dtype != np.uint8
    return resolve("input_encoding", recipe.input_encoding, ENCODINGS) if of_numbers else None


def _loss(recipe: Recipe, dataset: Dataset) -> Loss:
    if recipe.loss is not None:
        return resolve("loss", recipe.loss, LOSSES)
    return LOSSES[_USUAL_LOSSES[dataset.task]]()


def calibrates(recipe: Recipe, loss: Loss) -> bool:
    """Return whether a recipe calibrates a network with this loss: by default intervals, and what folds average.

    An average is less sure than its networks, and where most predictions are right, less than it may be.
    """
    if recipe.calibrate and loss.task == "regression" and not loss.promised:
        raise SettingError(
            f"calibrate has no meaning for loss {loss.name!r}, which predicts neither probabilities nor intervals: "
            "turn it off, or take the loss 'quantile' or 'gaussian_negative_log_likelihood'"
        )
    usual = bool(loss.promised) or (recipe.folds is not None and loss.task != "regression")
    return usual if recipe.calibrate is None else recipe.calibrate


def _n_outputs(loss: Loss, dataset: Dataset) -> int:
    if loss.task == "labels" and dataset.class_names is not None:
        if len(dataset.class_names) != 2:
            raise SettingError(
                f"loss {loss.name!r} takes two classes, or rows of 0 and 1, not the "
                f"{len(dataset.class_names)} classes of {dataset.name}: use 'softmax_cross_entropy'"
            )
        return 1
    if loss.task == "classification" and dataset.n_targets == 1:
        check_several_classes(dataset.held("training").y)
    return dataset.n_targets * loss.blocks


def train_network(
    recipe: Recipe,
    network: MLP,
    dataset: Dataset,
    *,
    member: int = 0,
    after_step: Sequence[Callback] = (),
    after_epoch: Sequence[Callback] = (),
    resume: str | os.PathLike[str] | None = None,
    progress: bool | Progress = False,
    team: Ranks | None = None,
) -> History:
    """Train a network as a recipe says, with one process unless it names more."""
    recipe = with_timed_numbers(recipe, network, dataset)
    dataset, stopping = dataset.of_network(member), []
    if recipe.patience is not None:
        stopping.append(EarlyStopping(recipe.monitor, patience=recipe.patience, min_delta=recipe.min_delta))
    budget = [] if recipe.time_budget is None else [TimeBudget(recipe.time_budget)]
    processes, threads = (value if isinstance(value, int) else None for value in (recipe.processes, recipe.threads))
    with limited(threads):
        return train(
            network,
            dataset.train,
            validation=dataset.validation,
            learning_rate=recipe.learning_rate,
            schedule=recipe.schedule,
            epochs=recipe.epochs,
            seed=member_seed(recipe.seed, member),
            averaging=recipe.averaging,
            processes=processes or 1,
            team=team,
            after_step=[*budget, *after_step],
            after_epoch=[*stopping, *after_epoch],
            resume=resume,
            progress=progress,
            **step_settings(recipe),
        )


def train_model(recipe: Recipe, dataset: Dataset) -> MLP | Ensemble:
    """Train the network, or the ensemble, that a recipe describes."""
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.n_networks)]
    recipe = with_timed_numbers(recipe, networks[0], dataset)
    for member, network in enumerate(networks):
        train_network(recipe, network, dataset, member=member)
    return Ensemble(networks) if len(networks) > 1 else networks[0]
