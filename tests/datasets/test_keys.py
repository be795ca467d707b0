import pytest

from numlp.datasets.keys import Keys, keys_of, samples_key
from numlp.errors import FileFormatError, SettingError


def test_weights_of_other_parts_have_the_same_name_but_for_the_part():
    names = ["x_train", "y_train", "w_train", "x_test", "y_test", "w_test", "x_val", "y_val"]
    assert keys_of(names, weights="w_train") == {
        "train": Keys("x_train", "y_train", "w_train"),
        "validation": Keys("x_val", "y_val"),
        "test": Keys("x_test", "y_test", "w_test"),
    }


def test_other_arrays_do_not_matter():
    assert keys_of(["x", "y", "extra", "train", "w"])["train"] == Keys("x", "y")


def test_a_misspelled_array_raises_an_error_with_the_nearest():
    with pytest.raises(SettingError, match=r"unknown array for x 'imgz': did you mean 'imgs'\?"):
        keys_of(["imgs", "y"], inputs="imgz")


def test_samples_are_x_or_the_only_array():
    assert samples_key(["y", "images"]) == "images"
    assert samples_key(["arr_0"]) == "arr_0"
    assert samples_key(["a", "b"], "b") == "b"
    with pytest.raises(FileFormatError, match="x_train, x_test: name the one to read with --inputs"):
        samples_key(["x_train", "x_test"])
    with pytest.raises(FileFormatError, match="no array 'x'; it holds none"):
        samples_key([])
