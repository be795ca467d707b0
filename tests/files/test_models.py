import copy
import json
import os
import pickle
import stat
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from numlp import MLP, Ensemble, Scaling, load_model, save_model, standardize, train
from numlp.arrays.arithmetic import ARITHMETICS
from numlp.errors import FileFormatError, OutputError, SettingError
from numlp.files.atomic import write_bytes
from numlp.files.models import read_description
from numlp.files.tensors import tensor_shapes
from numlp.files.versions import FORMAT_VERSION, current
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.network.value_range import ValueRange
from numlp.settings.named import resolve


@pytest.fixture
def net():
    return MLP(
        [6, 4, 2],
        seed=3,
        input_scaling=Scaling(np.arange(6.0), np.full(6, 0.5)),
        input_shape=(2, 3),
        class_names=["cat", "dög"],
    )


@pytest.fixture
def path(net, tmp_path):
    save_model(net, tmp_path / "net.safetensors", recipe={"epochs": 3}, training={"epochs": 2, "ended": "early"})
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("loss", [*LOSSES, "huber(delta = 0.5)", "quantile(levels = [0.2, 0.8])"])
def test_round_trip(tmp_path, loss, normalization, dtype):
    n_outputs = 2 * resolve("loss", loss, LOSSES).blocks
    scaling = Scaling(np.array(7.0)) if resolve("loss", loss, LOSSES).scales_targets else None
    net = MLP(
        [3, 1, 5, n_outputs], loss=loss, normalization=normalization, dtype=dtype, target_scaling=scaling, dropout=0.5
    )
    check_round_trip(net, tmp_path)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("relu", "leaky_relu(slope = 0.25)")])
def test_round_trip_of_activations(tmp_path, activation):
    check_round_trip(MLP([3, 4, 5, 2], activation=activation), tmp_path)


def check_round_trip(model, folder):
    save_model(model, folder / "net.safetensors")
    again = load_model(folder / "net.safetensors")
    x = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_array_equal(model.predict(x), again.predict(x))
    assert repr(model) == repr(again)
    assert model.temperature == again.temperature


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_network_predicts_with_its_arithmetic_after_the_round_trip_in_copies_and_in_an_ensemble(
    tmp_path, arithmetic
):
    networks = [MLP([3, 40, 2], seed=seed, arithmetic=arithmetic) for seed in range(2)]
    check_round_trip(networks[0], tmp_path)
    again = load_model(tmp_path / "net.safetensors")
    for other in (again, copy.copy(again), copy.deepcopy(again), pickle.loads(pickle.dumps(again))):
        assert other.arithmetic is ARITHMETICS[arithmetic]
        assert all(layer.arithmetic is ARITHMETICS[arithmetic] for layer in other.layers)
    check_round_trip(Ensemble(networks), tmp_path)
    again = load_model(tmp_path / "net.safetensors")
    assert [each.arithmetic.name for each in (again, *again.members)] == [arithmetic] * 3


def test_portable_arithmetic_of_float64_in_a_file_is_refused(tmp_path):
    save_model(MLP([3, 4, 2], dtype="float64"), tmp_path / "net")
    rewrite(tmp_path / "net", arithmetic="portable")
    with pytest.raises(FileFormatError, match="dtype must be 'float32' for arithmetic 'portable', not 'float64'"):
        load_model(tmp_path / "net")


def test_an_ensemble_survives_the_round_trip(tmp_path):
    ensemble = Ensemble([MLP([3, 4, 2], seed=seed, normalization="batch") for seed in range(3)])
    ensemble.temperature, ensemble.members[1].temperature = 1.5, 0.75
    check_round_trip(ensemble, tmp_path)
    again = load_model(tmp_path / "net.safetensors")
    assert [member.temperature for member in again.members] == [1.0, 0.75, 1.0]
    assert "2.linear.0.weight" in load_file(tmp_path / "net.safetensors")


