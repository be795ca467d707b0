"""What numlp, PyTorch, Keras and skl2onnx exported comes back; everything else ends in one clear error."""

import json
import math
import re
import socket
import subprocess
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from numlp import MLP, Ensemble, Scaling, standardize
from numlp.errors import DataWarning, FileFormatError, NumlpError, SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.network.value_range import ValueRange, value_range
from numlp.onnx import export_onnx, import_onnx
from numlp.onnx.operators import OPERATORS
from numlp.settings.named import resolve

REFERENCE = Path(__file__).parents[1] / "reference" / "onnx"
REFUSED = {  # the first node that doesn't fit an MLP
    "torch_convolution": r"node 'node_conv2d' \(Conv\) isn't part of an MLP",
    "torchscript_convolution": r"node '/0/Conv' \(Conv\) isn't part of an MLP",
    "keras_other_epsilon": r"node .*add_2' \(Add\) with the nodes before it, .* isn't part of an MLP",
}
TAKEN = sorted(path.stem for path in REFERENCE.glob("*.onnx") if path.stem not in REFUSED)
TEXTS = [*LOSSES, "huber(delta = 0.5)", "quantile(levels = [0.2, 0.4, 0.8])"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


def reference(name):
    stored = json.loads((REFERENCE / f"{name}.json").read_text())
    return np.array(stored["x"], np.float32), np.array(stored["y"])


def predictions(model, x):
    return model.predict(x) if model.loss.task == "regression" else model.predict_proba(x)


# --- Files from other libraries


def test_there_are_files_of_every_exporter():
    assert {name.split("_")[0] for name in TAKEN} == {"torch", "torchscript", "sklearn", "keras"}
    assert len(TAKEN) > 15


@pytest.mark.parametrize("name", TAKEN)
def test_the_predictions_are_those_of_the_library_itself(name):
    x, y = reference(name)
    found = predictions(import_onnx(REFERENCE / f"{name}.onnx"), x)
    if name.endswith("_view"):  # it ends with a logarithm
        found = np.log(found)
    if found.shape == (len(x), 2) and y.shape == (len(x), 1):  # with two classes, the probability of the second
        found = found[:, 1:]
    np.testing.assert_allclose(found.reshape(y.shape), y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_the_error_names_the_first_node_that_does_not_fit(name):
    with pytest.raises(FileFormatError, match=REFUSED[name]):
        import_onnx(REFERENCE / f"{name}.onnx")


@pytest.mark.parametrize("exporter", ["torch", "torchscript"])
def test_activations_are_recognized_with_their_settings(exporter):
    net = import_onnx(REFERENCE / f"{exporter}_activations.onnx")
    assert {activation.name for activation in net.activations} == set(ACTIVATIONS) - {"gelu"}
    (gelu,) = import_onnx(REFERENCE / f"{exporter}_gelu.onnx").activations
    assert gelu.name == "gelu"
    assert [str(activation) for activation in net.activations[1:3]] == ["leaky_relu(slope = 0.2)", "elu(alpha = 0.5)"]


def test_scaling_shape_and_names_are_found():
    net = import_onnx(REFERENCE / "sklearn_pipeline.onnx")
    assert net.class_names == ("cat", "dog", "owl")
    assert net.input_scaling.shift.shape == (4,)
    assert import_onnx(REFERENCE / "sklearn_numbers.onnx").class_names == ("3", "7")
    assert import_onnx(REFERENCE / "sklearn_binary.onnx").class_names is None
    net = import_onnx(REFERENCE / "torch_view.onnx")
    assert net.input_shape == (1, 3, 4)
    assert net.input_scaling == Scaling(net.input_scaling.shift, net.input_scaling.factor)
    assert net.input_scaling.shift == pytest.approx(0.1307)
    assert net.loss.name == "softmax_cross_entropy"
    assert import_onnx(REFERENCE / "torch_layer_norm.onnx").loss.name == "sigmoid_binary_cross_entropy"


def test_the_loss_can_be_named_where_a_file_ends_with_logits():
    path = REFERENCE / "torch_activations.onnx"
    assert import_onnx(path).loss.name == "squared_error"
    x, y = reference("torch_activations")
    net = import_onnx(path, loss="softmax_cross_entropy")
    np.testing.assert_allclose(np.concatenate(list(net.chunks(net.features(x)))), y, atol=1e-6)
    with pytest.raises(SettingError, match="unknown loss"):
        import_onnx(path, loss="softmax")
    with pytest.raises(FileFormatError, match="link"):
        import_onnx(REFERENCE / "torch_batch_norm.onnx", loss="poisson")


# --- Files from numlp


def check_round_trip(model, path, x, **settings):
    export_onnx(model, path, **settings)
    again = import_onnx(path)
    expected = model.predict(x)
    if model.loss.task == "regression":
        scale = 1e-6 * max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(again.predict(x), expected, rtol=1e-5, atol=scale)
    else:
        np.testing.assert_array_equal(again.predict(x), expected)
        np.testing.assert_allclose(again.predict_proba(x), model.predict_proba(x), rtol=0, atol=1e-6)
    for name in ("loss", "layer_size", "class_names", "feature_names", "temperature", "target_scaling"):
        assert getattr(again, name) == getattr(model, name), name
    return again


def redescribed(path, change):
    """Change numlp's entry in the metadata of a file."""
    model = onnx.load(path)
    entry = next(entry for entry in model.metadata_props if entry.key == "numlp")
    entry.value = json.dumps(json.loads(entry.value) | change)
    path.write_bytes(model.SerializeToString())


def network(n_targets=3, loss="softmax_cross_entropy", seed=0, **settings):
    rng = np.random.default_rng(seed)
    made = resolve("loss", loss, LOSSES)
    n_targets = max(n_targets, 2) if made.task == "classification" else n_targets
    if made.scales_targets:
        settings["target_scaling"] = Scaling(np.arange(float(n_targets)), np.full(n_targets, 0.3))
    net = MLP([5, 7, 4, n_targets * made.blocks], loss=made, seed=seed, **settings)
    net.params += rng.uniform(0, 0.3, net.params.shape)
    return net


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(9, 5)).astype(np.float32)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "leaky_relu(slope = 0.3)", "elu(alpha = 0.4)"])
def test_every_activation_and_norm_comes_back(path, x, activation, normalization):
    net = network(activation=activation, normalization=normalization, input_scaling=standardize(x))
    again = check_round_trip(net, path, x)
    assert again.activations == net.activations
    assert again.architecture["normalization"] == ("layer" if normalization == "layer" else "none")
    np.testing.assert_allclose(again.input_scaling.shift, net.input_scaling.shift, rtol=1e-6)
    np.testing.assert_allclose(again.input_scaling.factor, net.input_scaling.factor, rtol=1e-6)


