"""What scikit-learn does with estimators, it does with ours."""

import copy
import io

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_score, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from numlp import load_model, save_model
from numlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::sklearn.exceptions.SkipTestWarning"
)


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_their_checks(estimator, check):
    check(estimator)


def quick(**settings):
    usual = {"hidden_layer_sizes": (16,), "max_iter": 8, "learning_rate_init": 0.02, "random_state": 0}
    return MLPClassifier(**usual | settings)


def test_pipeline_and_scores(digits):
    x, y = digits
    pipeline = make_pipeline(StandardScaler(), quick()).set_output(transform="pandas")
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.7
    assert pipeline.fit(x, y).predict_proba(x).shape == (1000, 10)


def test_searches(digits):
    x, y = digits
    grid = {"alpha": [1e-4, 1.0], "dropout": [0.0, 0.2]}
    search = GridSearchCV(quick(), grid, cv=2, n_jobs=2).fit(x, y)
    assert search.best_score_ > 0.6
    assert len(search.cv_results_["params"]) == 4
    halving = HalvingRandomSearchCV(quick(), {"alpha": [1e-4, 1.0, 10.0]}, n_candidates=3, cv=2, random_state=0).fit(
        x, y
    )
    assert set(halving.best_params_) == {"alpha"}


def test_calibration_and_importance(digits):
    x, y = digits
    calibrated = CalibratedClassifierCV(quick(max_iter=20), cv=2).fit(x, y)
    assert calibrated.score(x, y) > 0.8
    importance = permutation_importance(quick().fit(x, y), x, y, n_repeats=2, random_state=0)
    constant = np.ptp(x, axis=0) == 0
    assert importance.importances_mean[constant].max() == 0
    assert importance.importances_mean.max() > 0
    assert MultiOutputClassifier(quick()).fit(x, np.stack([y, y % 2], axis=1)).predict(x).shape == (1000, 2)


def test_weights_are_routed(digits):
    x, y = digits
    weights = (y < 5).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = quick().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_validate(routed, x, y, params={"sample_weight": weights}, cv=2)["test_score"]
    assert scores.min() > 0.75  # the other digits were used neither in training nor in scoring
    assert quick().fit(x, y, weights).score(x, y) < 0.55


@pytest.mark.parametrize(
    "settings", [{}, {"normalization": "batch", "averaging": 0.9, "input_scaling": "standardize"}]
)
def test_copies_predict_and_learn_the_same(digits, settings):
    x, y = digits
    original = quick(**settings).fit(x, y)
    file = io.BytesIO()
    joblib.dump(original, file)
    file.seek(0)
    for other in (copy.deepcopy(original), joblib.load(file)):
        np.testing.assert_array_equal(original.predict_proba(x), other.predict_proba(x))
        assert all(np.shares_memory(coef, other.network_.params) for coef in other.coefs_)
        one = copy.deepcopy(original).partial_fit(x, y)
        np.testing.assert_array_equal(one.predict_proba(x), other.partial_fit(x, y).predict_proba(x))
    fresh = clone(original)
    assert not hasattr(fresh, "coefs_")
    assert fresh.get_params() == original.get_params()


def test_estimators_do_not_hold_on_to_the_training_data(digits):
    x, y = digits
    big = np.tile(x, (20, 1))
    classifier = quick(max_iter=2).fit(big, np.tile(y, 20)).partial_fit(big, np.tile(y, 20))
    file = io.BytesIO()
    joblib.dump(classifier, file)
    assert file.tell() < big.nbytes / 50


def test_weights_set_by_hand_change_the_prediction(digits):
    x, y = digits
    one, other = quick().fit(x, y), quick(random_state=1).fit(x, y)
    expected = other.predict_proba(x)
    one.coefs_, one.intercepts_ = [coef.copy() for coef in other.coefs_], [each.copy() for each in other.intercepts_]
    np.testing.assert_array_equal(one.predict_proba(x), expected)
    one.coefs_[0] = np.zeros_like(one.coefs_[0])
    assert np.ptp(one.predict_proba(x), axis=0).max() == 0
    other.coefs_[0][:] = 0
    assert np.ptp(other.predict_proba(x), axis=0).max() == 0


def test_a_part_of_an_autoencoder(digits):
    x, _ = digits
    settings = {"hidden_layer_sizes": (20, 3, 20), "activation": "tanh", "max_iter": 5, "random_state": 0}
    whole = MLPRegressor(**settings).fit(x, x)
    encoder = copy.deepcopy(whole)
    encoder.coefs_, encoder.intercepts_, encoder.n_layers_ = whole.coefs_[:2], whole.intercepts_[:2], 3
    by_hand = np.tanh(x @ whole.coefs_[0] + whole.intercepts_[0]) @ whole.coefs_[1] + whole.intercepts_[1]
    np.testing.assert_allclose(encoder.predict(x), by_hand)


def test_names_of_features(digits):
    x, y = digits
    frame = pd.DataFrame(x, columns=[f"pixel {i}" for i in range(64)])
    for settings in ({}, {"early_stopping": True, "scoring": "f1_macro"}):
        classifier = quick(**settings).fit(frame, y)
        assert list(classifier.feature_names_in_) == list(frame.columns)
        classifier.predict(frame)
        with pytest.raises(ValueError, match="feature names should match"):
            classifier.predict(frame.rename(columns={"pixel 0": "first"}))
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            classifier.predict(x)


def test_the_network_can_be_saved_as_numlp_s_models(digits, tmp_path):
    x, y = digits
    classifier = quick(input_scaling="standardize").fit(x, np.array(list("abcdefghij"))[y])
    save_model(classifier.network_, tmp_path / "model.safetensors")
    network = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(network.predict_proba(x), classifier.predict_proba(x))
    assert network.class_names == tuple("abcdefghij")


def interrupt_at_once():
    raise KeyboardInterrupt


def test_interrupted_training_keeps_its_weights(digits):
    x, y = digits

    def interrupt(state):
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        classifier = quick(callbacks=[interrupt], max_iter=50).fit(x, y)
    assert classifier.n_iter_ == 3
    assert classifier.score(x, y) > 0.3
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        at_once = quick(early_stopping=True, scoring=lambda *_: interrupt_at_once()).fit(x, y)
    assert at_once.predict(x).shape == y.shape
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(8\) reached"):
        quick().fit(x, y)
