"""Features of images in ONNX files: plain operators compute them, and a file of numlp gives the network back."""

import json
import math

import numpy as np
import onnx
import onnxruntime
import pytest

from numlp import MLP, Ensemble, Scaling
from numlp.errors import FileFormatError
from numlp.onnx import export_onnx, import_onnx

FEATURES = ("oriented_gradients", "oriented_gradients(orientations = 6, cell = 3, stride = 2)")
SHAPES = [(9, 12), (7, 6, 3), (2, 8, 9)]


def network(shape, features, seed=0, **settings):
    """Return a network in which everything differs from its initial state."""
    sizes = [math.prod(shape), 7, 6, 3]
    scaling = Scaling(np.array(0.2), np.array(1.5))
    given = {"input_features": features, "input_shape": shape, "input_scaling": scaling, "input_dropout": 0.1}
    net = MLP(sizes, seed=seed, **given, **settings)
    net.params += np.random.default_rng(seed).uniform(0, 0.3, net.params.shape)
    return net


def models(shape, **settings):
    """Return networks with features, and an ensemble that has others and one without."""
    networks = [network(shape, text, seed, **settings) for seed, text in enumerate((*FEATURES, None))]
    return [*networks[:2], Ensemble(networks)]


def images(shape, bytes_input):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (6, *shape), np.uint8) if bytes_input else rng.random((6, *shape), np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


@pytest.mark.parametrize("bytes_input", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_file_predicts_what_the_network_does(path, shape, dtype, bytes_input):
    x = images(shape, bytes_input)
    for model in models(shape, dtype=dtype):
        export_onnx(model, path, bytes_input=bytes_input)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        label, probabilities, _ = session.run(None, {"input": x})
        np.testing.assert_allclose(probabilities, model.predict_proba(x), atol=1e-5)
        np.testing.assert_array_equal(label, model.predict(x))
    operators = {node.op_type for node in onnx.load(path).graph.node}
    assert {"Conv", "Relu", "MatMul", "Sqrt", "Div"} <= operators


@pytest.mark.parametrize("bytes_input", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_file_of_numlp_gives_the_network_back(path, shape, bytes_input):
    x = images(shape, bytes_input)
    for model in models(shape):
        export_onnx(model, path, bytes_input=bytes_input)
        again = import_onnx(path)
        members = [getattr(each, "members", (each,)) for each in (again, model)]
        for one, other in zip(*members, strict=True):
            assert one.architecture["input_features"] == other.architecture["input_features"]
            assert one.input_shape == shape
        np.testing.assert_allclose(again.predict_proba(x), model.predict_proba(x), atol=1e-5)
    with pytest.raises(FileFormatError, match="computes features of images: numlp reads such files of its own, with"):
        import_onnx(path, output="probabilities")


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [
        ("input_features", "hog", "unknown input_features 'hog'"),
        ("input_features", "oriented_gradients(stride = 1)", "has a matrix of shape"),
        ("input_features", "oriented_gradients(cell = 30)", "at least as high and wide as their cell of 30"),
        ("pixels", "nowhere", "output must name a value"),
        ("pixels", None, "output must name a value"),
        ("inputs", "nowhere", r"needs|must name|isn't part of an MLP"),
    ],
)
def test_features_that_do_not_fit_are_refused(path, part, value, says):
    export_onnx(network((9, 12), FEATURES[0]), path)
    model = onnx.load(path)
    for entry in model.metadata_props:
        if entry.key == "numlp":
            described = json.loads(entry.value)
            described["networks"][0][part] = value
            entry.value = json.dumps(described)
    onnx.save(model, path)
    with pytest.raises(FileFormatError, match=says):
        import_onnx(path)
