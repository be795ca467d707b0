"""Where parts meet: bytes, subclasses, changes between fits, weights and scorers, trainings that end early."""

import copy

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from numlp.errors import DataWarning
from numlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")


def quick(**settings):
    usual = {"hidden_layer_sizes": (16,), "max_iter": 10, "learning_rate_init": 0.02, "random_state": 0}
    return MLPClassifier(**usual | settings)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "bool"])
def test_any_numbers_mean_the_same_in_fit_and_predict(digits, dtype):
    x, y = digits
    rows = (16 * x).astype(dtype)
    one, other = quick().fit(rows, y), quick().fit(rows.astype(float), y)
    np.testing.assert_array_equal(one.predict_proba(rows), other.predict_proba(rows.astype(float)))
    assert one.score(rows, y) == one.score(rows.astype(float), y)


def test_subclasses_with_other_constructors(digits):
    x, y = digits

    class Wide(MLPClassifier):
        def __init__(self, width=20, max_iter=5):
            super().__init__((width,), max_iter=max_iter, random_state=0)
            self.width = width

    assert Wide(width=24).fit(x, y).coefs_[0].shape == (64, 24)
    assert set(Wide().get_params()) == {"width", "max_iter"}


def test_a_chunk_that_diverges_does_not_spoil_later_ones(digits):
    x, y = digits
    classifier = quick().partial_fit(x, y, classes=range(10))
    with pytest.warns(DataWarning), pytest.raises(ValueError, match="non-finite"):
        classifier.partial_fit(1e300 * x, y)
    assert classifier.partial_fit(x, y).score(x, y) > 0.3


def test_changes_between_partial_fits(digits):
    x, y = digits
    first = quick(solver="sgd").partial_fit(x, y, classes=range(10))
    same = copy.deepcopy(first).partial_fit(x, y)
    other_solver = copy.deepcopy(first).set_params(solver="adam", momentum=0.1).partial_fit(x, y)
    np.testing.assert_array_equal(
        other_solver.coefs_[0], same.coefs_[0]
    )  # as in scikit-learn, the optimizer stays the same
    dropped = copy.deepcopy(first).set_params(dropout=0.5).partial_fit(x, y)
    assert not np.array_equal(dropped.coefs_[0], same.coefs_[0])
    swapped = copy.deepcopy(first).set_params(activation="tanh")
    assert swapped.partial_fit(x, y).network_.activations[0].name == "tanh"
    for settings in ({"loss": "sigmoid_squared_error"}, {"normalization": "layer"}, {"dtype": "float32"}):
        with pytest.raises(ValueError, match=r"while the weights stay, not .*: fit again with warm_start=False"):
            copy.deepcopy(first).set_params(**settings).partial_fit(x, y)
    averaged = copy.deepcopy(first).set_params(averaging=0.9).partial_fit(x, y)
    assert not np.array_equal(averaged.coefs_[0], same.coefs_[0])
    averaged.set_params(averaging=0.0).partial_fit(x, y)


EXTREME = [
    [-800, -1600, -2400],
    [800, 1600, 2400],
    [-1e30, 1e30, 0],
    [0, 0, 0],
    [-3e38, -3e38, -3e38],
    [90, -90, -110],
]


