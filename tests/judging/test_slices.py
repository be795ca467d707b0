import numpy as np
import pytest

from numlp import MLP, Table, learn_encoding
from numlp.judging.slices import worst_slices


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    n = 2000
    size = rng.uniform(0, 100, n)
    size[rng.random(n) < 0.1] = np.nan
    city = rng.choice(["Ulm", "Bonn", "Köln"], n).astype(object)
    city[:3] = "Rom"
    return Table({"size": size, "city": city, "day": np.datetime64("2026-01-01") + rng.integers(0, 99, n)})


def always_right(table, loss="softmax_cross_entropy", outputs=2):
    """A network that predicts the first class, or 0."""
    net = MLP([3, outputs], loss=loss, input_encoding=learn_encoding(table))
    net.params[:] = 0
    if outputs == 2:
        net.params[-2] = 1
    return net


@pytest.mark.parametrize(
    ("planted", "column", "condition"),
    [
        (lambda t: t["city"] == "Ulm", "city", "is Ulm"),
        (lambda t: np.isnan(t["size"]), "size", "is missing"),
        (lambda t: t["size"] > 75, "size", "from 80."),
        (lambda t: t["day"] > np.datetime64("2026-03-25"), "day", "from 2026-03-20 to 2026-04-09"),
    ],
)
def test_a_planted_error_is_found(table, planted, column, condition):
    rng = np.random.default_rng(1)
    wrong = np.where(planted(table), rng.random(2000) < 0.8, rng.random(2000) < 0.1)
    for y, net in (
        (wrong.astype(int), always_right(table)),
        (3.0 * wrong, always_right(table, "squared_error", 1)),
        (wrong.astype(int), always_right(table, "sigmoid_binary_cross_entropy", 1)),
    ):
        found = worst_slices(net, (table, y))
        worst = found.slices[0]
        assert worst.column == column
        assert worst.condition.startswith(condition)
        assert found.error < worst.error.low < worst.error.value < worst.error.high


def test_errors_by_chance_make_no_slices_even_tiny_ones(table):
    net, false = always_right(table), 0
    for seed in range(1, 101):
        wrong = np.random.default_rng(seed).random(2000) < 0.2
        wrong[:3] = True  # all of Rom's
        false += bool(worst_slices(net, (table, wrong.astype(int)), least=1).slices)
    assert false <= 5  # of a hundred: the confidence of all intervals is 95 %


def test_a_weight_of_0_takes_rows_out(table):
    wrong = (table["city"] == "Ulm").astype(int)
    net = always_right(table)
    assert worst_slices(net, (table, wrong)).slices[0].condition == "is Ulm"
    assert worst_slices(net, (table, wrong, 1.0 - wrong)).slices == ()
