"""Tables: fitting with a preset, which takes frames as they are and trains a network on each of several folds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_y, check_consistent_length, column_or_1d, validate_data

from numlp.arrays.inputs import refuse_masked
from numlp.arrays.randomness import member_seed
from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table, as_table, gaps_in, is_gap
from numlp.data.rows import Rows
from numlp.data.teacher import learned_by
from numlp.datasets.splits import Fold, folds, hold_out, usual_share
from numlp.errors import DataError, DivergenceError, NumlpError
from numlp.network.encoder import ENCODINGS
from numlp.network.encoding import Encoding
from numlp.network.mlp import MLP
from numlp.network.scaling import standardize
from numlp.settings.named import resolve
from numlp.sklearn.held_out import checked_weights, weighted
from numlp.sklearn.networks import seed_of
from numlp.sklearn.parameters import defaults_of
from numlp.sklearn.presets import preset_settings
from numlp.training.callbacks import TimeBudget
from numlp.training.folds import calibrate_folds, train_folds
from numlp.training.state import Callback, TrainingState

_NETWORK = (
    *("activation", "initializer", "normalization", "dropout", "input_dropout", "noise", "input_noise", "dtype"),
    *("arithmetic",),
)
_TRAINING = (
    *("learning_rate", "schedule", "batch_size", "epochs", "optimizer", "label_smoothing", "mixup", "adversarial"),
    *("l1", "l2", "max_norm", "clip_norm", "clip_value", "averaging"),
)
_OF_THE_FIT = ("processes", "team", "teacher", "distillation")


def as_columns(estimator: Any, X: Any, *, reset: bool) -> Table:
    """Return X as a table, after scikit-learn's checks of its features and their names."""
    if isinstance(X, np.ma.MaskedArray) and X.dtype.kind in "buif":
        X = np.ma.filled(X.astype(np.float64), np.nan)
    refuse_masked(X, "X")
    if isinstance(X, list | tuple):
        X = np.array(X, dtype=object)  # each column keeps its kind
    if isinstance(X, Table):  # whose names scikit-learn doesn't know
        if not reset:
            encoding: Encoding = estimator.network_.input_encoding
            return encoding.lined_up(X)
        estimator.n_features_in_, estimator.feature_names_in_ = X.shape[1], np.array(X.columns, dtype=object)
    elif hasattr(X, "columns"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    else:
        X = validate_data(estimator, X, dtype=None, ensure_all_finite="allow-nan", reset=reset)
    table = as_table(X, "X")
    if not len(table):
        raise ValueError(f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is required.")
    return table


@contextmanager
def naming_the_preset(estimator: Any, X: Any) -> Iterator[None]:
    """Add to an error about X which column needs the preset "table", if one does."""
    try:
        yield
    except (TypeError, ValueError) as error:
        found = _beyond_numbers(X)
        if found is None:
            raise
        hint = f"X {found}: {type(estimator).__name__}(preset='table') takes texts, categories, dates and gaps."
        raise type(error)(f"{error}\n{hint}") from error


def _beyond_numbers(X: Any) -> str | None:
    """Return what a table of numbers wouldn't hold, or None if nothing of X can be told."""
    try:
        table = as_table(X)
    except (NumlpError, TypeError, ValueError):
        return None
    for name, kind in table.kinds.items():
        if kind != "number" or gaps_in(table[name]).any():
            return f"has {'gaps' if kind == 'number' else f'{kind}s'} in column {name!r}"
    return None


def lined_up(table: Table, encoding: Encoding) -> Table:
    """Return a table with the names of an encoding's columns, which come in the same order."""
    return Table(dict(zip(encoding.names, (table[name] for name in table), strict=True)))


def fit_table(estimator: Any, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any]) -> None:
    """Fit an estimator with a preset: learn the encoding, train a network on each fold, and average the networks."""
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)  # what an earlier fit has learned
    table, y = _checked(estimator, X, y, reset=True)
    estimator._learn_targets(y, one_epoch=False)
    targets = estimator._encode(y)
    rows = Rows(table, targets, checked_weights(y, sample_weight))  # type: ignore[arg-type]  # until it is encoded
    rows = weighted(rows, estimator._class_factors(y, targets))
    if rows.weights is not None and not rows.weights.all():
        rows = rows.taken(np.flatnonzero(rows.weights))  # a row without weight is as good as absent
    seed = _seed(estimator.random_state)
    settings = preset_settings(estimator._parameters(), defaults_of(type(estimator)), rows.x.shape)
    folds_of = _folds(rows.targets, settings["folds"], seed)
    seeds = [member_seed(seed, number) for number in range(len(folds_of))]
    networks = _networks(estimator, rows, settings, seeds)
    rows = _encoded(networks[0], rows)
    given = _given(estimator, networks[0], *validation)
    if given is not None:
        rows, folds_of = _joined(rows, given, len(networks))
    try:
        folded = train_folds(
            networks,
            rows,
            folds_of,
            seeds=seeds,
            patience=settings["patience"],
            min_delta=settings.get("min_delta", 0.0),
            after_step=_budgets(estimator.time_budget, len(networks)),
            after_epoch=lambda number: [*_printing(estimator, number), *(estimator.callbacks or ())],
            progress=bool(estimator.progress),
            **{name: value for name, value in estimator._parameters().items() if name in _OF_THE_FIT},
            **{name: settings[name] for name in _TRAINING if name in settings},
        )
    except DivergenceError as error:
        raise ValueError(f"{error} (with preset={estimator.preset!r}: lower learning_rate_init)") from error
    loss = folded.model.loss
    if loss.promised or (settings["folds"] and loss.task != "regression"):  # as `numlp train` does by default
        with suppress(DataError):  # too few rows for intervals
            calibrate_folds(folded)
    estimator._begin(folded.model)
    estimator.histories_ = [history.rows for history in folded.histories]
    estimator.n_iter_ = max(len(history.rows) for history in folded.histories)


