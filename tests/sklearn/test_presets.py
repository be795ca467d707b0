"""Which settings a preset leaves to the user."""

import numpy as np
import pytest

from numlp.sklearn import MLPClassifier, MLPRegressor
from numlp.sklearn.parameters import CHECKS, defaults_of
from numlp.sklearn.presets import _OWN, _WHY_NOT, preset_settings
from numlp.training.recipes import recipe_settings
from numlp.training.sizes import table_settings

SHAPE = (1000, 5)


def settings(kind=MLPClassifier, **given):
    estimator = kind(preset="table", **given)
    return preset_settings(estimator.get_params(), defaults_of(kind), SHAPE)


def test_the_preset_is_the_recipe_of_that_name():
    found = settings()
    expected = recipe_settings("table") | table_settings(*SHAPE)
    assert {name: found[name] for name in expected if name not in ("activation", "layers")} == {
        name: value for name, value in expected.items() if name not in ("activation", "layers")
    }
    assert found["layers"] == tuple(expected["layers"])


@pytest.mark.parametrize(
    ("given", "own", "value"),
    [
        ({"hidden_layer_sizes": [32]}, "layers", (32,)),
        ({"hidden_layer_sizes": 64}, "layers", (64,)),
        ({"max_iter": 7}, "epochs", 7),
        ({"learning_rate_init": 0.5}, "learning_rate", 0.5),
        ({"learning_rate": "cosine"}, "schedule", "cosine"),
        ({"n_iter_no_change": 3}, "patience", 3),
        ({"tol": 0.01}, "min_delta", 0.01),
        ({"batch_size": 17}, "batch_size", 17),
        ({"dropout": 0.4}, "dropout", 0.4),
        ({"label_smoothing": 0.1}, "label_smoothing", 0.1),
        ({"dtype": "float64"}, "dtype", "float64"),
        ({"arithmetic": "portable"}, "arithmetic", "portable"),
        ({"batch_size": 50, "alpha": 0.1}, "l2", 0.002),
    ],
)
def test_parameters_that_differ_from_their_defaults_take_the_place_of_the_presets(given, own, value):
    assert settings(**given)[own] == value


def test_a_solver_comes_with_its_usual_rate():
    found = settings(solver="sgd")
    assert found["optimizer"].momentum == 0.9
    assert found["learning_rate"] is None
    assert settings(solver="lion", learning_rate_init=0.01)["learning_rate"] == 0.01


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_scaling": "standardize"}, "input_scaling must stay None with preset='table', whose encoding"),
        ({"warm_start": True}, "warm_start must stay False"),
        ({"validation_fraction": 0.5}, "validation_fraction must stay 0.1"),
        ({"shuffle": False}, "shuffle must stay True"),
        ({"beta_1": 0.5}, "beta_1 must stay 0.9 with preset='table', where settings of an optimizer go into solver"),
        ({"momentum": 0.5}, "momentum must stay 0.9"),
        ({"power_t": 1.0}, "power_t must stay 0.5"),
        ({"solver": "lbfgs"}, "solver must not be 'lbfgs'"),
        ({"learning_rate": "adaptive"}, "learning_rate must be a schedule of numlp's"),
        ({"early_stopping": True, "scoring": "accuracy"}, "scoring must stay None"),
    ],
)
def test_parameters_without_a_meaning_are_named(given, message):
    for kind in (MLPClassifier, MLPRegressor):
        with pytest.raises(ValueError, match=message):
            kind(preset="table", **given).fit(np.eye(4), [0, 1, 0, 1])


# Those that neither replace a setting nor are refused: the fit itself takes them.
OF_THE_FIT = {
    "random_state",
    "verbose",
    "processes",
    "team",
    "teacher",
    "distillation",
    "progress",
    "callbacks",
    "time_budget",
    "class_weight",
    "early_stopping",
    "preset",
}


def test_every_parameter_is_taken_or_refused():
    assert {*_OWN, *_WHY_NOT, "solver", "alpha", "preset", *OF_THE_FIT} == {*CHECKS, "loss"}


def test_early_stopping_is_what_the_preset_does_anyway():
    assert settings(early_stopping=True).keys() == settings().keys()


def test_a_subclass_may_prefer_other_values():
    class Small(MLPClassifier):
        def __init__(self, hidden_layer_sizes=(4,), preset="table", max_iter=2, random_state=0):
            super().__init__(hidden_layer_sizes, preset=preset, max_iter=max_iter, random_state=random_state)

    small = Small().fit(np.arange(40.0).reshape(20, 2), np.arange(20) % 2)
    assert small.network_.layer_size == (2, 4, 2)


def test_there_is_no_partial_fit():
    assert not hasattr(MLPClassifier(preset="table"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPRegressor(preset="table").partial_fit(np.eye(2), [0, 1])


def test_a_plain_fit_after_one_with_the_preset_is_a_plain_fit():
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    estimator = MLPClassifier((4,), preset="table", max_iter=3, random_state=0).fit(x, y)
    assert not hasattr(estimator, "coefs_")
    plain = MLPClassifier((4,), max_iter=600, tol=1, random_state=0).fit(x, y)
    estimator.set_params(preset=None, max_iter=600, tol=1).fit(x, y)
    np.testing.assert_array_equal(estimator.coefs_[0], plain.coefs_[0])
    estimator.set_params(preset="table", max_iter=3, tol=1e-4).fit(x, y)
    assert not hasattr(estimator, "coefs_")
