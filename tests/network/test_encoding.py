"""Encodings: from the columns of a table to codes, and from codes to inputs."""

import datetime
import json
import tracemalloc

import numpy as np
import pandas
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network.test_gradients import numerical_gradient, relative_error

import numlp
from numlp.arrays.table import Table
from numlp.errors import DataError, DataWarning, SettingError
from numlp.network import learner
from numlp.network.columns import Category, Date, Number
from numlp.network.encoding import Encoding, as_encoding
from numlp.network.layers import Encode

ROWS = 60


def people(n=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    start = datetime.datetime(2024, 1, 1)
    return polars.DataFrame(
        {
            "age": rng.normal(40, 12, n),
            "income": [None if i % 5 == 0 else float(value) for i, value in enumerate(rng.lognormal(10, 1, n))],
            "member": rng.random(n) < 0.3,
            "town": [[None, "Ulm", "Bonn", "Kiel"][i] for i in rng.integers(0, 4, n)],
            "street": [f"street {i}" for i in rng.integers(0, 40, n)],
            "since": [start + datetime.timedelta(hours=17 * i) for i in range(n)],
        }
    )


def encoding(**settings):
    return numlp.learn_encoding(people(), **{"bins": 6, "one_hot": 5, "width": 3} | settings)


def test_each_kind_of_column_has_its_codes():
    found = encoding()
    assert [type(column) for column in found.columns] == [Number, Number, Number, Category, Category, Date]
    codes = found.encode(people(), "float64")
    assert codes.shape == (ROWS, found.n_codes)
    assert np.isfinite(codes).all()
    np.testing.assert_allclose([codes[:, 0].mean(), codes[:, 0].std()], [0, 1], atol=1e-9)
    gaps = np.arange(ROWS) % 5 == 0
    np.testing.assert_array_equal(codes[gaps, 1:3], np.tile([0, 1], (gaps.sum(), 1)))
    assert set(codes[:, 3]) == {0, 1}  # a yes or no stays 0 and 1
    assert found.columns[3].levels == ("Bonn", "Kiel", "Ulm", None)


def test_rare_levels_share_the_code_of_unseen_ones():
    towns = np.array(["Ulm"] * 3 + ["Bonn"] * 2 + ["Kiel"], dtype=object)
    column = numlp.learn_encoding(Table({"town": towns})).columns[0]
    assert (column.levels, column.rare) == (("Bonn", "Ulm"), ("Kiel",))
    codes, odd = column.codes(np.array(["Kiel", "Rom", None], dtype=object))
    assert codes.ravel().tolist() == [0, 0, 0]
    assert odd == (2, "'Rom'")


def test_an_unseen_level_without_rare_ones_is_no_level_at_all():
    table = Table({"town": np.array(["Ulm", "Bonn"] * 3, dtype=object)})
    net = numlp.MLP([1, 4, 2], input_encoding=numlp.learn_encoding(table), dtype="float64")
    with pytest.warns(DataWarning, match=r"'town' in 1 of 2 rows, such as 'Rom'"):
        codes = net.features(Table({"town": np.array(["Ulm", "Rom"], dtype=object)}))
    np.testing.assert_array_equal(net.layers[0].infer(codes), [[0, 1], [0, 0]])


def test_dates_go_round():
    column = Date("t", 0.0, 1.0, (7.0,))
    week = np.array(["1970-01-01", "1970-01-08", "1970-01-04T12"], dtype="datetime64[us]")
    codes, _ = column.codes(week)
    np.testing.assert_allclose(codes, [[0, 1, 0], [7, 1, 0], [3.5, -1, 0]], atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_bins_below_a_number_are_full_and_those_above_are_empty(seed, bins):
    values = np.random.default_rng(seed).normal(size=50)
    found = numlp.learn_encoding(Table({"a": values}), bins=bins)
    layer = Encode(found)
    layer.bind({}, {})
    inputs = layer.infer(found.encode(Table({"a": np.sort(values)}), "float64"))[:, 1:]
    assert ((inputs >= 0) & (inputs <= 1)).all()
    assert (np.diff(inputs, axis=0) >= 0).all()  # a larger number fills more
    assert (np.diff(inputs, axis=1) <= 0).all()  # and a bin only when those before it are full
    assert inputs.shape[1] == (bins if bins > 1 else 0)


@pytest.mark.parametrize("clip", [True, False])
def test_gradients_of_a_networks_encoding(clip):
    net = numlp.MLP([6, 5, 3], input_encoding=encoding(clip=clip), dtype="float64", activation="tanh", seed=1)
    net.params += np.random.default_rng(0).normal(scale=0.3, size=net.params.shape)
    x = net.features(people(), training=True)
    targets = np.eye(3)[np.arange(ROWS) % 3]
    net.loss_and_grad(x, targets, input_gradient=True)
    grads, by_input = net.grads.copy(), net.input_grad.copy()
    assert net.named_parameters()["encode.0.embedding0"].shape == (len(net.input_encoding.columns[4].levels) + 1, 3)
    numerical = numerical_gradient(lambda: net.loss_and_grad(x, targets), net.params)
    assert relative_error(grads, numerical) < 1e-6
    levels = [4, 5]
    numerical = numerical_gradient(lambda: net.loss_and_grad(x, targets), x)
    smooth = [i for i in range(x.shape[1]) if i not in levels]
    inside = np.ones_like(x, bool)
    for i, column in [(0, net.input_encoding.columns[0]), (1, net.input_encoding.columns[1])]:
        edges = np.array(column.edges)
        inside[:, i] = np.abs(x[:, i, None] - edges).min(axis=1) > 1e-3  # no corner between the two differences
    np.testing.assert_allclose(
        np.where(inside, by_input, 0)[:, smooth], np.where(inside, numerical, 0)[:, smooth], atol=1e-7
    )
    assert not by_input[:, levels].any()


def test_training_and_use_give_the_same_inputs():
    net = numlp.MLP([6, 2], input_encoding=encoding(), seed=0)
    layer = net.layers[0]
    codes = net.features(people())
    net.allocate(ROWS)
    np.testing.assert_array_equal(layer.forward(codes), layer.infer(codes))


def test_columns_come_in_any_order_and_arrays_in_the_encodings():
    numbers = people().select("age", "income", "member")
    found = numlp.learn_encoding(numbers)
    np.testing.assert_array_equal(found.encode(numbers), found.encode(numbers.select("member", "age", "income")))
    array = np.array([[1.0, 2, 0]])
    np.testing.assert_array_equal(
        found.encode(array), found.encode(polars.DataFrame({"age": [1.0], "income": [2.0], "member": [0.0]}))
    )


def test_missing_new_and_other_columns_are_named_with_the_nearest():
    found = encoding()
    with pytest.raises(DataError, match=r"lacks 'town' \(is 'Town' meant\?\); it has 1 more .*: Town"):
        found.encode(people().rename({"town": "Town"}))
    with pytest.raises(DataError, match="column 'age' holds texts, but the network was trained on numbers"):
        found.encode(people().with_columns(age=polars.lit("old")))


def test_numbers_name_levels_as_a_file_has_them():
    found = numlp.learn_encoding(Table({"zip": np.array(["1", "22", "1", "22"], dtype=object)}))
    assert found.encode(Table({"zip": np.array([22, 1])})).ravel().tolist() == [2, 1]
    assert found.encode(Table({"zip": np.array([22.0, 1.0])})).ravel().tolist() == [2, 1]


@pytest.mark.parametrize("levels", [[1.0, 22.0], [1, 22], [True, False], [0.5, 1.5]])
def test_categories_that_are_numbers_are_known_as_plain_numbers_too(levels):
    frame = pandas.DataFrame({"a": levels})
    found = numlp.learn_encoding(frame.astype("category"), least=1)
    assert sorted(found.encode(frame).ravel().tolist()) == [1, 2]
    assert sorted(found.encode(frame.astype(object)).ravel().tolist()) == [1, 2]


@pytest.mark.parametrize("values", [["x", None], [7.0, np.nan], [datetime.date(2026, 1, 2), None], [None, None]])
def test_a_column_without_a_value_in_training_changes_no_prediction(values, tmp_path):
    rng = np.random.default_rng(0)
    trained = pandas.DataFrame({"a": rng.normal(size=40), "b": np.full(40, None)})
    net = numlp.MLP([2, 8, 2], input_encoding=numlp.learn_encoding(trained), seed=0)
    numlp.train(net, (trained, np.arange(40) % 2), epochs=2, seed=0)
    numlp.save_model(net, tmp_path / "m.safetensors")
    net = numlp.load_model(tmp_path / "m.safetensors")
    rows = trained[:2].assign(b=np.array(values, dtype=object))
    expected = net.predict_proba(trained[:2])
    if any(value is not None and value == value for value in values):
        with pytest.warns(DataWarning, match="column 'b' in 1 of 2 rows, such as "):
            np.testing.assert_array_equal(net.predict_proba(rows), expected)
    else:
        np.testing.assert_array_equal(net.predict_proba(rows), expected)


@pytest.mark.parametrize("small", [1e-30, 1e-40, 1e-44, 1e-300])
@pytest.mark.parametrize("numbers", ["standard", "robust"])
def test_numbers_next_to_each_other_have_bins_of_a_finite_slope(small, numbers):
    table = Table({"a": np.repeat([-1.0, 0.0, small, 1.0], 30)})
    net = numlp.MLP([1, 4, 2], input_encoding=numlp.learn_encoding(table, bins=16, numbers=numbers), seed=0)
    numlp.train(net, (table, np.arange(120) % 2), epochs=1, learning_rate=0.01, seed=0)
    assert net.is_finite()


def test_bins_end_where_codes_do():
    table = Table({"a": np.array([*range(40), 1e300])})
    (column,) = numlp.learn_encoding(table, bins=4, numbers="robust").columns
    assert column.edges[-1] <= 1e18 < (1e300 - column.shift) * column.factor


def test_codes_of_dates_are_finite_whatever_a_file_says():
    days = Table({"a": np.array(["0001-01-01", "290000-01-01", "NaT"], "M8[us]")})
    assert np.isfinite(Encoding((Date("a", -1e308, 1e308, (1e308,)),)).encode(days, "float32", warn=False)).all()


def test_a_table_without_any_value_is_refused():
    with pytest.raises(DataError, match="x has no value in any column"):
        numlp.learn_encoding(Table({"a": np.array([None, np.nan], dtype=object)}))


def test_wide_integers_keep_their_differences():
    wide = np.array([900719925474099267, 900719925474099268, 900719925474099270])
    codes = numlp.learn_encoding(Table({"a": wide}), clip=False).encode(Table({"a": wide}), "float64").ravel()
    np.testing.assert_allclose(np.diff(codes), np.array([1, 2]) / np.std([0, 1, 3]))


def test_a_description_gives_the_encoding_back():
    assert as_encoding(encoding().described()) == encoding()


@pytest.mark.parametrize(
    "change",
    [
        {"columns": []},
        {"columns": [{"kind": "word", "name": "a"}]},
        {"columns": [{"kind": "number", "name": "a", "shift": float("nan"), "factor": 1.0}]},
        {"columns": [{"kind": "number", "name": "a", "shift": 0.0, "factor": 0.0}]},
        {"columns": [{"kind": "number", "name": "a", "shift": 0.0, "factor": 1.0, "edges": [0.0, 2.0, 1.0]}]},
        {"columns": [{"kind": "number", "name": "a", "shift": 0.0, "factor": 1.0}] * 2},
        {"columns": [{"kind": "text", "name": "a", "levels": ["x", "x"]}]},
        {"columns": [{"kind": "text", "name": "a", "levels": ["x"], "width": -1}]},
        {"columns": [{"kind": "number", "name": "a", "shift": 0.0, "factor": 1.0, "edges": [0.0, 1e-300, 1.0]}]},
        {"columns": [{"kind": "number", "name": "a", "shift": 0.0, "factor": 1.0, "edges": [0.0, 1e300]}]},
        {"columns": [{"kind": "date", "name": "a", "shift": 0.0, "factor": 1.0, "periods": [0.0]}]},
        {"columns": [{"kind": "date", "name": "a", "shift": 0.0, "factor": 1.0, "periods": [1e-320]}]},
        {"columns": [{"kind": "text", "name": "a", "levels": []}]},
        {"clip": "yes"},
        {"columns": 7},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(change):
    with pytest.raises(SettingError, match="input_encoding isn't valid"):
        as_encoding(encoding().described() | change)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"input_encoding": "columns"}, "must be an Encoding"),
        ({"input_encoding": Encoding((Number("a", 0.0, 1.0),))}, "must begin with the 1 columns"),
        ({"input_scaling": numlp.Scaling(np.array(1.0))}, "leave input_scaling out"),
    ],
)
def test_settings_that_contradict_an_encoding_are_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        numlp.MLP([6, 2], **{"input_encoding": encoding()} | settings)


