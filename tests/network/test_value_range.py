import tracemalloc
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array

from numlp import MLP, Ensemble, evaluate, load_model, save_model, train
from numlp.errors import DataWarning, SettingError
from numlp.network.value_range import ValueRange, value_range

AS = {
    "uint8": lambda bytes_: bytes_,
    "int64": lambda bytes_: bytes_.astype(np.int64),
    "0 to 255": lambda bytes_: bytes_.astype(np.float32),
    "0 to 1": lambda bytes_: (bytes_ / 255).astype(np.float32),
    "-1 to 1": lambda bytes_: (bytes_ / 127.5 - 1).astype(np.float32),
}
FLAT = {"images": lambda x: x, "flat": lambda x: x.reshape(len(x), -1)}


@pytest.fixture(scope="module")
def digits(mnist):
    (x, y), (more_x, more_y) = mnist.train[:2], mnist.test[:2]
    return (x[:1500], y[:1500]), (more_x[:500], more_y[:500])


@pytest.fixture(scope="module")
def trained(digits):
    """Networks by what they were trained on, and by the shape of the samples."""
    (x, y), _ = digits
    found = {}
    for shape, shaped in FLAT.items():
        for kind, form in AS.items():
            given = shaped(form(x))
            net = MLP([784, 32, 10], seed=0)
            train(net, (given, y), epochs=8, batch_size=16, optimizer="adam")
            found[kind, shape] = net
    return found


@pytest.mark.parametrize("shape", FLAT)
@pytest.mark.parametrize("asked", AS)
@pytest.mark.parametrize("trained_on", AS)
def test_images_of_any_range_are_answered_right_or_with_a_warning(trained, digits, trained_on, asked, shape):
    _, (x, y) = digits
    net = trained[trained_on, shape]
    own = evaluate(net, (FLAT[shape](AS[trained_on](x)), y))["accuracy"]
    assert own > 0.75
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = evaluate(net, (FLAT[shape](AS[asked](x)), y))["accuracy"]
    warned = [warning for warning in caught if issubclass(warning.category, DataWarning)]
    same = {trained_on, asked} in ({"int64", "0 to 255"}, {"uint8", "0 to 1"}) or asked in (trained_on, "uint8")
    assert len(warned) == (not same)
    if same:
        assert found == pytest.approx(own, abs=0.005)
    for row in x[:50]:  # one by one, too
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net.predict(FLAT[shape](AS[asked](row[None])))
        assert len(caught) == (not same)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", ">u2"])
def test_wide_unsigned_integers_are_not_bytes(dtype):
    images = np.arange(128).reshape(2, 8, 8).astype(dtype) * 2
    seen = value_range(images, image=True)
    assert (seen.kind, seen.ends) == ("whole numbers", (0, 254))


def test_unseen_images_never_warn(trained, mnist):
    for (kind, shape), net in trained.items():
        for rows in (mnist.test.x[:2000], np.zeros((1, 28, 28), np.uint8), mnist.test.x[:1] // 20):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                net.predict(FLAT[shape](AS[kind](rows)))


def test_the_warning_points_to_the_caller_and_says_what_to_do(trained, digits):
    _, (x, y) = digits
    for ask in (trained["uint8", "images"].predict, trained["uint8", "images"].predict_proba):
        with pytest.warns(
            DataWarning, match="x holds whole numbers from 0 to 255, but .* bytes, read as 0 to 1"
        ) as caught:
            ask(x.astype(int))
        assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(DataWarning, match="bring x to that range, or give images as bytes"):
        evaluate(trained["0 to 255", "images"], (x / 255, y))


def test_a_network_remembers_its_range_in_its_file(trained, tmp_path):
    nets = [*trained.values(), MLP([784, 3])]
    for net in [*nets, Ensemble([nets[0], nets[0]])]:
        save_model(net, tmp_path / "net.safetensors")
        again = load_model(tmp_path / "net.safetensors")
        assert again.input_range == net.input_range
    assert MLP([784, 3]).input_range is None
    assert trained["uint8", "flat"].input_range == ValueRange("bytes", np.array(0.0), np.array(1.0))
    assert trained["int64", "images"].input_range == ValueRange("whole numbers", np.array(0.0), np.array(255.0))
    assert trained["-1 to 1", "flat"].input_range.lowest.shape == (784,)


def test_any_range_that_a_network_takes_is_read_back_from_its_file(tmp_path):
    net = MLP([2, 2], input_range=ValueRange("floats", np.zeros(2, np.float32), [1, 2]))
    save_model(net, tmp_path / "net.safetensors")
    assert load_model(tmp_path / "net.safetensors").input_range == net.input_range


def table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(70, 10, n), rng.lognormal(size=n), rng.random(n) < 0.01, np.zeros(n)])


