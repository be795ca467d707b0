"""What a file is: real files, written by the libraries whose formats they are."""

import bz2
import gzip
import json
import lzma
import pickle
import shlex
import sqlite3
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from numlp import MLP, Checkpoint, save_model, train
from numlp.cli import main
from numlp.files.kinds import _KINDS, kind_of, refused
from numlp.onnx import export_onnx
from numlp.training.snapshots import save_snapshots

X = np.zeros((4, 2), np.float32)


def image(form):
    return lambda path: Image.new("RGB", (9, 9)).save(path, form)


def text(content):
    return lambda path: path.write_text(content)


def checkpoint(path):
    train(MLP([2, 2]), (X, np.array([0, 1, 0, 1])), epochs=1, after_epoch=[Checkpoint(path)])


def sqlite(path):
    connection = sqlite3.connect(path)
    connection.execute("create table t (a int)")
    connection.commit()
    connection.close()


def tar(path):
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))


def zipped(*members):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members:
                archive.writestr(name, content)

    return write


def joblib(compress):
    def write(path):
        pytest.importorskip("joblib").dump({"a": X}, path, compress=compress)

    return write


def estimator(path):
    path.write_bytes(pickle.dumps(pytest.importorskip("sklearn.linear_model").LogisticRegression()))


def torch(**settings):
    def write(path):
        library = pytest.importorskip("torch")
        library.save(library.nn.Linear(2, 1).state_dict(), path, **settings)

    return write


def pandas(method):
    def write(path):
        getattr(pytest.importorskip("pandas").DataFrame({"a": [1]}), method)(path)

    return write


FILES = {  # name of the file: its kind, and what writes it
    "net.safetensors": ("model", lambda path: save_model(MLP([2, 2]), path)),
    "0.safetensors": ("checkpoint", checkpoint),
    "snapshots.safetensors": ("snapshots", lambda path: save_snapshots({0: X}, path)),
    "other.safetensors": ("tensors", lambda path: save_file({"w": X}, path)),
    "net.onnx": ("onnx", lambda path: export_onnx(MLP([2, 2]), path)),
    "net": ("onnx", lambda path: export_onnx(MLP([2, 2]), path)),
    "x.npy": ("npy", lambda path: np.save(path, X)),
    "x.npz": ("npz", lambda path: np.savez(path, x=X)),
    "packed.npz": ("npz", lambda path: np.savez_compressed(path, x=X)),
    "x-idx1-ubyte": ("idx", lambda path: path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))),
    "x-idx1-ubyte.gz": ("idx", lambda path: path.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7])))),
    "a.csv": ("csv", text("a,b\n1,2\n")),
    "recipe.toml": ("recipe", text("epochs = 3\n")),
    "a.png": ("png", image("png")),
    "named wrongly.csv": ("png", image("png")),
    "a.jpg": ("jpeg", image("jpeg")),
    "a.gif": ("gif", image("gif")),
    "a.webp": ("webp", image("webp")),
    "a.bmp": ("bmp", image("bmp")),
    "a.tif": ("tiff", image("tiff")),
    "a.pdf": ("pdf", image("pdf")),
    "a.pkl": ("pickle", lambda path: path.write_bytes(pickle.dumps({"a": X}))),
    "old.pkl": ("pickle", lambda path: path.write_bytes(pickle.dumps({"a": X}, 0))),
    "frame.pkl": ("pickle", pandas("to_pickle")),
    "a.joblib": ("pickle", joblib(0)),
    "packed.joblib": ("pickle", joblib(3)),
    "estimator": ("sklearn", estimator),
    "a.pt": ("pytorch", torch()),
    "a.bin": ("pytorch", torch()),
    "old.pth": ("pytorch", torch(_use_new_zipfile_serialization=False)),
    "a.keras": ("keras", zipped(("metadata.json", '{"keras_version": "3.15.1"}'))),
    "a.xlsx": ("excel", zipped(("docProps/app.xml", ""))),
    "a.zip": ("zip", zipped(("a.csv", "a,b\n"))),
    "a.csv.gz": ("gzip", lambda path: path.write_bytes(gzip.compress(b"a,b\n"))),
    "a.csv.bz2": ("bzip2", lambda path: path.write_bytes(bz2.compress(b"a,b\n"))),
    "a.csv.xz": ("xz", lambda path: path.write_bytes(lzma.compress(b"a,b\n"))),
    "a.tar": ("tar", tar),
    "a.sqlite": ("sqlite", sqlite),
    "a.json": ("json", lambda path: path.write_text(json.dumps([{"a": 1}]))),
    "a.ipynb": ("notebook", text('{"cells": []}')),
    "data.csv": ("html", text("<!DOCTYPE html><html>404</html>")),
    "big.csv": ("lfs", text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")),
    "empty.csv": ("empty", text("")),
    # The first bytes of files that pyarrow, h5py and Pillow wrote; they are not installed for the tests.
    "a.parquet": ("parquet", lambda path: path.write_bytes(b"PAR1\x15\x04\x15 \x15$L\x15\x04\x15\x00")),
    "a.feather": ("feather", lambda path: path.write_bytes(b"ARROW1\x00\x00\xff\xff\xff\xff\x00\x03")),
    "a.orc": ("orc", lambda path: path.write_bytes(b"ORC\n\x06\x12\x04\x08\x02P\x00")),
    "a.h5": ("hdf5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08")),
    "a.avif": ("avif", lambda path: path.write_bytes(b"\x00\x00\x00 ftypavif\x00\x00\x00\x00")),
    "a.jp2": ("jpeg 2000", lambda path: path.write_bytes(b"\x00\x00\x00\x0cjP  \r\n\x87\n")),
    "primary keys.csv": ("csv", text("PK,ORC\n1,2\n")),
    "orcs.csv": ("csv", text("ORC,GGUF\n1,2\n")),
    "text": (None, text("This is the license of something.\n")),
    "noise": (None, lambda path: path.write_bytes(b"\xff" * 64)),
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name):
        path = Path(name)
        FILES[name][1](path)
        return path

    return write


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_known_by_its_first_bytes_and_its_name(files, name):
    kind = kind_of(files(name))
    assert (kind and kind.name) == FILES[name][0]


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "reference/onnx").glob("*.onnx")), ids=lambda p: p.stem
)
def test_onnx_of_every_exporter_is_known_without_its_suffix(tmp_path, path):
    (tmp_path / "net").write_bytes(path.read_bytes())
    assert kind_of(tmp_path / "net").name == "onnx"


