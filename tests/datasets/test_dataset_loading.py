import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.datasets import SOURCES, Dataset, load_dataset, load_rows, parts_in
from numlp.datasets.reading import Reading
from numlp.errors import DataError, FileFormatError, SettingError

X = np.arange(40.0).reshape(20, 2)
WORDS = np.array(["cat", "dog"])


@pytest.fixture
def npz(tmp_path):
    def write(y, name="data", x=X):
        np.savez(tmp_path / f"{name}.npz", x=x[: len(y)], y=y)
        return tmp_path / f"{name}.npz"

    return write


@pytest.fixture
def csv_file(tmp_path):
    def write(labels, name="data"):
        lines = [f"{i},{2 * i},{label}" for i, label in enumerate(labels)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,y", *lines]), encoding="utf-8")
        return tmp_path / f"{name}.csv"

    return write


def test_a_data_set_prints_a_summary(mnist, npz):
    assert (
        repr(mnist) == "Dataset mnist: 57,000 training, 3,000 validation, 10,000 test rows, 784 features, 10 classes"
    )
    assert str(load_dataset(npz(X / 7.0))).endswith(
        "19 training, 1 validation rows, 2 features, 2 real-valued targets"
    )


@pytest.fixture
def tiny_root(monkeypatch, tmp_path, cache, tiny, tiny_files, write_folder):
    """A data set named tiny, in a folder for $NUMLP_DATA_DIR."""
    monkeypatch.setitem(SOURCES, "tiny", tiny)
    return write_folder(tmp_path / "root" / "tiny", tiny_files).parent


@pytest.fixture(scope="module")
def mnist():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NUMLP_DATA_DIR", raising=False)
        return load_dataset("mnist")


def test_mnist_is_split_by_the_reference_protocol(mnist):
    assert [len(rows.x) for rows in (mnist.train, mnist.validation, mnist.test)] == [57_000, 3_000, 10_000]
    assert [len(rows.y) for rows in (mnist.train, mnist.validation, mnist.test)] == [57_000, 3_000, 10_000]
    assert mnist.test.y[:5].tolist() == [7, 2, 1, 0, 4]


def test_mnist_is_not_copied_to_float(mnist):
    assert mnist.train.x.dtype == np.uint8
    assert mnist.train.x.nbytes == 57_000 * 784


def test_mnist_knows_its_features_and_classes(mnist):
    assert (mnist.name, mnist.n_features, mnist.n_targets) == ("mnist", 784, 10)
    assert mnist.class_names == tuple("0123456789")


def test_a_dataset_unpacks_into_pairs_and_is_frozen(mnist):
    x, y = mnist.test
    assert len(x) == len(y)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mnist.name = "other"


def test_a_named_data_set_is_found_below_the_environment_variable(monkeypatch, tiny_root):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tiny_root))
    dataset = load_dataset("tiny")
    assert (len(dataset.train.x), len(dataset.validation.x), len(dataset.test.x)) == (19, 1, 6)
    assert dataset.class_names == ("ant", "bee", "cat")


def test_a_named_data_set_is_found_below_data_dir(tiny_root):
    assert len(load_dataset("tiny", data_dir=tiny_root).test.x) == 6


def test_a_named_data_set_is_verified(tiny_root, write_folder, idx_bytes):
    write_folder(tiny_root / "tiny", {"t10k-labels-idx1-ubyte": idx_bytes(np.zeros(6, np.uint8))})
    with pytest.raises(FileFormatError, match="SHA-256"):
        load_dataset("tiny", data_dir=tiny_root)


def test_data_dir_without_the_data_set_is_an_error(tmp_path):
    with pytest.raises(FileFormatError, match="data_dir must hold a folder 'mnist'"):
        load_dataset("mnist", data_dir=tmp_path)


def test_a_misspelled_name_raises_an_error_with_the_nearest():
    with pytest.raises(SettingError, match=r"unknown data set 'mnits': did you mean 'mnist'\?"):
        load_dataset("mnits")


