"""After every epoch: scikit-learn's metrics, and its rules for convergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numlp.arrays import portable
from numlp.sklearn.batches import ShuffledBatches
from numlp.sklearn.held_out import HeldOut
from numlp.sklearn.reported import reported
from numlp.training.state import TrainingState

_LEAST_RATE = 1e-6  # at which "adaptive" stops


class Convergence:
    """The callbacks of one fit, which update the estimator's fitted attributes.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    batches : ShuffledBatches
    held_out : HeldOut, optional
        Validation rows.
    score : callable, optional
        Returns the score on the validation rows, where higher is better. Given for early stopping, which it decides.
    one_epoch : bool
        Whether this is a `partial_fit`.

    Attributes
    ----------
    converged : bool
    """

    def __init__(
        self,
        estimator: Any,
        batches: ShuffledBatches,
        held_out: HeldOut | None,
        score: Callable[[TrainingState], float] | None,
        one_epoch: bool,
    ) -> None:
        self.estimator, self.batches = estimator, batches
        self.held_out, self.score, self.one_epoch = held_out, score, one_epoch
        self.converged = False
        team = getattr(estimator, "team", None)
        self._prints = bool(estimator.verbose) and (team is None or team.rank == 0)
        self._loss, self._rows = 0.0, 0

    def begin(self, state: TrainingState) -> None:
        """Give the estimator the state, from which it can continue later."""
        self.estimator._state = state

    def count(self, state: TrainingState) -> None:
        """Add up the losses of the steps, penalty included."""
        batch = self.batches.current
        loss = reported(state.network.loss, state.loss, batch.targets, batch.weights)
        self._loss += (loss + state.penalty) * len(batch.x)
        self._rows += len(batch.x)

    count.reads_network = False  # type: ignore[attr-defined]  # so that several processes needn't assemble it

    def __call__(self, state: TrainingState) -> bool:
        """Record the epoch's metrics; return whether training is over."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._rows  # fewer than all if a time budget ended the epoch
        estimator.loss_ = self._loss / self._rows
        estimator.loss_curve_.append(estimator.loss_)
        self._loss, self._rows = 0.0, 0
        if self.held_out is not None:
            rows, value = self.held_out.rows, state.history.rows[-1]["validation_loss"]
            estimator.validation_loss_curve_.append(reported(state.network.loss, value, rows.targets, rows.weights))
        if self._prints:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")  # noqa: T201
        improved = self._improved() if self.score is None else self._improved_on_validation(self.score(state))
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            self._set_rate(state, estimator.learning_rate_init / portable.power(estimator.t_ + 1, estimator.power_t))
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self.converged = not self._slowed_down(state)
            estimator._no_improvement_count *= self.converged
        return self.converged or self.one_epoch

    def _improved(self) -> bool:
        estimator = self.estimator
        improved = estimator.loss_ <= estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return bool(improved)

    def _improved_on_validation(self, score: float) -> bool:
        estimator = self.estimator
        estimator.validation_scores_.append(score)
        if self._prints:
            print(f"Validation score: {score:f}")  # noqa: T201
        improved = score >= estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_params = estimator.network_.params.copy()
        return bool(improved)

    def _slowed_down(self, state: TrainingState) -> bool:
        """Return whether training continues with smaller steps; with `verbose`, print the decision."""
        estimator = self.estimator
        what = "Training loss" if self.score is None else "Validation score"
        epochs = estimator.n_iter_no_change
        reason = f"{what} did not improve more than tol={estimator.tol:f} for {epochs:g} consecutive epochs."
        adaptive = estimator.solver == "sgd" and estimator.learning_rate == "adaptive"
        slower: bool = adaptive and estimator._rate > _LEAST_RATE
        if slower:
            self._set_rate(state, estimator._rate / 5)
            decision = f"Setting learning rate to {estimator._rate:f}"
        else:
            decision = "Learning rate too small. Stopping." if adaptive else "Stopping."
        if self._prints:
            print(reason, decision)  # noqa: T201
        return slower

    def _set_rate(self, state: TrainingState, rate: float) -> None:
        """Set the learning rate. scikit-learn keeps velocities in units of steps, numlp in units of gradients."""
        if "velocity" in state.optimizer:
            np.multiply(state.optimizer["velocity"], self.estimator._rate / rate, out=state.optimizer["velocity"])
        self.estimator._rate = rate
