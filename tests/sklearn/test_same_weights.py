"""With the same random state, scikit-learn's estimators and ours end with the same weights and figures."""

import numpy as np
import pytest
import scipy.sparse
from sklearn import neural_network as theirs
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

from numlp import sklearn as ours

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")

SETTINGS = [
    {},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    {"solver": "sgd", "momentum": 0},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 1.0, "power_t": 0.4},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.05, "n_iter_no_change": 1},
    {"solver": "sgd", "batch_size": 37, "alpha": 1.0, "learning_rate_init": 0.1},
    {"alpha": 10.0, "batch_size": 64},
    {"alpha": 0.0, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
    {"epsilon": 1e-3, "hidden_layer_sizes": (20, 10)},
    {"activation": "logistic", "hidden_layer_sizes": [30]},
    {"activation": "tanh", "shuffle": False, "hidden_layer_sizes": 30},
    {"activation": "identity", "hidden_layer_sizes": ()},
    {"tol": 0.2, "n_iter_no_change": 2},
    {"solver": "lbfgs", "alpha": 0.1},
]


def assert_same(theirs, ours, tolerance=1e-10):
    for one, other in zip(theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(theirs, name) == getattr(ours, name), name
    np.testing.assert_allclose(theirs.loss_, ours.loss_, rtol=1e-6)
    for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        assert hasattr(theirs, name) == hasattr(ours, name), name
        if getattr(theirs, name, None) is None:
            assert getattr(ours, name, None) is None, name
        else:
            np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_classes(digits, settings):
    x, y = digits
    settings = {"max_iter": 12, "random_state": 3, **settings}
    one = theirs.MLPClassifier(**settings).fit(x, y)
    other = ours.MLPClassifier(**settings).fit(x, y)
    assert_same(one, other, tolerance=1e-7 if settings.get("solver") == "lbfgs" else 1e-10)
    np.testing.assert_array_equal(one.predict(x), other.predict(x))
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), atol=1e-7)
    np.testing.assert_allclose(one.predict_log_proba(x), other.predict_log_proba(x), atol=1e-5)
    assert one.score(x, y) == other.score(x, y)


def test_fifty_steps_of_both_solvers(digits):
    x, y = digits
    for solver in ("sgd", "adam"):
        settings = {"solver": solver, "batch_size": 100, "max_iter": 5, "random_state": 0, "learning_rate_init": 0.01}
        one = theirs.MLPClassifier(**settings).fit(x, y)
        other = ours.MLPClassifier(**settings).fit(x, y)
        assert one.t_ // 100 == 50
        assert_same(one, other, tolerance=1e-5)


def test_slow_training_ends_with_the_same_weights(digits):
    x, y = digits
    settings = {"random_state": 0, "tol": 0.01, "max_iter": 500}
    one, other = theirs.MLPClassifier(**settings).fit(x, y), ours.MLPClassifier(**settings).fit(x, y)
    assert one.n_iter_ < 500
    assert_same(one, other)


@pytest.mark.parametrize("name", ["two classes", "names", "several labels", "one class", "weights", "sparse"])
def test_kinds_of_data(digits, name):
    x, y = digits
    weights = None
    if name == "two classes":
        y = y > 4
    elif name == "names":
        y = np.array(list("abcdefghij"))[y]
    elif name == "several labels":
        x, y = make_multilabel_classification(300, random_state=0)
    elif name == "one class":
        y = np.zeros_like(y)
    elif name == "weights":
        weights = np.random.default_rng(0).uniform(0, 3, len(y))
    elif name == "sparse":
        x = scipy.sparse.csr_matrix(x)
    for settings in ({}, {"solver": "sgd"}, {"solver": "lbfgs"}):
        settings = {"max_iter": 10, "random_state": 1, **settings}
        one = theirs.MLPClassifier(**settings).fit(x, y, weights)
        other = ours.MLPClassifier(**settings).fit(x, y, weights)
        assert_same(one, other, tolerance=1e-6)
        np.testing.assert_array_equal(one.classes_, other.classes_)
        found = other.predict(x)
        np.testing.assert_array_equal(one.predict(x), found)
        assert found.dtype == one.predict(x).dtype
        np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_real_valued_targets(table, loss, columns, solver, weighted):
    x, y = table
    y = np.abs(y[:, :columns]) if loss == "poisson" else y[:, :columns]
    weights = np.random.default_rng(0).uniform(0, 3, len(y)) if weighted else None
    y = y[:, 0] if columns == 1 else y
    settings = {"loss": loss, "solver": solver, "max_iter": 10, "random_state": 1, "batch_size": 70}
    one = theirs.MLPRegressor(**settings).fit(x, y, weights)
    other = ours.MLPRegressor(**settings).fit(x, y, weights)
    assert_same(one, other, tolerance=1e-6)
    np.testing.assert_allclose(one.predict(x), other.predict(x), atol=1e-5)
    assert one.predict(x).shape == other.predict(x).shape


