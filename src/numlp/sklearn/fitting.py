"""Fitting: train the network of an estimator, by batches or by L-BFGS."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from numlp.arrays.exact import mean
from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.targets import target_rows
from numlp.data.rows import Rows
from numlp.data.teacher import as_teacher
from numlp.errors import DivergenceError, Interrupted
from numlp.network.mlp import MLP
from numlp.network.value_range import joined, value_range
from numlp.sklearn.batches import ShuffledBatches
from numlp.sklearn.convergence import Convergence
from numlp.sklearn.held_out import HeldOut
from numlp.sklearn.lbfgs import Objective, minimize
from numlp.sklearn.networks import make_network, seed_of
from numlp.sklearn.optimizers import make_optimizer
from numlp.sklearn.parameters import RATES
from numlp.training.callbacks import TimeBudget
from numlp.training.interruption import Interruption
from numlp.training.regularization import Average
from numlp.training.state import TrainingState
from numlp.training.training import train

_STEP_SETTINGS = ("adversarial", "l1", "max_norm", "clip_norm", "clip_value", "averaging")
_NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed. (The loss or a weight became NaN or infinite{where}: scale X, for example with "
    "input_scaling='standardize', scale y, or lower learning_rate_init={rate:g}.)"
)


def fit_batches(
    estimator: Any,
    rows: Rows,
    held_out: HeldOut | None,
    random_state: np.random.RandomState,
    parameters: dict[str, Any],
    one_epoch: bool,
) -> None:
    """Train by batches, for all epochs or for just one."""
    network = estimator.network_
    seed = seed_of(random_state)
    batches = _batches(rows, network, parameters, random_state, seed)
    score = _score_of(estimator, held_out) if estimator.early_stopping and held_out is not None else None
    convergence = Convergence(estimator, batches, held_out, score, one_epoch)
    state: TrainingState | None = estimator._state if one_epoch else None
    if state is None:
        estimator._rate, estimator._optimizer = float(estimator.learning_rate_init), make_optimizer(parameters)
    elif estimator.averaging:
        state.average = state.average or Average(network, estimator.averaging)
        state.average.decay = estimator.averaging
    else:
        state.average = None
    epochs = estimator.max_iter if state is None else max(estimator.max_iter, state.epoch + 1)
    estimator.n_iter_ = 0
    budget = [] if estimator.time_budget is None else [TimeBudget(estimator.time_budget)]
    ended_by: tuple[Any, ...] = ()
    try:
        train(
            network,
            batches,
            validation=None if held_out is None else held_out.rows,
            learning_rate=lambda step: estimator._rate,
            schedule="constant" if estimator.learning_rate in RATES else estimator.learning_rate,
            epochs=epochs,
            seed=seed,
            optimizer=estimator._optimizer,
            after_step=[convergence.count, *budget],
            after_epoch=[convergence, *(estimator.callbacks or ())],
            processes=parameters.get("processes", 1),
            team=parameters.get("team"),
            resume=state,
            progress=bool(estimator.progress),
            **{name: parameters[name] for name in _STEP_SETTINGS},
        )
        ended_by = estimator._state.ended_by
    except Interrupted as error:
        warnings.warn("Training interrupted by user.", stacklevel=4)
        if error.__cause__ is not None:
            estimator._state = None  # it ended at once: the optimizer may be in the midst of a step
    except DivergenceError as error:
        estimator._state = None  # the optimizer's state isn't finite either
        raise ValueError(_NOT_FINITE.format(where=f" in epoch {error.epoch}", rate=estimator._rate)) from error
    finally:
        if estimator._state is not None:
            estimator._state.callbacks = estimator._state.ended_by = ()  # callbacks hold the training data
    estimator.stopped_ = convergence.converged or any(each is not convergence for each in ended_by)
    if score is not None and estimator.validation_scores_ and (estimator.stopped_ or not one_epoch):
        _restore(estimator)
    if estimator.n_iter_ == estimator.max_iter and not (estimator.stopped_ or one_epoch):
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
            "converged yet.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _batches(
    rows: Rows, network: MLP, parameters: dict[str, Any], random_state: np.random.RandomState, seed: int
) -> ShuffledBatches:
    teacher = as_teacher(parameters["teacher"], parameters["distillation"])
    if teacher is not None:
        teacher.check(network, network.class_names)
    return ShuffledBatches(
        rows,
        random_state=random_state,
        shuffle=bool(parameters["shuffle"]),
        alpha=float(parameters["alpha"]),
        n_targets=network.n_targets,
        batch_size=_batch_size(parameters["batch_size"], int(rows.x.shape[0])),
        scaling=network.input_scaling,
        dtype=network.dtype,
        arithmetic=network.arithmetic,
        seed=seed,
        smoothing=parameters.get("label_smoothing", 0.0),
        rest=0.5 if network.loss.task == "labels" else 1 / network.n_targets,
        mixup=parameters["mixup"],
        teacher=teacher,
    )


def _restore(estimator: Any) -> None:
    """Give the network the weights that were best on the validation data."""
    if estimator.best_validation_score_ == -np.inf:
        warnings.warn(
            f"the validation score was {estimator.validation_scores_[-1]} in every epoch, so none was best: the last "
            "weights are kept; see `scoring`",
            stacklevel=5,
        )
    else:
        estimator.network_.params = estimator._best_params


def fit_lbfgs(estimator: Any, rows: Rows, parameters: dict[str, Any], interruption: Interruption) -> None:
    """Train by L-BFGS, in float64."""
    network: MLP = estimator.network_
    exact = network if network.dtype == np.float64 else _in_double(network, parameters)
    before = network.params.copy()
    exact.params = before
    x = rows.x if is_sparse(rows.x) else dense(rows.x)  # once, since every evaluation reads all rows
    rows = rows._replace(x=x, targets=target_rows(rows.targets, network.n_targets, np.float64))
    objective = Objective(exact, rows, float(estimator.alpha), interruption)
    try:
        estimator.loss_, estimator.n_iter_ = minimize(objective, parameters)
    except KeyboardInterrupt:
        network.params = before
        raise
    if not np.isfinite(exact.params).all():
        raise ValueError(_NOT_FINITE.format(where="", rate=estimator.learning_rate_init))
    network.params = exact.params
    found = value_range(rows.x)
    network.input_range = found if network.input_range is None else joined([network.input_range, found])


def _in_double(network: MLP, parameters: dict[str, Any]) -> MLP:
    sizes, loss, scaling = network.layer_size, network.loss, network.input_scaling
    return make_network(parameters, sizes, loss, np.float64, np.random.RandomState(0), input_scaling=scaling)


def _batch_size(batch_size: Any, n: int) -> int:
    if isinstance(batch_size, str):
        return min(200, n)
    if batch_size > n:
        warnings.warn(f"batch_size={batch_size} exceeds the {n} samples: it is clipped to {n}", stacklevel=6)
    return min(int(batch_size), n)


def _score_of(estimator: Any, held_out: HeldOut) -> Callable[[TrainingState], float]:
    """Return the score that early stopping monitors."""
    x, weights, y = held_out.rows.x, held_out.rows.weights, held_out.y
    if estimator.scoring == "loss":
        return lambda state: -state.history.rows[-1]["validation_loss"]
    loss = estimator.network_.loss
    # The accuracy in numlp's history counts single labels; scikit-learn's counts rows with all labels right.
    if estimator.scoring is None and loss.task == "labels" and estimator.n_outputs_ > 1:
        return lambda state: _share_of_rows_right(estimator.predict(x), y, weights)
    if estimator.scoring is not None:
        scorer = check_scoring(estimator, estimator.scoring)
        weighting = {"sample_weight": weights} if weights is not None and _takes_weights(scorer) else {}

        def score(state: TrainingState) -> float:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "X does not have valid feature names")
                return float(scorer(estimator, x, y, **weighting))

        return score
    figure = "validation_r2" if loss.task == "regression" else "validation_accuracy"
    return lambda state: state.history.rows[-1][figure]


def _share_of_rows_right(guesses: Any, labels: Any, weights: Any) -> float:
    """Return scikit-learn's accuracy of several labels, with the same bits on every machine."""
    return float(mean((dense(guesses) == dense(labels)).all(axis=1), weights=weights))


def _takes_weights(scorer: Any) -> bool:
    """Return whether a scorer's metric, or a function in its place, has a parameter for weights."""
    function = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in inspect.signature(function).parameters
