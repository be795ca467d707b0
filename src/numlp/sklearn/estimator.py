"""What the classifier and the regressor share: from parameters and data to a network, and back to attributes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from numlp.errors import SettingError
from numlp.losses import Loss
from numlp.network import MLP
from numlp.rows import Rows
from numlp.scaling import SCALINGS
from numlp.sklearn.fitting import fit_batches, fit_lbfgs
from numlp.sklearn.held_out import HeldOut, hold_out
from numlp.sklearn.networks import adopt, current_network, make_network
from numlp.sklearn.parameters import check_parameters, widths
from numlp.sparse import is_sparse
from numlp.special import AnyArray

_LINKS = {"softmax_cross_entropy": "softmax", "poisson": "exp"}
_FLOATS = (np.float64, np.float32)


class MLPEstimator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron behind scikit-learn's interface."""

    network_: MLP
    coefs_: list[AnyArray]
    intercepts_: list[AnyArray]

    @abstractmethod
    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        """Learn from the targets of a first fit what later ones must agree with."""

    def _check_targets(self, y: Any) -> None:
        """Refuse targets of a later fit that do not agree with those of the first."""

    @abstractmethod
    def _encode(self, y: Any) -> AnyArray:
        """Return targets as the loss takes them, after the checks that are left to make."""

    @abstractmethod
    def _resolved_loss(self) -> Loss:
        """Return the loss for the targets that were seen."""

    def _sample_weight(self, X: Any, y: Any, sample_weight: Any) -> AnyArray | None:
        if sample_weight is None:
            return None
        weights: AnyArray = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return weights

    def _strata(self, y: Any) -> Any:
        """Return the labels that a split must keep the shares of, if there are any."""
        return None

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], one_epoch: bool) -> Any:
        check_parameters(self.get_params(deep=False))
        if one_epoch and self.early_stopping and validation[0] is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation data: give X_val and y_val"
            )
        if (validation[0] is None) != (validation[1] is None):
            raise ValueError("X_val and y_val belong together: give both or neither")
        first = not hasattr(self, "coefs_") or not (self.warm_start or one_epoch)
        X, y = self._checked(X, y, reset=first)
        if first:
            self._learn_targets(y, one_epoch)
        else:
            self._check_targets(y)
        weights = self._sample_weight(X, y, sample_weight)
        if weights is not None and not weights.any():
            raise ValueError("sample_weight is 0 for all samples, or their classes' weights are: nothing would count")
        rows = Rows(X, self._encode(y), weights)
        random_state = check_random_state(self.random_state)
        if first:
            self._start(rows, random_state)
        elif self._layer_size(rows) != self.network_.layer_size:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes} does not fit the network to go on with, of layers "
                f"{list(self.network_.layer_size)}: fit anew with warm_start=False"
            )
        adopt(self, current_network(self))
        if self.solver == "lbfgs":
            if validation[0] is not None:
                raise ValueError("X_val is for training by batches: solver='lbfgs' has no epochs to validate")
            fit_lbfgs(self, rows)
            return self
        held_out = self._given(*validation)
        if self.early_stopping and held_out is None:
            rows, held_out = hold_out(rows, y, self.validation_fraction, self._strata(y), random_state)
        fit_batches(self, rows, held_out, random_state, one_epoch)
        return self

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=self.__sklearn_tags__().estimator_type == "regressor",
            dtype=_FLOATS if self.dtype is None else self.dtype,
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _given(self, X: Any, y: Any, sample_weight: Any) -> HeldOut | None:
        """Return the validation rows that were given."""
        if X is None:
            return None
        X, y = self._checked(X, y, reset=False)
        return HeldOut(Rows(X, self._encode(y), self._sample_weight(X, y, sample_weight)), y)

    def _layer_size(self, rows: Rows) -> tuple[int, ...]:
        hidden = widths("hidden_layer_sizes", self.hidden_layer_sizes)
        return (int(rows.x.shape[1]), *hidden, self.n_outputs_ * self._resolved_loss().blocks)

    def _start(self, rows: Rows, random_state: np.random.RandomState) -> None:
        """Make the network, and the attributes of a training that has not begun."""
        layer_size, loss = self._layer_size(rows), self._resolved_loss()
        scaling = None
        if self.input_scaling is not None:
            if is_sparse(rows.x):
                raise SettingError("input_scaling needs a dense X: sparse rows would lose their zeros")
            scaling = SCALINGS[self.input_scaling](rows.x)
        self.n_layers_ = len(layer_size)
        self.out_activation_ = _LINKS.get(loss.name, "identity" if loss.task == "regression" else "logistic")
        parameters = self.get_params(deep=False)
        network = make_network(
            parameters,
            layer_size,
            loss,
            rows.x.dtype,
            random_state,
            input_scaling=scaling,
            feature_names=getattr(self, "feature_names_in_", None),
            class_names=self._class_names(),
        )
        adopt(self, network)
        self.n_iter_ = self.t_ = 0
        self._state = None
        if self.solver != "lbfgs":
            self._no_improvement_count = 0
            self.stopped_ = False
            self.loss_curve_: list[float] = []
            self.validation_loss_curve_: list[float] = []
            self._best_params = network.params.copy()
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_ = -np.inf if self.early_stopping else None
            self.best_loss_ = None if self.early_stopping else np.inf

    def _class_names(self) -> tuple[str, ...] | None:
        return None

    def _rows(self, X: Any) -> Any:
        """Return checked rows; arrays as the network takes them need no more than its own checks."""
        fits = (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype in _FLOATS
            and X.shape[1] == self.n_features_in_
            and len(X)
            and not hasattr(self, "feature_names_in_")
        )
        return X if fits else validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)

    def _network(self) -> MLP:
        if "coefs_" not in vars(self):
            check_is_fitted(self)  # raises
        return current_network(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            adopt(self, current_network(self))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def check_batches(estimator: Any) -> bool:
    """Say whether `partial_fit` has a meaning."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