def _checked(estimator: Any, X: Any, y: Any, *, reset: bool) -> tuple[Table, Any]:
    if y is None:
        validate_data(estimator, X, y, skip_check_array=True, reset=reset)  # raises
    refuse_masked(y, "y")
    values = np.asarray(y)
    gaps = [row for row, value in enumerate(values) if is_gap(value)] if values.dtype.kind == "O" else []
    if gaps and values.ndim == 1:
        raise ValueError(f"y has a gap, first in row {gaps[0]}; remove or fill such rows")
    table = as_columns(estimator, X, reset=reset)
    numeric = estimator.__sklearn_tags__().estimator_type == "regressor"
    y = _check_y(y, multi_output=True, y_numeric=numeric, estimator=estimator)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    check_consistent_length(table, y)
    return table, y


def _seed(random_state: Any) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return seed_of(check_random_state(random_state))


def _folds(targets: AnyArray, k: int | None, seed: int) -> tuple[Fold, ...]:
    """Return the rows that train and those that validate, for each network; a single pair without k."""
    n = len(targets)
    if n < 2:
        raise ValueError(f"n_samples={n} can't be split into training and validation rows; give at least 2")
    if k is None:
        return (hold_out(n, usual_share(n), seed, targets=targets),)
    return folds(n, min(k, n), seed, targets=targets)


def _networks(estimator: Any, rows: Rows, settings: dict[str, Any], seeds: Sequence[int]) -> list[MLP]:
    """Return untrained networks with one encoding and one scaling of the targets."""
    table: Any = rows.x
    loss = estimator._resolved_loss()
    learned: dict[str, Any] = {}
    if estimator.teacher is not None:
        learned = learned_by(estimator.teacher, len(table.columns), loss)
    else:
        learned["input_encoding"] = resolve("input_encoding", settings["input_encoding"], ENCODINGS).learn(table)
        learned["target_scaling"] = standardize(rows.targets) if loss.scales_targets else None
    shared = {
        "loss": loss,
        "input_shape": (len(table.columns),),
        **learned,
        "class_names": estimator._class_names(),
        **{name: settings[name] for name in _NETWORK if name in settings},
    }
    sizes = [len(table.columns), *settings["layers"], estimator.n_outputs_ * loss.blocks]
    return [MLP(sizes, seed=seed, **shared) for seed in seeds]


def _encoded(network: MLP, rows: Rows) -> Rows:
    """Return rows of a table as a network takes them."""
    targets = network.as_targets(rows.targets, None) if network.loss.task == "regression" else rows.targets
    return rows._replace(x=network.features(rows.x, training=True), targets=targets)


def _given(estimator: Any, network: MLP, X: Any, y: Any, sample_weight: Any) -> Rows | None:
    """Return the validation rows that the caller gave, or None."""
    if X is None:
        return None
    table, y = _checked(estimator, X, y, reset=False)
    assert network.input_encoding is not None
    x: Any = lined_up(table, network.input_encoding)
    return _encoded(network, Rows(x, estimator._encode(y), checked_weights(y, sample_weight)))


def _joined(rows: Rows, given: Rows, k: int) -> tuple[Rows, tuple[Fold, ...]]:
    """Return training and validation rows together, and for each of k networks which are which."""
    n, m = len(rows.targets), len(given.targets)
    weights = [np.ones(len(part.targets)) if part.weights is None else part.weights for part in (rows, given)]
    joined = Rows(
        np.concatenate([rows.x, given.x]), np.concatenate([rows.targets, given.targets]), np.concatenate(weights)
    )
    return joined, (Fold(np.arange(n), np.arange(n, n + m)),) * k


def _budgets(seconds: float | None, k: int) -> Callable[[int], list[Callback]]:
    """Return what gives each of k networks its share of the time that is left."""
    if seconds is None:
        return lambda number: []
    end = time.monotonic() + seconds
    return lambda number: [TimeBudget(max((end - time.monotonic()) / (k - number), 1e-3))]


def _printing(estimator: Any, number: int) -> list[Callback]:
    if not estimator.verbose:
        return []

    def show(state: TrainingState) -> None:
        row = state.history.rows[-1]
        print(  # noqa: T201
            f"Network {number + 1}, iteration {state.epoch}, loss = {row['train_loss']:.8f}, "
            f"validation loss = {row['validation_loss']:.8f}"
        )

    show.writes = True  # type: ignore[attr-defined]  # on rank 0 alone
    return [show]
