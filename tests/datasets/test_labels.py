import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.datasets.labels import MOST_CLASSES, class_names, column_labels, infer_task, targets
from numlp.errors import DataError, NumlpError

whole_numbers = st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=30)
words = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=1)


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.array([1, 2, 2, 1]), "classification"),
        (np.array([1.0, 2.0, 2.0, 1.0]), "classification"),
        (np.array([1, 2, 3]), "regression"),
        (np.array([[1.0], [2.0]] * 2), "classification"),
        (np.array([-1, 1, 1, -1]), "classification"),
        (np.array([True, False]), "classification"),
        (np.array(["a", "b"]), "classification"),
        (np.array(["a", "b"], object), "classification"),
        (np.eye(3), "classification"),
        (np.eye(3, dtype=int)[[0, 0, 1]], "classification"),
        (np.arange(2 * MOST_CLASSES) // 2, "classification"),
        (np.arange(2 * MOST_CLASSES + 2) // 2, "regression"),
        (np.arange(52) % 26, "classification"),
        (np.arange(52) % 26 + 1, "classification"),
        (np.arange(52) % 26 + 12, "regression"),  # miles per gallon
        (np.arange(40) % 20 * 10, "classification"),
        (np.arange(42) % 21 * 10, "regression"),
        (np.array([1.0, 1.5]), "regression"),
        (np.array([[0.5], [2.0]]), "regression"),
        (np.array([1.0, np.nan]), "regression"),
        (np.array([[1, 1, 0], [0, 1, 0]]), "labels"),
        (np.array([[True, True], [False, True]]), "labels"),
        (np.array([[True, False], [False, True]]), "classification"),
        (np.array([[0.2, 0.8], [0.5, 0.5]]), "classification"),
        (np.array([[2, -1], [1, 0]]), "regression"),
    ],
)
def test_the_task_follows_from_the_labels(y, task):
    assert infer_task(y) == task


@pytest.mark.parametrize(
    "y",
    [
        np.array([b"a", b"b"]),
        np.array([1j, 2j]),
        np.array([1, 2], "M8[s]"),
        np.zeros(2, [("a", "i4")]),
    ],
    ids=["bytes", "complex", "dates", "records"],
)
def test_labels_of_an_unsupported_type_are_refused_as_data(y):
    with pytest.raises(DataError):
        targets(y, class_names(y) if infer_task(y) == "classification" else None)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_labels_that_are_not_finite_are_refused_as_data(value):
    y = np.array([0.0, 1.0, value])
    with pytest.raises(DataError):
        targets(y, class_names(y) if infer_task(y) == "classification" else None)


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.array([10, 9, 10]), ("9", "10")),
        (np.array([1.0, -1.0]), ("-1", "1")),
        (np.array([True, False]), ("0", "1")),
        (np.array([0, 255], np.uint8), ("0", "255")),
        (np.array([[3], [1]]), ("1", "3")),
        (np.array(["b", "a", "b"]), ("a", "b")),
        (np.array(["b", "a"], object), ("a", "b")),
        (np.array(["10", "9"]), ("9", "10")),
        (np.array(["10", "9", "x"]), ("10", "9", "x")),
        (np.array(["007", "7", "1E1", "01"]), ("01", "007", "7", "1E1")),
        (np.eye(3)[[0, 0]], ("0", "1", "2")),
    ],
)
def test_the_classes_are_the_sorted_labels(y, names):
    assert class_names(y) == names
    assert all(type(name) is str for name in class_names(y))


@given(labels=whole_numbers, dtype=st.sampled_from(["i8", "f8"]))
def test_whole_numbers_survive_the_round_trip_to_targets(labels, dtype):
    y = np.array(labels, dtype)
    names = class_names(y)
    indices = targets(y, names)
    assert indices.dtype == np.intp
    assert [int(names[i]) for i in indices] == labels


@given(labels=words)
def test_names_survive_the_round_trip_to_targets(labels):
    y = np.array(labels)
    names = class_names(y)
    assert sorted(names) == sorted(set(labels))
    assert [names[i] for i in targets(y, names)] == labels


@given(labels=st.lists(st.booleans(), min_size=1))
def test_booleans_survive_the_round_trip_to_targets(labels):
    y = np.array(labels)
    names = class_names(y)
    assert [names[i] == "1" for i in targets(y, names)] == labels


