import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.datasets.splits import MOST_HELD_OUT, folds, hold_out, usual_share
from numlp.errors import DataError, SettingError

classes = st.lists(st.integers(0, 4), min_size=4, max_size=120).map(np.array)
shares = st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.5])
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(2, 5)


def counted(y):
    return np.bincount(y, minlength=5)


@given(y=classes, share=shares, seed=seeds)
def test_rows_are_held_out_in_the_shares_of_their_classes(y, share, seed):
    count = len(y) - int(round(len(y) * (1 - share), 6))
    training, validation = hold_out(len(y), share, seed, targets=y)
    assert sorted([*training, *validation]) == list(range(len(y)))
    assert len(validation) == count
    single = counted(y) == 1
    if 2 * count <= len(y) - single.sum() and 2 * single.sum() <= len(y):
        assert not counted(y[validation])[single].any()  # a class with a single row trains
        rate = len(validation) / (len(y) - single.sum())
        assert np.all(np.abs(counted(y[validation]) - rate * counted(y))[~single] <= 1)


def test_sorted_rows_are_no_trouble():
    y = np.repeat([0, 1, 2], 50)
    assert counted(y[hold_out(150, 0.2, 0, targets=y).validation]).tolist() == [10, 10, 10, 0, 0]


def test_the_seed_decides_which_rows_validate():
    y = np.repeat([0, 1], 50)
    first, again, other = (hold_out(100, 0.2, seed, targets=y).validation.tolist() for seed in (1, 1, 2))
    assert first == again != other
    values = np.linspace(0, 1, 100)
    assert hold_out(100, 0.2, 1, targets=values).validation.tolist() != (
        hold_out(100, 0.2, 2, targets=values).validation.tolist()
    )


