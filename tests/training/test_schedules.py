"""Schedules: PyTorch's first 20 factors (tests/reference), and what holds for each."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numlp.errors import SettingError
from numlp.settings.named import resolve
from numlp.training.history import History
from numlp.training.schedules import SCHEDULES, Constant, Cosine, Exponential, OneCycle, Plan, ReduceOnPlateau, Step

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expected.json").read_text())["schedules"]
FIGURES = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
POSITIVE, SHARE = [0, -1, np.inf, np.nan, "x", None, True], [0, 1, -0.1, np.nan, "x", None, True]
FRACTION, WHOLE = [-0.1, 1, np.nan, "x", None, True], [-1, 0.5, 2.0, "3", None, True]
OUT_OF_RANGE = {
    (Constant, "warmup"): [-0.1, np.inf, np.nan, "x", None, True],
    (Step, "every"): [0, *WHOLE],
    (Step, "by"): POSITIVE,
    (Exponential, "by"): POSITIVE,
    (Cosine, "final"): FRACTION,
    (OneCycle, "rise"): SHARE,
    (OneCycle, "start"): FRACTION,
    (OneCycle, "final"): FRACTION,
    (ReduceOnPlateau, "by"): SHARE,
    (ReduceOnPlateau, "patience"): WHOLE,
    (ReduceOnPlateau, "threshold"): FRACTION,
    (ReduceOnPlateau, "figure"): ["", None, 3, ["train_loss"]],
}


def history_of(columns, epochs):
    """Return the history after a number of epochs."""
    history = History()
    for epoch in range(epochs):
        history.append({"epoch": epoch + 1} | {name: values[epoch] for name, values in columns.items()})
    return history


def test_every_schedule_has_a_reference():
    assert {resolve("schedule", case["schedule"], SCHEDULES).name for case in REFERENCE} == set(SCHEDULES)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["schedule"])
def test_the_first_20_factors_are_those_of_pytorch(case):
    schedule, plan = resolve("schedule", case["schedule"], SCHEDULES), Plan(case["epochs"], case["steps_per_epoch"])
    schedule.check(plan, FIGURES)
    assert len(case["factors"]) == 20
    factors = [
        schedule(step, plan, history_of(case.get("history", {}), step // plan.steps_per_epoch)) for step in range(20)
    ]
    np.testing.assert_allclose(factors, case["factors"], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
@settings(max_examples=30)
@given(data=st.data())
def test_factors_are_shares_of_the_rate_in_every_plan(name, data):
    plan = Plan(data.draw(st.integers(1, 6), "epochs"), data.draw(st.integers(1, 6), "steps per epoch"))
    warmup = data.draw(st.floats(0, plan.epochs, exclude_max=True), "warm-up")
    schedule = SCHEDULES[name](warmup=warmup)
    schedule.check(plan, FIGURES)
    factors = [schedule(step, plan, History()) for step in range(plan.epochs * plan.steps_per_epoch)]
    assert all(isinstance(factor, float) and 0 <= factor <= 1 for factor in factors)
    rising = factors[: round(warmup * plan.steps_per_epoch)]
    np.testing.assert_allclose(rising, np.arange(1, len(rising) + 1) / (len(rising) or 1))


@pytest.mark.parametrize("name", SCHEDULES)
def test_registry_entries_are_consistent(name):
    schedule = SCHEDULES[name]()
    assert schedule.name == str(schedule) == name
    assert schedule.warmup == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_that_count_steps_need_their_number(name):
    plan, schedule = Plan(5, None), SCHEDULES[name]()
    if schedule.counts_steps:
        with pytest.raises(SettingError, match=f"schedule '{name}' needs the number of steps"):
            schedule.check(plan, FIGURES)
    else:
        schedule.check(plan, FIGURES)
        assert schedule(10**9, plan, History()) == 1
    with pytest.raises(SettingError, match="needs the number of steps"):
        SCHEDULES[name](warmup=0.5).check(plan, FIGURES)


def test_a_cycle_needs_the_number_of_steps():
    assert OneCycle.counts_steps
    assert not Constant.counts_steps


@pytest.mark.parametrize("warmup", [5, 5.5, 1000])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_warmup_must_be_shorter_than_training(name, warmup):
    with pytest.raises(SettingError, match=f"warmup must be below epochs = 5, not {warmup:g}"):
        SCHEDULES[name](warmup=warmup).check(Plan(5, 3), FIGURES)
    SCHEDULES[name](warmup=4.5).check(Plan(5, 3), FIGURES)


def test_a_metric_that_the_history_lacks_is_refused_before_training():
    with pytest.raises(SettingError, match="unknown history column 'validation_los': did you mean 'validation_loss'"):
        ReduceOnPlateau(figure="validation_los").check(Plan(5, None), FIGURES)
    with pytest.raises(
        SettingError,
        match="schedule 'reduce_on_plateau' needs 'validation_loss', but there is no validation data",
    ):
        ReduceOnPlateau().check(Plan(5, None), ["epoch", "train_loss"])


def test_a_plateau_may_lie_below_zero():
    falling = [-1.0, -2.0, -3.0, -4.0]
    lasting = [-1.0, -1.0, -1.0, -1.0]
    schedule, plan = ReduceOnPlateau(patience=1), Plan(9, 1)
    assert schedule(4, plan, history_of({"validation_loss": falling}, 4)) == 1
    assert schedule(4, plan, history_of({"validation_loss": lasting}, 4)) == 0.1


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_setting_is_tested_out_of_range(name):
    names = {field.name for field in fields(SCHEDULES[name])} - {"warmup", "shape"}
    assert names <= {setting for schedule, setting in OUT_OF_RANGE if schedule is SCHEDULES[name]}


@pytest.mark.parametrize(
    ("schedule", "setting"), OUT_OF_RANGE, ids=lambda part: part if isinstance(part, str) else part.name
)
def test_settings_out_of_range_are_named(schedule, setting):
    for value in OUT_OF_RANGE[schedule, setting]:
        with pytest.raises(SettingError, match=rf"^{setting} must be"):
            schedule(**{setting: value})


def test_the_error_for_an_unknown_shape_suggests_the_nearest():
    with pytest.raises(SettingError, match="did you mean 'linear'"):
        OneCycle(shape="linaer")