@pytest.mark.parametrize("name", ["folder/data", "folder/data.txt"])
def test_the_error_names_a_missing_path(name):
    with pytest.raises(FileFormatError, match="there is no file"):
        load_dataset(name, target="y" if name.endswith("txt") else None)


@pytest.mark.parametrize("name", ["x" * 300, "folder/" + "x" * 300, "x\0"], ids=["long", "long in a folder", "null"])
def test_a_path_that_no_system_takes_is_refused(name):
    with pytest.raises((SettingError, FileFormatError)):
        load_dataset(name)


def test_the_error_for_another_suffix_lists_the_known_ones(tmp_path):
    (tmp_path / "data.dat").write_bytes(b"text")
    with pytest.raises(FileFormatError, match=r"one of \.npz, \.npy, \.csv"):
        load_dataset(tmp_path / "data.dat")


def test_names_in_a_file_become_classes(csv_file):
    dataset = load_dataset(csv_file(["dog", "cat"] * 10), target="y", split="last", validation=0.05)
    assert isinstance(dataset, Dataset)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train.y.tolist() == [1, 0] * 9 + [1]
    assert (dataset.n_features, dataset.n_targets, dataset.test) == (2, 2, None)


def test_whole_numbers_in_a_file_become_classes(npz):
    dataset = load_dataset(npz(np.arange(20) % 2 * 5 + 3))
    assert dataset.class_names == ("3", "8")
    assert dataset.train.y[:4].tolist() == [0, 1, 0, 1]


def test_one_hot_rows_in_a_file_become_classes(npz):
    dataset = load_dataset(npz(np.eye(4)[np.arange(20) % 4]))
    assert (dataset.class_names, dataset.n_targets) == (("0", "1", "2", "3"), 4)
    assert dataset.train.y[:5].tolist() == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(("y", "n_targets"), [(X[:, 0] / 7, 1), (X[:, :1] / 7, 1), (X / 7, 2)])
def test_real_targets_stay_real(npz, y, n_targets):
    dataset = load_dataset(npz(y))
    assert (dataset.class_names, dataset.n_targets) == (None, n_targets)
    assert np.array_equal(dataset.train.y, y[:19])


def test_the_task_can_be_given(npz):
    path = npz(np.arange(20) % 3)
    assert load_dataset(path, task="regression").class_names is None
    assert load_dataset(path, task="classification").class_names == ("0", "1", "2")


def test_many_whole_numbers_are_classes_on_demand(npz):
    x = np.zeros((200, 1))
    path = npz(np.arange(200), x=x)
    assert load_dataset(path).class_names is None
    assert len(load_dataset(path, task="classification").class_names) == 200


def test_an_unknown_task_is_refused(npz):
    with pytest.raises(SettingError, match=r"clasification.*did you mean 'classification'"):
        load_dataset(npz(np.arange(20) % 3), task="clasification")


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("task", [None, "classification", "regression"])
def test_targets_that_are_not_finite_are_refused(npz, task, value):
    with pytest.raises(DataError):
        load_dataset(npz(np.array([0.0, 1.0, value] * 5)), task=task)


def test_real_values_as_classes_are_refused(npz):
    with pytest.raises(DataError, match="must hold whole numbers for classes"):
        load_dataset(npz(X[:, 0] / 7), task="classification")


def test_names_as_real_targets_are_refused(csv_file):
    with pytest.raises(DataError, match="the target 'y' holds texts, not numbers"):
        load_dataset(csv_file(["dog", "cat"] * 5), target="y", task="regression")


def test_targets_of_bytes_are_refused(npz):
    with pytest.raises(DataError):
        load_dataset(npz(np.array([b"cat", b"dog"] * 5)))


@pytest.mark.parametrize(
    "y", [np.zeros((10, 2, 2), int), np.array([["0", "1"]] * 10)], ids=["3-D numbers", "rows of words"]
)
def test_targets_that_are_not_one_for_each_row_are_refused(npz, y):
    with pytest.raises(DataError):
        load_dataset(npz(y))


