import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.report.overfitting import kept, overfitting
from numlp.runs.recipe import Recipe
from numlp.training.history import History


def history_of(train, validation):
    history = History()
    for epoch, row in enumerate(zip(train, validation, strict=True), start=1):
        history.append({"epoch": epoch, "train_loss": row[0], "validation_loss": row[1]})
    return history


def verdict(train, validation):
    return overfitting(history_of(train, validation))


FALLING = [1.0, 0.6, 0.4, 0.3, 0.2, 0.1]


def test_validation_turns_while_training_falls():
    found = verdict(FALLING, [1.0, 0.7, 0.5, 0.55, 0.6, 0.7])
    assert (found.kind, found.epoch) == ("overfits", 3)
    assert "after epoch 3 and ends 40 % above" in found.text


def test_a_rise_of_less_than_a_tenth_is_not_overfitting():
    found = verdict(FALLING, [1.0, 0.7, 0.5, 0.52, 0.51, 0.549])
    assert found.kind == "levelled off"
    assert "lowest after epoch 3 of 6 and ends 9.8 % above that" in found.text
    assert verdict(FALLING, [1.0, 0.7, 0.5, 0.52, 0.51, 0.551]).kind == "overfits"


def test_a_wobble_small_beside_the_range_is_not_overfitting():
    found = verdict(FALLING, [100, 1.0, 1.0, 1.1, 1.2, 1.3])
    assert found.kind == "levelled off"
    assert "ends 30 % above its lowest value, but that is little beside the range from 1 to 100" in found.text
    assert verdict(FALLING, [5, 1.0, 1.0, 1.1, 1.2, 1.3]).kind == "overfits"


def test_both_losses_rising_is_not_overfitting():
    found = verdict([0.5, 0.4, 0.3, 0.5, 0.7, 0.9], [1.0, 0.7, 0.5, 0.6, 0.8, 1.0])
    assert found.kind == "levelled off"
    assert "too high a learning rate" in found.text


def test_best_at_the_end():
    found = verdict(FALLING, FALLING)
    assert (found.kind, found.epoch) == ("still falling", 6)


def test_the_last_epochs_count_together():
    # Of 30 epochs the last three are "late": a jump in one of them isn't overfitting.
    train = [1 - i / 40 for i in range(30)]
    validation = [1.0] + [0.5] * 28 + [0.57]
    assert verdict(train, validation).kind == "levelled off"
    assert verdict(train, [1.0] + [0.5] * 26 + [0.57] * 3).kind == "overfits"


def test_losses_below_zero():
    assert verdict(FALLING, [-1.0, -2.0, -3.0, -2.0, -1.5, -1.0]).kind == "overfits"
    assert verdict(FALLING, [-1.0, -2.0, -3.0, -2.9, -2.9, -2.9]).kind == "levelled off"
    assert verdict(FALLING, [1.0, 0.0, 0.5, 0.5, 0.5, 0.5]).kind == "overfits"


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_epochs(n):
    assert verdict([1.0] * n, [1.0] * n).kind == "too short"


def test_without_usable_losses():
    assert overfitting(History()).kind == "not validated"
    history = History()
    history.append({"epoch": 1, "train_loss": 1.0})
    assert overfitting(history).kind == "not validated"
    assert verdict([1.0] * 4, [1.0, math.nan, 1.0, 1.0]).kind == "not validated"


losses = st.lists(st.tuples(*[st.floats(0.01, 100)] * 2), min_size=1, max_size=30)


@given(losses, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_of_the_loss_does_not_matter(rows, factor):
    train, validation = zip(*rows, strict=True)
    scaled = verdict([factor * v for v in train], [factor * v for v in validation])
    assert scaled.kind == verdict(train, validation).kind  # powers of two: no rounding


@given(losses)
def test_a_falling_validation_loss_never_over_fits(rows):
    train, validation = zip(*rows, strict=True)
    assert verdict(train, sorted(validation, reverse=True)).kind != "overfits"


@given(losses)
def test_the_epoch_is_that_of_the_lowest_loss(rows):
    train, validation = zip(*rows, strict=True)
    found = verdict(train, validation)
    assert validation[found.epoch - 1] == min(validation)
    assert all(later > validation[found.epoch - 1] for later in itertools.islice(validation, found.epoch - 1))


def test_the_page_says_which_epochs_the_weights_are_from():
    assert kept(Recipe()) == ""
    assert "the best epoch, by validation accuracy" in kept(Recipe(patience=3, monitor="validation_accuracy"))
    assert "each network's best epoch, by validation loss" in kept(Recipe(patience=3, folds=5))
