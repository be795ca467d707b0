import json
from itertools import permutations

import numpy as np
import pytest

from numlp import MLP, Ensemble, load_dataset
from numlp.errors import DataError, SettingError
from numlp.judging.errors import described
from numlp.judging.explanation import explain_row


def amounts(why):
    return {part.column: part.amount for part in why.contributions}


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_contributions_add_up_to_the_prediction_less_the_mean(outputs):
    x = np.random.default_rng(0).normal(size=(60, 5))
    loss = "squared_error" if outputs == 1 else "softmax_cross_entropy"
    net = MLP([5, 16, outputs], loss=loss, seed=1, dtype="float64")
    for row in range(3):
        why = explain_row(net, x[row : row + 1], x)
        predict = net.predict if outputs == 1 else net.predict_proba
        chosen = 0 if outputs == 1 else int(why.output)
        assert why.prediction == pytest.approx(predict(x[row : row + 1]).reshape(1, -1)[0, chosen])
        assert why.mean == pytest.approx(predict(x).reshape(60, -1)[:, chosen].mean())
        assert why.mean + sum(amounts(why).values()) == pytest.approx(why.prediction, abs=1e-12)


def test_a_column_of_a_linear_network_contributes_its_distance_from_the_mean(linear):
    net, x, _ = linear
    why = explain_row(net, x[:1], x, rows=400)
    expected = {"a": 3 * (x[0, 0] - x[:, 0].mean()), "b": -2 * (x[0, 1] - x[:, 1].mean()), "c": 0}
    assert amounts(why) == pytest.approx(expected, abs=1e-9)


def test_contributions_are_shapley_values_within_their_errors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    net = MLP([3, 16, 1], loss="squared_error", seed=2, dtype="float64")
    exact = np.zeros(3)
    for order in permutations(range(3)):
        rows = x.copy()
        for column in order:
            before = net.predict(rows).mean()
            rows[:, column] = x[0, column]
            exact[column] += (net.predict(rows).mean() - before) / 6
    for part in explain_row(net, x[:1], x).contributions:
        assert abs(part.amount - exact[int(part.column)]) < 4 * part.error


def test_the_row_of_a_table_is_told_in_its_own_values(people):
    net, table, _ = people
    why = explain_row(net, table[:1], table)
    assert {part.column: part.value for part in why.contributions} == {name: table[name][0] for name in table}
    assert {part.column for part in why.contributions[:2]} == {"age", "city"}
    json.dumps(described(why))


def test_a_class_can_be_asked_for_and_an_ensemble_explained():
    x = np.random.default_rng(0).normal(size=(20, 2))
    ensemble = Ensemble([MLP([2, 4, 2], class_names=["cat", "dog"], seed=seed) for seed in range(2)])
    cat, dog = (explain_row(ensemble, x[:1], x, output=name) for name in ("cat", "dog"))
    assert cat.prediction + dog.prediction == pytest.approx(1)
    assert amounts(cat)["0"] == pytest.approx(-amounts(dog)["0"], abs=1e-6)
    with pytest.raises(SettingError, match="unknown output 'cow'"):
        explain_row(ensemble, x[:1], x, output="cow")


def test_pixels_of_images_contribute_too_but_not_with_rows_of_another_scale():
    images = load_dataset("mnist").test.x[:20]
    net = MLP([784, 4, 10], seed=0)
    why = explain_row(net, images[:1], images, rows=3)
    assert why.mean + sum(amounts(why).values()) == pytest.approx(why.prediction, abs=1e-6)
    with pytest.raises(DataError, match="one dtype"):
        explain_row(net, images[:1] / 255, images)


def test_several_rows_are_refused(linear):
    net, x, _ = linear
    with pytest.raises(DataError, match="row must be one row"):
        explain_row(net, x, x)