DATA = {"npy", "npz", "idx", "csv", "gzip", "parquet", "json"}


@pytest.mark.parametrize("name", [name for name, (kind, _) in FILES.items() if kind])
@pytest.mark.parametrize(
    ("command", "takes"),
    [
        (["predict", "{}", "x"], {"model"}),
        (["evaluate", "{}", "mnist"], {"model"}),
        (["inspect", "{}"], {"model", "checkpoint", *DATA}),
        (["export", "{}", "out.onnx"], {"model"}),
        (["import", "{}", "out.safetensors"], {"onnx"}),
        (["train", "{}"], DATA),
        (["evaluate", "model.safetensors", "{}"], DATA),
        (["predict", "model.safetensors", "{}"], DATA | {"png", "jpeg", "gif", "webp", "bmp"}),
        (["train", "mnist", "--recipe", "{}"], {"recipe", "empty"}),
        (["report", "{}"], set()),
        (["resume", "{}"], set()),
        (["compare", "{}", "other"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_says_what_a_file_is_and_what_to_do_with_it(files, capsys, name, command, takes):
    kind = FILES[name][0]
    if kind in takes:
        return
    path = files(name)
    save_model(MLP([2, 2]), "model.safetensors")
    assert main([part.replace("{}", str(path)) for part in command]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{path} is {_KINDS[kind].title}" in error
    remedies = [
        _KINDS[kind].remedy.format(path=shlex.quote(str(each)), text=repr(str(each)))
        for each in (path, path.resolve())
    ]
    assert any(remedy in error for remedy in [*remedies, f"give it the suffix .{kind}"])


def test_pickles_are_refused_with_the_reason(files, capsys):
    path = files("a.pkl")
    assert main(["train", str(path)]) == 2
    assert "opening a pickle executes what its maker put into it, so numlp never opens one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inside", "name"), [("recipe.toml", "run"), ("saved_model.pb", "saved model"), ("a.csv", "folder")]
)
def test_folders_are_told_apart(tmp_path, inside, name):
    (tmp_path / inside).write_bytes(b"")
    assert kind_of(tmp_path).name == name


def test_a_run_s_folder_is_no_data(tmp_path, capsys):
    (tmp_path / "recipe.toml").write_text("epochs = 1")
    assert main(["train", str(tmp_path)]) == 2
    assert (
        f"is a run's folder, not a folder of IDX files: numlp predict {tmp_path} SAMPLES" in capsys.readouterr().err
    )


def test_missing_files_and_pipes_are_not_opened(tmp_path):
    assert kind_of(tmp_path / "none") is None
    assert kind_of("/dev/null").name == "special"


def test_what_is_wanted_but_damaged_is_not_called_something_else(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    assert "isn't an array, or is damaged: too short" in str(refused(path, "an array", ("npy",), "too short"))
    assert str(refused(path, "an array", ("npy",), "", unknown="no")) == "no"


def test_commands_in_messages_can_be_pasted_for_names_with_spaces(tmp_path):
    for name, pasted in (("my net.onnx", "numlp import '{}'"), ("my table.feather", "read_feather('{}')")):
        path = tmp_path / name
        path.write_bytes(b"ARROW1\0" if path.suffix == ".feather" else b"\x08\x08\x12\0")
        assert pasted.format(path) in str(refused(path, "a CSV table", ("csv",), ""))


def test_a_large_file_is_not_read_whole(tmp_path):
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(gzip.compress(bytes(10**6)))
        file.truncate(1 << 30)
    kind_of(path)
    tracemalloc.start()
    try:
        assert kind_of(path).name == "gzip"
        assert tracemalloc.get_traced_memory()[1] < 1 << 17
    finally:
        tracemalloc.stop()


def test_any_bytes_have_a_kind_or_none(tmp_path):
    rng = np.random.default_rng(0)
    for number, (name, (_, write)) in enumerate(FILES.items()):
        write(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        for length in rng.integers(len(content) + 1, size=20):
            path = tmp_path / f"{number}{Path(name).suffix}"
            path.write_bytes(content[:length] + rng.bytes(8))
            kind = kind_of(path)
            assert kind is None or kind.remedy
