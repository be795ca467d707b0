import json

import numpy as np
import pytest

from numlp import MLP, Table, learn_encoding
from numlp.judging.dependence import interactions, partial_dependence
from numlp.judging.errors import described


def test_the_dependence_of_a_linear_network_is_its_line(linear):
    net, x, _ = linear
    found = partial_dependence(net, x, "a", points=9)
    steps = np.diff(found.mean[:, 0]) / np.diff(found.values)
    assert np.allclose(steps, 3)
    assert np.allclose(found.low, found.mean)
    assert np.allclose(found.high, found.mean)
    assert found.shares.sum() == pytest.approx(1)


def test_texts_come_by_their_frequency_dates_in_order_and_gaps_last(people):
    net, table, _ = people
    with_gaps = Table({name: table[name].copy() for name in table})
    with_gaps["city"][:50] = None
    with_gaps["since"][:50] = np.datetime64("NaT")
    with_gaps["age"][:50] = np.nan
    cities, dates, ages = (partial_dependence(net, with_gaps, name, rows=1000) for name in ("city", "since", "age"))
    assert cities.values[-1] is None
    assert np.isnat(dates.values[-1])
    assert np.isnan(ages.values[-1])
    assert np.all(np.diff(cities.shares[:-1]) <= 0)
    assert np.all(np.diff(dates.values[:-1]) > np.timedelta64(0))
    assert cities.shares[-1] == ages.shares[-1] == pytest.approx(0.1)


def test_what_the_target_gains_in_a_city_is_found(people):
    net, table, _ = people
    found = partial_dependence(net, table, "city")
    by_city = dict(zip(found.values, found.mean[:, 0], strict=True))
    assert by_city["Ulm"] - by_city["Bonn"] == pytest.approx(2, abs=0.3)
    assert found.swing[0] == pytest.approx(2, abs=0.3)


def test_the_probabilities_of_classes_sum_to_1():
    rng = np.random.default_rng(0)
    found = partial_dependence(MLP([2, 8, 3], class_names=["a", "b", "c"]), rng.normal(size=(50, 2)), "1")
    assert found.outputs == ("a", "b", "c")
    assert np.allclose(found.mean.sum(axis=1), 1)


def test_of_very_many_classes_the_likeliest_are_looked_at():
    net = MLP([2, 5000], class_names=[f"word {i}" for i in range(5000)])
    net.params[-5000:] = np.linspace(0, 9, 5000)
    found = partial_dependence(net, np.random.default_rng(0).normal(size=(50, 2)), "0", points=3)
    assert len(found.outputs) == found.mean.shape[1] == 40
    assert "word 4999" in found.outputs


def test_the_dependence_is_written_as_json(people):
    net, table, _ = people
    for name in table:
        written = json.loads(json.dumps(described(partial_dependence(net, table, name, points=3))))
        assert len(written["mean"]) == len(written["values"])


class Product(MLP):
    """A network that multiplies its inputs a and b, and adds c."""

    def logits(self, rows):
        return (rows[:, 0] * rows[:, 1] + rows[:, 2])[:, None]


def test_a_product_interacts_and_a_sum_does_not(linear):
    _, x, _ = linear
    net = Product([3, 1], loss="squared_error", feature_names=["a", "b", "c"], dtype="float64")
    strongest, *others = interactions(net, x, ["a", "b", "c"])
    assert strongest.columns == ("a", "b")
    assert strongest.share > 0.9
    expected = np.multiply.outer(strongest.values[0], strongest.values[1])
    assert np.corrcoef(strongest.effect.ravel(), expected.ravel())[0, 1] > 0.99
    assert all(pair.strength < 1e-9 for pair in others)


def test_a_column_of_gaps_alone_has_one_value():
    table = Table({"a": np.arange(4.0), "gaps": np.full(4, np.nan)})
    net = MLP([2, 1], loss="squared_error", input_encoding=learn_encoding(table))
    assert len(partial_dependence(net, table, "gaps").values) == 1


def test_a_column_of_yes_and_no_has_two_values():
    table = Table({"a": np.arange(4.0), "yes": np.array([True, False, True, True])})
    net = MLP([2, 1], loss="squared_error", input_encoding=learn_encoding(table))
    found = partial_dependence(net, table, "yes")
    assert (found.values.tolist(), found.shares.tolist()) == ([0, 1], [0.25, 0.75])
