"""MLPClassifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if

from numlp.arrays.special import AnyArray, Array
from numlp.network.activations import Activation
from numlp.network.losses import Loss
from numlp.sklearn.estimator import MLPEstimator, check_batches
from numlp.sklearn.labels import Labels, first_classes
from numlp.sklearn.parameters import losses
from numlp.training.optimizers import Optimizer
from numlp.training.schedules import Schedule

_check_loss = losses("classification", "labels", usual=("log_loss",))


class MLPClassifier(ClassifierMixin, MLPEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron that classifies: scikit-learn's `MLPClassifier`, and more.

    Parameters up to `max_fun` are scikit-learn's; those after it are off by default, and as in `MLP` and `train`.

    Parameters
    ----------
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
        Which part of the samples is held out for that, each class alike, unless `fit` is given validation data.
    scoring : "loss", str or callable, optional
        What early stopping looks at: the validation loss, or any scorer; by default the accuracy.
    loss : str or Loss
        "log_loss" is "softmax_cross_entropy" for more than two classes, else "sigmoid_binary_cross_entropy".
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
    class_weight : dict, "balanced" or None
        How much each class counts in training; for several labels at once a list of dicts.
    label_smoothing, mixup : float
        The share of every target that is spread over all classes; samples mixed in pairs, by Beta(mixup, mixup).
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
    coefs_, intercepts_ : list of arrays
        The weights, (fan_in, fan_out), and what is added to their products. Setting them changes the predictions.
    loss_, best_loss_ : float
        Of the last epoch, and the least; None with early stopping.
    loss_curve_, validation_loss_curve_ : list of float
        The loss after every epoch, penalty included, and that on validation data, without it.
    validation_scores_, best_validation_score_
        With early stopping.
    classes_, n_iter_, t_, n_layers_, n_outputs_, out_activation_
        The classes; epochs; samples seen in training; layers with the inputs; outputs; "softmax" or "logistic".
    stopped_ : bool
        Whether the training has converged, or stopped early: what a loop over `partial_fit` ends by.
    network_ : numlp.MLP
        The network.

    Raises
    ------
    ValueError
        For parameters and data that are out of range, and when the loss or a weight becomes NaN or infinite.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier(input_scaling="standardize", learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
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
        loss: str | Loss = "log_loss",
        dtype: str | None = None,
        initializer: str | None = None,
        normalization: str = "none",
        input_scaling: str | None = None,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        noise: float = 0.0,
        input_noise: float = 0.0,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
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
        self.__dict__.update({name: given[name] for name in MLPClassifier._get_param_names()})

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Fit to data.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n, features)
        y : array_like, shape (n,), or (n, labels) of 0 and 1
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
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Go on with one epoch over the given data; parameters as for `fit`, and

        Parameters
        ----------
        classes : array_like, optional
            All classes there will ever be; needed in the first call, unless y has several labels.
        X_val, y_val, sample_weight_val : optional
            With early stopping, `stopped_` tells when it is over; the best weights are then restored.

        Returns
        -------
        self
        """
        if isinstance(self.class_weight, str):
            raise ValueError("class_weight='balanced' needs all samples at once: give partial_fit a dict of weights")
        if not hasattr(self, "classes_"):
            _check_loss("loss", self.loss)
            self._labels = Labels(first_classes(y, classes), self.loss)
            self.classes_ = self._labels.classes
        elif classes is not None:
            self._labels.check_promised(classes)
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), one_epoch=True)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the class of every row, shape (n,), or its labels, (n, labels)."""
        network = self._network()
        rows = self._rows(X)
        if self._labels.several:
            labels: npt.NDArray[Any] = self._labels.binarizer.inverse_transform(network.predict_proba(rows))
            return labels
        found = network.predict(rows)
        classes: npt.NDArray[Any] = self.classes_[np.zeros_like(found) if len(self.classes_) == 1 else found]
        return classes

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of every class, in the order of `classes_`, shape (n, classes)."""
        network = self._network()
        probabilities = network.predict_proba(self._rows(X))
        if network.loss.task == "classification" and network.loss.name != "softmax_cross_entropy":
            probabilities /= probabilities.sum(axis=1, keepdims=True)  # outputs that were judged each by itself
        return probabilities

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        if not one_epoch:  # else the first `partial_fit` has learned them
            _check_loss("loss", self.loss)
            self._labels = Labels(y, self.loss)
            self.classes_ = self._labels.classes
        self.n_outputs_ = self._labels.n_outputs

    def _check_targets(self, y: Any) -> None:
        if self.warm_start:
            self._labels.check_same(y)

    def _encode(self, y: Any) -> AnyArray:
        return self._labels.encode(y)

    def _resolved_loss(self) -> Loss:
        return self._labels.loss

    def _class_factors(self, y: Any, targets: AnyArray) -> AnyArray | None:
        if self.class_weight is None:
            return None
        if self._labels.several:
            return np.asarray(compute_sample_weight(self.class_weight, y))
        index = (targets if targets.ndim == 1 else targets[:, 0]).astype(np.intp)
        return self._labels.weights(self.class_weight, index)[index]

    def _strata(self, y: Any) -> Any:
        return None if self._labels.several else y

    def _class_names(self) -> tuple[str, ...] | None:
        return None if len(self.classes_) == 1 else tuple(str(name) for name in self.classes_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
