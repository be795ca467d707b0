import copy
from decimal import Decimal

import numpy as np
import pytest

from numlp import MLP, Ensemble, evaluate, load_model, save_model, standardize, train
from numlp.errors import DataError
from numlp.judging.inspection import hidden_activations


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


@pytest.fixture
def frame(library):
    rng = np.random.default_rng(0)
    size, age = rng.uniform(20, 200, 200), rng.integers(0, 100, 200)
    return library.DataFrame({"size": size, "age": age, "new": age < 10})


def prices(frame):
    return 1000.0 * np.asarray(frame["size"]) - 500 * np.asarray(frame["age"])


@pytest.fixture
def net(frame):
    y = prices(frame)
    net = MLP(
        [3, 8, 1],
        loss="squared_error",
        input_scaling=standardize(frame),
        target_scaling=standardize(y[:, None]),
        seed=0,
    )
    train(net, (frame, y), validation=(frame[["new", "age", "size"]], y), epochs=20, learning_rate=0.02)
    return net


def test_columns_in_another_order_are_put_right(net, frame, tmp_path):
    y, other = prices(frame), frame[["new", "size", "age"]]
    assert net.feature_names == ("size", "age", "new")
    save_model(net, tmp_path / "net.safetensors")
    for model in (net, Ensemble([net, net]), load_model(tmp_path / "net.safetensors")):
        np.testing.assert_array_equal(model.predict(other), model.predict(frame))
        assert evaluate(model, (other, y)) == evaluate(model, (frame, y))
        assert evaluate(model, (other, y))["r2"] > 0.7
    np.testing.assert_array_equal(hidden_activations(net, other)[0], hidden_activations(net, frame)[0])
    np.testing.assert_array_equal(net.predict(np.asarray(frame, dtype=float)), net.predict(frame))
    one, two = copy.deepcopy(net), copy.deepcopy(net)
    train(one, (frame, y), epochs=1)
    train(two, (other, y), epochs=1)
    np.testing.assert_array_equal(one.params, two.params)


def test_streams_of_frames_learn_and_keep_the_names(frame):
    y, other = prices(frame), frame[["new", "size", "age"]]
    nets = [MLP([3, 1], loss="squared_error", seed=0) for _ in range(2)]
    train(nets[0], [(frame, y), (frame, y)], epochs=1, learning_rate=1e-9)
    train(nets[1], [(frame, y), (other, y)], epochs=1, learning_rate=1e-9)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    assert nets[1].feature_names == ("size", "age", "new")


def test_columns_with_other_names_are_refused(net, library, frame):
    y = prices(frame)
    other = library.DataFrame({"size": frame["size"], "years": frame["age"], "new": frame["new"]})
    for use in (
        lambda: net.predict(other),
        lambda: evaluate(net, (other, y)),
        lambda: train(net, (other, y), epochs=1),
        lambda: train(net, (frame, y), validation=(other, y), epochs=1),
        lambda: Ensemble([net]).predict(other),
    ):
        with pytest.raises(DataError, match="it lacks column 'age' and has the unknown column 'years'"):
            use()
    with pytest.raises(DataError, match=r"it lacks columns 'age', 'new'$"):
        net.predict(frame[["size"]])


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (["a", "b", "c"], "column 'city' holds text"),
        ([True, None, False], "gaps in column 'city', first in row 1|first in row 1, column 'city'"),
        ([1.5, None, 2.0], "first in row 1, column 'city'"),
        ([1.5, float("inf"), 2.0], "first in row 1, column 'city'"),
        ("categories", "column 'city' holds categories"),
    ],
)
def test_text_categories_and_gaps_are_refused_with_the_column_s_name(library, column, says):
    if column == "categories":
        dtype = "category" if library.__name__ == "pandas" else library.Categorical
        column = library.Series(["a", "b", "a"], dtype=dtype)
    frame, y = library.DataFrame({"size": [1.0, 2.0, 3.0], "city": column}), [1.0, 2.0, 3.0]
    net = MLP([2, 1], loss="squared_error", feature_names=["size", "city"])
    for use in (lambda: train(net, (frame, y), epochs=1), lambda: net.predict(frame), lambda: standardize(frame)):
        with pytest.raises(DataError, match=says):
            use()


def test_nullable_columns_without_gaps_are_numbers():
    pandas = pytest.importorskip("pandas")
    plain = pandas.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, 1, 2, 3], "c": [True, False, True, False]})
    y = pandas.Series([0, 1, 1, 0])
    results = []
    for frame, target in ((plain, y), (plain.convert_dtypes(), y.convert_dtypes()), (plain.astype(object), y)):
        net = MLP([3, 4, 2], seed=0)
        train(net, (frame, target), epochs=3)
        results.append(net.predict_proba(frame))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    gaps = pandas.DataFrame({"a": [1, None, 3], "b": [True, None, False], "c": ["x", "y", None]}).convert_dtypes()
    with pytest.raises(DataError, match="column 'c' holds text"):
        standardize(gaps[["c"]])
    with pytest.raises(DataError, match=r"gaps in column 'b', first in row 1|row 1, column 'b'"):
        standardize(gaps[["b"]])


def test_objects_that_are_numbers_are_numbers():
    mixed = np.array([[1, 2.5, True], [Decimal("0.5"), np.float32(2), np.False_]], dtype=object)
    np.testing.assert_array_equal(standardize(mixed).shift, [0.75, 2.25, 0.5])
    with pytest.raises(DataError, match="x must hold numbers, not object"):
        standardize(np.array([[1, "2"]], dtype=object))


def test_columns_named_by_numbers_are_put_in_order():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[0.0, 1.0], [1.0, 0.5]])
    net = MLP([2, 2])
    train(net, (frame, [0, 1]), epochs=1)
    assert net.feature_names == ("0", "1")
    np.testing.assert_array_equal(net.predict_proba(frame[[1, 0]]), net.predict_proba(frame))
    with pytest.raises(DataError, match="lacks column '0' and has the unknown column '7'"):
        net.predict(frame.rename(columns={0: 7}))


def test_columns_of_one_hot_rows_are_put_in_the_order_of_the_classes():
    pandas = pytest.importorskip("pandas")
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = pandas.get_dummies(pandas.Series(["cat", "dog", "eel"] * 10))
    net = MLP([2, 3], class_names=["eel", "cat", "dog"])
    by_name = evaluate(net, (x, ["cat", "dog", "eel"] * 10))
    assert evaluate(net, (x, y)) == pytest.approx(by_name)
    with pytest.raises(DataError, match="y must have the columns"):
        evaluate(net, (x, y.rename(columns={"cat": "fox"})))
    learning = MLP([2, 3])
    train(learning, (x, y), epochs=1)
    assert learning.class_names == ("cat", "dog", "eel")


def test_columns_of_the_same_name_are_refused():
    pandas = pytest.importorskip("pandas")
    net, frame = MLP([2, 2]), pandas.DataFrame([[0.0, 1.0], [1.0, 0.0]], columns=["a", "a"])
    with pytest.raises(DataError, match="several named column 'a'"):
        net.predict(frame)


def test_a_frame_of_one_column_of_names_is_a_target(library):
    x, y = np.arange(6.0)[:, None], ["cat", "dog"] * 3
    by_frame, by_list = MLP([1, 2]), MLP([1, 2])
    train(by_frame, (x, library.DataFrame({"animal": y})), epochs=1)
    train(by_list, (x, y), epochs=1)
    assert by_frame.class_names == ("cat", "dog")
    np.testing.assert_array_equal(by_frame.params, by_list.params)