def test_real_values_are_held_out_from_their_whole_range():
    validation = hold_out(1000, 0.1, 3, targets=np.arange(1000.0)).validation
    assert np.bincount(validation // 100).tolist() == [10] * 10


def test_classes_may_be_names_and_labels_may_be_rows():
    names = np.array(["a"] * 10 + ["b"] * 10, dtype=object)
    assert counted((hold_out(20, 0.2, 0, targets=names).validation >= 10).astype(int)).tolist()[:2] == [2, 2]
    rows = np.array([[0, 1], [1, 1]] * 10)
    assert rows[hold_out(20, 0.2, 0, targets=rows).validation][:, 0].tolist().count(1) == 2


@given(y=classes, seed=seeds, share=shares, size=st.integers(1, 6), gaps=st.booleans(), text=st.booleans())
def test_no_group_is_on_both_sides(y, seed, share, size, gaps, text):
    n = len(y)
    groups = (np.random.default_rng(seed).permutation(n) // size).astype(float)
    if gaps:
        groups[: n // 2] = np.nan
    known = groups
    if text:
        groups = np.array([None if np.isnan(group) else f"g{group}" for group in groups], dtype=object)
    if len(set(np.nan_to_num(known, nan=-1))) < 2:
        return
    training, validation = hold_out(n, share, seed, targets=y, groups=groups)
    assert min(len(training), len(validation)) > 0
    assert sorted([*training, *validation]) == list(range(n))
    assert not set(np.nan_to_num(known[training], nan=-1)) & set(np.nan_to_num(known[validation], nan=-1))


def test_small_groups_meet_the_share_and_the_classes():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 3, 3000), rng.integers(0, 500, 3000)
    validation = hold_out(3000, 0.2, 0, targets=y, groups=groups).validation
    assert abs(len(validation) - 600) < 10
    assert np.abs(counted(y[validation]) / len(validation) - counted(y) / 3000).max() < 0.01


def test_two_groups_make_two_sides_whatever_the_share():
    training, validation = hold_out(30, 0.1, 0, groups=np.repeat(["a", "b"], [20, 10]))
    assert (len(training), len(validation)) == (20, 10)


@given(ages=st.lists(st.integers(0, 30), min_size=4, max_size=80), share=shares)
def test_the_latest_rows_validate(ages, share):
    times = np.array(ages).astype("M8[D]").astype("M8[us]")
    if len(set(ages)) < 2:
        return
    training, validation = hold_out(len(ages), share, 0, times=times)
    assert min(len(training), len(validation)) > 0
    assert times[training].max() < times[validation].min()


def test_a_row_without_a_time_trains():
    times = np.array(["2020-01-01", "NaT", "2021-01-01", "2022-01-01"], "M8[us]")
    assert hold_out(4, 0.25, 0, times=times).validation.tolist() == [3]
    assert [fold.validation.tolist() for fold in folds(4, 2, 0, times=times)] == [[2], [3]]


@given(y=classes, k=counts, seed=seeds)
def test_each_row_validates_in_one_fold_unless_it_is_the_only_one_of_its_class(y, k, seed):
    if len(y) < k:
        return
    made = folds(len(y), k, seed, targets=y)
    single = (counted(y) == 1)[y]
    stratified = 2 * single.sum() <= len(y)
    if not stratified or len(y) - single.sum() < k:
        single[:] = False
    assert sorted(row for fold in made for row in fold.validation) == np.flatnonzero(~single).tolist()
    for training, validation in made:
        assert sorted([*training, *validation]) == list(range(len(y)))
        assert abs(len(validation) - np.sum(~single) / k) < 1
        if stratified:
            assert np.all(np.abs(counted(y[validation]) - counted(y[~single]) / k) < 1 + 1e-9)


def test_every_row_of_labels_validates():
    labels = np.array([[0, 0], [0, 1], [1, 0], [1, 0]])
    assert sorted(row for fold in folds(4, 2, 0, targets=labels) for row in fold.validation) == [0, 1, 2, 3]


@given(y=classes, k=counts, seed=seeds, own_class=st.booleans())
def test_each_group_validates_in_one_fold(y, k, seed, own_class):
    groups = np.random.default_rng(seed).integers(0, 8, len(y))
    if len(set(groups)) < k:
        return
    made = folds(len(y), k, seed, targets=groups if own_class else y, groups=groups)
    assert all(len(fold.validation) for fold in made)
    assert sorted(row for fold in made for row in fold.validation) == list(range(len(y)))
    assert all(not set(groups[fold.training]) & set(groups[fold.validation]) for fold in made)


@given(ages=st.lists(st.integers(0, 30), min_size=6, max_size=80), k=counts)
def test_folds_by_time_train_on_the_past_alone(ages, k):
    times = np.array(ages).astype("M8[D]").astype("M8[us]")
    if len(set(ages)) <= k:
        return
    made = folds(len(ages), k, 0, times=times)
    for training, validation in made:
        assert min(len(training), len(validation)) > 0
        assert times[training].max() < times[validation].min()
    assert sorted([*made[-1].training, *made[-1].validation]) == list(range(len(ages)))


def test_a_fifth_of_a_table_validates_but_at_most_ten_thousand_rows():
    assert usual_share(100) == 0.2
    assert usual_share(1_000_000) * 1_000_000 == MOST_HELD_OUT


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: hold_out(1, 0.1, 0), DataError, "validation 0.1 of 1 rows must leave rows for both"),
        (lambda: hold_out(9, 2, 0), SettingError, "validation must be a share"),
        (lambda: hold_out(4, 0.5, 0, groups=np.zeros(4)), SettingError, "there is one: name another column"),
        (lambda: hold_out(4, 0.5, 0, times=np.zeros(4)), SettingError, "there is one: name another column"),
        (lambda: hold_out(4, 0.5, 0, groups=np.arange(4), times=np.arange(4)), SettingError, "not by both"),
        (lambda: folds(4, 5, 0), SettingError, "folds must be at most the number of rows, 4, not 5"),
        (lambda: folds(4, 1, 0), SettingError, "folds must be a whole number of at least 2"),
        (lambda: folds(8, 3, 0, groups=np.arange(8) % 2), SettingError, "there are 2: name"),
        (lambda: folds(8, 3, 0, times=np.arange(8) % 2), SettingError, "there are 2: name another column"),
    ],
)
def test_what_can_not_be_split_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