def test_single_precision_is_kept(digits):
    x, y = digits
    one = theirs.MLPClassifier(random_state=0, max_iter=3).fit(x.astype(np.float32), y)
    other = ours.MLPClassifier(random_state=0, max_iter=3).fit(x.astype(np.float32), y)
    assert_same(one, other, tolerance=1e-4)
    assert other.predict_proba(x.astype(np.float32)).dtype == np.float32


def test_partial_fit_and_warm_start(digits, table):
    x, y = digits
    for solver in ("sgd", "adam"):
        one, other = (kind.MLPClassifier(solver=solver, random_state=0) for kind in (theirs, ours))
        for part in (slice(0, 400), slice(400, 700), slice(0, 1000)):
            for classifier in (one, other):
                classifier.partial_fit(x[part], y[part], classes=range(10))
        assert_same(one, other)
    one, other = (kind.MLPClassifier(warm_start=True, max_iter=4, random_state=0) for kind in (theirs, ours))
    for classifier in (one, other):
        classifier.fit(x, y).fit(x, y)
        classifier.partial_fit(x, y)
    assert_same(one, other)
    x, y = table
    one, other = (kind.MLPRegressor(random_state=0, max_iter=3) for kind in (theirs, ours))
    for regressor in (one, other):
        regressor.fit(x, y)
        regressor.partial_fit(x, y)
    assert_same(one, other)


def test_early_stopping(digits, table):
    x, y = digits
    settings = {"early_stopping": True, "random_state": 0, "max_iter": 200, "tol": 0.01, "n_iter_no_change": 3}
    one, other = (kind.MLPClassifier(**settings).fit(x, y > 4) for kind in (theirs, ours))
    assert one.n_iter_ < 200
    assert_same(one, other)
    x, y = table
    one, other = (kind.MLPRegressor(**settings).fit(x, y) for kind in (theirs, ours))
    assert_same(one, other)


def test_a_random_state_advances_as_in_scikit_learn(digits):
    x, y = digits
    states = []
    for kind in (theirs, ours):
        state = np.random.RandomState(0)
        kind.MLPClassifier(max_iter=2, random_state=state).fit(x, y)
        states.append(state.randint(1000))
    assert states[0] == states[1]


def test_the_printed_lines(digits, capsys):
    x, y = digits
    lines = []
    for kind in (theirs, ours):
        kind.MLPClassifier(verbose=True, tol=0.5, n_iter_no_change=2, random_state=0).fit(x, y)
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1]
    assert "Training loss did not improve more than tol=0.500000 for 2 consecutive epochs. Stopping." in lines[0]


def test_every_parameter_and_attribute_exists(digits):
    x, y = digits
    for name in ("MLPClassifier", "MLPRegressor"):
        one = getattr(theirs, name)(max_iter=1, random_state=0).fit(x, y)
        other = getattr(ours, name)(max_iter=1, random_state=0).fit(x, y)
        missing = {key for key, value in one.get_params().items() if other.get_params()[key] != value}
        assert not missing
        public = {key for key in vars(one) if not key.startswith("_")} - {"loss"}
        assert public <= set(vars(other)), public - set(vars(other))
        methods = {key for key in dir(one) if not key.startswith("_")}
        assert methods <= set(dir(other)), methods - set(dir(other))
