import io

import numpy as np
import pytest
from PIL import Image

from numlp import MLP, Table, learn_encoding
from numlp.errors import SettingError
from numlp.judging.dependence import partial_dependence
from numlp.judging.importance import permutation_importance
from numlp.plots import dependence, importance


def png(figure):
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return Image.open(drawn)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    n = 200
    age = rng.uniform(20, 60, n)
    age[:20] = np.nan
    city = rng.choice(["Ulm", "$1_000", "Köln"], n).astype(object)
    city[5:9] = None
    days = np.datetime64("2026-01-01") + rng.integers(0, 300, n)
    return Table({"age": age, "city": city, "since": days, "none": np.full(n, np.nan)})


@pytest.mark.parametrize("outputs", [1, 2, 7])
def test_the_dependence_on_numbers_texts_dates_and_gaps_is_drawn(table, outputs):
    loss = "squared_error" if outputs == 1 else "softmax_cross_entropy"
    net = MLP([4, 8, outputs], loss=loss, input_encoding=learn_encoding(table), seed=0)
    found = [partial_dependence(net, table, name) for name in table]
    drawn = dependence(found, "the title")
    assert [axes.get_title() for axes in drawn.axes] == ["age", "city", "since", "none"]
    curves = [line.get_ydata() for line in drawn.axes[0].lines if len(line.get_ydata()) == len(found[0].values) - 1]
    assert len(curves) == {1: 1, 2: 1, 7: 5}[outputs]
    assert all(any(np.array_equal(curve, mean) for mean in found[0].mean[:-1].T) for curve in curves)
    assert png(drawn).width > 500


def test_importances_are_drawn_with_their_intervals_the_greatest_on_top(linear_rows):
    net, data = linear_rows
    found = permutation_importance(net, data)
    drawn = importance(found, "the title")
    left, right = drawn.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["c", "b", "a"]
    widths = [bar.get_width() for bar in left.patches]
    assert widths == [part.loss.value for part in found.columns[::-1]]
    assert right.get_xlabel() == "Rise of the RMSE"
    assert png(drawn).width > 500


@pytest.fixture
def linear_rows():
    net = MLP([3, 1], loss="squared_error", feature_names=["a", "b", "c"], dtype="float64")
    net.params[:] = [3, -2, 0, 1]
    x = np.random.default_rng(1).normal(size=(100, 3))
    return net, (x, net.predict(x))


def test_a_single_row_has_no_interval_and_is_drawn_all_the_same(linear_rows):
    net, (x, y) = linear_rows
    assert png(importance(permutation_importance(net, (x[:1], y[:1]))))


def test_nothing_to_draw_is_refused():
    with pytest.raises(SettingError, match="at least one column"):
        dependence([])