def test_everything_in_a_network_survives_the_round_trip(net, path):
    again = load_model(path)
    assert again.input_shape == (2, 3)
    assert again.class_names == ("cat", "dög")
    np.testing.assert_array_equal(again.input_scaling.shift, np.arange(6.0))
    np.testing.assert_array_equal(again.predict_proba(np.ones((1, 2, 3))), net.predict_proba(np.ones((1, 2, 3))))
    assert read_description(path)["recipe"] == {"epochs": 3}
    assert read_description(path)["training"] == {"epochs": 2, "ended": "early"}


def test_the_same_network_gives_the_same_bytes(net, path, tmp_path):
    for i in range(5):
        save_model(net, tmp_path / f"{i}.safetensors", recipe={"epochs": 3}, training={"epochs": 2, "ended": "early"})
        assert (tmp_path / f"{i}.safetensors").read_bytes() == path.read_bytes()
    save_model(
        load_model(path),
        tmp_path / "again.safetensors",
        recipe={"epochs": 3},
        training={"epochs": 2, "ended": "early"},
    )
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_other_tools_can_read_the_weights(net, path):
    np.testing.assert_array_equal(load_file(path)["linear.0.weight"], net.named_parameters()["linear.0.weight"])


def rewrite(path, tensors=None, **description):
    """Rewrite a model file with other tensors or another description."""
    described = read_description(path)
    of_the_network = {name: value for name, value in description.items() if name in described["networks"][0]}
    described["networks"][0] |= of_the_network
    described |= {name: value for name, value in description.items() if name not in of_the_network}
    save_file({**load_file(path), **(tensors or {})}, path, {"numlp": json.dumps(described)})


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({"format": "other"}, "of another program, not a model file"),
        (
            {"format_version": 7, "numlp_version": "7.1"},
            "format version 7, but this numlp .* reads versions 1 to 6; use numlp '7.1', which wrote it",
        ),
        ({"format_version": "3"}, "format version '3'"),
        ({"format_version": None}, "format version None"),
        ({"layer_size": [6, 4, 3]}, "linear.1.bias must have shape"),
        ({"layer_size": [6, 4]}, "activation must be one"),
        ({"input_range": "floats"}, "its tensors don't match its description: input_range.highest"),
        ({"input_range": 3}, "its description has input_range '3'"),
        ({"layer_size": [6, 10**7, 2]}, "must have shape"),
        ({"layer_size": [6, 10**9, 2]}, r"layer_size\[1\] must be a whole number from 1 to"),
        ({"layer_size": [6, 10**30, 2]}, "not a numlp model"),
        ({"layer_size": [10**7, 10**7, 2]}, "weights, more than"),
        ({"layer_size": [6, 4, 2] * 10}, "more layers than it has tensors"),
        ({"layer_size": [6, 4, 2] * 10_000}, "more layers than it has tensors"),
        ({"layer_size": [6, 4, 4, 2]}, "activation must be one"),
        ({"layer_size": "6,4,2"}, "layer_size"),
        ({"layer_size": [6, 4.0, 2]}, "layer_size"),
        ({"layer_size": [6, -4, 2]}, "layer_size"),
        ({"dtype": "float64"}, "dtype float64"),
        ({"dtype": ["float32"]}, "dtype"),
        (
            {"arithmetic": "exact"},
            "unknown arithmetic 'exact': did you mean 'portable'\\? Available: ordinary, portable",
        ),
        ({"arithmetic": "os.system"}, "unknown arithmetic"),
        ({"arithmetic": True}, "its description has arithmetic 'True'"),
        ({"arithmetic": None}, "its description has arithmetic 'None'"),
        ({"arithmetic": ["portable"]}, "its description has arithmetic"),
        ({"activation": ["os.system"]}, "activation must be a name"),
        ({"activation": ["system"]}, "unknown activation"),
        ({"activation": ["relu", "relu"]}, "activation must be one"),
        ({"activation": "relu"}, "activation"),
        ({"normalization": "group"}, "unknown normalization"),
        ({"normalization": "batch"}, "batch_norm"),
        ({"dropout": 1}, "dropout"),
        ({"dropout": "half"}, "dropout"),
        ({"noise": float("nan")}, "noise"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"networks": []}, "networks"),
        ({"networks": 3}, "networks"),
        ({"networks": [3]}, "layer_size"),
        ({"networks": [{}, {}]}, "networks"),
        ({"ensemble": True}, "0.linear.0.weight"),
        ({"ensemble": None}, "ensemble"),
        ({"loss": {"a": 1}}, "loss"),
        ({"loss": "log_loss"}, "unknown loss"),
        ({"initializer": "nothing"}, "unknown initializer"),
        ({"input_shape": [7]}, "input_shape"),
        ({"input_shape": [2**62] * 100_000}, "input_shape must have at most 64 dimensions"),
        ({"input_shape": "ab"}, "input_shape"),
        ({"input_shape": [float("inf")]}, "input_shape"),
        ({"input_shape": [-2, -3]}, "input_shape"),
        ({"recipe": "hello"}, "recipe"),
        ({"training": ["went well"]}, "training"),
        ({"feature_names": ["a", "b"]}, "feature_names"),
        ({"class_names": ["a"]}, "class_names"),
        ({"class_names": 5}, "class_names"),
        ({"class_names": "ab"}, "class_names"),
        ({"class_names": [1, 2]}, "class_names"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(path, description, says):
    rewrite(path, **description)
    with pytest.raises(FileFormatError, match=says):
        load_model(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(path, value):
    rewrite(path, {"linear.0.bias": np.full(4, value, np.float32)})
    with pytest.raises(FileFormatError, match="NaN or infinity"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "value", "says"), [("variance", -1.0, "variances of at least 0"), ("mean", np.nan, "NaN")]
)
def test_invalid_statistics_of_norms_are_refused(tmp_path, name, value, says):
    save_model(MLP([6, 4, 2], normalization="batch"), tmp_path / "net")
    rewrite(tmp_path / "net", {f"batch_norm.0.{name}": np.full(4, value, np.float32)})
    with pytest.raises(FileFormatError, match=says):
        load_model(tmp_path / "net")


LARGE = {"linear.0.weight": ("F32", [6, 10**9]), "linear.0.bias": ("F32", [10**9])}
LARGE |= {"linear.1.weight": ("F32", [10**9, 2]), "linear.1.bias": ("F32", [2])}
SCALINGS = {
    f"{name}.{part}": ("F64", [1]) for name in ("input_scaling", "target_scaling") for part in ("shift", "factor")
}


@pytest.fixture
def huge(path, tmp_path, sparse_file):
    """A model that claims 36 GB but takes no space on disk."""
    described = read_description(path)
    described["networks"][0] |= {"layer_size": [6, 10**9, 2]}
    sparse_file(tmp_path / "huge.safetensors", described, LARGE | SCALINGS)
    return tmp_path / "huge.safetensors"


def allocated(function):
    """Return the peak of bytes that Python and NumPy allocated during a call."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refused(path, says):
    with pytest.raises(FileFormatError, match=says):
        load_model(path)


def test_sizes_are_checked_before_anything_is_allocated(path, huge, tmp_path, sparse_file):
    described = read_description(path)
    load_model(path)  # loads the lazy imports
    assert allocated(lambda: refused(huge, "whole number from 1 to")) < 1 << 20
    # A description whose sizes differ from those of the tensors; then tensors of other sizes than the description.
    described["networks"][0]["layer_size"] = [6, 10**7, 2]
    sparse_file(tmp_path / "net", described, LARGE | SCALINGS)
    assert allocated(lambda: refused(tmp_path / "net", "must have shape")) < 1 << 20
    described["networks"][0]["layer_size"] = [6, 4, 2]
    sparse_file(tmp_path / "net", described, LARGE | SCALINGS)
    assert allocated(lambda: refused(tmp_path / "net", "must have shape")) < 1 << 20
    # A scaling of 100 million features for a network that has fewer.
    small = {
        name: (dtype, [4 if size == 10**9 else size for size in shape]) for name, (dtype, shape) in LARGE.items()
    }
    sparse_file(tmp_path / "net", described, small | SCALINGS | {"input_scaling.shift": ("F64", [10**8])})
    assert allocated(lambda: refused(tmp_path / "net", "input_scaling.shift must have shape")) < 1 << 20
    # More bytes than the file has.
    sparse_file(tmp_path / "net", described, small | SCALINGS)
    assert allocated(lambda: refused(tmp_path / "net", "factor of 0")) < 1 << 20
    os.truncate(tmp_path / "net", os.path.getsize(tmp_path / "net") - 1)
    assert allocated(lambda: refused(tmp_path / "net", "isn't a model file, or is damaged")) < 1 << 20


def test_a_description_is_read_without_the_weights(huge):
    assert allocated(lambda: read_description(huge)) < 1 << 20
    assert tensor_shapes(huge)["linear.0.weight"] == ([6, 10**9], "F32")
    assert allocated(lambda: tensor_shapes(huge)) < 1 << 20


def test_the_number_of_layers_is_limited():
    with pytest.raises(SettingError, match="layer_size must have at most 1,000 entries, not 1,001"):
        MLP([1] * 1001)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("input_scaling.shift", np.zeros(7)),
        ("input_scaling.shift", np.full(6, 1e300)),
        ("input_scaling.factor", np.zeros(6)),
        ("input_scaling.factor", np.ones(6, bool)),
        ("target_scaling.shift", np.array(np.nan)),
        ("surplus", np.zeros(3)),
    ],
)
def test_tensors_that_do_not_fit_are_refused(path, name, tensor):
    rewrite(path, {name: tensor})
    with pytest.raises(FileFormatError, match=name.split(".")[0]):
        load_model(path)


@pytest.mark.parametrize("name", ["input_scaling.shift", "linear.0.bias"])
def test_a_missing_tensor_is_refused(path, name):
    tensors = load_file(path)
    del tensors[name]
    save_file(tensors, path, {"numlp": json.dumps(read_description(path))})
    with pytest.raises(FileFormatError, match=name):
        load_model(path)


def test_an_endlessly_nested_description_is_refused(path):
    save_file(load_file(path), path, {"numlp": "[" * 100_000})
    with pytest.raises(FileFormatError, match="not a model file"):
        load_model(path)


def test_every_truncation_raises_one_clear_error(path):
    whole = path.read_bytes()
    for length in [*range(64), *range(64, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError):
            load_model(path)


@pytest.mark.parametrize(
    "content", [b"", b"garbage" * 100, b"\xff" * 64, b"PK\x03\x04" + bytes(60), b"\x89HDF\r\n\x1a\n"]
)
def test_other_formats_raise_one_clear_error(tmp_path, content):
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"isn't a model file, or is damaged|is .* not a model file: "):
        load_model(tmp_path / "net")


def test_another_safetensors_file_is_refused(tmp_path):
    save_file({"a": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(FileFormatError, match="of another program, not a model file: export the network to ONNX"):
        load_model(tmp_path / "other.safetensors")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, says in ((tmp_path / "none", "no model file"), (tmp_path, "is a folder; name the model file in it")):
        with pytest.raises(FileFormatError, match=says):
            load_model(path)


def test_a_failed_write_leaves_the_old_file(net, path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        save_model(net, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["none/net", "file/net", "x" * 300])
def test_the_error_names_a_place_that_can_not_be_written(net, tmp_path, name):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError, match="can't write"):
        save_model(net, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="folders are forced to the disk on POSIX")
def test_a_file_is_on_disk_before_it_replaces_the_old_one(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        done.append(("synced", stat.S_ISDIR(os.fstat(descriptor).st_mode)))
        fsync(descriptor)

    def replaced(source, target):
        done.append(("replaced", Path(source).parent == Path(target).parent))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_bytes(tmp_path / "file", b"content")
    assert done == [("synced", False), ("replaced", True), ("synced", True)]


def test_files_have_the_usual_permissions(net, tmp_path):
    (tmp_path / "other").touch()
    save_model(net, tmp_path / "net")
    assert (tmp_path / "net").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "net").chmod(0o600)
    save_model(net, tmp_path / "net")
    assert (tmp_path / "net").stat().st_mode & 0o777 == 0o600


def test_writing_replaces_the_old_content(tmp_path):
    for content in (b"old content", b"new"):
        write_bytes(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"temperature": float("nan")}, "temperature must be a finite number above 0"),
        ({"input_scaling": Scaling(np.zeros(5))}, "input_scaling.shift must have shape"),
        ({"input_scaling": Scaling(np.array(np.nan))}, "input_scaling must be finite in float32"),
        ({"class_names": np.array(["a", "b"])}, "names, recipe and training must be what JSON can hold"),
        ({"class_names": (1, 2)}, "class_names"),
        ({"class_names": ("a", "a")}, "class_names must be 2 different names"),
        ({"class_names": ("\ud800", "b")}, "load_model would refuse it"),
        ({"input_shape": (7,)}, "input_shape must have the 6 features"),
        ({"params": np.inf}, "its weights hold NaN or infinity"),
    ],
)
def test_what_can_not_be_read_back_is_refused_before_it_is_written(net, tmp_path, change, says):
    for name, value in change.items():
        setattr(net, name, value)
    with pytest.raises(SettingError, match=says):
        save_model(net, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recipe", [{"a": np.float32(1)}, {"a": np.arange(3)}, {"a": "\ud800"}])
def test_a_recipe_that_can_not_be_stored_is_refused(net, tmp_path, recipe):
    with pytest.raises(SettingError, match=r"JSON|load_model would refuse"):
        save_model(net, tmp_path / "net.safetensors", recipe=recipe)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "longdouble", ">f8"])
def test_a_network_trained_on_any_dtype_is_saved(tmp_path, dtype):
    x = np.random.default_rng(0).integers(0, 2, (60, 3)).astype(dtype)
    shift = x[0] if dtype != "bool" else x[0] * 1
    for scaling in (standardize(x), Scaling(shift, np.ones(3, np.float32))):
        net = MLP([3, 2, 1], loss="squared_error", input_scaling=scaling, target_scaling=standardize(x[:, :1]))
        net.temperature = np.float32(2)
        train(net, (x, x[:, :1].astype("float64"), np.ones(60, dtype)), epochs=1)
        net.temperature = np.float32(2)
        save_model(net, tmp_path / "net.safetensors")
        again = load_model(tmp_path / "net.safetensors")
        np.testing.assert_array_equal(again.predict(x), net.predict(x))


@pytest.mark.parametrize("model", ["net", None, MLP])
def test_only_models_are_saved(tmp_path, model):
    with pytest.raises(SettingError, match="model must be an MLP or an Ensemble"):
        save_model(model, tmp_path / "net.safetensors")


EARLIER = {
    1: [
        [0.3362550139427185, 0.46049657464027405, 0.20324835181236267],
        [0.32879453897476196, 0.3341757655143738, 0.33702972531318665],
        [0.24509581923484802, 0.1347643882036209, 0.6201397776603699],
        [0.329081654548645, 0.5097834467887878, 0.16113488376140594],
    ],
    2: [
        [0.5235185623168945, 0.4764814078807831],
        [0.5754749178886414, 0.42452505230903625],
        [0.44074931740760803, 0.5592506527900696],
        [0.5291085839271545, 0.47089138627052307],
    ],
    3: [
        [0.9999662637710571, 3.378925975994207e-05],
        [1.0, 7.644388594352236e-11],
        [0.9999934434890747, 6.585300070582889e-06],
        [0.9628564715385437, 0.03714350238442421],
    ],
    4: [
        [0.5419789552688599, 0.4580211043357849],
        [0.05608595535159111, 0.943913996219635],
        [0.8900419473648071, 0.10995808988809586],
        [0.12548938393592834, 0.8745105862617493],
    ],
    5: [
        [0.2356472909450531, 0.7643526792526245],
        [0.21493950486183167, 0.785060465335846],
        [0.3420725464820862, 0.6579274535179138],
        [0.3933464586734772, 0.6066535711288452],
    ],
    6: [
        [0.5269010663032532, 0.4730989336967468],
        [0.401319295167923, 0.5986806750297546],
        [0.1361646056175232, 0.8638353943824768],
        [0.7786183953285217, 0.22138163447380066],
    ],
}


def test_every_version_has_a_file():
    assert list(EARLIER) == list(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("version", EARLIER)
def test_files_of_earlier_versions_stay_readable(version):
    model = load_model(Path(__file__).with_name(f"model-{version}.safetensors"))
    rows = [[1.0, 2, 3], [4, 5, 7], [9, 1, 2], [0, 0, 1]]
    np.testing.assert_allclose(model.predict_proba(rows), EARLIER[version], rtol=1e-5)
    assert model.class_names == (("x", "y", "z"), *[("no", "yes")] * 5)[version - 1]
    assert model.arithmetic.name == ("portable" if version >= 5 else "ordinary")
    if version >= 5:  # to the bit, wherever this runs
        np.testing.assert_array_equal(model.predict_proba(rows), np.float32(EARLIER[version]))


def test_gelu_in_files_of_earlier_versions_stays_the_one_by_tanh():
    path = Path(__file__).with_name("model-2-gelu.safetensors")
    model = load_model(path)
    rows = [[1.0, 2, 3], [4, 5, 7], [9, 1, 2], [0, 0, 1]]
    then = [0.16550101339817047, 0.1498590111732483, 0.08669734001159668, 0.16900523006916046]
    np.testing.assert_allclose(model.predict_proba(rows)[:, 0], then, rtol=1e-5)
    assert [activation.name for activation in model.activations] == ["gelu_tanh", "tanh"]
    assert read_description(path)["recipe"]["activation"] == ["gelu_tanh", "tanh"]
    now = load_model(Path(__file__).with_name("model-3.safetensors"))
    assert [activation.name for activation in now.activations] == ["gelu", "gelu_tanh"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("gelu", "gelu_tanh"),
        (["relu", "gelu"], ["relu", "gelu_tanh"]),
        ({"tuple": ["gelu", "tanh"]}, {"tuple": ["gelu_tanh", "tanh"]}),
        (" gelu()", "gelu_tanh()"),
        ("gelu_tanh", "gelu_tanh"),
        (3, 3),
        ({"items": [["gelu", 1]]}, {"items": [["gelu", 1]]}),
        (None, None),
    ],
)
def test_gelu_in_recipes_and_parameters_of_earlier_versions_is_renamed(then, now):
    described = {"format_version": 2, "recipe": {"activation": then, "parameters": {"activation": then}}}
    assert current(described)["recipe"] == {"activation": now, "parameters": {"activation": now}}


@pytest.mark.parametrize(
    ("kind", "lowest", "says"),
    [("colors", 0.0, "must be a ValueRange of"), ("floats", 2.0, "lowest at most"), ("floats", np.nan, "finite")],
)
def test_a_range_that_makes_no_sense_is_refused(tmp_path, kind, lowest, says):
    path = tmp_path / "net.safetensors"
    save_model(MLP([2, 2], input_range=ValueRange("floats", np.array(0.0), np.array(1.0))), path)
    rewrite(path, {**load_file(path), "input_range.lowest": np.array(lowest)}, input_range=kind)
    with pytest.raises(FileFormatError, match=says):
        load_model(path)