@pytest.mark.parametrize("sizes", [[5, 1, 3], [5, 4, 1, 6, 1, 3], [1, 4, 3], [5, 3], [1, 1]])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_single_units_and_single_layers_come_back(path, x, normalization, sizes):
    net = MLP(sizes, normalization=normalization, loss="squared_error", input_scaling=Scaling(np.array(0.5)))
    net.params += np.random.default_rng(0).uniform(0, 0.5, net.params.shape)
    check_round_trip(net, path, x[:, : sizes[0]])
    net.weights[: sizes[0] * sizes[1]] = 0  # units that are constant, although no norm made them so
    check_round_trip(net, path, x[:, : sizes[0]])


def test_a_network_of_portable_arithmetic_comes_back_in_ordinary(path, x):
    """ONNX has no such arithmetic: what runs a file rounds as it likes, within the tolerance of other networks."""
    assert check_round_trip(network(arithmetic="portable"), path, x).arithmetic.name == "ordinary"
    ensemble = Ensemble([network(seed=seed, arithmetic="portable") for seed in range(2)])
    assert check_round_trip(ensemble, path, x).arithmetic.name == "ordinary"


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("loss", TEXTS)
def test_every_loss_comes_back(path, x, loss, n_targets):
    check_round_trip(network(n_targets, loss), path, x)


@pytest.mark.parametrize("loss", TEXTS)
def test_ensembles_come_back(path, x, loss):
    members = [network(2, loss, seed, activation=a) for seed, a in enumerate(["relu", "tanh"])]
    ensemble = Ensemble(members)
    ensemble.temperature, members[1].temperature = 1.5, 0.5
    again = check_round_trip(ensemble, path, x)
    assert [member.temperature for member in again.members] == [1.0, 0.5]
    assert isinstance(check_round_trip(Ensemble(members[:1]), path, x), Ensemble)


@pytest.mark.parametrize("bytes_input", [False, True])
@pytest.mark.parametrize("scaling", [Scaling(), Scaling(np.array(0.5), np.array(2.0)), "standardize"])
def test_images_come_back(path, scaling, bytes_input):
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 3), dtype=np.uint8)
    scaling = standardize(images) if scaling == "standardize" else scaling
    net = MLP([12, 5, 3], input_shape=(4, 3), input_scaling=scaling, class_names=["a", "b", "ü"])
    again = check_round_trip(net, path, images, bytes_input=bytes_input)
    assert again.input_shape == (4, 3)
    np.testing.assert_allclose(again.predict_proba(images / 255), net.predict_proba(images / 255), atol=1e-6)


PIXELS = {
    "bytes": lambda pixels: pixels,
    "0 to 1": lambda pixels: (pixels / 255).astype(np.float32),
    "-1 to 1": lambda pixels: (pixels / 127.5 - 1).astype(np.float32),
    "0 to 255": lambda pixels: pixels.astype(np.float32),
    "whole numbers": lambda pixels: pixels.astype(np.int64),
}


def of_pixels(rows, image, seed=0):
    """Return a network that knows the range of these rows, and that small changes of them show in."""
    known = value_range(rows, image=image)
    net = MLP(
        [784, 16, 10], input_scaling=standardize(rows), input_range=known, input_shape=rows.shape[1:], seed=seed
    )
    net.params[:] = np.random.default_rng(seed).normal(size=net.params.size) / 10
    return net


