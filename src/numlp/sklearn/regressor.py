"""MLPRegressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from numlp.activations import Activation
from numlp.losses import LOSSES, Loss
from numlp.named import resolve
from numlp.optimizers import Optimizer
from numlp.schedules import Schedule
from numlp.sklearn.estimator import MLPEstimator, check_batches
from numlp.sklearn.parameters import losses
from numlp.special import AnyArray

_check_loss = losses("regression")


class MLPRegressor(RegressorMixin, MLPEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron for real targets: scikit-learn's `MLPRegressor`, and more.

    Parameters
    ----------
    loss : str or Loss
        "squared_error", "poisson", or another of numlp's: "absolute_error", "huber(delta = 1)",
        "quantile(levels = [0.1, 0.5, 0.9])", "gaussian_negative_log_likelihood".
    hidden_layer_sizes, activation, solver, alpha …
        All others are as `MLPClassifier` has them, but `class_weight` and `label_smoothing`, which are for classes.

    Attributes
    ----------
    coefs_, intercepts_, loss_curve_ …
        As `MLPClassifier` has them, but `classes_`. `out_activation_` is "identity" or "exp".

    Raises
    ------
    ValueError
        For parameters and data that are out of range, and when the loss or a weight becomes NaN or infinite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (500, 2))
    >>> regressor = MLPRegressor(learning_rate_init=0.01, random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> regressor.score(X, X[:, 0] * X[:, 1]) > 0.9
    True
    """

    def __init__(
        self,
        loss: str | Loss = "squared_error",
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Schedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dtype: str | None = None,
        initializer: str | None = None,
        normalization: str = "none",
        input_scaling: str | None = None,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        noise: float = 0.0,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        adversarial: float = 0.0,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        averaging: float = 0.0,
        scoring: Any = None,
        callbacks: Sequence[Callable[..., object]] | None = None,
        time_budget: float | None = None,
        progress: bool = False,
    ) -> None:
        parameters = locals()
        self.__dict__.update({name: parameters[name] for name in self._get_param_names()})

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPRegressor:
        """Fit to data.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n, features)
        y : array_like, shape (n,) or (n, targets)
        sample_weight : array_like, shape (n,), optional
            How much each sample counts.
        X_val, y_val, sample_weight_val : optional
            Validation data, evaluated after every epoch into `validation_loss_curve_`; early stopping takes them in
            place of a part of the training data.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), one_epoch=False)
        return self

    @available_if(check_batches)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPRegressor:
        """Go on with one epoch over the given data; parameters as for `fit`.

        With early stopping, `stopped_` tells when it is over; the best weights are then restored.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), one_epoch=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the value of every row, shape (n,) or (n, targets).

        Of a loss with several outputs for each target this is the mean, or the quantile nearest to the median;
        ``network_.predict(X)`` has all of them.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n, features)
        return_std : bool
            Whether to return a pair: values, and their standard deviations as the loss
            "gaussian_negative_log_likelihood" learns them.
        """
        network = self._network()
        values = network.predict(self._rows(X)).astype(network.dtype, copy=False)
        point = values if network.loss.blocks == 1 else values[:, network.loss.point]
        if not return_std:
            return point
        if "variance" not in network.loss.block_names:
            raise ValueError(
                f"return_std=True needs loss='gaussian_negative_log_likelihood', which learns it, not {self.loss!r}"
            )
        return point, np.sqrt(values[:, network.loss.block_names.index("variance")])

    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        _check_loss("loss", self.loss)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]

    def _check_targets(self, y: Any) -> None:
        found = 1 if y.ndim == 1 else y.shape[1]
        if found != self.n_outputs_:
            raise ValueError(
                f"y has {found} targets, it had {self.n_outputs_} before: fit anew with warm_start=False"
            )

    def _encode(self, y: Any) -> AnyArray:
        self._check_targets(y)
        if self._resolved_loss().name == "poisson" and y.min() < 0:
            raise ValueError(f"y holds {y.min():g}: targets of loss='poisson' are counts, of at least 0")
        rows: AnyArray = y.reshape(len(y), -1).astype(np.float64)
        return rows

    def _resolved_loss(self) -> Loss:
        return resolve("loss", self.loss, LOSSES)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = str(self.loss) == "poisson"
        return tags
