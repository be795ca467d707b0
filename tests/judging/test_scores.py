import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from numlp import MLP, evaluate
from numlp.judging.scores import f1, mean_roc_auc, roc_auc, root_mean_squared_error

RNG = np.random.default_rng(0)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.5, 1.0, 3.0])), min_size=1)


@given(ROWS)
def test_f1_agrees_with_scikit_learn(rows):
    labels, predictions, weights = np.array(rows).T
    expected = sklearn.metrics.f1_score(labels, predictions, average="macro", sample_weight=weights, zero_division=0)
    assert f1(labels, predictions, 5, weights) == pytest.approx(expected)


@given(ROWS)
def test_roc_auc_with_ties_agrees_with_scikit_learn(rows):
    labels, scores, weights = np.array(rows).T
    labels = labels > 1
    if labels.all() or not labels.any():
        assert np.isnan(roc_auc(labels, scores, weights))
    else:
        expected = sklearn.metrics.roc_auc_score(labels, scores, sample_weight=weights)
        assert roc_auc(labels, scores, weights) == pytest.approx(expected)


def test_a_class_without_rows_does_not_count_in_the_mean_area():
    labels = np.eye(4, dtype=bool)[[0, 1, 2, 2]]
    scores = RNG.random((4, 4))
    assert mean_roc_auc(labels, scores) == pytest.approx(mean_roc_auc(labels[:, :3], scores[:, :3]))
    assert np.isnan(mean_roc_auc(labels[:1], scores[:1]))


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_the_root_mean_squared_error_agrees_with_scikit_learn(shape):
    t, y, weights = RNG.normal(size=shape), RNG.normal(size=shape), RNG.random(20)
    expected = sklearn.metrics.root_mean_squared_error(t, y, sample_weight=weights)
    assert root_mean_squared_error(t, y, weights) == pytest.approx(expected)


@pytest.mark.parametrize("n", [50, 3000])  # one chunk of rows, and several
@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_squared_error"])
def test_evaluate_gives_f1_roc_auc_and_log_loss_of_classes(loss, n):
    net = MLP([4, 6, 3], loss=loss, dtype="float64")
    x, y, weights = RNG.normal(size=(n, 4)), RNG.integers(0, 3, n), RNG.random(n)
    found = evaluate(net, (x, y, weights))
    shares = net.predict_proba(x)
    sums = shares / shares.sum(axis=1, keepdims=True)
    guess = shares.argmax(axis=1)
    areas = [sklearn.metrics.roc_auc_score(y == c, shares[:, c], sample_weight=weights) for c in range(3)]
    assert found["f1"] == pytest.approx(
        sklearn.metrics.f1_score(y, guess, average="macro", sample_weight=weights, zero_division=0)
    )
    assert found["roc_auc"] == pytest.approx(np.mean(areas))
    assert found["log_loss"] == pytest.approx(sklearn.metrics.log_loss(y, sums, sample_weight=weights))
    assert evaluate(net, (x, np.eye(3)[y], weights)) == pytest.approx(found)


@pytest.mark.parametrize("n_labels", [1, 3])
def test_evaluate_gives_f1_roc_auc_and_log_loss_of_labels(n_labels):
    net = MLP([4, 6, n_labels], loss="sigmoid_binary_cross_entropy", dtype="float64")
    x, y = RNG.normal(size=(60, 4)), RNG.integers(0, 2, (60, n_labels))
    found = evaluate(net, (x, y))
    shares = 1 / (1 + np.exp(-net.logits(x)))
    expected = sklearn.metrics.f1_score(y, shares > 0.5, average="macro", zero_division=0)
    assert found["f1"] == pytest.approx(expected)
    assert found["roc_auc"] == pytest.approx(sklearn.metrics.roc_auc_score(y, shares))
    losses = [sklearn.metrics.log_loss(y[:, i], shares[:, i]) for i in range(n_labels)]
    assert found["log_loss"] == pytest.approx(np.mean(losses))


def test_confident_errors_cost_what_they_should_and_not_infinity():
    net = MLP([1, 2], loss="softmax_cross_entropy")
    net.params[:] = [0, 300, 0, 0]
    assert evaluate(net, ([[1.0]], [0]))["log_loss"] == pytest.approx(300)


def test_the_area_is_left_out_where_it_would_take_much_memory(monkeypatch):
    monkeypatch.setattr("numlp.judging.figures._MOST_SCORES", 29)
    x, y = RNG.normal(size=(10, 2)), RNG.integers(0, 3, 10)
    assert "roc_auc" not in evaluate(MLP([2, 3]), (x, y))
    assert "roc_auc" in evaluate(MLP([2, 3]), (x[:9], y[:9]))


def test_intervals_report_their_coverage():
    x, y = np.zeros((1000, 1)), RNG.normal(size=1000)
    normal, levels = (
        MLP([1, 2], loss=f, dtype="float64")
        for f in ("gaussian_negative_log_likelihood", "quantile(levels = [0.2, 0.9])")
    )
    normal.params[:] = 0
    levels.params[:] = [0, 0, *np.quantile(y, [0.2, 0.9])]
    assert evaluate(normal, (x, y))["coverage"] == np.mean(np.abs(y) <= 1)
    found = evaluate(levels, (x, y))
    assert (found["coverage_0.2"], found["coverage_0.9"]) == (0.2, 0.9)