def test_given_class_names_set_the_order(csv_file):
    dataset = load_dataset(csv_file(["dog", "cat"] * 5), target="y", names=["dog", "cat", "ant"], split="last")
    assert dataset.class_names == ("dog", "cat", "ant")
    assert dataset.train.y[:2].tolist() == [0, 1]
    assert dataset.n_targets == 3


def test_given_class_names_name_indices(npz):
    dataset = load_dataset(npz(np.arange(20) % 2), names=WORDS.tolist())
    assert WORDS[dataset.train.y[:2]].tolist() == ["cat", "dog"]


def test_names_that_are_digits_belong_to_indices(npz, csv_file, tiny_files, tmp_path, write_folder):
    names = ["1", "2", "0"]
    folder = write_folder(tmp_path / "folder", tiny_files)
    for data in npz(np.arange(20) % 3), csv_file([i % 3 for i in range(20)]), folder:
        dataset = load_dataset(data, names=names, target="y" if data.suffix == ".csv" else None, split="last")
        assert dataset.class_names == ("1", "2", "0")
        assert dataset.train.y[:4].tolist() == [0, 1, 2, 0]
    other = load_dataset(npz(np.arange(20) % 3), names=names, test=npz(np.array([2, 0]), "test"))
    assert other.test.y.tolist() == [2, 0]


def test_names_of_a_named_data_set_can_be_given(tiny_root):
    dataset = load_dataset("tiny", data_dir=tiny_root, names=["2", "1", "0"])
    assert (dataset.class_names, dataset.test.y.tolist()) == (("2", "1", "0"), [0, 1, 2, 0, 1, 2])


def test_a_label_without_a_name_is_refused(npz):
    with pytest.raises(DataError, match=r"label 2 in y .* belong to the numbers 0 to 1"):
        load_dataset(npz(np.arange(20) % 3), names=["2", "1"])


def test_names_make_classes_of_many_numbers(npz):
    dataset = load_dataset(npz(np.arange(20)), names=[f"n{i}" for i in range(20)])
    assert (dataset.task, dataset.n_targets) == ("classification", 20)
    with pytest.raises(SettingError, match="names are for classes"):
        load_dataset(npz(np.arange(20)), names=["a", "b"], task="regression")
    with pytest.raises(SettingError, match="names must be 2 different names"):
        load_dataset(npz(np.arange(20)), names=["a", "a"])


def test_given_class_names_name_indices_of_a_csv_file(csv_file):
    dataset = load_dataset(csv_file([0, 1] * 5), target="y", names=WORDS.tolist(), split="last")
    assert WORDS[dataset.train.y[:2]].tolist() == ["cat", "dog"]


def test_the_error_names_a_label_missing_from_the_given_class_names(csv_file):
    with pytest.raises(DataError, match="label 'dog' in y isn't among"):
        load_dataset(csv_file(["dog", "cat"] * 5), target="y", names=["cat", "ant"])


@given(n=st.integers(2, 60), share=st.integers(1, 59))
def test_validation_is_a_share_from_the_end_of_the_rows(tmp_path_factory, n, share):
    path = tmp_path_factory.getbasetemp() / "rows.npz"
    np.savez(path, x=np.arange(n), y=np.arange(n) % 2)
    held_out = share % (n - 1) + 1
    dataset = load_dataset(path, validation=held_out / n)
    assert dataset.train.x.tolist() == list(range(n - held_out))
    assert dataset.validation.x.tolist() == list(range(n - held_out, n))


def test_a_small_share_holds_out_one_row_at_least(npz):
    dataset = load_dataset(npz(np.arange(20) % 2), validation=0.001)
    assert (len(dataset.train.x), len(dataset.validation.x)) == (19, 1)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, 5, float("nan"), float("inf"), True, False])
def test_a_share_out_of_range_is_refused(npz, share):
    with pytest.raises(SettingError, match="validation must be a share above 0 and below 1"):
        load_dataset(npz(np.arange(20) % 2), validation=share)


@pytest.mark.parametrize("share", [np.float32(0.5), np.float64(0.5)], ids=["float32", "float64"])
def test_a_share_may_be_numpys(npz, share):
    assert len(load_dataset(npz(np.arange(20) % 2), validation=share).validation.x) == 10


