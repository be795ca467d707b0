"""What onnxruntime computes from the columns of a table is what the network predicts from them."""

import json
import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx.reference import ReferenceEvaluator

from numlp import MLP, Ensemble, learn_encoding, standardize
from numlp.arrays.table import Table, as_table, as_text, gaps_in
from numlp.errors import DataWarning, FileFormatError, SettingError
from numlp.network.columns import days_of
from numlp.onnx import export_onnx, import_onnx

TABLES = Path(os.environ.get("NUMLP_DATA_DIR", "")) / "tables"
DAYS = np.datetime64("2019-12-30T05:00", "us") + np.arange(12) * np.timedelta64(40_000_000_007, "us")


def texts(*values):
    return np.array([*values, None], dtype=object)[:-1]


@pytest.fixture
def table():
    """A table with every kind of column, with gaps and without."""
    rng = np.random.default_rng(0)
    day = DAYS.copy()
    day[3] = "NaT"
    return Table(
        {
            "price": np.where(np.arange(12) % 5 == 2, np.nan, rng.normal(1e6, 10, 12)),
            "rooms": np.arange(12),
            "garden": np.arange(12) % 2 == 0,
            "city": texts(*"abcabcabcab", "Ulm"),
            "day": day,
            "street": texts("x", "y", None, "ẞ̈", *"xyxy", "ẞ̈", None, "z", "z"),
            "built": DAYS + np.timedelta64(300, "D") * np.arange(12),
        }
    )


@pytest.fixture
def unseen(table):
    """Rows with levels, gaps and sizes that training hadn't."""
    return Table(
        {
            "price": np.array([np.nan, 1e300, -5.0, 1e6]),
            "rooms": np.array([np.nan, 3.0, 1e9, -2.5]),
            "garden": np.array([1.0, np.nan, 0.0, 7.0]),
            "city": texts(None, "Bonn", "A", "a "),
            "day": np.array(["NaT", "1815-06-18", "2222-02-02T22:22:22", "2020-01-01"], "datetime64[us]"),
            "street": texts("Main Street", None, "x", "Ulm"),
            "built": np.array(["1969-12-31", "NaT", "2020-02-29", "2020-01-01"], "datetime64[us]"),
        }
    )


def feed(table, session):
    """Return the columns of a table as the inputs of a session."""
    names = json.loads(session.get_modelmeta().custom_metadata_map["feature_names"])
    found = {}
    for entry, name in zip(session.get_inputs(), names, strict=True):
        values = table[name]
        if entry.type == "tensor(string)":
            if values.dtype != object:  # numbers that are levels
                gaps = gaps_in(values)
                values = texts(*(None if gap else as_text(v) for gap, v in zip(gaps, values.tolist(), strict=True)))
            values = np.array([*("" if value is None else value for value in values), ""], dtype=object)[:-1]
        elif values.dtype.kind == "M":
            values = np.where(np.isnat(values), np.nan, days_of(values))
        assert entry.shape == ["n", 1]
        found[entry.name] = values[:, None] if values.dtype == object else values[:, None].astype(np.float64)
    return found


def started(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def check(model, path, *tables):
    """Export a model, and compare what the file computes with what the model predicts."""
    export_onnx(model, path)
    session = started(path)
    for table in tables:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            logits = np.concatenate(list(model.chunks(model.features(table))))
            predicted = model.predict(table, indices=True)
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, feed(table, session)), strict=True))
        scale = np.abs(logits).max()
        np.testing.assert_allclose(found["logits"], logits, rtol=1e-5, atol=1e-5 * scale)
        if model.loss.task == "regression":
            np.testing.assert_allclose(found["prediction"], predicted, rtol=1e-5, atol=1e-5 * np.abs(predicted).max())
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                probabilities = model.predict_proba(table)
            np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=1e-5)
            clear = np.diff(np.sort(probabilities, axis=1)[:, -2:])[:, 0] > 1e-4
            np.testing.assert_array_equal(found["label"][clear], predicted[clear])
    return session


def network(table, n_outputs=3, *, seed=0, hidden=(8,), settings=None, **others):
    encoding = learn_encoding(table, **(settings or {}))
    net = MLP([len(encoding.columns), *hidden, n_outputs], input_encoding=encoding, seed=seed, **others)
    net.params += np.random.default_rng(seed).uniform(-0.3, 0.3, net.params.shape)  # no embedding is 0
    return net


