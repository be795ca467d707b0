"""Memory grows with the rows of a batch times the classes, not with the classes times the classes."""

import tracemalloc

import numpy as np
import pytest

from numlp import MLP, calibrate, evaluate, find_learning_rate, train
from numlp.sklearn import MLPClassifier

CLASSES, ROWS = 8000, 200
X = np.random.default_rng(0).normal(size=(ROWS, 3))
Y = np.random.default_rng(1).integers(0, CLASSES, ROWS)


def streamed(net, data):
    train(net, [data], epochs=1)


def fit(net, data):
    names = np.arange(ROWS)
    MLPClassifier((4,), max_iter=1, tol=1.0, n_iter_no_change=1).fit(X, names)


@pytest.mark.filterwarnings("ignore:.*Maximum iterations")
@pytest.mark.parametrize(
    "work",
    [
        lambda net, data: train(net, data, validation=data, epochs=1, label_smoothing=0.1),
        lambda net, data: find_learning_rate(net, data, steps=10),
        streamed,
        evaluate,
        calibrate,
        lambda net, data: net.predict_proba(data[0]),
        fit,
    ],
    ids=["train", "find_learning_rate", "stream", "evaluate", "calibrate", "predict_proba", "fit"],
)
def test_many_classes_take_memory_for_a_batch(work):
    net = MLP([3, 4, CLASSES])
    tracemalloc.start()
    try:
        work(net, (X, Y))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < CLASSES * CLASSES * 4 / 2  # half a unit matrix; some twenty arrays of rows × classes


def test_predicting_many_rows_of_many_classes_keeps_no_logits():
    net, rows = MLP([3, 4, CLASSES]), np.tile(X, (10, 1))
    tracemalloc.start()
    try:
        net.predict(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(rows) * CLASSES * 4 / 2