def test_validation_that_is_neither_share_nor_path_is_refused(npz):
    with pytest.raises((SettingError, FileFormatError), match="validation"):
        load_dataset(npz(np.arange(20) % 2), validation=[0.1])


def test_a_fifth_of_a_table_validates_in_the_shares_of_its_classes(csv_file):
    """Tables are often sorted by their target."""
    path = csv_file(["cat"] * 20 + ["dog"] * 10)
    dataset = load_dataset(path, target="y")
    assert np.bincount(dataset.validation.y).tolist() == [4, 2]
    again, other = (load_dataset(path, target="y", seed=seed).validation.x["a"].tolist() for seed in (0, 1))
    assert dataset.validation.x["a"].tolist() == again != other


def test_arrays_can_be_shuffled_too(npz):
    path = npz(np.repeat([0, 1], 10))
    assert np.bincount(load_dataset(path, split="shuffled", validation=0.2).validation.y).tolist() == [2, 2]
    rows = load_rows(path, n_features=2, names=("0", "1"))[0]
    assert len(rows.x) == 20


def test_no_group_is_on_both_sides_and_the_group_is_no_feature(csv_file):
    path = csv_file([])
    path.write_text("\n".join(["a,patient,y", *(f"{i},{i // 4},{i % 2}" for i in range(20))]))
    dataset = load_dataset(path, target="y", validation_by="patient")
    assert dataset.feature_names == ("a",)
    assert dataset.train.x.shape == (16, 1)
    training, validation = dataset.validation_by
    assert len(set(validation)) == 1
    assert not set(training) & set(validation)
    with_test = load_dataset(path, target="y", validation_by="patient", test=path)
    assert with_test.test.x.shape == (20, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation_by": "c"}, "unknown column 'c'. Available: a, b"),
        ({"validation_by": "a", "split": "last"}, "split 'last' and validation_by 'a' exclude each other"),
        ({"validation_by": "a", "validation": True}, "there are validation rows: leave it out"),
        ({"folds": 3, "validation": 0.2}, "validation 0.2 holds rows out for one network, and each of the 3 folds"),
        ({"split": "random"}, "unknown split 'random'. Available: shuffled, last"),
    ],
)
def test_settings_of_the_split_that_do_not_fit_are_refused(csv_file, settings, message):
    path = csv_file([0, 1] * 10)
    if settings.get("validation") is True:
        settings = settings | {"validation": path}
    with pytest.raises(SettingError, match=message):
        load_dataset(path, target="y", **settings)


def test_arrays_have_no_column_to_split_by(npz):
    with pytest.raises(
        SettingError, match="validation_by 'a' names a column, and the data has no columns with names"
    ):
        load_dataset(npz(np.arange(20) % 2), validation_by="a")


@pytest.mark.parametrize(("n", "share"), [(1, 0.05), (1, 0.5), (2, 0.9)])
def test_too_few_rows_to_hold_any_out_are_refused(npz, n, share):
    with pytest.raises(DataError, match=r"must leave rows for both training and validation"):
        load_dataset(npz(np.arange(n) % 2), validation=share)


def test_no_rows_at_all_are_refused(npz):
    with pytest.raises(DataError, match="y is empty"):
        load_dataset(npz(np.arange(0)))


def test_validation_and_test_may_be_files(csv_file):
    dataset = load_dataset(
        csv_file(["dog", "cat"] * 5),
        target="y",
        validation=csv_file(["cat"], "validation"),
        test=str(csv_file(["dog", "dog"], "test")),
    )
    assert [rows.y.tolist() for rows in (dataset.train, dataset.validation, dataset.test)] == [
        [1, 0] * 5,
        [0],
        [1, 1],
    ]


@pytest.mark.parametrize("part", ["validation", "test"])
def test_files_of_numbers_follow_the_classes_of_training(csv_file, part):
    dataset = load_dataset(csv_file([7, 3] * 5), target="y", **{part: csv_file([3, 7], part)})
    assert getattr(dataset, part).y.tolist() == [0, 1]


