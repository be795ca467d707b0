"""Estimators that learn from a trained network."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import cross_val_score

from numlp.errors import SettingError
from numlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def settings(**others):
    scaling = None if "teacher" in others else "standardize"
    usual = {"hidden_layer_sizes": 16, "max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}
    return {**usual, "input_scaling": scaling, **others}


def test_a_pupil_answers_as_its_teacher_does():
    x, y = load_digits(return_X_y=True)
    teacher = MLPClassifier(**settings(hidden_layer_sizes=64)).fit(x, y)
    rng = np.random.default_rng(0)
    wrong = rng.permutation(y)
    pupil = MLPClassifier(**settings(teacher=teacher.network_, distillation=1.0)).fit(x, wrong)
    assert pupil.score(x, y) > 0.9
    assert pupil.score(x, wrong) < 0.3
    assert pupil.network_.input_scaling == teacher.network_.input_scaling


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_pupil_of_tables_shares_the_encoding(kind):
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    y = y if kind is MLPRegressor else y > 140
    quick = {"preset": "table", "max_iter": 8, "random_state": 0}
    teacher = kind(**quick).fit(x, y)
    pupil = kind(**quick, hidden_layer_sizes=32, teacher=teacher.network_, distillation=1.0)
    pupil.fit(x, np.roll(y, 7))  # whose own targets say nothing
    assert pupil.network_.input_encoding == teacher.network_.input_encoding
    answers = [each.predict(x) if kind is MLPRegressor else each.predict_proba(x)[:, 1] for each in (pupil, teacher)]
    assert np.corrcoef(*answers)[0, 1] > 0.8


def test_clones_and_pickles_keep_the_teacher():
    x, y = load_digits(return_X_y=True)
    teacher = MLPClassifier(**settings()).fit(x, y).network_
    pupil = MLPClassifier(**settings(teacher=teacher))
    first = pupil.fit(x, y).predict_proba(x)
    with pytest.raises(SettingError, match="would forget what an estimator has learned"):
        MLPClassifier(teacher=pupil).fit(x, y)
    for other in (clone(pupil), pickle.loads(pickle.dumps(pupil))):
        np.testing.assert_array_equal(other.fit(x, y).predict_proba(x), first)
    assert cross_val_score(pupil, x, y, cv=2).min() > 0.8


@pytest.mark.parametrize("preset", [None, "table"])
def test_a_scaling_beside_a_teacher_is_refused(preset):
    x, y = load_digits(return_X_y=True)
    teacher = MLPClassifier(**settings()).fit(x, y).network_
    pupil = MLPClassifier(teacher=teacher, input_scaling="symmetric", preset=preset)
    with pytest.raises(SettingError, match="leave input_scaling out: a network prepares its inputs as its teacher"):
        pupil.fit(x, y)
    assert not hasattr(pupil, "network_")


def test_a_teacher_of_other_columns_is_refused():
    x, y = load_digits(return_X_y=True)
    teacher = MLPClassifier(**settings()).fit(x[:, :60], y).network_
    with pytest.raises(SettingError, match="takes 60 inputs, but the network 64"):
        MLPClassifier(**settings(teacher=teacher)).fit(x, y)
    with pytest.raises(SettingError, match=r"takes 60 inputs, but the network 64"):
        MLPClassifier(preset="table", teacher=teacher).fit(x, y)
    with pytest.raises(ValueError, match="teacher must be None for solver='lbfgs'"):
        MLPClassifier(solver="lbfgs", teacher=teacher).fit(x, y)
