"""MLPRegressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from numlp.arrays.special import AnyArray
from numlp.network.activations import Activation
from numlp.network.features import OrientedGradients
from numlp.network.losses import LOSSES, Loss
from numlp.settings.named import resolve
from numlp.sklearn.estimator import MLPEstimator, check_batches
from numlp.sklearn.parameters import losses
from numlp.training.optimizer import Optimizer
from numlp.training.schedules import Schedule

_check_loss = losses("regression")


class MLPRegressor(RegressorMixin, MLPEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron for regression: scikit-learn's `MLPRegressor`, and more.

    Parameters
    ----------
    loss : str or Loss
        "squared_error", "poisson", or another of numlp's: "absolute_error", "huber(delta = 1)",
        "quantile(levels = [0.1, 0.5, 0.9])", "gaussian_negative_log_likelihood".
    hidden_layer_sizes : array_like of int
        The widths of the hidden layers.
    activation : str, Activation, or a list with one for each hidden layer
        "identity", "logistic", "tanh", "relu", or any other of numlp's, such as "gelu" or "leaky_relu(slope = 0.1)".
    solver : str or Optimizer
        "lbfgs", "sgd", "adam", or another of numlp's optimizers, such as "adamw(weight_decay = 0.05)".
    alpha : float
        The L2 penalty α / (2 W) Σw², where W is the number of samples in a batch, or the sum of their weights.
    batch_size : int or "auto"
        Samples per step; "auto" is 200, or all if there are fewer.
    learning_rate : str or Schedule
        "constant", or one of numlp's schedules, such as "cosine(warmup = 1)". With ``solver="sgd"`` also
        "invscaling", the initial rate over ``t_ ** power_t``, or "adaptive", which divides the rate by 5 whenever
        progress stalls.
    learning_rate_init, power_t : float
        The initial learning rate; the exponent of "invscaling".
    max_iter, max_fun : int
        The largest number of epochs; for "lbfgs" of iterations, and of evaluations of the loss.
    shuffle, random_state
        Whether to shuffle the samples in every epoch; the seed of all randomness.
    tol, n_iter_no_change : float
        The smallest improvement of the loss, or of the validation score, that counts; the number of epochs in a row
        that may pass without one.
    verbose, progress : bool
        Whether to print the loss of every epoch; whether to show progress as `numlp.train` does.
    warm_start : bool
        Whether `fit` continues from the weights of the previous fit.
    momentum, nesterovs_momentum, beta_1, beta_2, epsilon
        Settings of "sgd" (the first two) and of "adam".
    early_stopping : bool
        Whether to stop by the score on validation data, and keep the weights with the best score.
    validation_fraction : float
        The share of the samples to hold out for validation; unused if `fit` gets validation data.
    scoring : "loss", str or callable, optional
        What early stopping monitors: the validation loss, or any scorer; by default R².
    dtype, arithmetic : str, optional
        The precision, by default that of X: "float32" is faster than "float64" and needs half the memory. With
        "portable" arithmetic, which is in float32, a fit gives the same bits on every machine.
    input_features, initializer : str, optional
        For rows that are square images: "oriented_gradients(cell = 4)" computes features of them before the first
        weights. How to draw these, such as "he_normal"; by default as scikit-learn does.
    normalization : "none", "batch" or "layer"
        The normalization of hidden units. In their layers, its shifts take the place of biases in `intercepts_`.
    input_scaling : "standardize", "symmetric" or None
        A scaling that is learned from the training data and becomes part of the network; None with a `teacher`.
    dropout, input_dropout, noise, input_noise : float
        The shares of hidden units and of inputs to drop in training; the standard deviations of the noise to add.
    mixup : float
        Above 0, mix samples in pairs, with shares from Beta(mixup, mixup).
    adversarial, l1, max_norm : float
        Above 0, train also on adversarial inputs at this distance; the penalty l1 · Σ|w|, whatever the batch size;
        the largest norm of the weights into a unit.
    clip_norm, clip_value, averaging : float
        The largest norm of all gradients together; the largest absolute value of each; the decay of a moving average
        of the weights, which is validated and kept.
    teacher, distillation
        A trained `MLP` or `Ensemble` to learn from, such as another estimator's `network_`; its share of each target.
    callbacks, time_budget, processes, team
        Callables that receive the `TrainingState` after every epoch and end the fit by returning something true; the
        longest time for a fit, in seconds; how many processes train the network together; an `MPITeam` of ranks.
    preset : "table" or None
        "table" takes frames with texts, categories, dates and gaps as they are, and trains by the recipe "table".
        Parameters that differ from their defaults take the place of the recipe's settings.

    Attributes
    ----------
    coefs_, intercepts_, loss_curve_ …
        Those of `MLPClassifier` except `classes_`. `out_activation_` is "identity" or "exp".

    Raises
    ------
    ValueError
        If a parameter or the data is invalid, or if the loss or a weight becomes NaN or infinite.

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
        arithmetic: str = "ordinary",
        input_features: str | OrientedGradients | None = None,
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
        teacher: Any = None,
        distillation: float = 0.9,
        scoring: Any = None,
        callbacks: Sequence[Callable[..., object]] | None = None,
        time_budget: float | None = None,
        progress: bool = False,
        processes: int = 1,
        team: Any = None,
        preset: str | None = None,
    ) -> None:
        given = locals()
        self.__dict__.update({name: given[name] for name in MLPRegressor._get_param_names()})

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
        X : array_like or sparse matrix, shape (n, features); with ``preset="table"`` a frame or an array
        y : array_like, shape (n,) or (n, targets)
        sample_weight : array_like, shape (n,), optional
            The weight of each sample.
        X_val, y_val, sample_weight_val : optional
            Validation data, evaluated after every epoch into `validation_loss_curve_`. Early stopping uses them
            instead of a part of the training data.

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
        """Continue with one epoch over the given data; parameters are as for `fit`.

        Early stopping requires validation data, and restores the best weights when it sets `stopped_`.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), one_epoch=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted value of each row, shape (n,) or (n, targets).

        If the loss has several outputs for each target, this is the mean, or the quantile nearest to the median;
        ``network_.predict(X)`` returns all of them.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n, features)
        return_std : bool
            Whether to return a pair: the values and their standard deviations, which the loss
            "gaussian_negative_log_likelihood" learns.
        """
        network = self._network()
        values = network.predict(self._rows(X))
        if network.input_encoding is None:
            values = values.astype(network.dtype, copy=False)
        point = values if network.loss.blocks == 1 else values[:, network.loss.point]
        if not return_std:
            return point
        if "variance" not in network.loss.block_names:
            raise ValueError(
                f"loss must be 'gaussian_negative_log_likelihood' for return_std=True, not {self.loss!r}"
            )
        return point, np.sqrt(values[:, network.loss.block_names.index("variance")])

    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        _check_loss("loss", self.loss)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]

    def _check_targets(self, y: Any) -> None:
        found = 1 if y.ndim == 1 else y.shape[1]
        if found != self.n_outputs_:
            raise ValueError(
                f"y must have {self.n_outputs_} targets, as in the previous fit, not {found}: to change that, "
                "fit again with warm_start=False"
            )

    def _encode(self, y: Any) -> AnyArray:
        self._check_targets(y)
        if self._resolved_loss().name == "poisson" and y.min() < 0:
            raise ValueError(f"y must be at least 0 for loss='poisson', which models counts, not {y.min():g}")
        rows: AnyArray = y.reshape(len(y), -1).astype(np.float64)
        return rows

    def _resolved_loss(self) -> Loss:
        return resolve("loss", self.loss, LOSSES)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = str(self.loss) == "poisson"
        return tags