@given(classes=st.lists(st.integers(0, 4), min_size=1), dtype=st.sampled_from(["u1", "i8", "f4", "?"]))
def test_one_hot_rows_become_the_indices_of_their_classes(classes, dtype):
    y = np.eye(5, dtype=dtype)[classes]
    assert class_names(y) == ("0", "1", "2", "3", "4")
    assert targets(y, class_names(y)).tolist() == classes


def test_rows_of_probabilities_stay_unchanged_and_other_rows_are_refused():
    soft = np.array([[0.25, 0.75], [1.0, 0.0]])
    assert targets(soft, ("a", "b")).tolist() == soft.tolist()
    for rows in ([[1, 1], [0, 1]], [[0.5, 2.0], [1.0, 0.0]], [[-1.0, 2.0], [1.0, 0.0]]):
        with pytest.raises(DataError):
            targets(np.array(rows), ("a", "b"))


@given(labels=whole_numbers)
def test_numbers_and_their_digits_mean_the_same_classes(labels):
    names = class_names(np.array(labels))
    assert np.array_equal(targets(np.array(labels), names), targets(np.array([str(n) for n in labels]), names))


def test_labels_follow_the_order_of_the_given_names():
    assert targets(np.array(["a", "b"]), ["b", "a"]).tolist() == [1, 0]
    assert targets(np.array([3, 7]), ["7", "3"]).tolist() == [1, 0]


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
def test_numbers_are_indices_if_the_names_are_words(dtype):
    indices = targets(np.array([1, 0, 1], dtype), ["cat", "dog"])
    assert indices.tolist() == [1, 0, 1]


def test_indices_given_as_floats_become_whole_numbers():
    names = np.array(["cat", "dog"])
    assert names[targets(np.array([1.0, 0.0]), names)].tolist() == ["dog", "cat"]


def test_names_that_are_digits_belong_to_indices():
    assert targets(np.array([0, 1, 2]), ["1", "2", "0"], of_indices=True).tolist() == [0, 1, 2]
    assert targets(np.array(["2", "0"]), ["1", "2", "0"], of_indices=True).tolist() == [1, 2]


@pytest.mark.parametrize("label", [-1, 3, 255])
@pytest.mark.parametrize("names", [["1", "2", "0"], ["a", "b", "c"]])
def test_the_error_names_a_number_without_a_name(label, names):
    with pytest.raises(DataError, match=f"label {label} in y isn't among .* belong to the numbers 0 to 2"):
        targets(np.array([0, label]), names, of_indices=True)


def test_a_number_among_the_names_means_that_name_not_an_index():
    assert targets(np.array([1, 2]), ["1", "2", "x"]).tolist() == [0, 1]


@pytest.mark.parametrize("names", [["0", "1"], ["cat", "dog"]], ids=["numbers", "words"])
def test_real_values_are_not_classes(names):
    with pytest.raises(DataError, match="must hold whole numbers for classes"):
        targets(np.array([0.0, 0.5]), names)


@pytest.mark.parametrize("y", [np.array(["a", "x"]), np.array([0, 7])], ids=["word", "number"])
def test_the_error_names_a_label_that_is_not_a_class(y):
    names = ["a", "b"] if y.dtype.kind == "U" else ["0", "1"]
    with pytest.raises(DataError, match=f"label '{y[1]}' in y isn't among"):
        targets(y, names)


@pytest.mark.parametrize("y", [np.array([]), np.empty((0, 3)), np.array([np.nan, 1]), np.array([np.inf, 1])])
@pytest.mark.parametrize("names", [None, ["0", "1"], ["a", "b"]], ids=["real", "numbers", "words"])
def test_targets_that_are_empty_or_not_finite_are_refused(y, names):
    with pytest.raises(DataError):
        targets(y, names)


@pytest.mark.parametrize("y", [np.array([0.5, 2.0]), np.array([[0.5, 1], [2, 3]]), np.array([1, 2])])
def test_without_names_targets_stay_unchanged(y):
    assert np.array_equal(targets(y, None), y)


def test_words_are_not_real_targets():
    with pytest.raises(DataError, match="y must hold numbers"):
        targets(np.array(["a", "b"]), None)


