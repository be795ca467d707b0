"""Portable arithmetic behind scikit-learn's interface."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

from numlp.arrays.arithmetic import PORTABLE
from numlp.sklearn import MLPClassifier, MLPRegressor, load_model, save_model

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")

USUAL = {"hidden_layer_sizes": (16, 8), "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}


def portable(kind=MLPClassifier, **settings):
    return kind(**USUAL | settings, arithmetic="portable")


def test_it_is_a_parameter_like_the_others(digits):
    x, y = digits
    one = portable()
    assert clone(one).get_params()["arithmetic"] == "portable"
    assert MLPClassifier().get_params()["arithmetic"] == MLPRegressor().get_params()["arithmetic"] == "ordinary"
    one.fit(x, y)
    assert one.network_.arithmetic is PORTABLE
    assert one.network_.dtype == one.predict_proba(x).dtype == np.float32  # whatever X has
    assert not np.array_equal(one.coefs_[0], MLPClassifier(**USUAL, dtype="float32").fit(x, y).coefs_[0])


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 1.0, "l1": 1e-3, "clip_norm": 0.5, "batch_size": 300},
        {"solver": "sgd", "learning_rate": "invscaling", "alpha": 0.1, "input_scaling": "standardize"},
        {"solver": "adamw(weight_decay = 0.05)", "dropout": 0.2, "normalization": "batch"},
        {"early_stopping": True, "averaging": 0.9, "normalization": "layer"},
        {"early_stopping": True, "scoring": "loss", "noise": 0.1, "initializer": "he_normal"},
        {"class_weight": "balanced", "alpha": 2.0, "mixup": 0.2, "adversarial": 0.1},
    ],
    ids=str,
)
def test_any_number_of_processes_gives_the_same_bits(digits, settings):
    x, y = digits
    fits = [portable(**settings, processes=n).fit(x, y) for n in (1, 2, 3)]
    for other in fits[1:]:
        assert_array_equal(other.network_.params, fits[0].network_.params)
        assert other.loss_curve_ == fits[0].loss_curve_
        assert_array_equal(other.predict_log_proba(x), fits[0].predict_log_proba(x))


def test_weighted_sparse_rows_and_a_poisson_regression(digits):
    x, y = digits
    weights = np.random.default_rng(0).uniform(0, 3, len(x))
    for kind, settings in ((MLPClassifier, {}), (MLPRegressor, {"loss": "poisson"})):
        one, two = (
            portable(kind, alpha=5.0, processes=n, **settings).fit(csr_array(x), y, sample_weight=weights)
            for n in (1, 2)
        )
        assert_array_equal(two.network_.params, one.network_.params)
        assert two.loss_curve_ == one.loss_curve_


def test_fits_that_continue_keep_their_arithmetic(digits):
    x, y = digits
    one, two = (portable(processes=n).partial_fit(x, y, classes=range(10)) for n in (1, 2))
    two = pickle.loads(pickle.dumps(two))
    assert two.network_.arithmetic is PORTABLE
    for each in (one, two):
        each.partial_fit(x, y).set_params(warm_start=True).fit(x, y)
        each.set_params(dropout=0.1).fit(x, y)  # in a network made anew
    assert two.network_.arithmetic is PORTABLE
    assert_array_equal(two.network_.params, one.network_.params)
    with pytest.raises(ValueError, match="arithmetic must stay 'portable' while the weights stay, not 'ordinary'"):
        one.set_params(arithmetic="ordinary").fit(x, y)
    encoder = portable().fit(x, y)
    encoder.coefs_, encoder.intercepts_, encoder.n_layers_ = encoder.coefs_[:2], encoder.intercepts_[:2], 3
    assert encoder._network().arithmetic is PORTABLE


def test_files_keep_it(digits, tmp_path):
    x, y = digits
    one = portable().fit(x, y)
    save_model(one, tmp_path / "one.safetensors")
    again = load_model(tmp_path / "one.safetensors")
    assert again.arithmetic == "portable"
    assert again.network_.arithmetic is PORTABLE
    assert_array_equal(again.predict_proba(x), one.predict_proba(x))
    with pytest.raises(ValueError, match="arithmetic must stay 'portable'"):
        again.set_params(warm_start=True, arithmetic="ordinary").fit(x, y)


@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 1, 60)], ids=["alike", "weighted"])
def test_early_stopping_on_several_labels_sums_exactly(monkeypatch, weights):
    """scikit-learn's own accuracy takes np.average, whose sums round as the machine does."""
    x, y = make_multilabel_classification(60, n_features=5, n_classes=3, random_state=0)

    def average(*_, **__):
        raise AssertionError("it rounds")

    monkeypatch.setattr(np, "average", average)
    for labels in (y, csr_array(y)):
        one = portable(early_stopping=True).fit(x, labels, sample_weight=weights)
        assert len(one.validation_scores_) == one.n_iter_
        assert all(0 <= score <= 1 for score in one.validation_scores_)


def test_a_preset_is_portable(digits):
    x, y = digits
    settings = {"hidden_layer_sizes": (16,), "preset": "table", "max_iter": 2, "dropout": 0.1, "random_state": 0}
    fits = [MLPClassifier(**settings, arithmetic="portable", processes=n).fit(x[:200], y[:200]) for n in (1, 2)]
    assert {member.arithmetic for member in fits[0].network_.members} == {PORTABLE}
    assert_array_equal(fits[1].predict_proba(x), fits[0].predict_proba(x))
    assert_array_equal(fits[0].predict_proba(x[3:4]), fits[0].predict_proba(x)[3:4])
