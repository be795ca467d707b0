import numpy as np
import pytest

from numlp import MLP, Scaling
from numlp.judging.mistakes import surest_mistakes


def test_the_surest_mistake_comes_first_and_right_rows_do_not_come():
    net = MLP([1, 2])
    net.params[:] = [-1, 1, 0, 0]
    found = surest_mistakes(net, ([[1.0], [3.0], [2.0], [-5.0]], [0, 0, 1, 0]))
    assert [mistake.row for mistake in found] == [1, 0]
    assert found[0].size > found[1].size > 0.5


def test_values_farthest_off_come_first_in_their_units(linear):
    net, x, y = linear
    y = y.copy()
    y[7] += 100
    worst, *others = surest_mistakes(net, (x, y), most=2)
    assert worst.row == 7
    assert worst.size == pytest.approx(100)
    assert all(other.size < 1e-6 for other in others)
    assert worst.truth[0] - worst.predicted[0] == pytest.approx(100)


def test_labels_that_are_missed_are_named():
    net = MLP([2, 3], loss="sigmoid_binary_cross_entropy", class_names=["red", "round", "big"])
    net.params[:] = [0] * 6 + [5, -5, -5]
    (mistake,) = surest_mistakes(net, (np.zeros((2, 2)), [[1, 0, 0], [1, 1, 0]]))
    assert (mistake.row, mistake.truth, mistake.predicted) == (1, ("red", "round"), ("red",))


def test_a_single_label_is_a_choice_of_two():
    net = MLP([1, 1], loss="sigmoid_binary_cross_entropy", class_names=["no", "yes"])
    net.params[:] = [1, 0]
    found = surest_mistakes(net, ([[3.0], [-1.0]], ["no", "yes"]))
    assert [(mistake.truth, mistake.predicted) for mistake in found] == [(("no",), ("yes",)), (("yes",), ("no",))]


def test_of_several_values_the_one_that_is_farthest_off_for_its_spread_counts():
    spread = Scaling(np.zeros(2), np.array([1.0, 0.001]))
    net = MLP([1, 2], loss="squared_error", target_scaling=spread, dtype="float64")
    net.params[:] = 0
    worst, second = surest_mistakes(net, (np.zeros((2, 1)), [[0.0, 900.0], [2.0, 0.0]]))
    assert (worst.row, worst.truth, second.row) == (1, (2.0, 0.0), 0)
    assert worst.size == pytest.approx(2)


def test_a_model_without_a_mistake_has_none():
    net = MLP([1, 2], dtype="float64")
    net.params[:] = [-1, 1, 0, 0]
    assert surest_mistakes(net, ([[-1.0], [1.0]], [0, 1])) == ()
