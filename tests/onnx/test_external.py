"""Files of numbers beside an ONNX file, as PyTorch writes them by default: read by the rules of SECURITY.md."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from numlp.errors import FileFormatError
from numlp.onnx import import_onnx
from numlp.settings import limits

REFERENCE = Path(__file__).parents[1] / "reference" / "onnx"
W = np.arange(12, dtype=np.float32).reshape(3, 4) / 10
X = np.eye(3, dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


def write(path, array=W, *, data=None, dims=None, n_layers=1, **entries):
    """Write a network whose weights lie in the file beside it."""
    entries = {"location": "net.onnx.data", "offset": "0", "length": str(array.nbytes)} | entries
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensors = []
    for i in range(n_layers):
        weight = TensorProto(name=f"w{i}", data_type=kind, dims=dims or array.shape)
        weight.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            if value is not None:
                weight.external_data.add(key=key, value=value)
        tensors.append(weight)
    nodes = [helper.make_node("MatMul", [f"x{i}" if i else "x", f"w{i}"], [f"x{i + 1}"]) for i in range(n_layers)]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", array.shape[0]])],
        [helper.make_tensor_value_info(f"x{n_layers}", TensorProto.FLOAT, None)],
        tensors,
    )
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
    path.with_name("net.onnx.data").write_bytes(array.tobytes() if data is None else data)
    return path


def test_the_two_files_that_pytorch_writes_by_default_are_read(tmp_path):
    assert (REFERENCE / "torch_external.onnx.data").stat().st_size > (
        REFERENCE / "torch_external.onnx"
    ).stat().st_size
    for name in ("torch_external.onnx", "torch_external.onnx.data"):
        (tmp_path / name).write_bytes((REFERENCE / name).read_bytes())
    net = import_onnx(tmp_path / "torch_external.onnx")
    assert net.layer_size == (16, 20, 20, 2)
    (tmp_path / "torch_external.onnx.data").unlink()
    with pytest.raises(FileFormatError, match=r"put it there, or export .* with external_data=False"):
        import_onnx(tmp_path / "torch_external.onnx")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_numbers_of_any_kind_at_any_offset(path, kind):
    weight = W.astype(kind)
    write(path, weight, data=b"garbage" + weight.tobytes() + b"more", offset="7")
    np.testing.assert_allclose(import_onnx(path).predict(X), weight, rtol=1e-6)
    write(path, weight, length=None, offset=None)
    np.testing.assert_allclose(import_onnx(path).predict(X), weight, rtol=1e-6)


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../net.onnx.data",
        "..",
        ".",
        "",
        None,
        "sub/net.data",
        "sub\\net.data",
        "c:net.data",
        "a\0b",
        "a" * 300,
    ],
)
def test_only_files_of_the_same_folder_are_opened(path, location):
    (path.parent / "sub").mkdir()
    (path.parent / "sub" / "net.data").write_bytes(W.tobytes())
    write(path, location=location)
    with pytest.raises(FileFormatError, match=r"isn't a file in the model's folder: .*external_data=False"):
        import_onnx(path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    path = write(folder / "net.onnx")
    data = folder / "net.onnx.data"
    data.rename(tmp_path / "outside")
    data.symlink_to(tmp_path / "outside")
    with pytest.raises(FileFormatError, match="leads out of the folder"):
        import_onnx(path)
    data.unlink()
    (folder / "other").write_bytes(W.tobytes())
    data.symlink_to(folder / "other")
    np.testing.assert_array_equal(import_onnx(path).predict(X), W)


def test_what_is_no_ordinary_file_is_not_opened(path):
    write(path)
    data = path.with_name("net.onnx.data")
    data.unlink()
    data.mkdir()
    with pytest.raises(FileFormatError, match="must lie beside the model"):
        import_onnx(path)
    if hasattr(os, "mkfifo"):
        data.rmdir()
        os.mkfifo(data)
        with pytest.raises(FileFormatError, match="must lie beside the model"):
            import_onnx(path)


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": "1"},
        {"offset": "-4"},
        {"offset": "48"},
        {"offset": "9" * 18},
        {"offset": "9" * 5000},
        {"offset": "0x0"},
        {"offset": "٠"},
        {"length": "47"},
        {"length": "-48"},
        {"length": ""},
        {"dims": (3, 5)},
        {"dims": (3, 10**12)},
        {"dims": (2**62, 2**62)},
        {"data": b""},
        {"data": W.tobytes()[:-1]},
    ],
)
def test_offsets_and_lengths_must_fit_the_file(path, entries):
    write(path, **entries)
    with pytest.raises(FileFormatError, match="doesn't hold that many numbers"):
        import_onnx(path)


def test_constants_can_not_claim_more_bytes_than_the_file_has(path):
    write(path, np.eye(50, dtype=np.float32), n_layers=3)
    with pytest.raises(FileFormatError, match="claim more bytes than"):
        import_onnx(path)


def test_larger_files_than_any_network_needs_are_refused(path, monkeypatch):
    monkeypatch.setattr(limits, "EXTERNAL_BYTES", 40)
    write(path)
    with pytest.raises(FileFormatError, match="must have at most 40 bytes"):
        import_onnx(path)


def test_texts_and_attributes_in_other_files_are_refused(path):
    write(path)
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].data_type = TensorProto.STRING
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileFormatError, match=r"is stored in another file: .*external_data=False"):
        import_onnx(path)
    weight = model.graph.initializer.pop()
    weight.data_type = TensorProto.FLOAT
    model.graph.node.insert(0, helper.make_node("Constant", [], ["w0"]))
    attribute = model.graph.node[0].attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
    attribute.t.CopyFrom(weight)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileFormatError, match=r"is stored in another file: .*external_data=False"):
        import_onnx(path)