def test_a_file_of_numbers_follows_the_names_of_training(npz):
    dataset = load_dataset(npz(np.array(["1", "2", "x"] * 5)), test=npz(np.array([1, 2] * 10), "test"))
    assert dataset.test.y[:2].tolist() == [0, 1]


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_file_with_a_label_that_training_lacks_is_refused(csv_file, part):
    with pytest.raises(DataError, match="label 'ant' in y isn't among"):
        load_dataset(csv_file(["dog", "cat"] * 5), target="y", **{part: csv_file(["ant"], part)})


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_error_names_a_missing_file(npz, tmp_path, part):
    with pytest.raises(FileFormatError, match=r"there is no file .*absent\.npz"):
        load_dataset(npz(np.arange(20) % 2), **{part: tmp_path / "absent.npz"})


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_named_data_set_also_takes_files(tiny_root, npz, part):
    path = npz(np.array([2, 0]), x=np.zeros((2, 2, 2), np.uint8))
    dataset = load_dataset("tiny", data_dir=tiny_root, **{part: path})
    assert getattr(dataset, part).y.tolist() == [2, 0]


def test_a_pair_of_npy_files_is_read(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    dataset = load_dataset(tmp_path / "x.npy", target=str(tmp_path / "y.npy"))
    assert dataset.class_names == ("0", "1")


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_targets_of_an_npy_file_are_not_taken_for_another_files(tmp_path, part):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    np.save(tmp_path / "other.npy", X + 1)
    with pytest.raises(SettingError, match=part):
        load_dataset(tmp_path / "x.npy", target=str(tmp_path / "y.npy"), **{part: tmp_path / "other.npy"})


@pytest.fixture
def folder(tmp_path, write_folder, tiny_files, idx_bytes):
    """A folder of IDX files whose labels are 10 and 20."""
    labels = {
        "train-labels-idx1-ubyte": idx_bytes(np.array([10, 20] * 10, np.uint8)),
        "t10k-labels-idx1-ubyte": idx_bytes(np.array([20, 20, 10] * 2, np.uint8)),
    }
    return write_folder(tmp_path / "folder", tiny_files | labels)


def test_a_folder_of_idx_files_is_read(folder):
    dataset = load_dataset(folder)
    assert dataset.class_names == ("10", "20")
    assert [len(rows.x) for rows in (dataset.train, dataset.validation, dataset.test)] == [19, 1, 6]
    assert dataset.test.y.tolist() == [1, 1, 0, 1, 1, 0]


def test_a_folder_that_lacks_a_file_is_refused(folder):
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileFormatError, match=r"holds neither t10k-images-idx3-ubyte\.gz nor"):
        load_dataset(folder)


def test_a_folder_whose_files_do_not_fit_is_refused(folder, write_folder, idx_bytes):
    write_folder(folder, {"t10k-labels-idx1-ubyte": idx_bytes(np.zeros(5, np.uint8))})
    with pytest.raises(FileFormatError, match="for each of the 6 samples in t10k-images-idx3-ubyte"):
        load_dataset(folder)


def test_rows_for_evaluation_follow_the_networks_classes(csv_file):
    path = csv_file(["cat", "dog", "cat"])
    assert load_rows(path, n_features=2, names=["dog", "cat"], reading=Reading("y"))[0].y.tolist() == [1, 0, 1]


def test_values_that_are_no_numbers_are_named_with_their_line(csv_file):
    training, other = csv_file(np.arange(30) * 1.5), csv_file([1.5, "cheap", 2], "other")
    with pytest.raises(DataError, match=r"other\.csv, line 3, column 'y': 'cheap' isn't a number"):
        load_dataset(training, target="y", test=other)
    with pytest.raises(DataError, match=r"other\.csv, line 3, column 'y': 'cheap' isn't a number"):
        load_rows(other, n_features=2, names=None, columns=["a", "b"], reading=Reading("y"))