def test_a_network_with_categories_refuses_mixup():
    net = numlp.MLP([6, 2], input_encoding=encoding())
    with pytest.raises(SettingError, match="mixup must be 0"):
        numlp.train(net, (people(), np.arange(ROWS) % 2), mixup=0.2)


def test_a_model_file_holds_the_encoding(tmp_path):
    net = numlp.MLP([6, 8, 2], input_encoding=encoding(), seed=0)
    numlp.train(net, (people(), np.where(np.arange(ROWS) % 2, "yes", "no")), epochs=2)
    numlp.save_model(net, tmp_path / "net.safetensors")
    again = numlp.load_model(tmp_path / "net.safetensors")
    assert again.input_encoding == net.input_encoding
    np.testing.assert_array_equal(again.predict_proba(people(seed=0)), net.predict_proba(people(seed=0)))


def test_the_networks_of_an_ensemble_share_the_encoding_in_its_file(tmp_path):
    words = Table({"a": np.array([f"a long name of level {i}" for i in range(5000)] * 2, dtype=object)})
    shared = numlp.learn_encoding(words, width=1)
    sizes = []
    for count in (2, 4):
        model = numlp.Ensemble([numlp.MLP([1, 2], input_encoding=shared, seed=seed) for seed in range(count)])
        numlp.save_model(model, tmp_path / "m.safetensors")
        sizes.append((tmp_path / "m.safetensors").stat().st_size - 4 * sum(net.params.size for net in model.members))
        again = numlp.load_model(tmp_path / "m.safetensors")
        assert again.members[1].input_encoding is again.members[0].input_encoding
        assert again.input_encoding == shared
        np.testing.assert_array_equal(again.predict_proba(words), model.predict_proba(words))
    assert sizes[1] < 1.1 * sizes[0]