def answers(model, x):
    """Return the probabilities of the classes, and what the model warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return model.predict_proba(x), [str(each.message) for each in caught if each.category is DataWarning]


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("image", [True, False])
@pytest.mark.parametrize("trained_on", PIXELS)
@pytest.mark.parametrize("bytes_input", [False, True])
def test_an_imported_network_knows_what_values_it_was_trained_on(
    path, mnist, bytes_input, trained_on, image, n_members
):
    pixels = mnist.test.x[:200] if image else mnist.test.x[:200].reshape(200, -1)
    rows = PIXELS[trained_on](pixels)
    members = [of_pixels(rows, image, seed) for seed in range(n_members)]
    model = Ensemble(members) if n_members > 1 else members[0]
    export_onnx(model, path, bytes_input=bytes_input)
    again = import_onnx(path)
    assert again.input_range == model.input_range
    right, _ = answers(model, rows)
    silent = 0
    for asked in PIXELS.values():
        (expected, told), (found, told_again) = answers(model, asked(pixels)), answers(again, asked(pixels))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
        assert told_again == told
        if not told:
            silent += 1
            np.testing.assert_allclose(found, right, rtol=0, atol=1e-4)
    assert silent == (3 if trained_on in ("0 to 255", "whole numbers") else 2)


@pytest.mark.parametrize("bytes_input", [False, True])
def test_a_file_that_says_nothing_of_ranges_has_none(path, bytes_input):
    export_onnx(MLP([784, 10]), path, bytes_input=bytes_input)
    assert import_onnx(path).input_range is None
    redescribed(path, {"networks": [{"logits": "logits", "temperature": 1}]})  # as earlier releases wrote it
    assert import_onnx(path).input_range is None


def test_whichever_output_is_followed_the_range_is_known(path, mnist):
    pixels = mnist.test.x[:50]
    net = of_pixels(PIXELS["-1 to 1"](pixels), True)
    for bytes_input in (False, True):
        export_onnx(net, path, bytes_input=bytes_input)
        again = import_onnx(path, output="probabilities")
        assert again.input_range == net.input_range
        for asked in ("bytes", "-1 to 1"):
            np.testing.assert_allclose(
                *(model.predict_proba(PIXELS[asked](pixels)) for model in (again, net)), atol=1e-4
            )


def test_another_library_s_network_of_bytes_says_so_if_it_is_asked_with_their_numbers(path):
    nodes = [("Cast", ["x"], "f", {"to": TensorProto.FLOAT}), ("Gemm", ["f", "w"], "y", {})]
    write(path, nodes, {"w": W}, kind=TensorProto.UINT8)
    net, rows = import_onnx(path), np.array([[200, 3, 40]])
    np.testing.assert_allclose(net.predict(rows.astype(np.uint8)), rows @ W, rtol=1e-5)
    with pytest.warns(DataWarning, match="x holds whole numbers from 3 to 200, but .* bytes"):
        net.predict(rows)


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"kind": "colors"}, "input_range must be a ValueRange of"),
        ({"kind": ["floats"]}, "input_range must be a ValueRange of"),
        ({"lowest": [0.0, 0.0]}, "input_range must have one pair of values, or one for each of 5"),
        ({"lowest": [0.0] * 4, "highest": [1.0] * 4}, "input_range must have one pair of values"),
        ({"lowest": [], "highest": []}, "input_range must have one pair of values"),
        ({"lowest": 2.0}, "lowest at most highest"),
        ({"highest": None}, "input_range must be finite"),
        ({"highest": math.inf}, "input_range must be finite"),
        ({"highest": "high"}, "damaged"),
        ({"highest": [[1.0], [1.0, 2.0]]}, "damaged"),
        (3, "damaged"),
        ([], "damaged"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("output", [None, "logits"])
def test_a_range_that_makes_no_sense_is_refused(path, known, says, output):
    net = MLP([5, 3], input_range=ValueRange("floats", np.array(0.0), np.array(1.0)))
    export_onnx(net, path)
    right = {"kind": "floats", "lowest": 0.0, "highest": 1.0}
    known = right | known if isinstance(known, dict) else known
    redescribed(path, {"networks": [{"logits": "logits", "temperature": 1, "input_range": known}]})
    if says is None:
        assert import_onnx(path, output=output).input_range == net.input_range
        return
    with pytest.raises(FileFormatError, match=f"^{re.escape(str(path))}: .*({says})"):
        import_onnx(path, output=output)


def test_an_output_can_be_named(path, x):
    net = network()
    export_onnx(net, path)
    for output in ("probabilities", "logits"):
        again = import_onnx(path, output=output, loss="softmax_cross_entropy")
        np.testing.assert_allclose(again.predict_proba(x), net.predict_proba(x), atol=1e-6)
    with pytest.raises(FileFormatError, match="'none'"):
        import_onnx(path, output="none")


# --- Small graphs by hand


def write(path, nodes, constants, *, shape=(3,), outputs=("y",), kind=TensorProto.FLOAT, metadata=None, edit=None):
    """Write a graph of (operator, inputs, output, attributes) with input x and constants by name."""
    graph = helper.make_graph(
        [
            helper.make_node(operator, inputs, [output], **attributes)
            for operator, inputs, output, attributes in nodes
        ],
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", *shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [
            value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name)
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, metadata or {})
    if edit:
        edit(model)
    path.write_bytes(model.SerializeToString())
    return path


W, V = np.arange(12, dtype=np.float32).reshape(3, 4) / 10 - 0.5, np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2)
B = np.array([0.5, -0.5, 1, 0], np.float32)
ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_gemm_with_all_its_settings(path, kind):
    settings = {"transB": 1, "alpha": 0.5, "beta": 2.0}
    write(path, [("Gemm", ["x", "w", "b"], "y", settings)], {"w": W.T.astype(kind), "b": B.astype(kind)})
    net = import_onnx(path)
    np.testing.assert_allclose(net.predict(ROWS), 0.5 * ROWS @ W + 2 * B, atol=1e-3 if kind == np.float16 else 1e-6)
    assert net.dtype == (np.float64 if kind == np.float64 else np.float32)


def test_affine_maps_are_folded_wherever_they_stand(path):
    nodes = [
        ("Sub", ["x", "s"], "a", {}),
        ("MatMul", ["a", "w"], "b", {}),
        ("Add", ["bias", "b"], "c", {}),
        ("Mul", ["c", "two"], "d", {}),
        ("Max", ["d", "zero"], "e", {}),
        ("Div", ["e", "bias2"], "f", {}),
        ("MatMul", ["f", "v"], "g", {}),
        ("Mul", ["g", "two"], "y", {}),
    ]
    constants = {"s": np.array([1, 2, 3], np.float32), "w": W, "v": V, "bias": B}
    write(path, nodes, constants | {"two": np.float32(2), "zero": np.float32(0), "bias2": B + 2})
    hidden = np.maximum(((ROWS - [1, 2, 3]) @ W + B) * 2, 0)
    np.testing.assert_allclose(import_onnx(path).predict(ROWS), (hidden / (B + 2)) @ V * 2, atol=1e-5)


def test_activations_by_their_formulas(path):
    one, half = np.float32(1), np.float32(0.5)
    nodes = [
        ("Gemm", ["x", "w", "b"], "z", {}),  # a sigmoid by tanh
        ("Mul", ["z", "half"], "a", {}),
        ("Tanh", ["a"], "t", {}),
        ("Mul", ["t", "half"], "u", {}),
        ("Add", ["u", "half"], "v", {}),
        ("Gemm", ["v", "w2"], "z2", {}),  # an ELU by Where
        ("Exp", ["z2"], "e", {}),
        ("Sub", ["e", "one"], "m", {}),
        ("Greater", ["z2", "zero"], "p", {}),
        ("Where", ["p", "z2", "m"], "q", {}),
        ("Gemm", ["q", "w2"], "y", {}),
    ]
    square = np.eye(4, dtype=np.float32) + 0.1
    write(path, nodes, {"w": W, "b": B, "w2": square, "half": half, "one": one, "zero": np.float32(0)})
    net = import_onnx(path)
    assert [str(a) for a in net.activations] == ["sigmoid", "elu"]
    z = 1 / (1 + np.exp(-(ROWS @ W + B))) @ square
    np.testing.assert_allclose(net.predict(ROWS), np.where(z > 0, z, np.expm1(z)) @ square, atol=1e-5)


def test_a_shape_that_is_computed(path):
    nodes = [
        ("Shape", ["x"], "s", {}),
        ("Gather", ["s", "zero"], "n", {"axis": 0}),
        ("Unsqueeze", ["n", "axes"], "m", {}),
        ("Concat", ["m", "rest"], "t", {"axis": 0}),
        ("Reshape", ["x", "t"], "r", {}),
        ("Transpose", ["w"], "wt", {"perm": [1, 0]}),
        ("Gemm", ["r", "wt"], "y", {"transB": 1}),
    ]
    constants = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1]), "w": W}
    write(path, nodes, constants, shape=(3, 1))
    np.testing.assert_allclose(import_onnx(path).predict(ROWS), ROWS @ W, atol=1e-6)


@pytest.mark.parametrize("shape", [(28, 28), (2, 2, 1)])
@pytest.mark.parametrize("batch", ["n", None, 4])
def test_images_that_are_scaled_before_they_are_flattened(path, shape, batch):
    images = np.random.default_rng(0).uniform(0, 255, (4, *shape)).astype(np.float32)
    mean = np.random.default_rng(1).uniform(100, 150, shape).astype(np.float32)
    nodes = [
        ("Sub", ["x", "mean"], "c", {}),
        ("Div", ["c", "deviation"], "d", {}),  # as TensorFlow flattens: by the shape of what comes in
        ("Shape", ["d"], "s", {}),
        ("Cast", ["s"], "i", {"to": TensorProto.INT32}),
        ("Slice", ["i", "zero", "one", "zero"], "rows", {}),
        ("Concat", ["rows", "rest"], "t", {"axis": 0}),
        ("Cast", ["t"], "u", {"to": TensorProto.INT64}),
        ("Reshape", ["d", "u"], "f", {}),
        ("MatMul", ["f", "w"], "y", {}),
    ]
    weight = np.random.default_rng(2).normal(size=(mean.size, 3)).astype(np.float32)
    constants = {"mean": mean, "deviation": np.float32(50), "zero": np.array([0]), "one": np.array([1])}
    constants |= {"rest": np.array([-1], np.int32), "w": weight}

    def fix(model):
        first = model.graph.input[0].type.tensor_type.shape.dim[0]
        first.Clear()
        if isinstance(batch, int):
            first.dim_value = batch

    write(path, nodes, constants, shape=shape, edit=None if batch == "n" else fix)
    expected = ((images - mean) / 50).reshape(4, -1) @ weight
    net = import_onnx(path)
    assert net.input_shape == shape
    np.testing.assert_allclose(net.predict(images), expected, atol=1e-4)


def test_operators_of_the_oldest_operator_sets(path):
    nodes = [
        ("Reshape", ["x"], "r", {"shape": [0, -1]}),
        ("MatMul", ["r", "w"], "z", {}),
        ("Add", ["z", "b"], "z2", {"broadcast": 1, "axis": 1}),
        ("Sigmoid", ["z2"], "a", {"consumed_inputs": [0]}),
        ("Cast", ["a"], "c", {"to": "FLOAT"}),
        ("Gemm", ["c", "v", "two"], "y", {"broadcast": 1}),
    ]
    write(path, nodes, {"w": W, "b": B, "v": V, "two": np.ones(2, np.float32)})
    expected = 1 / (1 + np.exp(-(ROWS @ W + B))) @ V + 1
    np.testing.assert_allclose(import_onnx(path).predict(ROWS), expected, atol=1e-5)
    nodes[2] = ("Add", ["z", "column"], "z2", {"broadcast": 1, "axis": 0})  # a number for each of 31 rows
    write(path, nodes, {"w": W, "column": np.arange(31, dtype=np.float32), "v": V, "two": np.ones(2, np.float32)})
    with pytest.raises(FileFormatError):
        import_onnx(path)


@pytest.mark.parametrize(
    ("operator", "inputs"), [("Dropout", ["z"]), ("BatchNormalization", ["z", "b", "b", "b", "u"])]
)
def test_old_networks_in_training_mode_are_refused(path, operator, inputs):
    def old(model):
        model.opset_import[0].version = 6

    constants = {"w": W, "b": B, "v": V, "u": np.ones(4, np.float32)}
    write(path, one(operator, *inputs), constants, edit=old)
    with pytest.raises(FileFormatError, match="is in training mode: export the network for inference"):
        import_onnx(path)
    write(path, one(operator, *inputs, is_test=1), constants, edit=old)
    assert import_onnx(path).layer_size == (3, 4, 2)


def test_inputs_of_one_dimension_are_refused_with_what_to_do(path):
    write(path, [("MatMul", ["x", "w"], "y", {})], {"w": W}, shape=())
    with pytest.raises(FileFormatError, match="export the network with an example of rows as its input"):
        import_onnx(path)


def test_a_column_that_is_added_to_as_many_rows_as_there_are_units_is_no_bias(path):
    write(path, [("MatMul", ["x", "w"], "z", {}), ("Add", ["z", "c"], "y", {})], {"w": W, "c": B[:, None]})
    with pytest.raises(
        FileFormatError, match=r"\(Add\) can't be computed: its inputs of shapes .* don't fit together"
    ):
        import_onnx(path)


FROM_PYTHON = (
    r"<|__|argument|object|keyword|unpack|iterable|NoneType|dtype\(|broadcast|ufunc|index|attribute|float\(|could not"
)
SETTINGS = {"alpha", "axis", "axes", "shape", "perm", "to", "keepdims", "value", "min", "epsilon", "transB", "other"}


def test_no_odd_graph_shows_python_s_own_words(path):
    rng = np.random.default_rng(0)
    operators = [*sorted(OPERATORS), "Gemm", "MatMul", "Shape", "Dropout", "ZipMap", "If"]
    values = [3, -1, 0, 2.5, "x", [1, 2], [1.5], ["a"], numpy_helper.from_array(np.zeros((2, 2), np.float32))]
    constants = {"w": W, "b": B, "v": V, "i": np.array([1, 0]), "q": np.array(True), "t": np.array([b"a"], object)}
    refused = 0
    for _ in range(1500):
        inputs = ["z", *rng.choice(["z", "x", "", *constants], rng.integers(3))][rng.integers(2) :]
        given = {name: values[rng.integers(len(values))] for name in rng.choice(sorted(SETTINGS), rng.integers(3))}
        nodes = one(operators[rng.integers(len(operators))], *map(str, inputs), **given)
        nodes[1] = (nodes[1][0], list(map(str, inputs)), *nodes[1][2:])
        write(path, nodes, constants)
        try:
            import_onnx(path)
        except NumlpError as error:
            refused += 1
            said = str(error).replace(str(path), "")
            assert not re.search(FROM_PYTHON, said), said
    assert refused > 1000


def one(operator, *inputs, **attributes):
    """Return a network with one more node after its hidden units."""
    return [
        ("Gemm", ["x", "w", "b"], "z", {}),
        (operator, list(inputs) or ["z"], "a", attributes),
        ("Gemm", ["a", "v"], "y", {}),
    ]


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        (one("HardSwish"), r"\(HardSwish\) isn't part of an MLP"),
        (one("Clip", "z", "zero", "six"), r"\(Clip\) isn't part of an MLP"),
        (one("Softmax"), r"\(Softmax\) isn't part"),
        (one("Cast", to=TensorProto.INT64), r"\(Cast\) isn't part"),
        (one("Dropout", "z", "half", "yes"), "drops units: export"),
        (one("Add", "z", "nowhere"), "needs 'nowhere', which no earlier node computes"),
        (one("Add", "z", "w"), r"\(Add\) can't be computed"),
        (one("Concat", "z", "z", axis=1), r"\(Gemm\)|\(Concat\)"),
        (one("Transpose"), r"\(Transpose\)"),
        (one("Reshape", "z", "minus"), r"\(Reshape\)"),
        (one("Shape"), r"\(Gemm\) can't be computed"),
        (one("Gemm", "z", "x"), "doesn't multiply rows by a constant matrix"),
        (one("Gemm", "v", "z"), "doesn't multiply rows by a constant matrix"),
        (one("Gemm", "z", "ints"), "needs a matrix of floats"),
        (one("Gemm", "z", "b"), "needs a matrix of floats"),
        (one("Gemm", "z", "w"), "has a matrix of shape"),
        (one("Gemm", "z", "square", "w"), "adds a bias of shape"),
        (
            one("Gemm", "z", "square", "column"),
            r"adds a bias of shape \(4, 1\) to rows of 4 units: it needs one per unit",
        ),
        (one("Gemm", "z", "square", transA=1), "doesn't multiply rows"),
        (one("Gemm", "z", "square", alpha="much"), "can't be computed"),
        (one("LayerNormalization", "z", "six"), "scales of shape"),
        (one("ConstantOfShape", "minus"), "isn't part of an MLP"),
        ([("Relu", ["x"], "a", {}), ("Gemm", ["a", "w"], "y", {})], r"\(Relu\) isn't part"),
        ([("Sub", ["x", "six"], "y", {})], "no matrix"),
        ([("Mul", ["x", "zero"], "a", {}), ("Gemm", ["a", "w"], "y", {})], "multiplies inputs by 0"),
        ([("Gemm", ["x", "w"], "z", {}), ("Relu", ["z"], "y", {})], r"\(Relu\) isn't part of an MLP"),
        (
            [("Gemm", ["x", "w"], "z", {}), ("Gemm", ["z", "square"], "a", {}), ("Add", ["z", "a"], "y", {})],
            "combines the products of different matrices",
        ),
        (
            [*one("Tanh")[:2], ("Relu", ["a"], "c", {}), ("Gemm", ["c", "v"], "y", {})],
            "follows the activation",
        ),
        (
            [
                ("Gemm", ["x", "w"], "z", {}),
                ("LayerNormalization", ["z", "b"], "a", {}),
                ("Gemm", ["a", "square"], "c", {}),
                ("Gemm", ["c", "v"], "y", {}),
            ],
            "no layer norm after it",
        ),
        ([("Gemm", ["x", "nan"], "y", {})], "NaN or infinity"),
        ([("MatMul", ["w", "nan"], "y", {})], "isn't part|can't be computed|'y'"),
    ],
)
def test_graphs_that_are_not_an_mlp(path, nodes, says):
    constants = {"w": W, "b": B, "v": V, "square": np.eye(4, dtype=np.float32), "zero": np.float32(0)}
    constants |= {"six": np.float32(6), "half": np.float32(0.5), "yes": np.array(True), "minus": np.array([-1])}
    constants |= {"column": B[:, None], "ints": np.ones((4, 4), np.int64), "nan": np.full((3, 4), np.nan, np.float32)}
    write(path, nodes, constants)
    with pytest.raises(FileFormatError, match=says) as caught:
        import_onnx(path)
    assert str(path) in str(caught.value)


def between(*nodes):
    """Return a network with nodes from "z" to "a" after its hidden units."""
    return [("Gemm", ["x", "w", "b"], "z", {}), *nodes, ("Gemm", ["a", "v"], "y", {})]


SCALARS = {"zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "fifty": 50.0, "sixty": 60.0, "hundred": 100.0}
SCALARS |= {"minus": -100.0, "third": 0.3, "minus_third": -0.3, "far": 1e7, "vast": float(np.finfo(np.float32).max)}
THRESHOLDS = np.array([0.5, 0.1, 2.0, 7.7], np.float32)


@pytest.mark.parametrize(
    "nodes",
    [
        between(("Greater", ["z", "third"], "c", {}), ("Where", ["c", "z", "zero"], "a", {})),
        between(("Greater", ["z", "thresholds"], "c", {}), ("Where", ["c", "z", "zero"], "a", {})),
        between(
            ("Abs", ["z"], "m", {}), ("LessOrEqual", ["m", "third"], "c", {}), ("Where", ["c", "zero", "z"], "a", {})
        ),
        between(("Clip", ["z", "zero", "sixty"], "a", {})),
        between(("Clip", ["z", "zero", "fifty"], "a", {})),
        between(("Clip", ["z", "minus", "hundred"], "a", {})),
        between(("Clip", ["z", "minus", "far"], "a", {})),
        between(("Relu", ["z"], "r", {}), ("Min", ["r", "far"], "a", {})),
        between(("Max", ["z", "minus_third"], "a", {})),
        between(  # the threshold is at 1
            ("Mul", ["z", "two"], "d", {}),
            ("Add", ["d", "one"], "e", {}),
            ("Greater", ["e", "three"], "c", {}),
            ("Where", ["c", "z", "zero"], "a", {}),
        ),
        between(("Tanh", ["z"], "t", {}), ("Clip", ["t", "minus_third", "one"], "a", {})),
        between(("LayerNormalization", ["z", "ones"], "n", {}), ("Clip", ["n", "minus", "one"], "a", {})),
        [
            ("Gemm", ["x", "w", "b"], "z", {}),
            ("Sigmoid", ["z"], "s", {}),
            ("Mul", ["s", "fifty"], "t", {}),
            ("Add", ["t", "far"], "y", {}),
        ],
    ],
)
def test_what_bends_where_no_activation_does_is_refused(path, nodes):
    constants = {name: np.float32(value) for name, value in SCALARS.items()}
    constants |= {"w": W, "b": B, "v": V, "thresholds": THRESHOLDS, "ones": np.ones(4, np.float32)}
    write(path, nodes, constants)
    with pytest.raises(FileFormatError, match="isn't part of an MLP"):
        import_onnx(path)


@pytest.mark.parametrize(
    ("nodes", "name"),
    [
        (between(("Clip", ["z", "zero", "vast"], "a", {})), "relu"),
        (between(("Clip", ["z", "zero"], "a", {})), "relu"),
        (between(("Greater", ["z", "zero"], "c", {}), ("Where", ["c", "z", "zero"], "a", {})), "relu"),
        (between(("Mul", ["z", "third"], "m", {}), ("Max", ["z", "m"], "a", {})), "leaky_relu(slope = 0.3)"),
        (between(("Exp", ["z"], "e", {}), ("Add", ["e", "one"], "f", {}), ("Log", ["f"], "a", {})), "softplus"),
        (between(("Sub", ["z", "far"], "m", {}), ("Add", ["m", "far"], "a", {})), "identity"),
    ],
)
def test_activations_with_constants_of_any_size_are_recognized(path, nodes, name):
    constants = {each: np.float32(value) for each, value in SCALARS.items()}
    write(path, nodes, constants | {"w": W, "b": B, "v": V})
    assert [str(activation) for activation in import_onnx(path).activations] == [name]


def test_nodes_that_do_not_lead_to_the_output_are_ignored(path):
    tail = [("Softplus", ["y"], "a", {}), ("TopK", ["a"], "b", {})]
    write(path, [("Gemm", ["x", "w"], "y", {}), *tail], {"w": W})
    np.testing.assert_allclose(import_onnx(path).predict(ROWS), ROWS @ W, atol=1e-6)


# --- Broken and hostile files


def tensor(dims, kind=TensorProto.FLOAT, raw=b"", **settings):
    made = TensorProto(name="w", dims=dims, data_type=kind, **settings)
    if raw is not None:
        made.raw_data = raw
    return made


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (tensor([3, 10**12]), "doesn't hold that many numbers"),
        (tensor([10**6, 10**6, 10**6, 10**6]), "doesn't hold that many numbers"),
        (tensor([-3, -4], raw=bytes(48)), "doesn't hold that many numbers"),
        (tensor([3, 4], raw=bytes(47)), "doesn't hold that many numbers"),
        (tensor([3, 4], raw=None, float_data=[1.0]), "doesn't hold that many numbers"),
        (tensor([3, 0]), r"\(3, 0\)"),
        (tensor([3, 4], TensorProto.COMPLEX64, bytes(96)), "COMPLEX64, which numlp doesn't read"),
        (tensor([3, 4], 99, bytes(48)), "number 99"),
        (tensor([3, 4], TensorProto.STRING, bytes(48)), "doesn't hold that many"),
    ],
)
def test_constants_with_false_shapes_or_types(path, weight, says):
    write(path, [("Gemm", ["x", "w"], "y", {})], {"w": weight})
    with pytest.raises(FileFormatError, match=says):
        import_onnx(path)


def test_files_can_not_claim_more_memory_than_their_size(path):
    square = np.eye(100, dtype=np.float32)
    nodes = [("Gemm", ["x" if i == 0 else str(i), "w"], str(i + 1), {}) for i in range(1000)]
    write(path, nodes, {"w": square}, shape=(100,), outputs=["1000"])
    with pytest.raises(FileFormatError, match="larger than its file"):
        import_onnx(path)
    column, row = np.ones((100_000, 1), np.float32), np.ones((1, 100_000), np.float32)
    write(path, [("Mul", ["c", "r"], "w", {}), ("Gemm", ["x", "w"], "y", {})], {"c": column, "r": row})
    with pytest.raises(FileFormatError, match=r"\(Mul\).*don't fit together"):
        import_onnx(path)
    doubled = [("Concat", [str(i) if i else "r"] * 2, str(i + 1), {"axis": 0}) for i in range(60)]
    write(path, [*doubled, ("Gemm", ["x", "60"], "y", {})], {"r": row})
    with pytest.raises(FileFormatError, match=r"larger than its file|too large"):
        import_onnx(path)
    write(path, [("Relu", ["x"], "a", {}), ("Gemm", ["a", "w"], "y", {})], {"w": W}, shape=(10**12,))
    with pytest.raises(FileFormatError, match="isn't part of an MLP"):
        import_onnx(path)
    long = [("Relu", [f"r{i}" if i else "z"], f"r{i + 1}", {}) for i in range(5000)]
    write(path, [("Gemm", ["x", "w"], "z", {}), *long, ("Gemm", ["r5000", "v"], "y", {})], {"w": W, "v": V})
    with pytest.raises(FileFormatError, match="too many nodes lie between it and the matrix"):
        import_onnx(path)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda model: model.graph.input.pop(), "one input, not 0"),
        (lambda model: model.graph.input.add(name="other"), "one input, not 2: 'x', 'other'"),
        (lambda model: model.graph.input[0].type.Clear(), "must be a tensor of numbers, not UNDEFINED"),
        (lambda model: model.graph.input[0].type.tensor_type.shape.dim.pop(), "must have the shape"),
        (lambda model: model.graph.input[0].type.tensor_type.ClearField("shape"), "must have the shape"),
        (lambda model: model.graph.ClearField("output"), "no nodes or no outputs"),
        (lambda model: model.graph.ClearField("node"), "no nodes or no outputs"),
        (
            lambda model: model.graph.output.add().CopyFrom(model.graph.output[0]),
            "must have one output of floats, not 'y', 'y'",
        ),
        (lambda model: model.graph.sparse_initializer.add(), "sparse constants"),
        (lambda model: setattr(model.graph.node[0], "domain", "com.microsoft"), "com.microsoft.Gemm"),
        (lambda model: model.graph.output[0].type.Clear(), "must have one output of floats, not none"),
        (lambda model: setattr(model.graph.output[0], "name", "x"), "no matrix"),
        (lambda model: setattr(model.graph.output[0], "name", "w"), "compute from the input, not 'w'"),
    ],
)
def test_graphs_that_are_broken(path, edit, says):
    write(path, [("Gemm", ["x", "w"], "y", {})], {"w": W}, edit=edit)
    with pytest.raises(FileFormatError, match=says):
        import_onnx(path)


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "none"},
        {"loss": 3},
        {"loss": "quantile(levels = [0.1, 0.9])"},
        {"networks": []},
        {"networks": [{"logits": "logits", "temperature": 1}] * 1001},
        {"networks": 3},
        {"networks": [{"logits": "nowhere", "temperature": 1}]},
        {"networks": [{"logits": "input", "temperature": 1}]},
        {"temperature": 0},
        {"temperature": "hot"},
        {"target_scaling": {}},
        {"target_scaling": {"shift": [1, 2, 3, 4], "factor": 1}},
        {"target_scaling": {"shift": [[1], [2, 3]], "factor": 1}},
        {"target_scaling": {"shift": 0, "factor": math.nan}},
    ],
)
def test_descriptions_that_do_not_fit(path, change):
    export_onnx(network(1, "squared_error"), path)
    redescribed(path, change)
    with pytest.raises(FileFormatError):
        import_onnx(path)


def test_a_network_can_not_be_repeated_beyond_the_size_of_its_file(path):
    export_onnx(MLP([100, 100, 2]), path)
    model = onnx.load(path)
    entry = next(entry for entry in model.metadata_props if entry.key == "numlp")
    described = json.loads(entry.value)
    entry.value = json.dumps(described | {"networks": described["networks"] * 1000, "ensemble": True})
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileFormatError, match="larger than their file"):
        import_onnx(path)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\xff" * 64, b"PK\x03\x04" + bytes(60)])
def test_other_formats_are_one_clear_error(path, content):
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"isn't an ONNX file, or is damaged|is .* not an ONNX file: "):
        import_onnx(path)


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(FileFormatError, match="there is no ONNX file"):
            import_onnx(path)


def test_mutated_files_end_in_a_network_or_in_one_clear_error(path, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("reading a file must start no process and open no socket")

    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    rng = np.random.default_rng(0)
    names = ["sklearn_classifier", "torch_layer_norm", "torchscript_layer_norm", "torch_batch_norm", "sklearn_binary"]
    for name in names:
        whole = (REFERENCE / f"{name}.onnx").read_bytes()
        for _ in range(150):
            content = bytearray(whole)
            for position in rng.integers(0, len(whole), rng.integers(1, 4)):
                content[position] = rng.integers(0, 256)
            path.write_bytes(content[: rng.integers(1, len(whole)) if rng.random() < 0.2 else len(whole)])
            try:
                import_onnx(path)
            except NumlpError as error:
                assert str(error)  # noqa: PT017