@pytest.fixture(scope="module")
def net_of_table():
    net = MLP([4, 2], seed=0, feature_names=["weight", "income", "flag", "none"])
    train(net, (table(), np.arange(400) % 2), epochs=1)
    return net


def test_unseen_rows_of_a_table_never_warn(net_of_table):
    rows = table(20_000, seed=1)
    rows[:, 3] = 7  # in training it was constant
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net_of_table.predict(rows)
        for row in rows[:500]:
            net_of_table.predict(row[None])


def test_columns_in_other_units_warn(net_of_table):
    grams = table(seed=2) * [1000, 1, 1, 1]
    with pytest.warns(DataWarning, match="in column 'weight', far outside of what .* give x in the units"):
        net_of_table.predict(grams)
    with pytest.warns(DataWarning, match="in column 'weight', far"):
        net_of_table.predict(grams[:1])


def test_ranges_that_fill_float64_pass():
    net = MLP([2, 2], dtype="float64", input_range=ValueRange("floats", np.full(2, -1.7e308), np.full(2, 1.7e308)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(np.zeros((9, 2)))


def test_bytes_for_a_table_of_floats_warn(net_of_table):
    with pytest.warns(DataWarning, match="x holds bytes, .* a table as x.astype"):
        net_of_table.predict(table().astype(np.uint8))


def test_validation_rows_in_another_range_warn(digits):
    (x, y), (more, truth) = digits
    with pytest.warns(DataWarning, match="validation holds floats from 0 to 1, but .* whole numbers from 0 to 255"):
        train(MLP([784, 10]), (x.astype(int), y), validation=(more / 255, truth), learning_rate=1e-6, epochs=1)


def test_training_that_continues_widens_the_range():
    net, y = MLP([2, 2]), np.array([0, 1])
    train(net, (np.array([[0.0, 5], [1, 6]]), y), epochs=1)
    train(net, (np.array([[-1, 5], [0, 9]]), y), epochs=1)
    assert net.input_range == ValueRange("floats", np.array([-1.0, 5]), np.array([1.0, 9]))


def test_bytes_are_trained_on_in_the_range_that_a_network_knows(digits, trained):
    (x, y), _ = digits
    known = trained["-1 to 1", "images"].input_range
    one, other = (MLP([784, 10], seed=0, input_range=known, dtype="float64") for _ in range(2))
    train(one, (x, y), epochs=1)
    train(other, (x / 127.5 - 1, y), epochs=1)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-6)


def test_ranges_are_learned_without_a_copy():
    for x in (np.ones((20_000, 200), np.float32), np.asfortranarray(np.ones((20_000, 200))), np.ones((500, 20, 40))):
        tracemalloc.start()
        value_range(x, image=x.ndim > 2)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < x.nbytes / 4


def test_sparse_columns_hold_zeros():
    x = csr_array(np.array([[0.0, 3, 0], [-2, 4, 0]]))
    assert value_range(x) == ValueRange("floats", np.array([-2.0, 0, 0]), np.array([0.0, 4, 0]))
    assert value_range(x.tocsc()) == value_range(x)
    assert value_range(csr_array(np.array([[5.0]]))).ends == (0, 5)


@pytest.mark.parametrize(
    "given",
    [
        (0, 1),
        ValueRange("colors", np.array(0.0), np.array(1.0)),
        ValueRange("floats", np.zeros(3), np.ones(3)),
        ValueRange("floats", ["a", "b"], np.ones(2)),
        ValueRange("floats", np.zeros(2), np.array(1.0)),
        ValueRange("floats", np.array(1.0), np.array(0.0)),
        ValueRange("floats", np.array(np.nan), np.array(1.0)),
    ],
)
def test_ranges_that_do_not_fit_are_refused(given):
    with pytest.raises(SettingError, match="input_range must"):
        MLP([2, 2], input_range=given)


def test_validation_columns_in_other_units_are_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.random.default_rng(0).uniform(0, 1, (40, 2)), columns=["rooms", "price"])
    later = frame.assign(price=1000 * frame["price"] + 100)
    with pytest.warns(DataWarning, match="price"):
        train(MLP([2, 2]), (frame, np.arange(40) % 2), validation=(later, np.arange(40) % 2), epochs=1)