@pytest.mark.parametrize("sign", ["x", "é", '"', "\n", "\U0001f600"])
def test_levels_that_no_model_file_holds_are_refused_before_training(tmp_path, monkeypatch, sign):
    monkeypatch.setattr("numlp.settings.limits.LEVEL_NAMES_BYTES", 3 << 16)
    monkeypatch.setattr("numlp.settings.limits.HEADER_BYTES", 1 << 18)
    size = len(json.dumps(json.dumps(sign))) - 6

    def learned(count):
        words = [f"{i:06d}{sign * (90 // size)}" for i in range(count)]
        return numlp.learn_encoding(Table({"a": np.array(words, dtype=object), "b": np.arange(count)}), least=2)

    with pytest.raises(DataError, match="most of them in column 'a': leave it out"):
        learned(2200)
    numlp.save_model(numlp.MLP([2, 2], input_encoding=learned(1800)), tmp_path / "m.safetensors")


def test_all_that_training_offers_works_with_an_encoding():
    y = np.arange(ROWS) % 2
    net = numlp.MLP(
        [6, 8, 2], input_encoding=encoding(), input_noise=0.1, input_dropout=0.1, normalization="batch", seed=0
    )
    history = numlp.train(
        net,
        (people(), y, np.ones(ROWS)),
        validation=(people(seed=1), y),
        adversarial=0.1,
        max_norm=3.0,
        l2=1e-3,
        averaging=0.9,
        label_smoothing=0.1,
        optimizer="adamw",
        epochs=3,
        batch_size=7,
    )
    assert np.isfinite(history["validation_loss"]).all()
    both = numlp.Ensemble([net, net])
    np.testing.assert_allclose(both.predict_proba(people()), net.predict_proba(people()), rtol=1e-5)


