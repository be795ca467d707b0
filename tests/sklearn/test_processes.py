"""Fits by several processes: those of one, except for rounding."""

import multiprocessing
import pickle

import numpy as np
import pytest
from parallel.rank_threads import at_once
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from numlp.errors import SettingError
from numlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")


def quick(processes, **settings):
    usual = {"hidden_layer_sizes": (16, 8), "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}
    return MLPClassifier(**usual | settings, processes=processes)


def assert_same_fit(one, other):
    np.testing.assert_allclose(other.network_.params, one.network_.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 1.0},
        {"alpha": 1.0, "l1": 1e-3, "clip_norm": 0.5, "batch_size": 300},
        {"solver": "sgd", "learning_rate": "adaptive", "alpha": 0.1},
        {"solver": "adamw(weight_decay = 0.05)", "dropout": 0.2, "normalization": "batch"},
        {"early_stopping": True, "averaging": 0.9, "normalization": "layer"},
        {"class_weight": "balanced", "alpha": 2.0, "mixup": 0.2, "adversarial": 0.1},
    ],
    ids=str,
)
def test_two_processes_fit_as_one_does(digits, settings):
    x, y = digits
    one, two, again = (quick(n, **settings).fit(x, y) for n in (1, 2, 2))
    assert_same_fit(one, two)
    np.testing.assert_array_equal(two.network_.params, again.network_.params)
    assert two.loss_curve_ == again.loss_curve_


def test_the_penalty_of_weighted_sparse_rows(digits):
    x, y = digits
    weights = np.random.default_rng(0).uniform(0, 3, len(x))
    one, two = (quick(n, alpha=5.0).fit(csr_array(x), y, sample_weight=weights) for n in (1, 2))
    assert_same_fit(one, two)
    assert not np.allclose(two.coefs_[0], quick(2, alpha=0.0).fit(x, y, sample_weight=weights).coefs_[0])


def test_regression_of_several_targets(table):
    x, y = table
    assert_same_fit(
        *(
            MLPRegressor(hidden_layer_sizes=(9,), alpha=1.0, max_iter=3, random_state=0, processes=n).fit(x, y)
            for n in (1, 3)
        )
    )


def test_partial_fits_and_warm_starts_continue(digits):
    x, y = digits
    one, two = (quick(n).partial_fit(x, y, classes=range(10)).partial_fit(x, y) for n in (1, 2))
    assert_same_fit(one, two)
    assert_same_fit(*(each.set_params(warm_start=True).fit(x, y) for each in (one, two)))


def test_a_fitted_estimator_goes_on_after_a_pickle_with_another_number(digits):
    x, y = digits
    two = quick(2).partial_fit(x, y, classes=range(10))
    copy = pickle.loads(pickle.dumps(two))
    assert copy.processes == clone(two).get_params()["processes"] == 2
    assert_same_fit(copy.set_params(processes=1).partial_fit(x, y), two.partial_fit(x, y))


def test_the_networks_of_a_preset(digits):
    x, y = digits
    fits = [
        MLPClassifier((16,), preset="table", max_iter=2, dropout=0.1, random_state=0, processes=n).fit(
            x[:200], y[:200]
        )
        for n in (1, 2)
    ]
    np.testing.assert_allclose(fits[1].predict_proba(x), fits[0].predict_proba(x), atol=1e-3)


def test_a_search_in_joblibs_workers(digits):
    x, y = digits
    search = GridSearchCV(quick(2, max_iter=2), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2, error_score="raise").fit(x, y)
    alone = GridSearchCV(quick(1, max_iter=2), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise").fit(x, y)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.01)


def _fit_in_a_pool(processes):
    x = np.random.default_rng(0).normal(size=(20, 3))
    try:
        quick(processes).fit(x, x[:, 0] > 0)
    except ValueError as error:
        return str(error)
    return ""


def test_a_pools_workers_refuse_with_the_reason():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert "multiprocessing.Pool" in pool.apply(_fit_in_a_pool, (2,))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"processes": 0}, "processes must be"),
        ({"processes": 2.5}, "processes must be"),
        ({"processes": 2, "solver": "lbfgs"}, r"processes must be 1 for solver='lbfgs'"),
        ({"processes": 9}, "processes must be at most 8, not 9"),
    ],
    ids=str,
)
def test_what_is_refused(digits, settings, reason):
    classifier = quick(1).set_params(**settings)
    with pytest.raises(SettingError, match=reason):
        classifier.fit(*digits)


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 1.0, "batch_size": 300, "mixup": 0.2},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1, "verbose": True},
        {"early_stopping": True, "class_weight": "balanced", "normalization": "batch", "dropout": 0.2},
    ],
    ids=str,
)
def test_ranks_fit_as_one_process_does(digits, settings, capsys):
    x, y = digits
    one = quick(1, **settings, max_iter=5).fit(x, y)
    printed = capsys.readouterr().out
    fits = at_once(3, lambda ranks: quick(1, **settings, max_iter=5, team=ranks).fit(x, y))
    assert capsys.readouterr().out.count("Iteration") == printed.count("Iteration")  # of rank 0 alone
    for fit in fits:
        np.testing.assert_allclose(fit.network_.params, one.network_.params, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(fit.loss_curve_, one.loss_curve_, rtol=1e-6)
        assert (fit.n_iter_, fit.stopped_) == (one.n_iter_, one.stopped_)


def test_what_ranks_cannot_fit_is_refused(digits):
    def fit(ranks):
        with pytest.raises(ValueError, match="team"):
            quick(1, solver="lbfgs", team=ranks).fit(*digits)
        with pytest.raises(SettingError, match="all ranks must have the same"):
            quick(1, random_state=ranks.rank, team=ranks).fit(*digits)

    at_once(2, fit)
    with pytest.raises(SettingError, match="team must be an MPITeam or None, not 2"):
        quick(1, team=2).fit(*digits)


def test_of_ranks_with_a_preset_the_first_prints(capsys):
    x, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    settings = {"preset": "table", "random_state": 0, "time_budget": 0.01, "verbose": True}
    MLPClassifier(**settings).fit(x, y)
    one = capsys.readouterr().out.count("Network 1,")
    at_once(2, lambda ranks: MLPClassifier(**settings, team=ranks).fit(x, y))
    assert 0 < capsys.readouterr().out.count("Network 1,") <= one
