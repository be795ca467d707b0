"""Ctrl-C in `fit`: the state so far, or KeyboardInterrupt and an estimator as it was before."""

import signal

import numpy as np
import pytest
from sklearn.utils.validation import check_is_fitted

from numlp.sklearn import MLPClassifier, estimator, fitting, lbfgs
from numlp.sklearn.convergence import Convergence
from numlp.training import loop, training


@pytest.fixture(autouse=True)
def handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    return x, (x[:, 0] > 0).astype(int)


def quick(**settings):
    return MLPClassifier((5,), max_iter=30, tol=0, n_iter_no_change=10**6, random_state=0, **settings)


def pressed_in(patched, owner, name, call=1):
    """Press Ctrl-C when a function begins, for the call with this number."""
    original, calls = getattr(owner, name), []

    def function(*arguments, **settings):
        calls.append(1)
        if len(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **settings)

    patched.setattr(owner, name, function)


BEFORE_TRAINING = [
    (estimator, "check_parameters"),
    (estimator, "validate_data"),
    (estimator, "make_network"),
    (estimator, "split"),
    (MLPClassifier, "_track"),
]


@pytest.mark.parametrize(("owner", "name"), BEFORE_TRAINING)
def test_ctrl_c_in_the_first_instants_of_fit_leaves_the_estimator_as_it_was(data, monkeypatch, owner, name):
    pressed_in(monkeypatch, owner, name)
    classifier = quick(early_stopping=True)
    before = dict(vars(classifier))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*data)
    assert vars(classifier) == before
    with pytest.raises(Exception, match="not fitted yet"):
        check_is_fitted(classifier)


def test_ctrl_c_in_a_second_fit_keeps_the_first(data, monkeypatch):
    x, y = data
    with pytest.warns(Warning, match="Maximum iterations"):
        classifier = quick().fit(x, y)
    predicted = classifier.predict_proba(x)
    pressed_in(monkeypatch, estimator, "make_network")
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(x[:, :2], 1 - y)
    np.testing.assert_array_equal(classifier.predict_proba(x), predicted)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 30


TRAINING = [
    (fitting, "ShuffledBatches", 1),
    (fitting, "train", 1),
    (training, "make_feed", 1),
    (training, "begun", 1),
    (Convergence, "begin", 1),
    (Convergence, "count", 1),
    (Convergence, "count", 3),
    (Convergence, "__call__", 1),
    (Convergence, "__call__", 4),
    (loop, "evaluate_rows", 2),
    (fitting, "_restore", 1),
]


@pytest.mark.parametrize(("owner", "name", "call"), TRAINING)
def test_ctrl_c_at_any_instant_of_the_training_gives_the_state_so_far(data, monkeypatch, owner, name, call):
    x, y = data
    pressed_in(monkeypatch, owner, name, call)
    with pytest.warns(Warning, match=r"Training interrupted by user\.|Maximum iterations"):
        classifier = quick(early_stopping=True, batch_size=20).fit(x, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == len(classifier.validation_scores_) >= 1
    assert classifier.predict(x).shape == y.shape
    assert np.array_equal(classifier.coefs_[0], classifier.network_.linear_layers[0].weight)
    classifier.set_params(early_stopping=False).partial_fit(x, y)


def test_ctrl_c_in_partial_fit_can_be_followed_by_another(data, monkeypatch):
    x, y = data
    classifier = quick(batch_size=20).partial_fit(x, y, classes=[0, 1])
    with monkeypatch.context() as patched:
        pressed_in(patched, Convergence, "count", 2)
        with pytest.warns(UserWarning, match="interrupted"):
            classifier.partial_fit(x, y)
    assert classifier.partial_fit(x, y).t_ == 120 + 40 + 120


@pytest.mark.parametrize("warm", [False, True])
def test_ctrl_c_in_lbfgs_leaves_the_estimator_as_it_was(data, monkeypatch, warm):
    x, y = data
    classifier = quick(solver="lbfgs", warm_start=True)
    if warm:
        with pytest.warns(Warning, match="lbfgs failed to converge"):
            classifier.set_params(max_iter=2).fit(x, y)
        predicted = classifier.predict_proba(x)
    pressed_in(monkeypatch, lbfgs, "reported", 3)
    with pytest.raises(KeyboardInterrupt):
        classifier.set_params(max_iter=50).fit(x, y)
    assert hasattr(classifier, "coefs_") == warm
    if warm:
        np.testing.assert_array_equal(classifier.predict_proba(x), predicted)


def test_a_second_ctrl_c_ends_fit_at_once(data, monkeypatch):
    x, y = data

    def press(state):
        if state.step == 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    classifier = quick(callbacks=[press], batch_size=120)
    with pytest.warns(UserWarning, match="interrupted"):
        classifier.fit(x, y)
    assert classifier.n_iter_ == 1
    pressed_in(monkeypatch, Convergence, "count", 1)
    pressed_in(monkeypatch, Convergence, "count", 1)
    other = quick()
    with pytest.raises(KeyboardInterrupt):
        other.fit(x, y)
    assert not hasattr(other, "coefs_")