def test_a_resumed_training_ends_in_the_same_bits(tmp_path):
    y = np.arange(ROWS) % 2
    settings = {"optimizer": "adamw", "batch_size": 7, "seed": 3}

    def trained(epochs, **more):
        net = numlp.MLP([6, 8, 2], input_encoding=encoding(), dropout=0.2, seed=0)
        numlp.train(net, (people(), y), epochs=epochs, **settings, **more)
        return net.params

    trained(3, after_epoch=[numlp.Checkpoint(tmp_path / "checkpoint", epochs=1)])
    np.testing.assert_array_equal(trained(6, resume=tmp_path / "checkpoint"), trained(6))


def test_batches_of_a_table_train_and_calibrate():
    net = numlp.MLP([6, 8, 2], input_encoding=encoding(), seed=0)
    y = np.arange(ROWS) % 2
    history = numlp.train(net, lambda epoch: ((people()[i : i + 10], y[i : i + 10]) for i in range(0, ROWS, 10)))
    assert np.isfinite(history["train_loss"]).all()
    assert numlp.calibrate(net, (people(), y)).temperature == net.temperature != 1


def test_seventy_thousand_levels_cost_their_embedding_and_no_dense_row(tmp_path):
    levels = np.array([f"level {i}" for i in range(70_000)], dtype=object)
    table = Table({"level": np.concatenate([levels, levels])})
    tracemalloc.start()
    net = numlp.MLP([1, 4, 2], input_encoding=numlp.learn_encoding(table))
    numlp.train(net, (table, np.arange(140_000) % 2), epochs=1, batch_size=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {name: view.shape for name, view in net.named_parameters().items() if view.ndim == 2} == {
        "encode.0.embedding0": (70_001, 8),
        "linear.0.weight": (8, 4),
        "linear.1.weight": (4, 2),
    }
    assert peak < 100e6 < 1000 * 70_000 * 4  # bytes of a batch of dense rows
    numlp.save_model(net, tmp_path / "net.safetensors")
    assert numlp.load_model(tmp_path / "net.safetensors").input_encoding == net.input_encoding


@pytest.mark.parametrize("values", [[1e300, -1e300, 0.0], [1.7e308, -1.7e308], [5e-324, 0.0], [5e-324, 0.0, 1e-323]])
def test_numbers_at_the_ends_of_float64_are_encoded(values):
    table = Table({"a": np.array(values)})
    found = numlp.learn_encoding(table)
    assert as_encoding(found.described()) == found
    codes = found.encode(table)
    assert np.isfinite(codes).all()
    if max(values) > 1:  # smaller ones than the least normal number count as 0
        assert len(np.unique(codes)) == len(values)


def test_numbers_and_dates_far_outside_of_training_are_told():
    found = numlp.learn_encoding(people())
    thousandfold = people().with_columns(age=polars.col("age") * 1000)
    with pytest.warns(DataWarning, match=r"column 'age' goes from .* far outside of the .* of training"):
        found.encode(thousandfold)
    later = people().with_columns(since=polars.col("since").dt.offset_by("100y"))
    with pytest.warns(DataWarning, match=r"column 'since' goes from 2124-01-01 to 2124-02-\d\d, far outside"):
        found.encode(later)
    found.encode(people().with_columns(age=polars.col("age") + 50))  # merely unusual


def test_an_empty_frame_is_refused():
    net = numlp.MLP([6, 2], input_encoding=encoding())
    with pytest.raises(DataError, match="x is empty"):
        net.predict(people()[:0])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.lists(st.floats(0, 1), max_size=5))
def test_quantiles_are_those_of_numpy(values, levels):
    found = learner._quantiles(np.array(values), np.array(levels))
    np.testing.assert_allclose(found, np.quantile(values, levels), rtol=1e-12, atol=1e-9)