def test_rows_for_evaluation_with_a_class_unknown_to_the_network_are_refused(csv_file):
    with pytest.raises(DataError, match="label 'cat' in y isn't among"):
        load_rows(csv_file(["cat", "dog"]), n_features=2, names=["dog", "ant"], reading=Reading("y"))


def test_rows_for_evaluation_of_a_network_without_classes_are_values(npz):
    assert load_rows(npz(np.array([3, 4, 3])), n_features=2, names=None)[0].y.tolist() == [3, 4, 3]


def test_a_file_is_read_whole(npz):
    path = npz(np.arange(20) % 2)
    assert len(load_rows(path, n_features=2, names=["0", "1"])[0].x) == 20
    assert parts_in(path) == ()
    with pytest.raises(SettingError, match="is read whole"):
        load_rows(path, n_features=2, names=["0", "1"], part="test")


@pytest.mark.parametrize(("part", "n"), [(None, 6), ("test", 6), ("validation", 1), ("train", 19)])
def test_a_part_of_a_folder_or_a_named_data_set_can_be_evaluated(monkeypatch, tiny_root, folder, part, n):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tiny_root))
    assert len(load_rows(folder, n_features=4, names=["10", "20"], part=part)[0].x) == n
    assert len(load_rows("tiny", n_features=4, names=["ant", "bee", "cat"], part=part)[0].x) == n


@pytest.mark.parametrize("name", ["mnist", "folder"])
def test_an_unknown_part_raises_an_error_with_the_nearest(folder, name):
    with pytest.raises(SettingError, match=r"unknown split 'tests': did you mean 'test'\?"):
        load_rows(folder if name == "folder" else name, n_features=4, names=None, part="tests")


def test_rows_of_a_folder_follow_the_networks_classes(folder):
    assert load_rows(folder, n_features=4, names=["20", "10"])[0].y.tolist() == [0, 0, 1, 0, 0, 1]


def test_rows_of_a_folder_are_values_for_a_network_without_classes(folder):
    assert load_rows(folder, n_features=4, names=None)[0].y.tolist() == [20, 20, 10, 20, 20, 10]


def test_rows_of_a_named_data_set_follow_the_networks_classes(monkeypatch, tiny_root):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tiny_root))
    assert load_rows("tiny", n_features=4, names=["cat", "bee", "ant"])[0].y.tolist() == [2, 1, 0, 2, 1, 0]


def test_rows_of_a_named_data_set_with_a_class_unknown_to_the_network_are_refused(monkeypatch, tiny_root):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tiny_root))
    with pytest.raises(DataError, match="isn't among the network's classes"):
        load_rows("tiny", n_features=4, names=["cat", "bee", "dog"])


X_TRAIN, X_TEST = X, X[:6] + 100
Y_TRAIN, Y_TEST = np.arange(20) % 2, np.arange(6) % 2


@pytest.mark.parametrize(
    "keys",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("x", "y", "x_test", "y_test"),
    ],
    ids=lambda keys: keys[0],
)
def test_an_npz_as_others_write_it_has_training_and_test_rows(tmp_path, keys):
    path = tmp_path / "others.npz"
    np.savez(path, **dict(zip(keys, (X_TRAIN, Y_TRAIN, X_TEST, Y_TEST), strict=True)))
    dataset = load_dataset(path)
    assert [len(rows.x) for rows in (dataset.train, dataset.validation, dataset.test)] == [19, 1, 6]
    assert np.array_equal(dataset.test.x, X_TEST)
    assert parts_in(path) == ("train", "test")
    assert len(load_rows(path, n_features=2, names=["0", "1"])[0].x) == 6
    assert len(load_rows(path, n_features=2, names=["0", "1"], part="train")[0].x) == 19


def test_validation_rows_of_an_npz_take_the_place_of_a_share(tmp_path):
    path = tmp_path / "medmnist.npz"
    parts = {"train": (X, Y_TRAIN), "val": (X[:3], Y_TRAIN[:3]), "test": (X_TEST, Y_TEST)}
    arrays = {f"{part}_images": x for part, (x, _) in parts.items()}
    np.savez(path, **arrays, **{f"{part}_labels": y[:, None] for part, (_, y) in parts.items()})
    dataset = load_dataset(path, validation=0.2)
    assert [len(rows.x) for rows in (dataset.train, dataset.validation, dataset.test)] == [20, 3, 6]
    assert dataset.test.y.tolist() == Y_TEST.tolist()


