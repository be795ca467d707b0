import json

import numpy as np
import pytest

from numlp import MLP, Ensemble
from numlp.errors import SettingError
from numlp.judging.errors import described
from numlp.judging.importance import permutation_importance


def by_column(found):
    return {part.columns: part for part in found.columns}


def test_a_column_that_the_target_does_not_depend_on_is_within_its_interval_of_0(people):
    found = by_column(permutation_importance(*people[:1], people[1:]))
    for estimate in (found["noise",].loss, found["noise",].error, found["since",].loss):
        assert estimate.low < 0 < estimate.high
    assert found["age",].loss.low > 0 < found["city",].error.low


def test_a_column_that_the_network_does_not_use_has_importance_0(linear):
    net, x, y = linear
    wrong = y + np.random.default_rng(0).normal(scale=100, size=len(y))
    unused = by_column(permutation_importance(net, (x, wrong)))["c",]
    for estimate in (unused.loss, unused.error):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0, 0, 0), abs=1e-9)


def test_the_importance_in_a_linear_network_is_twice_the_variance_of_what_a_column_adds(linear):
    net, x, y = linear
    loss = by_column(permutation_importance(net, (x, y), repeats=100))["a",].loss
    expected = 2 * np.var(3 * x[:, 0]) / 2  # the loss is half the square
    assert loss.value == pytest.approx(expected, rel=0.05)
    assert loss.low < expected < loss.high


def test_intervals_hold_the_importance_as_often_as_they_say(linear):
    net = linear[0]
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(100, 3))
        y = net.predict(x) + rng.normal(size=100)
        estimate = by_column(permutation_importance(net, (x, y), seed=seed))["b",].error
        held.append(estimate.low < np.sqrt(1 + 2 * 4) - 1 < estimate.high)
    assert np.mean(held) > 0.9


def test_two_columns_that_say_the_same_are_unimportant_alone_and_important_together():
    x = np.repeat(np.random.default_rng(0).choice([-1.0, 1.0], 300)[:, None], 2, axis=1)
    net = MLP([2, 2], feature_names=["a", "copy"], dtype="float64")
    net.params[:] = [-3, 0, -3, 0, -1, 0]  # the second class, unless both are low
    y = (x[:, 0] > 0).astype(int)
    found = by_column(permutation_importance(net, (x, y), groups=[("a", "copy")]))
    alone, together = found["a",].error, found["a", "copy"].error
    assert alone.value < together.low


def test_rows_that_do_not_count_change_nothing(linear):
    net, x, y = linear
    y = y + np.random.default_rng(3).normal(size=len(y))
    once = permutation_importance(net, (x, y), repeats=30).loss
    weighted = permutation_importance(net, (np.r_[x, x + 9], np.r_[y, y * 0], np.repeat([1.0, 0.0], 400)), repeats=30)
    assert weighted.loss == pytest.approx(once)


def test_an_ensemble_of_one_is_explained_like_its_network(people):
    net, *data = people
    one, other = permutation_importance(net, data), permutation_importance(Ensemble([net]), data)
    assert [part.columns for part in one.columns] == [part.columns for part in other.columns]
    assert one.columns[0].loss.value == pytest.approx(other.columns[0].loss.value, rel=1e-4)


def test_the_same_seed_gives_the_same_and_a_sample_is_no_larger_than_asked_for(people):
    net, *data = people
    once, again = (permutation_importance(net, data, rows=50, seed=3) for _ in range(2))
    assert once == again
    assert once.rows == 50


def test_importances_are_written_as_json(people):
    found = described(permutation_importance(people[0], people[1:], repeats=1))
    assert json.loads(json.dumps(found))["columns"][0]["columns"] == ["age"]


def test_an_unknown_column_is_named_with_the_nearest(linear):
    net, x, _ = linear
    with pytest.raises(SettingError, match="unknown column 'aa'"):
        permutation_importance(net, (x, np.zeros(len(x))), groups=[("aa", "b")])
