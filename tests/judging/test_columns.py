import json
from dataclasses import asdict

import numpy as np
import pytest

from numlp.arrays.table import Table
from numlp.judging.columns import describe, duplicate_rows, duplicates, useless

N = 40
rng = np.random.default_rng(0)


def texts(cells):
    return np.array(list(cells), dtype=object)


def remarks(values, target=None):
    return " / ".join(describe(Table({"x": values}), target)[0].remarks)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(N, np.nan), "it has no value in any row"),
        (texts([None] * N), "it has no value in any row"),
        (np.full(N, "NaT", "M8[us]"), "it has no value in any row"),
        (np.full(N, 3.0), "it is 3 in all rows"),
        (np.zeros(N, bool), "it is 0 in all rows"),
        (np.full(N, 1e300), "it is 1e+300 in all rows"),
        (np.full(N, 2**60 + 1), "it is 1152921504606846977 in all rows"),
        (texts(["a"] * N), "it is 'a' in all rows"),
        (np.full(N, "2026-11-28", "M8[us]"), "it is 2026-11-28 in all rows"),
        (texts(f"id-{i}" for i in range(N)), "it has 40 different texts in 40 rows, like an id or a name"),
        (texts([None] * 20 + [f"id-{max(i, 2)}" for i in range(20)]), "it has 18 different texts in 20 rows"),
    ],
)
def test_a_column_that_helps_nobody_is_left_out_unless_it_is_kept(values, reason):
    table = Table({"x": values, "y": np.arange(N)})
    assert useless(table)["x"].startswith(reason)
    assert describe(table)[0].left_out == useless(table)["x"]
    assert useless(table, keep=["x"]) == {}
    assert describe(table, keep=["x"])[0].left_out is None


@pytest.mark.parametrize(
    "values",
    [
        np.arange(N),  # only told: it may be a time
        texts(["a", None] * 20),  # that there is a value tells something
        np.array([1.0, np.nan] * 20),
        texts([*"ab"] * 20),
        texts(f"id-{i // 2}" for i in range(N)),
        rng.normal(size=N),
    ],
)
def test_columns_that_may_help_stay(values):
    assert useless(Table({"x": values})) == {}


def test_a_few_rows_prove_nothing():
    assert useless(Table({"x": texts("abc"), "y": np.ones(3)})) == {"y": "it is 1 in all rows"}
    assert describe(Table({"x": np.arange(3)}), np.arange(3))[0].remarks == ()


@pytest.mark.parametrize("values", [np.arange(N), 7 + 10 * rng.permutation(N), np.arange(N, dtype=np.uint8)])
def test_whole_numbers_that_count_up_are_told(values):
    assert "counts up evenly, like an id" in remarks(values)


@pytest.mark.parametrize("values", [np.arange(N) // 2, np.arange(N) ** 2, np.arange(N) / 2, rng.permutation(N) % 39])
def test_other_numbers_do_not_count_up(values):
    assert "counts up" not in remarks(values)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.arange(3), np.arange(3.0), True),
        (np.array([1.5, np.nan]), np.array([1.5, np.nan]), True),
        (np.array([True, False]), np.array([1, 0]), True),
        (np.array([1.5, np.nan]), np.array([1.5, 0.0]), False),
        (np.array([2**60, 1]), np.array([2**60 + 1, 1]), False),
        (texts("aba"), texts("aba"), True),
        (texts("aba"), texts("bab"), False),
        (texts(["a", None]), texts(["a", "None"]), False),
        (np.array(["2026-11-28"], "M8[us]"), np.array(["2026-11-28"], "M8[us]"), True),
        (np.array(["1970-01-01"], "M8[us]"), np.array([0]), False),
    ],
)
def test_columns_of_equal_values_are_duplicates(one, other, same):
    table = Table({"a": one, "b": other})
    assert duplicates(table) == ({"b": "a"} if same else {})
    assert describe(table)[1].remarks == (("it equals 'a'",) if same else ())


CLASSES = np.repeat([0, 1], N // 2)
VALUES = np.linspace(0, 1, N)[rng.permutation(N)]


@pytest.mark.parametrize(
    ("values", "target", "remark"),
    [
        (texts(np.array(["no", "yes"])[CLASSES]), CLASSES, "tells the target alone: will it be known"),
        (CLASSES * 3 + np.arange(N) % 3, CLASSES, "tells the target alone: will"),
        (texts(np.array(["no", "yes", "maybe"])[CLASSES + np.arange(N) % 2]), CLASSES, ""),
        (CLASSES + rng.uniform(0, 0.5, N), CLASSES, "alone: each class has a range of its own"),
        (CLASSES + rng.uniform(0, 2, N), CLASSES, ""),
        (np.where(CLASSES == 1, np.nan, rng.normal(size=N)), CLASSES, "its gaps alone tell the target"),
        (np.where(np.arange(N) % 3 == 1, np.nan, rng.normal(size=N)), CLASSES, ""),
        (np.exp(VALUES), VALUES, "tells the target alone: one rises with the other, or falls"),
        (-3 * VALUES, VALUES, "tells the target alone: one rises"),
        (VALUES.round(1), VALUES, ""),
        (VALUES + rng.normal(0, 0.1, N), VALUES, ""),
        (texts(map(str, np.arange(N) // 4)), (np.arange(N) // 4).astype(float) % 5, "tells the target alone: will"),
        (rng.normal(size=N), np.ones(N), ""),
    ],
)
def test_a_column_that_tells_the_target_alone_may_be_a_leak(values, target, remark):
    assert (remark in remarks(values, target)) if remark else (remarks(values, target) == "")


def test_a_column_that_is_left_out_needs_no_remark():
    table = Table({"x": np.ones(N), "y": np.ones(N)})
    assert [column.remarks for column in describe(table)] == [(), ()]


def test_equal_rows_are_counted_with_their_targets():
    table = Table({"a": np.array([1.0, 1.0, np.nan, np.nan]), "b": texts(["x", "x", None, None])})
    assert duplicate_rows(table) == 2
    assert duplicate_rows(table, texts("abcc")) == 1


def test_different_rows_are_not_taken_for_equal_ones():
    grid = np.indices((40, 50, 60)).reshape(3, -1)
    table = Table({f"x{i}": values for i, values in enumerate(grid)})
    assert duplicate_rows(table) == 0
    assert duplicate_rows(table[np.concatenate([np.arange(100), np.arange(50)])]) == 50


def test_each_kind_of_column_is_described_for_programs():
    table = Table(
        {
            "age": np.array([41.5, np.nan, 20]),
            "city": texts(["Ulm", None, "Ulm"]),
            "day": np.array(["2026-11-28", "2026-11-29T12:30", "NaT"], "M8[us]"),
        }
    )
    age, city, day = json.loads(json.dumps([asdict(column) for column in describe(table)]))
    assert (age["kind"], age["gaps"], age["different"], age["low"], age["high"]) == ("number", 1, 2, 20, 41.5)
    assert (city["kind"], city["gaps"], city["levels"]) == ("text", 1, {"Ulm": 2})
    assert (day["kind"], day["gaps"], day["low"], day["high"]) == ("date", 1, "2026-11-28", "2026-11-29T12:30:00")
