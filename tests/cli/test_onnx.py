"""`numlp export` and `numlp import`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from numlp import MLP, learn_encoding, load_model, save_model
from numlp.arrays.table import Table

REFERENCE = Path(__file__).parents[1] / "reference" / "onnx"


@pytest.fixture
def run(numlp, points):
    settings = [
        "--recipe",
        "default",
        "--layers",
        "8",
        "--epochs",
        "2",
        "--normalization",
        "batch",
        "--output",
        "run",
    ]
    assert numlp("train", points, *settings)[0] == 0
    return "run"


def test_there_and_back(numlp, run):
    code, out, err = numlp("export", run, "net.onnx")
    assert (code, err) == (0, "")
    assert out.startswith("net.onnx: MLP([2, 8, 3]")
    code, out, err = numlp("import", "net.onnx")
    assert (code, err) == (0, "")
    assert out.startswith("net.safetensors: MLP([2, 8, 3]")
    x = np.load("points.npz")["x"]
    np.testing.assert_allclose(
        load_model("net.safetensors").predict_proba(x),
        load_model("run/model.safetensors").predict_proba(x),
        atol=1e-6,
    )
    first, again = (
        json.loads(numlp("evaluate", model, "points.npz", "--json")[1])["accuracy"]
        for model in (run, "net.safetensors")
    )
    assert first == again


def test_bytes_and_folded_norms(numlp):
    save_model(MLP([4, 3, 2], normalization="batch", input_shape=(2, 2)), "net.safetensors")
    assert numlp("export", "net.safetensors", "net.onnx", "--bytes", "--fold-norms")[0] == 0
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert session.get_inputs()[0].shape == ["n", 2, 2]


def test_a_network_of_a_table_there_and_back(numlp, fails):
    rows = {"age": np.array([20.0, np.nan]), "home\x1b[2J": np.array(["Ulm", None], dtype=object)}
    net = MLP([2, 2], input_encoding=learn_encoding(Table(rows), least=1))
    save_model(net, "net.safetensors")
    code, out, err = numlp("export", "net.safetensors", "net.onnx")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == "inputs, each of shape (n, 1): age (number), home\\x1b[2J (text)"
    assert numlp("import", "net.onnx", "again.safetensors")[0] == 0
    again = load_model("again.safetensors")
    assert again.input_encoding == net.input_encoding
    np.testing.assert_allclose(again.predict_proba(Table(rows)), net.predict_proba(Table(rows)), atol=1e-6)
    assert "bytes" in fails("export", "net.safetensors", "bytes.onnx", "--bytes")


def test_a_network_from_another_library(numlp):
    code, out, err = numlp(
        "import", REFERENCE / "torch_activations.onnx", "net.safetensors", "--loss", "softmax_cross_entropy"
    )
    assert (code, err) == (0, "")
    assert load_model("net.safetensors").loss.name == "softmax_cross_entropy"
    code, out, err = numlp("import", REFERENCE / "torch_gelu.onnx", "gelu.safetensors")
    assert (code, err) == (0, "")
    assert out.startswith("gelu.safetensors: MLP")
    numlp("export", "net.safetensors", "net.onnx")
    assert numlp("import", "net.onnx", "again.safetensors", "--follow", "probabilities")[0] == 0


def test_nothing_is_overwritten_without_force(numlp, fails):
    save_model(MLP([2, 2]), "net.safetensors")
    Path("net.onnx").write_text("kept")
    assert "net.onnx already exists" in fails("export", "net.safetensors", "net.onnx")
    assert Path("net.onnx").read_text() == "kept"
    assert numlp("export", "net.safetensors", "net.onnx", "--force")[0] == 0
    before = Path("net.safetensors").read_bytes()
    assert "net.safetensors already exists" in fails("import", "net.onnx")
    assert Path("net.safetensors").read_bytes() == before
    assert numlp("import", "net.onnx", "--force")[0] == 0


def test_bad_input(numlp, fails):
    save_model(MLP([2, 2]), "net.safetensors")
    Path("broken.onnx").write_bytes(b"garbage")
    assert "must be a .onnx file" in fails("export", "net.safetensors", "net.bin")
    assert "there is no run's folder or model file none" in fails("export", "none", "net.onnx")
    assert "can't write" in fails("export", "net.safetensors", "none/net.onnx")
    assert "no ONNX file none.onnx" in fails("import", "none.onnx")
    assert "isn't an ONNX file, or is damaged" in fails("import", "broken.onnx")
    assert "is a model file of numlp, not an ONNX file" in fails("import", "net.safetensors", "other.safetensors")
    assert "must be a .safetensors file" in fails("import", "broken.onnx", "net.npz")
    assert "unknown loss" in fails("import", REFERENCE / "torch_gelu.onnx", "a.safetensors", "--loss", "softmax")
    assert "(Conv) isn't part of an MLP" in fails("import", REFERENCE / "torch_convolution.onnx", "a.safetensors")
    assert not Path("a.safetensors").exists()


def test_the_other_commands_do_not_load_onnx():
    code = "import sys; from numlp.cli import main; main(['--version']); assert 'onnx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
