"""Features of images behind scikit-learn's interface, for rows that are square images."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from numlp.network.features import OrientedGradients
from numlp.sklearn import MLPClassifier, MLPRegressor, load_model, save_model

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")

TEXT = "oriented_gradients(cell = 3, stride = 2)"
USUAL = {"hidden_layer_sizes": (16,), "max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}


def of_features(kind=MLPClassifier, **settings):
    return kind(**{"input_features": TEXT, **USUAL, **settings})


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("settings", [{}, {"dtype": "float32", "dropout": 0.1}, {"solver": "lbfgs"}], ids=str)
def test_both_estimators_fit_and_survive_copies_and_files(digits, tmp_path, kind, settings):
    x, y = digits
    one = of_features(kind, **settings).fit(x / 16, y)
    width = OrientedGradients(cell=3, stride=2).width((8, 8))
    assert one.coefs_[0].shape == (width, 16)
    assert one.n_features_in_ == 64
    assert one.score(x / 16, y) > (0.8 if kind is MLPClassifier else 0.3)
    save_model(one, tmp_path / "estimator")
    for other in (pickle.loads(pickle.dumps(one)), load_model(tmp_path / "estimator")):
        np.testing.assert_array_equal(other.predict(x / 16), one.predict(x / 16))
        assert other.get_params()["input_features"] == TEXT
    assert clone(one).get_params()["input_features"] == TEXT
    assert kind().get_params()["input_features"] is None


def test_a_fit_goes_on_with_the_same_features_alone(digits):
    x, y = digits
    one = of_features(warm_start=True).fit(x, y)
    before = one.loss_
    one.set_params(input_features=OrientedGradients(cell=3, stride=2), noise=0.01).fit(x, y)  # in other words
    assert one.loss_ < before
    with pytest.raises(ValueError, match=r"input_features must stay 'oriented_gradients.*' while .*, not None"):
        one.set_params(input_features=None).fit(x, y)
    one.set_params(input_features=TEXT)
    one.coefs_, one.intercepts_ = [one.coefs_[0][:9], *one.coefs_[1:]], one.intercepts_
    with pytest.raises(ValueError, match=r"coefs_ must keep their shapes in a network with .*input_features"):
        one.predict(x)


def test_an_estimator_of_an_earlier_release_has_no_features(digits):
    x, y = digits
    one = MLPClassifier(**USUAL, warm_start=True).fit(x, y)
    del one.input_features
    del one._made_with["input_features"]
    again = pickle.loads(pickle.dumps(one))
    again.fit(x, y)
    assert again.network_.architecture["input_features"] is None


@pytest.mark.parametrize(
    ("settings", "change", "says"),
    [
        ({}, lambda x: x[:, :63], "input_features must be None for X with 63 columns, which aren't the pixels of a"),
        ({}, csr_array, "input_features must be None for a sparse X, whose rows aren't images"),
        ({}, lambda x: x[:, :4], "at least as high and wide as their cell of 3 pixels"),
        ({"input_features": "hog"}, lambda x: x, "unknown input_features 'hog'"),
        ({"preset": "table"}, lambda x: x, "input_features must stay None with preset='table'"),
    ],
)
def test_what_has_no_square_images_is_refused(digits, settings, change, says):
    x, y = digits
    with pytest.raises(ValueError, match=says):
        MLPClassifier(**{"input_features": TEXT, **settings}).fit(change(x), y)