def test_an_npz_without_names_holds_x_and_y(tmp_path):
    np.savez(tmp_path / "plain.npz", X, Y_TRAIN)
    assert load_dataset(tmp_path / "plain.npz").train.y[:3].tolist() == [0, 1, 0]


def test_x_and_y_without_names_in_two_npz_files(tmp_path):
    np.savez(tmp_path / "kmnist-train-imgs.npz", X)
    np.savez(tmp_path / "kmnist-train-labels.npz", Y_TRAIN)
    dataset = load_dataset(tmp_path / "kmnist-train-imgs.npz", target=str(tmp_path / "kmnist-train-labels.npz"))
    assert (len(dataset.train.x), dataset.class_names) == (19, ("0", "1"))


def test_arrays_of_an_npz_can_be_named(tmp_path):
    path = tmp_path / "odd.npz"
    np.savez(path, feats_train=X, kind_train=Y_TRAIN, w_train=Y_TRAIN + 1.0, feats_test=X_TEST, kind_test=Y_TEST, z=X)
    with pytest.raises(FileFormatError, match=r"odd\.npz has no array 'x'; it holds .*feats_train.*--inputs"):
        load_dataset(path)
    dataset = load_dataset(path, inputs="feats_train", target="kind_train", weights="w_train")
    assert [len(rows.x) for rows in (dataset.train, dataset.validation, dataset.test)] == [19, 1, 6]
    assert dataset.train.weights[:2].tolist() == [1, 2]
    rows = load_rows(path, n_features=2, names=["0", "1"], reading=Reading("kind_train", inputs="feats_train"))[0]
    assert np.array_equal(rows.x, X_TEST)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("x", "images", "y"), "may hold x in 'x' or in 'images'"),
        (("arr_0", "arr_1", "arr_2", "arr_3"), "has no array 'x'"),
        (("x_train", "y_test"), "has x in x_train, but y in y_test"),
    ],
)
def test_an_npz_whose_arrays_are_unclear_is_refused(tmp_path, keys, message):
    np.savez(tmp_path / "unclear.npz", **dict.fromkeys(keys, Y_TRAIN))
    with pytest.raises(FileFormatError, match=message):
        load_dataset(tmp_path / "unclear.npz")


def test_test_rows_alone_are_for_evaluation(tmp_path):
    np.savez(tmp_path / "test.npz", x_test=X_TEST, y_test=Y_TEST)
    assert len(load_rows(tmp_path / "test.npz", n_features=2, names=["0", "1"])[0].x) == 6
    with pytest.raises(FileFormatError, match="holds test rows alone"):
        load_dataset(tmp_path / "test.npz")
    assert len(load_dataset("mnist", test=tmp_path / "test.npz").test.x) == 6


@pytest.mark.parametrize("setting", ["inputs", "weights", "target"])
def test_settings_for_files_do_not_apply_to_folders(tmp_path, write_folder, tiny_files, setting):
    folder = write_folder(tmp_path / "folder", tiny_files)
    with pytest.raises(SettingError, match=f"{setting} 'w' doesn't apply"):
        load_dataset(folder, **{setting: "w"})


def test_a_folder_without_a_test_part_is_like_a_single_file(tmp_path, write_folder, tiny_files):
    train = {name: content for name, content in tiny_files.items() if name.startswith("train")}
    folder = write_folder(tmp_path / "folder", train)
    dataset = load_dataset(folder)
    assert [len(rows.x) for rows in (dataset.train, dataset.validation)] == [19, 1]
    assert dataset.test is None
    assert len(load_rows(folder, n_features=4, names=["0", "1", "2"])[0].x) == 20
    with pytest.raises(SettingError, match="is read whole"):
        load_rows(folder, n_features=4, names=["0", "1", "2"], part="test")
