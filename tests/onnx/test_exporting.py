"""What onnxruntime computes from an exported file is what the network predicts."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from numlp import MLP, Ensemble, Scaling, standardize, train
from numlp.errors import OutputError, SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.onnx import export_onnx
from numlp.settings.named import resolve

TEXTS = [*LOSSES, "huber(delta = 0.5)", "quantile(levels = [0.2, 0.4, 0.8])"]


def run(path, x):
    """Return the outputs of a file by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": x}), strict=True))


def is_clear(probabilities, task):
    """Return where rounding can't change the label."""
    if task == "labels" and probabilities.shape[1] != 2:
        return np.abs(probabilities - 0.5) > 1e-4
    return np.diff(np.sort(probabilities, axis=1)[:, -2:])[:, 0] > 1e-4


def check(model, path, x, **settings):
    """Export a model, and compare all outputs of the file with the model's predictions."""
    export_onnx(model, path, **settings)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    found = run(path, x)
    rows = x.reshape(len(x), -1)
    logits = np.concatenate(list(model.chunks(model.features(x))))
    scale = np.abs(logits).max()
    np.testing.assert_allclose(found["logits"], logits, rtol=1e-5, atol=1e-5 * scale)
    predicted = model.predict(rows, indices=True)
    if model.loss.task == "regression":
        assert list(found) == ["prediction", "logits"]
        values = found["prediction"]
        tolerance = {"rtol": 1e-5, "atol": 1e-5 * np.abs(predicted).max()}
        np.testing.assert_allclose(values, predicted, **tolerance)
    else:
        assert list(found) == ["label", "probabilities", "logits"]
        values = found["label"]
        probabilities = model.predict_proba(rows)
        clear = is_clear(probabilities, model.loss.task)
        np.testing.assert_array_equal(values[clear], predicted[clear])
        np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=1e-5)
    assert (values.dtype, values.shape) == (predicted.dtype, predicted.shape)
    return found


