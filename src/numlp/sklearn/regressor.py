"""MLPRegressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from numlp.arrays.special import AnyArray
from numlp.network.activations import Activation
from numlp.network.losses import LOSSES, Loss
from numlp.settings.named import resolve
from numlp.sklearn.estimator import MLPEstimator, check_batches
from numlp.sklearn.parameters import losses
from numlp.training.optimizers import Optimizer
from numlp.training.schedules import Schedule

_check_loss = losses("regression")


class MLPRegressor(RegressorMixin, MLPEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron for real targets: scikit-learn's `MLPRegressor`, and more.

    Parameters
    ----------
    loss : str or Loss
        "squared_error", "poisson", or another of numlp's: "absolute_error", "huber(delta = 1)",
        "quantile(levels = [0.1, 0.5, 0.9])", "gaussian_negative_log_likelihood".
    hidden_layer_sizes : array_like of int
        The widths of the hidden layers.
    activation : str, Activation, or a list with one for each hidden layer
        "identity", "logistic", "tanh", "relu", or any other of numlp's: "gelu", "leaky_relu(slope = 0.1)".
    solver : str or Optimizer
        "lbfgs", "sgd" or "adam", or another of numlp's optimizers: "adamw(weight_decay = 0.05)".
    alpha : float
        The L2 penalty α / (2 W) Σw², where W is the number of samples in a batch, or the sum of their weights.
    batch_size : int or "auto"
        Samples a step; "auto" is 200, or all if there are fewer.
    learning_rate : str or Schedule
        "constant"; with ``solver="sgd"`` "invscaling", the initial rate over ``t_ ** power_t``, or "adaptive", a
        fifth each time that it stands still; or one of numlp's schedules: "cosine(warmup = 1)".
    learning_rate_init, power_t : float
        The learning rate, at first; the power of "invscaling".
    max_iter, max_fun : int
        Epochs at most; for "lbfgs" iterations, and evaluations of the loss.
    shuffle, random_state
        Whether every epoch takes the samples in another order; what all that is random follows from.
    tol, n_iter_no_change : float
        By how much the loss, or the validation score, must become better to count as better, and for how many epochs
        in a row it may fail to.
    verbose, progress : bool
        Whether to print the loss of every epoch; whether to draw a progress bar.
    warm_start : bool
        Whether `fit` goes on from the weights of the fit before.
    momentum, nesterovs_momentum, beta_1, beta_2, epsilon
        Of "sgd", and of "adam".
    early_stopping : bool
        Whether to stop by the score on validation data, and keep the weights that were best on them.
    validation_fraction : float
        Which part of the samples is held out for that unless `fit` is given validation data.
    scoring : "loss", str or callable, optional
        What early stopping looks at: the validation loss, or any scorer; by default R².
    dtype : "float32" or "float64", optional
        In which to compute, by default as X does: "float32" takes less time and half the memory.
    initializer : str, optional
        Of the weights, such as "he_normal"; by default scikit-learn's own.
    normalization : "none", "batch" or "layer"
        Of hidden units. `intercepts_` are then the shifts of the norms.
    input_scaling : "standardize", "symmetric" or None
        Learned from the training data, and part of the network.
    dropout, input_dropout, noise, input_noise : float
        The share of hidden units, and of inputs, that is dropped in training; the deviation of noise on them.
    mixup : float
        Samples mixed in pairs, by Beta(mixup, mixup).
    adversarial, l1, max_norm : float
        Learn also from inputs that are moved so far against the network; a penalty l1 · Σ|w|, whatever the size of a
        batch; the largest norm of the weights into a unit.
    clip_norm, clip_value, averaging : float
        The largest norm of all gradients together, the largest value of each; the decay of a moving average of the
        weights, which is what is validated and kept.
    callbacks, time_budget
        Called with a `TrainingState` after every epoch, where something true ends the fit; seconds.

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
