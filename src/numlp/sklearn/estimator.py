"""The common part of classifier and regressor: from parameters and data to a network, and back to attributes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from numlp.arrays.inputs import refuse_masked
from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray
from numlp.data.rows import Rows
from numlp.data.teacher import learned_by
from numlp.errors import SettingError
from numlp.network.ensemble import Ensemble
from numlp.network.losses import Loss
from numlp.network.mlp import MLP
from numlp.network.scaling import SCALINGS
from numlp.sklearn.fitting import fit_batches, fit_lbfgs
from numlp.sklearn.held_out import HeldOut, checked_weights, split, weighted
from numlp.sklearn.networks import adopt, current_network, make_network, remade
from numlp.sklearn.parameters import CHECKS, check_parameters, dtype_of, widths
from numlp.sklearn.tables import as_columns, fit_table, lined_up, naming_the_preset
from numlp.training.interruption import Interruption

_LINKS = {"softmax_cross_entropy": "softmax", "poisson": "exp"}
_FLOATS = (np.float64, np.float32)


class MLPEstimator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron behind scikit-learn's interface."""

    network_: MLP | Ensemble
    coefs_: list[AnyArray]
    intercepts_: list[AnyArray]

    @abstractmethod
    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        """Learn the classes or the number of outputs from the targets of a first fit."""

    def _check_targets(self, y: Any) -> None:
        """Raise an error if the targets of a later fit don't agree with those of the first."""

    @abstractmethod
    def _encode(self, y: Any) -> AnyArray:
        """Return the targets in the form that the loss takes, after the remaining checks."""

    @abstractmethod
    def _resolved_loss(self) -> Loss:
        """Return the loss for the targets seen in `fit`."""

    def _strata(self, y: Any) -> Any:
        """Return the labels by which to stratify a split, or None."""
        return None

    def _class_factors(self, y: Any, targets: AnyArray) -> AnyArray | None:
        """Return the factors of the samples' weights in training, shape (n,), or None."""
        return None

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters by name, regardless of the constructor of a subclass."""
        return {name: getattr(self, name) for name in (*CHECKS, "loss") if hasattr(self, name)}

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], one_epoch: bool) -> None:
        before = vars(self).copy()
        with Interruption() as interruption:
            try:
                parameters = self._parameters()
                check_parameters(parameters)
                self._check_validation(validation, one_epoch)
                if self.preset is not None:
                    fit_table(self, X, y, sample_weight, validation)
                    return
                first = not hasattr(self, "coefs_") or not (self.warm_start or one_epoch)
                X, y = self._checked(X, y, reset=first)
                if first:
                    self._learn_targets(y, one_epoch)
                else:
                    self._check_targets(y)
                rows = Rows(X, self._encode(y), checked_weights(X, sample_weight))
                factors = self._class_factors(y, rows.targets)
                random_state = check_random_state(self.random_state)
                if first:
                    self._start(rows, random_state, parameters)
                else:
                    adopt(self, current_network(self))
                    adopt(self, remade(self, self._layer_size(rows), parameters))
                if self.solver == "lbfgs":
                    fit_lbfgs(self, weighted(rows, factors), parameters, interruption)
                    return
                held_out = self._given(*validation)
                if self.early_stopping and held_out is None:
                    training, kept = split(y.shape[0], self.validation_fraction, self._strata(y), random_state)
                    held_out = HeldOut(rows.taken(kept), y[kept])
                    rows, factors = rows.taken(training), None if factors is None else factors[training]
                self._track()
                interruption.check()
                fit_batches(self, weighted(rows, factors), held_out, random_state, parameters, one_epoch)
            except KeyboardInterrupt:
                self.__dict__.clear()
                self.__dict__.update(before)
                raise

    def _check_validation(self, validation: tuple[Any, Any, Any], one_epoch: bool) -> None:
        X, y, weights = validation
        if (X is None) != (y is None) or (X is None and weights is not None):
            raise ValueError("X_val and y_val must be given together, and sample_weight_val only with them")
        if one_epoch and self.early_stopping and X is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation data: give X_val and y_val"
            )
        if self.solver == "lbfgs" and X is not None:
            raise ValueError("X_val must be None for solver='lbfgs', which has no epochs to validate")

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        refuse_masked(X, "X")
        refuse_masked(y, "y")
        with naming_the_preset(self, X):
            X, y = validate_data(
                self,
                X,
                y,
                accept_sparse=["csr", "csc"],
                multi_output=True,
                y_numeric=self.__sklearn_tags__().estimator_type == "regressor",
                dtype=dtype_of(self._parameters(), _FLOATS),
                reset=reset,
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.dtype == np.longdouble:  # which no model file can hold
            y = y.astype(np.float64)
        return X, y

    def _given(self, X: Any, y: Any, sample_weight: Any) -> HeldOut | None:
        """Return the validation rows that the caller gave, or None."""
        if X is None:
            return None
        X, y = self._checked(X, y, reset=False)
        return HeldOut(Rows(X, self._encode(y), checked_weights(X, sample_weight)), y)

    def _layer_size(self, rows: Rows) -> tuple[int, ...]:
        hidden = widths("hidden_layer_sizes", self.hidden_layer_sizes)
        return (int(rows.x.shape[1]), *hidden, self.n_outputs_ * self._resolved_loss().blocks)

    def _start(self, rows: Rows, random_state: np.random.RandomState, parameters: dict[str, Any]) -> None:
        """Make the network, and the attributes as they are before training."""
        layer_size, loss = self._layer_size(rows), self._resolved_loss()
        if parameters.get("input_features") is not None and is_sparse(rows.x):
            raise SettingError("input_features must be None for a sparse X, whose rows aren't images")
        scaling = None
        if self.teacher is not None:
            scaling = learned_by(self.teacher, layer_size[0])["input_scaling"]
        elif self.input_scaling is not None:
            if is_sparse(rows.x):
                raise SettingError("input_scaling must be None for a sparse X, which would lose its zeros")
            scaling = SCALINGS[self.input_scaling](rows.x)
        names = {"feature_names": getattr(self, "feature_names_in_", None), "class_names": self._class_names()}
        network = make_network(
            parameters, layer_size, loss, rows.x.dtype, random_state, input_scaling=scaling, **names
        )
        self._begin(network)
        self._made_with = parameters
        self.n_iter_ = self.t_ = 0
        for name in ("loss_curve_", "validation_loss_curve_"):
            self.__dict__.pop(name, None)

    def _begin(self, network: MLP | Ensemble) -> None:
        """Take over a network without any training state."""
        loss = network.loss
        self.n_layers_ = len(network.layer_size)
        self.out_activation_ = _LINKS.get(loss.name, "identity" if loss.task == "regression" else "logistic")
        self._state, self._tracked = None, None
        self.network_ = network
        if isinstance(network, MLP):
            adopt(self, network)

    def _restore(self, network: MLP | Ensemble) -> None:
        """Restore the fitted estimator around a network from a file."""
        parameters = self._parameters()
        check_parameters(parameters)
        self.n_outputs_ = network.n_targets
        self.n_features_in_ = network.layer_size[0]
        numbers = tuple(str(i) for i in range(self.n_features_in_))  # the names of an array's columns
        if network.feature_names is not None and (network.input_encoding is None or network.feature_names != numbers):
            self.feature_names_in_ = np.array(network.feature_names, dtype=object)
        self._begin(network)
        if isinstance(network, MLP):
            own = {"activation": network.activations, "arithmetic": network.arithmetic.name}
            self._made_with = {**parameters, **own, **network.architecture}

    def _track(self) -> None:
        """Create the attributes that record the course of training, unless they exist already."""
        if not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
            self.validation_loss_curve_: list[float] = []
        if self._tracked != self.early_stopping:
            self._tracked = self.early_stopping
            self._no_improvement_count = 0
            self.stopped_ = False
            self._best_params = cast(MLP, self.network_).params.copy()
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_ = -np.inf if self.early_stopping else None
            self.best_loss_ = None if self.early_stopping else np.inf

    def _class_names(self) -> tuple[str, ...] | None:
        return None

    def _rows(self, X: Any) -> Any:
        """Return checked rows; for arrays in the network's own format, the network's own checks suffice."""
        if self.network_.input_encoding is not None:
            return lined_up(as_columns(self, X, reset=False), self.network_.input_encoding)
        fits = (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype in _FLOATS
            and X.shape[1] == self.n_features_in_
            and len(X)
            and not hasattr(self, "feature_names_in_")
        )
        dtype = dtype_of(self._parameters(), _FLOATS)
        refuse_masked(X, "X")
        if fits:
            return X
        with naming_the_preset(self, X):
            return validate_data(self, X, accept_sparse=["csr", "csc"], dtype=dtype, reset=False)

    def _network(self) -> MLP | Ensemble:
        if "coefs_" in vars(self):
            return current_network(self)
        check_is_fitted(self)
        return self.network_

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "coefs_" in state:
            adopt(self, current_network(self))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        by_columns = self.preset is not None
        tags.input_tags.sparse = not by_columns
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = by_columns
        return tags


def check_batches(estimator: Any) -> bool:
    """Return True if `partial_fit` is available, or raise an AttributeError, as scikit-learn requires."""
    if estimator.preset is not None:
        raise AttributeError(
            f"partial_fit is not available with preset={estimator.preset!r}, which learns its encoding and its folds "
            "from all rows at once."
        )
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