SETTINGS = [
    {},
    {"numbers": "robust", "clip": False},
    {"bins": 4},
    {"one_hot": 0, "width": 3},
    {"one_hot": 3, "bins": 7, "least": 1},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_of_every_kind_with_gaps_and_what_training_had_not(tmp_path, table, unseen, settings, dtype):
    check(network(table, settings=settings, dtype=dtype), tmp_path / "net.onnx", table, unseen)


@pytest.mark.parametrize("name", ["price", "rooms", "garden", "city", "day", "street", "built"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_single_column(tmp_path, table, unseen, name, settings):
    check(network(table[[name]], settings=settings), tmp_path / "net.onnx", table[[name]], unseen[[name]])


@pytest.mark.parametrize(
    "loss", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy", "squared_error", "poisson"]
)
def test_every_task(tmp_path, table, unseen, loss):
    check(network(table, loss=loss, normalization="batch"), tmp_path / "net.onnx", table, unseen)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_an_ensemble_encodes_its_rows_once(tmp_path, table, unseen, settings):
    path = tmp_path / "net.onnx"
    members = [network(table, seed=seed, settings=settings) for seed in range(3)]
    check(Ensemble(members), path, table, unseen)
    operators = [node.op_type for node in onnx.load(path).graph.node]
    n_texts = 2
    assert operators.count("LabelEncoder") == n_texts
    assert operators.count("IsNaN") == 1
    assert operators.count("Equal") <= 1
    (again,) = [import_onnx(path)]
    assert len(again.members) == 3


def test_the_file_computes_the_same_in_onnx_s_own_runtime(tmp_path, table, unseen):
    path = tmp_path / "net.onnx"
    net = network(table, settings={"bins": 3, "one_hot": 3})
    session = check(net, path, table)
    (found,) = ReferenceEvaluator(onnx.load(path)).run(["probabilities"], feed(unseen, session))
    with pytest.warns(DataWarning):
        np.testing.assert_allclose(found, net.predict_proba(unseen), atol=1e-5)


def test_inputs_have_the_names_of_the_columns(tmp_path, table):
    export_onnx(network(table), tmp_path / "net.onnx")
    inputs = {entry.name: entry for entry in onnx.load(tmp_path / "net.onnx").graph.input}
    assert list(inputs) == list(table.columns)
    assert "NaN for a gap" in inputs["price"].doc_string
    assert "the empty text for a gap" in inputs["street"].doc_string
    assert "days since 1970" in inputs["day"].doc_string


@pytest.mark.parametrize(
    "name",
    ["", " ", "label", "logits", "probabilities", "prediction", "sub.3", "gather.9", "constant.0", "linear.0.weight"],
)
def test_columns_of_any_name_work(tmp_path, table, name):
    renamed = Table(
        {name: table["price"], "sub.3_": table["street"], "a/b\n\t'\"": table["day"], "ä" * 3000: table["city"]}
    )
    path = tmp_path / "net.onnx"
    net = network(renamed, settings={"one_hot": 0, "bins": 2})
    session = check(net, path, renamed)
    taken = {"label", "logits", "probabilities"}
    assert session.get_inputs()[0].name == (name + "_" if name in taken or not name else name)
    assert import_onnx(path).input_encoding == net.input_encoding


def test_halves_of_characters_are_refused(tmp_path):
    for broken in (Table({"\ud800": np.arange(3)}), Table({"a": texts("\ud800", "\ud800", "b")})):
        with pytest.raises(SettingError, match="half a character"):
            export_onnx(network(broken), tmp_path / "net.onnx")


def test_empty_texts_that_are_no_gaps_stay_apart_from_gaps(tmp_path):
    table = Table({"a": texts("", "", "x", "x", None, None)})
    path = tmp_path / "net.onnx"
    net = network(table)
    export_onnx(net, path)
    assert "'None' for a gap" in onnx.load(path).graph.input[0].doc_string
    words = np.array([[""], ["x"], ["None"], ["unseen"]], dtype=object)
    (found,) = started(path).run(["probabilities"], {"a": words})
    with pytest.warns(DataWarning):
        np.testing.assert_allclose(found, net.predict_proba(Table({"a": texts("", "x", None, "unseen")})), atol=1e-6)


def test_gaps_in_an_array_of_objects_are_gaps_whatever_they_are_written_as(tmp_path):
    table = Table({"a": texts("x", "x", "y", "y", None, None)})
    net = network(table)
    export_onnx(net, tmp_path / "net.onnx")
    gaps = np.array([[None], [np.nan], [float("nan")], [pd.NA], [""]], dtype=object)
    (found,) = started(tmp_path / "net.onnx").run(["probabilities"], {"a": gaps})
    np.testing.assert_allclose(found, np.repeat(net.predict_proba(Table({"a": texts(None)})), 5, axis=0), atol=1e-6)


def test_a_column_whose_levels_leave_no_text_for_a_gap_is_refused(tmp_path):
    words = ["", "None", "nan", "NaN", "<NA>", None]
    with pytest.raises(SettingError, match="has to stand for a gap"):
        export_onnx(network(Table({"a": texts(*words, *words)})), tmp_path / "net.onnx")


@pytest.mark.parametrize("values", [("a", "b", "c"), ("a", "a", None)])
def test_columns_without_levels_or_with_rare_ones_only(tmp_path, values):
    table = Table({"a": texts(*values), "b": np.arange(len(values))})
    check(network(table), tmp_path / "net.onnx", table, Table({"a": texts("z", None, "a"), "b": np.arange(3)}))


def test_large_whole_numbers_keep_the_digits_that_float64_has(tmp_path):
    table = Table({"id": 2**53 - np.arange(1000) * 3, "nanoseconds": 2**50 + np.arange(1000) ** 2})
    check(network(table), tmp_path / "net.onnx", table)


def test_columns_of_many_levels(tmp_path):
    codes = np.random.default_rng(0).integers(0, 20_000, 60_000)
    table = Table({"a": texts(*(f"level {code}" for code in codes))})
    check(network(table), tmp_path / "net.onnx", table[:500], Table({"a": texts("level x", "level 3")}))


def test_bytes_are_no_columns(tmp_path, table):
    with pytest.raises(SettingError, match="bytes_input must be False"):
        export_onnx(network(table), tmp_path / "net.onnx", bytes_input=True)


def test_a_file_that_is_too_large_counts_its_levels(tmp_path, table, monkeypatch):
    net = network(table)
    monkeypatch.setattr("numlp.onnx.exporting._MOST_BYTES", 4 * net.params.size + 100)
    with pytest.raises(SettingError, match="2 GiB"):
        export_onnx(net, tmp_path / "net.onnx")


def test_columns_of_gaps_alone(tmp_path):
    gaps = {"a": texts(None, None), "b": np.full(2, np.nan), "c": np.full(2, "NaT", "datetime64[us]")}
    table = Table(gaps | {"d": np.arange(2.0)})
    net = network(table)
    check(net, tmp_path / "net.onnx", table)
    check(net, tmp_path / "net.onnx", Table(gaps | {"a": texts("Ulm", None), "d": np.arange(2.0)}))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_import_gives_the_network_back_with_its_encoding(tmp_path, table, unseen, settings, normalization):
    path = tmp_path / "net.onnx"
    net = network(table, settings=settings, normalization=normalization, input_dropout=0.1)
    net.temperature = 1.3
    export_onnx(net, path)
    again = import_onnx(path)
    assert again.input_encoding == net.input_encoding
    assert (again.layer_size, again.feature_names) == (net.layer_size, net.feature_names)
    with pytest.warns(DataWarning, match="hasn't seen in training"):
        found = again.predict_proba(unseen)
    with pytest.warns(DataWarning):
        np.testing.assert_allclose(found, net.predict_proba(unseen), rtol=1e-5, atol=1e-6)
    check(again, path, table)


def test_import_gives_an_ensemble_back(tmp_path, table):
    path = tmp_path / "net.onnx"
    ensemble = Ensemble(
        [network(table, 1, loss="squared_error", seed=seed, settings={"one_hot": 0}) for seed in (0, 1)]
    )
    export_onnx(ensemble, path)
    again = import_onnx(path)
    assert again.input_encoding is not None
    np.testing.assert_allclose(again.predict(table), ensemble.predict(table), rtol=1e-5, atol=1e-6)


def changed(path, net, change):
    """Export a network, and change the file."""
    export_onnx(net, path)
    model = onnx.load(path)
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    change(model, metadata)
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in metadata.items()})
    path.write_bytes(model.SerializeToString())
    return path


def widened(model, metadata):
    metadata["input_encoding"]["columns"][3]["width"] = 1 << 24


def without_encoding(model, metadata):
    del metadata["input_encoding"]


def without_description(model, metadata):
    del metadata["numlp"]


def with_a_column_less(model, metadata):
    del metadata["input_encoding"]["columns"][0]


def of_other_embeddings(model, metadata):
    metadata["numlp"]["networks"][0]["embeddings"] *= 2


def of_the_wrong_embedding(model, metadata):
    metadata["numlp"]["networks"][0]["embeddings"][0] = "linear.0.weight"


def of_no_embedding(model, metadata):
    metadata["numlp"]["networks"][0]["embeddings"] = ["nowhere"]


def of_number_embeddings(model, metadata):
    metadata["numlp"]["networks"][0]["embeddings"] = 3


def from_nowhere(model, metadata):
    metadata["numlp"]["networks"][0]["inputs"] = "nowhere"


def from_the_end(model, metadata):
    metadata["numlp"]["networks"][0]["inputs"] = metadata["numlp"]["networks"][0]["logits"]


def from_a_column(model, metadata):
    metadata["numlp"]["networks"][0]["inputs"] = "price"


def of_an_odd_encoding(model, metadata):
    metadata["input_encoding"] = ["columns"]


def of_an_endless_encoding(model, metadata):
    metadata["input_encoding"]["columns"][0]["name"] = "x" * (1 << 24)


def of_many_copies(model, metadata):
    metadata["numlp"]["networks"] *= 500


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (widened, "has a matrix of shape"),
        (without_encoding, "must have one input, not 7"),
        (without_description, "columns of a table"),
        (with_a_column_less, "has a matrix of shape"),
        (of_other_embeddings, "embeddings must be floats"),
        (of_the_wrong_embedding, "embeddings must be floats"),
        (of_no_embedding, "metadata is damaged"),
        (of_number_embeddings, "metadata is damaged"),
        (from_nowhere, "isn't part of an MLP|which no earlier node computes"),
        (from_the_end, "which no earlier node computes"),
        (from_a_column, "isn't part of an MLP|which no earlier node computes"),
        (of_an_odd_encoding, "input_encoding isn't valid"),
        (of_an_endless_encoding, "at most 16,777,216 characters"),
        (of_many_copies, "larger than their file"),
    ],
)
def test_files_for_tables_that_were_changed_are_refused(tmp_path, table, change, says):
    path = changed(tmp_path / "net.onnx", network(table, settings={"one_hot": 0}), change)
    with pytest.raises(FileFormatError, match=says):
        import_onnx(path)