@pytest.mark.filterwarnings(f"ignore::{DataWarning.__module__}.{DataWarning.__name__}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["log_loss", "sigmoid_squared_error", "sigmoid_binary_cross_entropy"])
def test_probabilities_are_finite_and_sum_to_1_for_every_finite_logit(loss, dtype):
    x = np.array(EXTREME, dtype)
    if loss == "sigmoid_binary_cross_entropy":
        x = x.reshape(-1, 1)
    width = x.shape[1]
    rng = np.random.default_rng(0)
    classifier = MLPClassifier((), loss=loss, dtype=dtype, max_iter=1)
    classifier.fit(rng.normal(size=(30, width)), np.arange(30) % max(width, 2))
    classifier.network_.params = np.append(np.eye(width).ravel(), np.zeros(width))  # logits are inputs
    found = classifier.predict_proba(x)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    if width == 3:
        np.testing.assert_allclose(found[0], [1, 0, 0], atol=1e-30)


def test_early_stopping_on_and_off(digits):
    x, y = digits
    classifier = quick().partial_fit(x, y, classes=range(10))
    classifier.set_params(early_stopping=True).partial_fit(x, y, X_val=x, y_val=y)
    assert len(classifier.validation_scores_) == 1
    classifier.set_params(early_stopping=False).partial_fit(x, y)
    assert classifier.validation_scores_ is None
    assert len(classifier.loss_curve_) == 3


def test_training_continues_from_coefficients_set_by_hand(digits):
    x, y = digits
    for averaging in (0.0, 0.9):
        classifier = quick(averaging=averaging).partial_fit(x, y, classes=range(10))
        classifier.coefs_ = [np.zeros_like(coef) for coef in classifier.coefs_]
        classifier.partial_fit(x, y)
        assert np.abs(classifier.coefs_[0]).max() < 0.2


def test_a_time_budget_in_the_middle_of_an_epoch(digits):
    x, y = digits
    classifier = quick(batch_size=10, time_budget=1e-9).fit(x, y)
    assert classifier.t_ == 10
    assert classifier.n_iter_ == 1
    assert classifier.loss_ == pytest.approx(classifier._state.history["train_loss"][0], rel=1e-2)
    assert classifier.stopped_


def test_callbacks_that_end_a_fit_stop_it(digits):
    x, y = digits
    assert quick(callbacks=[lambda state: state.epoch == 2]).fit(x, y).stopped_
    assert not quick(callbacks=[lambda state: False]).fit(x, y).stopped_


@pytest.mark.parametrize(
    "scoring", [lambda estimator, x, y: estimator.score(x, y), "neg_max_error", "f1_macro", None]
)
def test_scorers_with_and_without_weights(digits, scoring):
    x, y = digits
    weights = np.random.default_rng(0).uniform(0, 2, len(y))
    classifier = quick(early_stopping=True, scoring=scoring, class_weight="balanced").fit(x, y, weights)
    assert len(classifier.validation_scores_) == 10


def test_class_weights_are_for_training(digits):
    x, y = digits
    classifier = quick(class_weight={8: 5.0}, early_stopping=True)
    for part in (y < 8, y > 6):
        classifier.partial_fit(x[part], y[part], classes=range(10), X_val=x[y < 7], y_val=y[y < 7])
    assert classifier.validation_scores_[-1] == classifier.score(x[y < 7], y[y < 7])
    for weights, message in (
        ({0: -5.0}, "class_weight of 0 must be a finite number of at least 0, not -5.0"),
        ({0: np.nan}, "class_weight of 0 must be"),
        ({"cat": 1.0}, r"class_weight must have weights for the classes \[0, 1, .* only, not for \['cat'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            quick(class_weight=weights).fit(x, y)


def test_held_out_rows_are_of_every_class():
    x = np.random.default_rng(0).normal(size=(42, 3))
    y = np.arange(42) % 5
    seen = []
    scoring = lambda estimator, rows, labels: seen.append(labels) or 0.0  # noqa: E731
    quick(early_stopping=True, scoring=scoring, max_iter=1).fit(x, y)
    assert sorted(seen[0]) == [0, 1, 2, 3, 4]
    y = np.repeat(np.arange(5), 2)
    quick(early_stopping=True, validation_fraction=0.51, max_iter=1).fit(x[:10], y)  # too few to stratify


def test_a_score_that_is_always_nan(digits):
    x, y = digits
    with pytest.warns(UserWarning, match="the validation score was nan in every epoch"):
        classifier = quick(early_stopping=True, scoring=lambda *_: float("nan")).fit(x, y)
    assert classifier.score(x, y) > 0.5


def test_the_logistic_function_by_both_names(digits):
    x, y = digits
    one, other = (quick(activation=name, max_iter=1).fit(x, y) for name in ("logistic", "sigmoid"))
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


def test_invalid_combinations_are_refused(digits):
    x, y = digits
    with pytest.raises(ValueError, match="batch_size must be 2 or more with batch normalization"):
        quick(normalization="batch", batch_size=1).fit(x, y)
    with pytest.raises(ValueError, match="sample_weight_val only with them"):
        quick().fit(x, y, sample_weight_val=np.ones(3))
    assert quick(dtype=np.float32, max_iter=1).fit(x, y).coefs_[0].dtype == np.float32
    with pytest.raises(ValueError, match="while the weights stay"):
        MLPRegressor(warm_start=True, max_iter=1).fit(x, y).set_params(loss="huber").fit(x, y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_estimators_remember_the_range_of_their_samples(digits, solver):
    x, y = digits  # floats from 0 to 1
    fitted = quick(solver=solver).fit(x, y)
    assert fitted.network_.input_range.ends == (0, 1)
    with pytest.warns(DataWarning, match="x holds floats from 0 to 255, but"):
        fitted.predict(255 * x)
