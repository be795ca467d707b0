"""scikit-learn's searches find the same with numlp's estimators on each backend of joblib."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from numlp.sklearn import MLPClassifier

GRID = {"hidden_layer_sizes": [(4,), (8,)], "learning_rate_init": [0.01, 0.1]}


def search():
    estimator = MLPClassifier(solver="sgd", max_iter=200, tol=0.05, n_iter_no_change=2, random_state=0)
    return GridSearchCV(estimator, GRID, cv=2, error_score="raise", n_jobs=2)


@pytest.fixture
def alone(blobs):
    return search().set_params(n_jobs=1).fit(*blobs)


def check(found, alone, x):
    assert found.best_params_ == alone.best_params_
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    np.testing.assert_allclose(found.predict_proba(x), alone.predict_proba(x), rtol=1e-5)


def test_loky(blobs, alone):
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        check(search().fit(*blobs), alone, blobs[0])


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_dask(blobs, alone):
    """On a cluster of this machine, whose workers are processes."""
    distributed = pytest.importorskip("distributed", reason="dask's distributed isn't installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        check(search().fit(*blobs), alone, blobs[0])
