import numpy as np
import pytest
from sklearn.metrics import log_loss

from numlp.losses import LOSSES
from numlp.special import sigmoid, softmax


def value(name, logits, targets):
    return LOSSES[name].value_and_grad(logits, targets, np.empty_like(logits), np.empty_like(logits))


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(scale=3, size=(6, 4))


@pytest.fixture
def one_hot():
    return np.eye(4)[[0, 1, 2, 3, 1, 0]]


def test_softmax_cross_entropy_agrees_with_scikit_learn(logits, one_hot):
    expected = log_loss(one_hot, softmax(logits), normalize=False)
    assert value("softmax_cross_entropy", logits, one_hot) == pytest.approx(expected)


def test_softmax_cross_entropy_takes_probabilities_as_targets(logits):
    targets = softmax(np.random.default_rng(1).normal(size=logits.shape))
    expected = -(targets * np.log(softmax(logits))).sum()
    assert value("softmax_cross_entropy", logits, targets) == pytest.approx(expected)


def test_softmax_cross_entropy_of_huge_logits_is_finite():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype=np.float32)
    assert value("softmax_cross_entropy", logits, np.eye(2, dtype=np.float32)) == 0
    assert value("softmax_cross_entropy", logits, np.eye(2, dtype=np.float32)[::-1].copy()) == 4e4


def test_sigmoid_squared_error_is_its_formula(logits, one_hot):
    expected = 0.5 * ((sigmoid(logits) - one_hot) ** 2).sum()
    assert value("sigmoid_squared_error", logits, one_hot) == pytest.approx(expected)


def test_squared_error_is_its_formula(logits, one_hot):
    assert value("squared_error", logits, one_hot) == pytest.approx(0.5 * ((logits - one_hot) ** 2).sum())


@pytest.mark.parametrize("name", LOSSES)
def test_the_link_of_perfect_logits_gives_no_loss(name):
    targets = np.eye(3)
    logits = targets if LOSSES[name].task == "regression" else 1000 * (2 * targets - 1)
    assert value(name, logits, targets) == pytest.approx(0, abs=1e-12)
    predictions = np.empty_like(targets)
    LOSSES[name].link(logits, predictions)
    np.testing.assert_allclose(predictions, targets, atol=1e-12)