@pytest.mark.parametrize(
    "y",
    [np.zeros((3, 2, 2), int), np.array([["0", "1"]] * 3), np.zeros((3, 1, 2), bool)],
    ids=["3-D numbers", "rows of words", "3-D booleans"],
)
def test_every_row_gets_one_target_or_an_error_is_raised(y):
    try:
        found = targets(y, ("0", "1"))
    except NumlpError:
        return
    assert len(found) == len(y)


def texts(*cells):
    return np.array(cells, dtype=object)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["900719925474099267", "900719925474099268"], np.array([900719925474099267, 900719925474099268])),
        (["007", "7"], None),
        (["01", "1"], None),
        (["1E1", "10"], np.array([10.0, 10.0])),
        (["0047583311587E590003", "0"], None),
        (["Nan", "nan2"], None),
        (["50", "60", "70", "OP", "PSE"], None),
        (list("0123456789ABCDEF"), None),
    ],
    ids=lambda cells: cells[0] if isinstance(cells, list) else "",
)
def test_classes_are_named_as_they_are_written(cells, values):
    written = texts(*cells * 20)
    parsed = written if values is None else np.tile(values, 20)
    task, labels = column_labels(parsed, written, "code")
    names = class_names(labels)
    assert task == "classification"
    assert sorted(names) == sorted(cells)
    assert [names[i] for i in targets(labels, names)] == cells * 20


def test_numbers_of_a_table_are_values_if_they_are_real_or_many():
    values = np.linspace(0, 1, 50)
    task, labels = column_labels(values, values.astype(str).astype(object), "price")
    assert task == "regression"
    assert labels is values


def test_a_number_is_a_class_with_or_without_its_decimals():
    """Pandas writes a column of whole numbers with a gap as 1.0 and 0.0."""
    assert targets(texts("1", "0"), ("0.0", "1.0")).tolist() == [1, 0]
    assert targets(texts("1.0", "0.0"), ("0", "1")).tolist() == [1, 0]
    with pytest.raises(DataError, match="label '7' in y isn't among"):
        targets(texts("7"), ("007", "x"))


@pytest.mark.parametrize(
    ("cell", "looks"),
    [
        ("236,{:03}", "they look like numbers with signs between thousands; say how they are written with `decimal`"),
        ("$236{:03}", "they look like amounts of money"),
        ("1,{:03}5", "they look like numbers with decimal commas"),
        ("{} %", "they look like percentages"),
        ("{} kg", "they look like numbers with units"),
        ("A-{:05}", "it looks like an id, a name or free text; name another target"),
    ],
)
@pytest.mark.parametrize("task", [None, "classification", "regression"])
def test_a_target_with_a_class_for_each_row_says_what_it_looks_like(cell, looks, task):
    written = texts(*(cell.format(i) for i in range(300)))
    with pytest.raises(DataError, match="target 'price'") as caught:
        column_labels(written, written, "price", task)
    assert looks in str(caught.value)
    assert ("300 classes in 300 rows" in str(caught.value)) == (task != "regression")


def test_a_single_odd_cell_among_numbers_is_named():
    written = texts(*(f"{i}.5" for i in range(299)), "unknown")
    with pytest.raises(DataError, match="most look like numbers, but 'unknown' doesn't; correct it"):
        column_labels(written, written, "price")


def test_numbers_with_a_class_for_each_row_are_rather_values():
    values = np.arange(300)
    with pytest.raises(DataError, match="300 classes in 300 rows, such as '0' and '299': set `task` to regression"):
        column_labels(values, values.astype(str).astype(object), "price", "classification")


def test_a_date_is_no_target_but_may_name_classes():
    days = np.array(["2026-11-28", "2026-11-29"] * 20, "M8[us]")
    written = texts(*["2026-11-28", "2026-11-29"] * 20)
    with pytest.raises(DataError, match=r"holds dates, which are neither classes nor numbers: .* \(sold=text\)"):
        column_labels(days, written, "sold")
    assert column_labels(days, written, "sold", "classification")[0] == "classification"
    assert column_labels(written, written, "sold")[0] == "classification"


def test_a_few_rows_may_have_a_class_each():
    assert column_labels(texts(*"abc"), texts(*"abc"), "y")[0] == "classification"
