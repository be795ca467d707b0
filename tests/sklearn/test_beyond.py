"""What scikit-learn's estimators don't have."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import log_loss, make_scorer, recall_score

from numlp import EarlyStopping
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.sklearn import MLPClassifier, MLPRegressor
from numlp.training.optimizers import OPTIMIZERS, SGD
from numlp.training.schedules import SCHEDULES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (32,), "max_iter": 25, "random_state": 0, **settings})


BETTER_THAN_CHANCE = 0.5
ONES = [
    *({"activation": name} for name in ACTIVATIONS),
    *({"solver": name, "learning_rate_init": 0.1 if name == "sgd" else 0.001} for name in OPTIMIZERS),
    *({"learning_rate": name} for name in SCHEDULES if name != "reduce_on_plateau"),
    {
        "learning_rate": "reduce_on_plateau(figure = 'train_loss', patience = 1, threshold = 0.5)",
        "learning_rate_init": 0.02,
    },
    {"activation": ["tanh", "gelu"], "hidden_layer_sizes": (32, 16)},
    {"activation": "leaky_relu(slope = 0.1)", "solver": "adamw(weight_decay = 0.05)"},
    {"solver": SGD(momentum=0.9), "learning_rate_init": 0.05},
    {"loss": "sigmoid_squared_error", "max_iter": 100},
    {"input_features": "oriented_gradients(stride = 2)"},
    {"initializer": "he_normal"},
    {"dtype": "float32"},
    {"normalization": "batch"},
    {"normalization": "layer"},
    {"normalization": "layer", "solver": "lbfgs"},
    {"input_scaling": "standardize"},
    {"dropout": 0.2, "input_dropout": 0.1},
    {"noise": 0.1, "input_noise": 0.1},
    {"class_weight": "balanced"},
    {"label_smoothing": 0.1},
    {"mixup": 0.2},
    {"adversarial": 0.5},
    {"l1": 1e-4, "max_norm": 3.0},
    {"clip_norm": 1.0, "clip_value": 0.1},
    {"averaging": 0.9},
]


@pytest.mark.parametrize("settings", ONES, ids=str)
def test_each_trains_and_is_repeatable(digits, settings):
    x, y = digits
    one, other = quick(**settings).fit(x, y), quick(**settings).fit(x, y)
    assert one.score(x, y) > BETTER_THAN_CHANCE
    np.testing.assert_array_equal(one.network_.params, other.network_.params)
    np.testing.assert_allclose(one.predict_proba(x).sum(axis=1), 1, rtol=1e-5)
    assert np.isfinite(one.loss_curve_ if one.solver != "lbfgs" else one.loss_).all()
    changed = quick(**settings).set_params(random_state=1).fit(x, y)
    assert not np.array_equal(one.network_.params, changed.network_.params)


DEFAULTS = ({"activation": "relu"}, {"learning_rate": "constant"}, {"solver": "adam", "learning_rate_init": 0.001})


@pytest.mark.parametrize("settings", [settings for settings in ONES if settings not in DEFAULTS], ids=str)
def test_each_does_something(digits, settings):
    x, y = digits
    x, y = x[y > y.mean() - 4], y[y > y.mean() - 4]  # digits of unequal frequency, for class_weight
    settings = settings | {"max_iter": 40}  # enough for schedules that count epochs
    one, other = quick(max_iter=40).fit(x, y), quick(**settings).fit(x, y)
    if settings.get("dtype"):
        assert other.coefs_[0].dtype == other.predict_proba(x).dtype == settings["dtype"]
        return
    assert not np.allclose(one.predict_proba(x), other.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.task == "regression"])
def test_losses_of_real_valued_targets(table, loss):
    x, y = table
    settings = {"hidden_layer_sizes": (32,), "max_iter": 150, "learning_rate_init": 0.01, "random_state": 0}
    for target in (np.abs(y[:, 0]), np.abs(y)):
        regressor = MLPRegressor(loss, **settings).fit(x, target)
        assert regressor.predict(x).shape == target.shape
        assert regressor.score(x, target) > 0.5


def test_mean_and_deviation(table):
    x, _ = table
    rng = np.random.default_rng(0)
    y = x[:, 0] + rng.normal(size=len(x)) * np.where(x[:, 1] > 0, 1.0, 0.1)
    settings = {"hidden_layer_sizes": (32,), "max_iter": 300, "learning_rate_init": 0.01, "random_state": 0}
    regressor = MLPRegressor("gaussian_negative_log_likelihood", **settings).fit(x, y)
    mean, deviation = regressor.predict(x, return_std=True)
    assert mean.shape == deviation.shape == y.shape
    assert np.median(deviation[x[:, 1] > 0]) > 3 * np.median(deviation[x[:, 1] < 0])
    with pytest.raises(ValueError, match="loss must be 'gaussian_negative_log_likelihood' for return_std=True"):
        MLPRegressor(**settings).fit(x, y).predict(x, return_std=True)


def test_class_weight_equals_sample_weights(digits):
    x, y = digits
    weights = {digit: 1.0 + digit for digit in range(10)}
    one = quick(class_weight=weights).fit(x, y)
    other = quick().fit(x, y, sample_weight=1.0 + y)
    np.testing.assert_array_equal(one.network_.params, other.network_.params)
    names = np.array(list("abcdefghij"))[y]
    by_name = quick(class_weight=dict(zip("abcdefghij", weights.values(), strict=True))).fit(x, names)
    np.testing.assert_array_equal(one.network_.params, by_name.network_.params)
    recalls = [
        recall_score(y == 3, quick(class_weight=w, max_iter=3).fit(x, y == 3).predict(x)) for w in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.2


def test_given_validation_data(digits):
    x, y = digits
    classifier = quick(alpha=0).fit(x[:800], y[:800], X_val=x[800:], y_val=y[800:])
    assert len(classifier.validation_loss_curve_) == classifier.n_iter_
    expected = log_loss(y[800:], classifier.predict_proba(x[800:]))
    assert classifier.validation_loss_curve_[-1] == pytest.approx(expected)
    plain = quick(alpha=0).fit(x[:800], y[:800])
    np.testing.assert_array_equal(plain.network_.params, classifier.network_.params)
    stopped = quick(early_stopping=True, max_iter=300, tol=0.01, n_iter_no_change=2).fit(
        x[:800], y[:800], X_val=x[800:], y_val=y[800:]
    )
    assert stopped.n_iter_ < 300
    assert stopped.t_ == 800 * stopped.n_iter_  # nothing was held out
    assert stopped.score(x[800:], y[800:]) == stopped.best_validation_score_ == max(stopped.validation_scores_)


def test_validation_loss_of_real_valued_targets(table):
    x, y = table
    regressor = MLPRegressor(max_iter=5).fit(x, y, X_val=x, y_val=y)
    mean_square = np.mean((regressor.predict(x) - y) ** 2)
    assert regressor.validation_loss_curve_[-1] == pytest.approx(mean_square / 2)


@pytest.mark.parametrize(
    "scoring",
    ["loss", "f1_macro", make_scorer(lambda y, guess: -float(np.sum(y != guess))), lambda e, x, y: e.score(x, y)],
)
def test_early_stopping_by_other_metrics(digits, scoring):
    x, y = digits
    classifier = quick(early_stopping=True, scoring=scoring, max_iter=40, tol=0.0).fit(x[:800], y[:800])
    assert classifier.best_validation_score_ == max(classifier.validation_scores_)
    if scoring == "loss":
        np.testing.assert_allclose(classifier.validation_scores_, -np.array(classifier.validation_loss_curve_))


def test_early_stopping_over_partial_fit(digits):
    x, y = digits
    classifier = quick(early_stopping=True, n_iter_no_change=3, tol=0.005)
    for epoch in range(300):
        classifier.partial_fit(x[:800], y[:800], classes=range(10), X_val=x[800:], y_val=y[800:])
        assert len(classifier.validation_scores_) == epoch + 1
        if classifier.stopped_:
            break
    assert 5 < epoch < 299
    assert classifier.score(x[800:], y[800:]) == max(classifier.validation_scores_)
    assert max(classifier.validation_scores_[-4:]) < max(classifier.validation_scores_[:-4]) + 0.005


def test_several_labels_over_partial_fit():
    x, y = make_multilabel_classification(200, n_classes=4, random_state=0)
    classifier = quick(solver="sgd", learning_rate_init=0.01)
    for _ in range(30):
        classifier.partial_fit(x, y)
    assert classifier.predict(x).shape == y.shape
    assert classifier.predict_proba(x).shape == y.shape
    assert np.mean(classifier.predict(x) == y) > 0.8


def test_callbacks(digits):
    x, y = digits
    epochs = []

    def note(state):
        epochs.append((state.epoch, state.history["train_accuracy"][-1]))
        return state.epoch == 4

    classifier = quick(callbacks=[note]).fit(x, y)
    assert [epoch for epoch, _ in epochs] == [1, 2, 3, 4]
    assert epochs[-1][1] > epochs[0][1]
    assert classifier.n_iter_ == 4
    stopping = EarlyStopping("validation_loss", patience=1)
    quick(callbacks=[stopping], max_iter=300).fit(x[:500], y[:500], X_val=x[500:], y_val=y[500:])
    assert 0 < stopping.epoch < 299


def test_a_time_budget(digits):
    x, y = digits
    classifier = quick(time_budget=0.05, max_iter=10**6, tol=0, n_iter_no_change=10**6).fit(x, y)
    assert classifier.n_iter_ < 10**6  # which take hours


def test_a_progress_bar(digits, capsys):
    x, y = digits
    quick(progress=True, max_iter=3).fit(x, y)
    assert "epoch" in capsys.readouterr().out


def test_adversarial_training_resists(digits):
    x, y = digits
    plain, trained = (quick(adversarial=radius, max_iter=60).fit(x[:500], y[:500]) for radius in (0.0, 0.8))

    def score(classifier):
        network = classifier.network_
        rows = np.ascontiguousarray(x[500:])
        network.loss_and_grad(rows, np.eye(10)[y[500:]], input_gradient=True)
        gradient = network.input_grad
        moved = rows + 0.8 * gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
        return classifier.score(moved, y[500:])

    assert score(trained) > score(plain) + 0.1
