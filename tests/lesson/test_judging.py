"""The page's verdicts are those of the report."""

import numpy as np

from numlp.judging.inspection import dead_units
from numlp.report.overfitting import overfitting
from numlp.training.history import History


def history_of(train, validation):
    history = History()
    for epoch, (a, b) in enumerate(zip(train, validation, strict=True), start=1):
        history.append({"epoch": epoch, "train_loss": a, "validation_loss": b})
    return history


def curves():
    """Return losses of all kinds: that fall, turn, wobble, rise, stay, and are zero or negative."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        n = int(rng.integers(1, 40))
        fall = np.exp(-rng.uniform(0, 0.3) * np.arange(n)) * rng.choice([1e-3, 1.0, 1e4])
        turn = fall + rng.choice([0, 0.01, 0.3]) * np.maximum(0, np.arange(n) - n // 2) + rng.choice([0, -2.0])
        jitter = rng.choice([0, 0.01, 0.5], 2)
        train, validation = (
            each + size * rng.normal(size=n) for each, size in zip((fall, turn), jitter, strict=True)
        )
        found.append((train.tolist(), validation.tolist()))
    return [*found, ([1.0, 0.5, 0.2, 0.1], [1.0, 0.0, 0.8, 0.9]), ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])]


def test_overfitting_is_named_by_the_report_s_rule_in_its_words(evaluate):
    given = curves()
    said = evaluate("given.map(([train, validation]) => overfitting(train, validation))", given)
    wanted = [overfitting(history_of(*losses)) for losses in given]
    assert [(each["kind"], each["epoch"], each["text"]) for each in said] == [
        (each.kind, each.epoch, each.text) for each in wanted
    ]
    assert {each.kind for each in wanted} == {"overfits", "still falling", "levelled off", "too short"}


def test_losses_that_are_not_finite_say_nothing(evaluate):
    said = evaluate("overfitting([1, NaN, 1], [1, 1, 1])")
    assert said["text"] == overfitting(history_of([1, float("nan"), 1], [1, 1, 1])).text


def test_dead_units_are_those_of_the_library(evaluate):
    rng = np.random.default_rng(1)
    activations = np.maximum(rng.normal(size=(50, 20)) + rng.uniform(-4, 1, 20), 0)
    activations[:, 3] = 0.7 + 1e-8 * rng.random(50)
    dead = np.flatnonzero(dead_units(activations)).tolist()
    assert evaluate("deadUnits(Float32Array.from(given), 20)", activations.ravel().tolist()) == dead
    assert 3 in dead
    assert len(dead) > 2


def test_dead_units_are_named_from_one(evaluate):
    assert "One unit is dead" in evaluate("deadText([[2], []], [4, 4])")
    assert "unit 3 of layer 1" in evaluate("deadText([[2], []], [4, 4])")
    assert "all units of layer 2" in evaluate("deadText([[0], [0, 1]], [4, 2])")