def network(n_inputs=5, n_targets=2, *, loss="softmax_cross_entropy", seed=0, **settings):
    """Return a network in which everything, including norms and scalings, differs from its initial state."""
    rng = np.random.default_rng(seed)
    made = resolve("loss", loss, LOSSES)
    n_targets = max(n_targets, 2) if made.task == "classification" else n_targets
    shape = (n_inputs,)
    scaling = Scaling(rng.normal(size=n_targets), rng.uniform(0.5, 2, n_targets)) if made.scales_targets else None
    settings = {"input_scaling": Scaling(rng.normal(size=shape), rng.uniform(0.5, 2, shape))} | settings
    sizes = [n_inputs, 7, 1, 6, n_targets * made.blocks]
    net = MLP(sizes, loss=made, target_scaling=scaling, seed=seed, **settings)
    net.params += rng.uniform(0, 0.3, net.params.shape)
    return net


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(9, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.test.x, (mnist.test.x / 255).astype(np.float32)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "leaky_relu(slope = 0.3)", "elu(alpha = 0.4)"])
def test_every_activation_and_norm(path, x, activation, normalization):
    check(network(activation=activation, normalization=normalization, dropout=0.5, noise=0.1), path, x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("loss", TEXTS)
def test_every_loss(path, x, loss, n_targets, dtype):
    check(network(n_targets=n_targets, loss=loss, dtype=dtype), path, x)


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("loss", TEXTS)
def test_ensembles_of_every_loss(path, x, loss, n_targets):
    scaling = Scaling(np.array(3.0), np.array(0.5)) if resolve("loss", loss, LOSSES).scales_targets else None
    members = [network(n_targets=n_targets, loss=loss, seed=seed, normalization="layer") for seed in range(3)]
    for member in members:
        member.target_scaling = scaling or Scaling()
    ensemble = Ensemble(members)
    ensemble.temperature, members[1].temperature = 1.7, 0.6
    check(ensemble, path, x)


def test_an_ensemble_of_one(path, x):
    check(Ensemble([network()]), path, x)


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy"])
def test_a_calibrated_network(path, x, loss):
    net = network(loss=loss)
    net.temperature = 3.0
    check(net, path, x)


def in_onnxruntime(path, x):
    return run(path, x)["probabilities"]


def in_the_reference(path, x):
    return ReferenceEvaluator(onnx.load(path)).run(["probabilities"], {"input": x})[0]


def agrees_and_keeps_order(found, expected):
    """Check probabilities of rows with rising logits, (n, classes)."""
    assert np.all(np.diff(expected[:, -1]) >= 0)
    assert np.all(np.diff(found[:, -1]) >= 0)
    counts = expected >= 1e-30
    assert counts.sum() > 100
    np.testing.assert_allclose(found[counts], expected[counts], rtol=1e-4)
    # numbers that differ in the library differ in the file as well, beyond the digits of float32
    apart = (np.diff(expected[:, -1]) > 1e-5 * expected[1:, -1]) & (expected[1:, -1] >= 1e-30)
    assert np.all(np.diff(found[:, -1])[apart] > 0)


@pytest.mark.parametrize("runtime", [in_onnxruntime, in_the_reference])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("n_outputs", [1, 2, 4])
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if LOSSES[loss].task != "regression"])
def test_small_probabilities_keep_their_digits_and_their_order(
    path, loss, n_outputs, temperature, n_members, runtime
):
    n_outputs = max(n_outputs, 2) if LOSSES[loss].task == "classification" else n_outputs
    members = []
    for i in range(n_members):
        net = MLP([1, n_outputs], activation=[], loss=loss)
        net.params[:] = 0
        net.params[n_outputs - 1] = 1 + i / 100  # the last output is this multiple of the input
        members.append(net)
    model = members[0] if n_members == 1 else Ensemble(members)
    model.temperature = temperature
    export_onnx(model, path)
    x = np.linspace(-75, 40, 2301, dtype=np.float32)[:, None]
    agrees_and_keeps_order(runtime(path, x), model.predict_proba(x))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mnist_for_every_activation_and_norm(path, images, mnist, activation, normalization):
    net = MLP([784, 16, 16, 10], activation=activation, normalization=normalization, input_shape=(28, 28))
    train(net, (mnist.train.x[:2000], mnist.train.y[:2000]), epochs=1, learning_rate=0.05, schedule="constant")
    stored, parts = images
    found = check(net, path, parts)
    export_onnx(net, path, bytes_input=True)
    np.testing.assert_allclose(run(path, stored)["probabilities"], found["probabilities"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_mnist_for_every_output_with_every_norm_and_activation(path, images, loss, normalization):
    stored, parts = (part[:500] for part in images)
    rng = np.random.default_rng(0)
    outputs, scaling = 10 * LOSSES[loss]().blocks, standardize(stored)
    for activation in ACTIVATIONS:
        settings = {"activation": activation, "normalization": normalization, "input_scaling": scaling}
        net = MLP([784, 12, 12, outputs], loss=loss, input_shape=(28, 28), **settings)
        net.params += rng.uniform(0, 0.02, net.params.shape)  # logits as large as in trained networks
        export_onnx(net, path)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        found = run(path, parts)
        if net.loss.task == "regression":
            expected = net.predict(parts)
            np.testing.assert_allclose(found["prediction"], expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
            continue
        expected = net.predict_proba(parts)
        np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=1e-5)
        predicted = net.predict(parts)
        clear = is_clear(expected, net.loss.task)
        np.testing.assert_array_equal(found["label"][clear], predicted[clear])


def test_mnist_for_every_output_of_classes(path, images, mnist):
    for loss in LOSSES:
        if LOSSES[loss].task != "regression":
            net = MLP([784, 16, 10], loss=loss, input_shape=(28, 28))
            y = np.eye(10)[mnist.train.y[:2000]]
            train(net, (mnist.train.x[:2000], y), epochs=1, learning_rate=0.1)
            check(net, path, images[1])


@pytest.mark.parametrize("scaling", [Scaling(), Scaling(np.array(0.5), np.array(2.0)), "standardize"])
def test_bytes_mean_the_same_as_in_predict(path, images, scaling):
    scaling = standardize(images[0]) if scaling == "standardize" else scaling
    net = MLP([784, 16, 10], input_scaling=scaling, input_shape=(28, 28))
    check(net, path, images[0][:500], bytes_input=True)
    check(net, path, images[1][:500])
    found = onnx.load(path)
    assert "divide by 255" in found.doc_string


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_inputs_have_the_shape_of_the_training_samples(path, dtype):
    for shape, expected in (((28, 28), ["n", 28, 28]), (None, ["n", 784])):
        export_onnx(MLP([784, 10], input_shape=shape), path, bytes_input=dtype == np.uint8)
        kind = onnx.load(path).graph.input[0].type.tensor_type
        assert [d.dim_param or d.dim_value for d in kind.shape.dim] == expected
        assert onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type) == dtype
        for n in (1, 3):
            assert run(path, np.zeros((n, *expected[1:]), dtype))["label"].shape == (n,)


def test_inputs_far_from_zero_keep_their_digits(path):
    years = (2000 + np.random.default_rng(0).normal(size=(50, 5))).astype(np.float32)
    check(network(input_scaling=standardize(years)), path, years)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_folded_norms(path, x, normalization):
    net = network(normalization=normalization)
    check(net, path, x, fold_norms=True)
    operators = {node.op_type for node in onnx.load(path).graph.node}
    assert "BatchNormalization" not in operators
    assert ("LayerNormalization" in operators) == (normalization == "layer")
    check(net, path, x)
    assert ("BatchNormalization" in {n.op_type for n in onnx.load(path).graph.node}) == (normalization == "batch")


def test_names_are_in_the_metadata(path):
    export_onnx(MLP([2, 3], class_names=["cat", "dög", "owl"], feature_names=["size", "age"]), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["class_names"]) == ["cat", "dög", "owl"]
    assert json.loads(metadata["feature_names"]) == ["size", "age"]
    assert session.get_modelmeta().producer_name == "numlp"


def test_the_same_model_gives_the_same_bytes(path):
    export_onnx(network(), path)
    first = path.read_bytes()
    export_onnx(network(), path)
    assert path.read_bytes() == first


def test_models_that_can_not_be_exported(path, monkeypatch, tmp_path):
    net = MLP([2, 3, 2], dtype="float64")
    net.params[0] = 1e300
    with pytest.raises(SettingError, match="beyond the range of float32"):
        export_onnx(net, path)
    with pytest.raises(OutputError, match="can't write"):
        export_onnx(MLP([2, 2]), tmp_path / "none" / "net.onnx")
    monkeypatch.setattr("numlp.onnx.exporting._MOST_BYTES", 10)
    with pytest.raises(SettingError, match="2 GiB"):
        export_onnx(MLP([2, 2]), path)
    assert not path.exists()


def test_bytes_are_brought_to_the_range_that_the_network_was_trained_on(tmp_path, mnist):
    x, y = mnist.train.x[:300], mnist.train.y[:300]
    net = MLP([784, 10], seed=0)
    train(net, (x / 127.5 - 1, y), epochs=1)
    export_onnx(net, tmp_path / "net.onnx", bytes_input=True)
    assert "floats from -1 to 1" in str(onnx.load(tmp_path / "net.onnx"))
    found = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(["probabilities"], {"input": x})[0]
    np.testing.assert_allclose(found, net.predict_proba(x), atol=1e-5)
