"""What is masked is missing, wherever arrays come in: no value behind a mask is ever used."""

import numpy as np
import pytest

from numlp import MLP, Scaling, calibrate, evaluate, find_learning_rate, standardize, train
from numlp.errors import NumlpError
from numlp.judging.confusions import class_accuracy, confusions
from numlp.judging.inspection import hidden_activations, saliency
from numlp.judging.intervals import effective_rows, mean_interval
from numlp.judging.metrics import accuracy, confusion_matrix, mean_absolute_error, r2, reliability
from numlp.judging.scores import f1, roc_auc, root_mean_squared_error
from numlp.sklearn import MLPClassifier, MLPRegressor

X = np.arange(40.0).reshape(20, 2) / 40
Y = np.arange(20) % 2
ONES = np.ones(20)


def masked(array, row=3):
    mask = np.zeros(array.shape, bool)
    mask[row] = True
    return np.ma.MaskedArray(array, mask)


def net(**settings):
    return MLP([2, 4, 2], **settings)


def trained(data, **settings):
    return train(net(), data, epochs=1, **settings)


def regression(y):
    return train(MLP([2, 1], loss="squared_error"), (X, y), epochs=1)


def fitted(kind=MLPClassifier):
    return kind(hidden_layer_sizes=(4,), max_iter=1, tol=1.0, n_iter_no_change=1)


USES = {
    "x": lambda m: trained((m(X), Y)),
    "x of integers": lambda m: trained((m((40 * X).astype(int)), Y)),
    "x of images": lambda m: train(MLP([2, 2]), (m(X.reshape(20, 2, 1)), Y), epochs=1),
    "x as a list of rows": lambda m: trained((list(m(X)), Y)),
    "y": lambda m: trained((X, m(Y))),
    "y of names": lambda m: trained((X, m(np.array(["a", "b"])[Y]))),
    "y of probabilities": lambda m: trained((X, m(np.eye(2)[Y]))),
    "y of labels": lambda m: train(MLP([2, 1], loss="sigmoid_binary_cross_entropy"), (X, m(Y)), epochs=1),
    "y of values": lambda m: regression(m(X[:, 0])),
    "weights": lambda m: trained((X, Y, m(ONES))),
    "validation x": lambda m: trained((X, Y), validation=(m(X), Y)),
    "validation y": lambda m: trained((X, Y), validation=(X, m(Y))),
    "a batch of a stream": lambda m: trained([(X, Y), (m(X), Y)]),
    "find_learning_rate": lambda m: find_learning_rate(net(), (m(X), Y), steps=10),
    "standardize": lambda m: standardize(m(X)),
    "scaling": lambda m: Scaling(m(X[0], 1)),
    "evaluate": lambda m: evaluate(net(), (m(X), Y)),
    "calibrate": lambda m: calibrate(net(), (X, m(Y))),
    "predict": lambda m: net().predict(m(X)),
    "predict_proba": lambda m: net().predict_proba(m(X)),
    "saliency": lambda m: saliency(net(), m(X)),
    "outputs": lambda m: saliency(net(), X, m(Y)),
    "hidden_activations": lambda m: hidden_activations(net(), m(X)),
    "fit X": lambda m: fitted().fit(m(X), Y),
    "fit y": lambda m: fitted().fit(X, m(Y)),
    "fit values": lambda m: fitted(MLPRegressor).fit(X, m(X)),
    "fit weights": lambda m: fitted().fit(X, Y, m(ONES)),
    "fit X_val": lambda m: fitted().fit(X, Y, X_val=m(X), y_val=Y),
    "fit y_val": lambda m: fitted().fit(X, Y, X_val=X, y_val=m(Y)),
    "partial_fit": lambda m: fitted().partial_fit(m(X), Y, classes=[0, 1]),
    "estimator's predict": lambda m: fitted().fit(X, Y).predict(m(X)),
    "estimator's predict_proba": lambda m: fitted().fit(X, Y).predict_proba(m(X)),
    "accuracy": lambda m: accuracy(m(Y), Y),
    "weights of accuracy": lambda m: accuracy(Y, Y, m(ONES)),
    "weights of confusion_matrix": lambda m: confusion_matrix(Y, Y, 2, m(ONES)),
    "weights of mean_absolute_error": lambda m: mean_absolute_error(X, X, m(ONES)),
    "weights of root_mean_squared_error": lambda m: root_mean_squared_error(X, X, m(ONES)),
    "effective_rows": lambda m: effective_rows(m(ONES)),
    "confusion_matrix": lambda m: confusion_matrix(Y, m(Y), 2),
    "r2": lambda m: r2(m(X), X),
    "mean_absolute_error": lambda m: mean_absolute_error(X, m(X)),
    "reliability": lambda m: reliability(m(np.eye(2)[Y]), Y),
    "root_mean_squared_error": lambda m: root_mean_squared_error(m(X), X),
    "f1": lambda m: f1(m(Y), Y, 2),
    "weights of f1": lambda m: f1(Y, Y, 2, m(ONES)),
    "roc_auc": lambda m: roc_auc(Y, m(X[:, 0])),
    "class_accuracy": lambda m: class_accuracy(Y, m(Y), 2),
    "confusions": lambda m: confusions(Y, m(1 - Y)),
    "mean_interval": lambda m: mean_interval(m(ONES)),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("use", USES)
def test_masked_values_are_refused_with_their_row(use):
    with pytest.raises(NumlpError, match=r"masked values, first in row [13]"):
        USES[use](masked)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("use", [use for use in USES if use not in ("calibrate", "x as a list of rows")])
def test_a_masked_array_with_all_its_values_is_an_array(use):
    USES[use](lambda array, row=0: np.ma.MaskedArray(array))