def test_an_output_of_a_file_for_tables_can_not_be_followed(tmp_path, table):
    export_onnx(network(table), tmp_path / "net.onnx")
    with pytest.raises(FileFormatError, match="output"):
        import_onnx(tmp_path / "net.onnx", output="probabilities")


def entries():
    """Return the index of the real tables, or nothing."""
    return json.loads((TABLES / "index.json").read_text()) if (TABLES / "index.json").exists() else []


@pytest.mark.skipif(not entries(), reason="needs the tables in $NUMLP_DATA_DIR/tables")
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["name"])
def test_real_tables(tmp_path, entry):
    kinds = dict.fromkeys(entry["categorical"], str)
    frame = pd.read_csv(TABLES / f"{entry['name']}.csv.gz", keep_default_na=False, na_values=[""], dtype=kinds)
    frame = frame.sample(n=min(len(frame), 4000), random_state=0)
    if "day" in frame and "month" in frame:
        frame["date"] = pd.to_datetime({"year": 2013, "month": frame["month"], "day": frame["day"]}, errors="coerce")
    targets, rows = frame[entry["target"]], as_table(frame.drop(columns=entry["target"]))
    half = len(rows) // 2
    classes = entry["task"] == "classification"
    loss = "softmax_cross_entropy" if classes else "squared_error"
    members = []
    for seed in range(2):
        net = network(
            rows[:half],
            targets.nunique() if classes else 1,
            seed=seed,
            loss=loss,
            settings={"bins": 8, "one_hot": 12},
            class_names=sorted(map(str, targets.unique())) if classes else None,
            target_scaling=None if classes else standardize(targets.to_numpy(float)[:, None]),
        )
        members.append(net)
    for model in (members[0], Ensemble(members)):
        session = check(model, tmp_path / "net.onnx", rows)
        assert session.get_modelmeta().custom_metadata_map["class_names"] == json.dumps(model.classes or None)
        assert import_onnx(tmp_path / "net.onnx").input_encoding == members[0].input_encoding
