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
from numlp.network.features import OrientedGradients
from numlp.network.losses import Loss
from numlp.sklearn.estimator import MLPEstimator, check_batches
from numlp.sklearn.labels import Labels, first_classes
from numlp.sklearn.parameters import losses
from numlp.training.optimizer import Optimizer
from numlp.training.schedules import Schedule

_check_loss = losses("classification", "labels", usual=("log_loss",))


class MLPClassifier(ClassifierMixin, MLPEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A multilayer perceptron for classification: scikit-learn's `MLPClassifier`, and more.

    Parameters up to `max_fun` are scikit-learn's. Those after it are off by default and work as in `MLP` and `train`.

    Parameters
    ----------
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
        "constant", or one of numlp's schedules, such as "cosine(warmup = 1)". For "sgd" also "invscaling", the
        initial rate over ``t_ ** power_t``, or "adaptive", which divides the rate by 5 whenever progress stalls.
    learning_rate_init, power_t : float
        The initial learning rate; the exponent of "invscaling".
    max_iter, max_fun : int
        The largest number of epochs; for "lbfgs" of iterations, and of evaluations of the loss.
    shuffle, random_state, tol, n_iter_no_change
        Whether to shuffle the samples in every epoch; the seed of all randomness; the smallest improvement of the
        loss or the validation score that counts; how many epochs may lack one.
    verbose, progress : bool
        Whether to print the loss of every epoch, and to show progress as `numlp.train` does.
    momentum, nesterovs_momentum, beta_1, beta_2, epsilon
        Settings of "sgd" (the first two) and of "adam".
    warm_start, early_stopping, validation_fraction
        Whether `fit` continues from the last weights; whether to stop by the validation score and keep the best; the
        share of samples to hold out for that, stratified by class, unless `fit` gets validation data.
    scoring : "loss", str or callable, optional
        What early stopping monitors: the validation loss, or any scorer; by default the accuracy.
    loss : str or Loss
        "log_loss" is "softmax_cross_entropy" for more than two classes, otherwise "sigmoid_binary_cross_entropy".
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
    class_weight : dict, "balanced" or None
        The weight of each class in training; for multilabel targets a list of dicts.
    label_smoothing, mixup : float
        The share of every target to spread over all classes; above 0, mix pairs of samples by Beta(mixup, mixup).
    adversarial, l1, max_norm, clip_norm, clip_value, averaging : float
        Above 0, train also on adversarial inputs at this distance; the penalty l1 · Σ|w|, whatever the batch size;
        the largest norm of the weights into a unit, of all gradients together, and absolute value of each; the decay
        of the average that is kept.
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
    coefs_, intercepts_ : list of arrays
        The weights of each layer, (fan_in, fan_out), and its biases. Setting them changes the predictions.
    loss_, best_loss_ : float
        The loss of the last epoch, and the lowest one, which is None with early stopping.
    loss_curve_, validation_loss_curve_ : list of float
        The loss of every epoch including the penalty, and the loss on validation data without it.
    validation_scores_, best_validation_score_
        The score of every epoch, and the best one; with early stopping only.
    classes_, n_iter_, t_, n_layers_, n_outputs_, out_activation_
        The classes; the numbers of epochs, samples seen, layers with inputs, and outputs; "softmax" or "logistic".
    stopped_ : bool
        Whether training has converged or stopped early: the signal to end a loop over `partial_fit`.
    network_ : numlp.MLP or numlp.Ensemble
        The network; with a preset the average of several, without `coefs_`. `histories_` has the epochs of each.

    Raises
    ------
    ValueError
        If a parameter or the data is invalid, or if the loss or a weight becomes NaN or infinite.

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
        arithmetic: str = "ordinary",
        input_features: str | OrientedGradients | None = None,
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
        X : array_like or sparse matrix, shape (n, features); with ``preset="table"`` a frame or an array
        y : array_like, shape (n,), or (n, labels) of 0 and 1
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
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Continue with one epoch over the given data; other parameters are as for `fit`.

        Parameters
        ----------
        classes : array_like, optional
            All classes that will ever occur; required in the first call, unless y is multilabel.
        X_val, y_val, sample_weight_val : optional
            Required with early stopping, which restores the best weights when it sets `stopped_`.
        """
        if isinstance(self.class_weight, str):
            raise ValueError("class_weight must be a dict of weights in partial_fit: 'balanced' needs all samples")
        if not hasattr(self, "classes_"):
            _check_loss("loss", self.loss)
            self._labels = Labels(first_classes(y, classes), self.loss)
            self.classes_ = self._labels.classes
        elif classes is not None:
            self._labels.check_promised(classes)
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), one_epoch=True)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the class of each row, shape (n,), or its labels, (n, labels)."""
        network = self._network()
        rows = self._rows(X)
        if self._labels.several:
            labels: npt.NDArray[Any] = self._labels.binarizer.inverse_transform(network.predict_proba(rows))
            return labels
        found = network.predict(rows, indices=True)
        classes: npt.NDArray[Any] = self.classes_[np.zeros_like(found) if len(self.classes_) == 1 else found]
        return classes

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of `classes_`, shape (n, classes)."""
        return self._network().predict_proba(self._rows(X))

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`."""
        network, probabilities = self._network(), self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return network.arithmetic.log(probabilities, out=probabilities)

    def _learn_targets(self, y: Any, one_epoch: bool) -> None:
        if not one_epoch:  # otherwise the first `partial_fit` has learned them
            _check_loss("loss", self.loss)
            self._labels = Labels(y, self.loss, one_output=self.preset is None)
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
