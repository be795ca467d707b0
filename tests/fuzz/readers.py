"""Every reader of files that may come from others, with a few honest files to begin with."""

import dataclasses
import gzip
import io
import json
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import numlp.sklearn
from fuzz import packing
from numlp import (
    MLP,
    Checkpoint,
    EarlyStopping,
    Ensemble,
    Table,
    learn_encoding,
    load_dataset,
    load_model,
    save_model,
    standardize,
    train,
)
from numlp.datasets.array_files import stored_npy
from numlp.datasets.dataset import Dataset, Split
from numlp.datasets.idx import read_idx, stored_idx
from numlp.datasets.image import read_image
from numlp.datasets.readers import read_samples
from numlp.files.checkpoints import describe_checkpoint
from numlp.files.models import read_description
from numlp.files.tensors import tensor_shapes
from numlp.onnx import export_onnx, import_onnx
from numlp.runs.chain import Chain
from numlp.runs.digests import check_digests, digests
from numlp.runs.folder import load_run
from numlp.runs.layout import PROVENANCE
from numlp.runs.links import Stage
from numlp.runs.provenance import Network, Predicate, Statement, read_provenance, write_statement
from numlp.runs.recipes import load_recipe
from numlp.runs.subjects import ALWAYS, differing
from numlp.training.recipes import recipe_names, recipe_text
from numlp.training.snapshots import load_snapshots, save_snapshots

ROOT = Path(__file__).parents[1]
X = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
Y = np.arange(12) % 2
METRICS = json.dumps(
    {"train": {"loss": 0.5, "accuracy": 0.9}, "validation": {"loss": 0.6, "accuracy": None}, "test": None}
    | {"epochs": 2, "seconds": 1.5, "parameters": 6, "ended": "completed", "versions": {"numlp": "0.1.0"}}
).encode()
HISTORY = b"epoch,train_loss,validation_loss,learning_rate\n1,0.5,0.6,0.1\n2,0.25,0.5,0.1\n"
RECIPE = b"""data = "mnist"
layers = [3, 4]
optimizer = "sgd(momentum = 0.9)"
class_weight = {a = 1, b = 2.5}
"""


STAGE = Stage(0, 2, 1, "0" * 64, "1" * 64, "2" * 64)
DATASET = Dataset("points", Split(X[:8], Y[:8]), Split(X[8:], Y[8:]), None, ("0", "1"))


@dataclass(frozen=True)
class Reader:
    """A reader, and what it reads.

    Attributes
    ----------
    file : str
        The name of the file that it reads.
    read : callable
        Takes the file's path.
    seeds : callable
        Returns honest files.
    repack : callable
        Mutates what is inside of a container, so that sums and lengths are right again.
    beside : mapping
        Other files in the same folder.
    """

    file: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    repack: packing.Repack = packing.plain
    beside: Mapping[str, bytes] = field(default_factory=dict)


def _idx(array: np.ndarray, code: int) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


def _idx_files() -> list[bytes]:
    return [_idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2), 8), _idx(np.arange(3, dtype=">f8"), 14)]


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def _made(*writers: Callable[[Path], object]) -> list[bytes]:
    """Return what functions write that take a path."""
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for write in writers:
            path = Path(folder, "file")
            write(path)
            files.append(path.read_bytes())
    return files


def _npy_files() -> list[bytes]:
    return [_written(lambda file, array=array: np.save(file, array)) for array in (X, Y, np.array(["a", "bc"]))]


def _npz_files() -> list[bytes]:
    return [
        _written(lambda file: np.savez(file, x=X, y=Y)),
        _written(lambda file: np.savez_compressed(file, x=X, y=np.array(["a", "b"])[Y], w=Y)),
    ]


def _csv_files() -> list[bytes]:
    numbers = "a,b,y\n" + "".join(f"{a},{b},{y}\n" for (a, b), y in zip(X, Y, strict=True))
    names = 'a,y\n1,"dog"\n2,cat\n3,"do,g"\n4,cat\n'
    kinds = 'a;d;t;y\n"1.234,5";2020-01-05;true;2\n2,5;;false;3\n?;2021-12-31;true;4\n'
    return [numbers.encode(), names.encode(), kinds.encode(), b"\xef\xbb\xbfa,y\r\n1,0.5\r\n2,1.5\r\n"]


def _tables(form: str) -> list[bytes]:
    import duckdb

    queries = (
        "SELECT i AS a, i / 3 AS b, 'x' || i AS c, i > 2 AS d, DATE '2020-01-01' + i::INT AS e FROM range(20) t(i)",
        "SELECT i % 2 AS a, NULLIF(i, 3) AS b, ['red', 'blue'][i % 2 + 1] AS c FROM range(200) t(i)",
    )
    with duckdb.connect() as connection:
        writes = [
            lambda path, query=query: connection.execute(f"COPY ({query}) TO '{path}' (FORMAT {form})")
            for query in queries
        ]
        return _made(*writes)


def _models() -> list[bytes]:
    net = MLP([2, 3, 2], normalization="batch", input_scaling=standardize(X), class_names=["a", "ü"])
    both = Ensemble([MLP([2, 2], loss="squared_error", activation=[], seed=seed) for seed in range(2)])
    leaky = MLP([2, 3, 1], loss="sigmoid_binary_cross_entropy", activation="leaky_relu(slope = 0.1)", dtype="float64")
    return [
        *_made(*(lambda path, net=net: save_model(net, path, recipe={"epochs": 3}) for net in (net, both, leaky)))
    ]


def _estimators() -> list[bytes]:
    settings = {"hidden_layer_sizes": (3,), "max_iter": 2, "tol": 1.0, "n_iter_no_change": 1, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs are not enough
        names = numlp.sklearn.MLPClassifier(**settings).fit(X, np.array(["a", "ü"])[Y])
        numbers = numlp.sklearn.MLPClassifier(**settings).fit(X, 3 * Y)
        regressor = numlp.sklearn.MLPRegressor(**settings).fit(X, X)
    return _made(
        *(lambda path, each=each: numlp.sklearn.save_model(each, path) for each in (names, numbers, regressor))
    )


def _read_model(path: Path) -> None:
    model = load_model(path)
    read_description(path)
    tensor_shapes(path)
    model.predict(np.zeros((2, model.layer_size[0])))


def _train(path: Path, **settings: object) -> MLP:
    network, stopping = MLP([2, 3, 2]), EarlyStopping("validation_loss", patience=3)
    train(
        network,
        (X, Y),
        validation=(X, Y),
        optimizer="adam",
        after_epoch=[stopping, *settings.pop("after", [])],
        **settings,
    )
    return network


def _checkpoints() -> list[bytes]:
    return _made(lambda path: _train(path, epochs=2, averaging=0.5, after=[Chain(STAGE), Checkpoint(path)]))


def _read_checkpoint(path: Path) -> None:
    describe_checkpoint(path)
    _train(path, epochs=2, averaging=0.5, after=[Chain(STAGE)], resume=path)


def _records() -> list[bytes]:
    chain = Chain(STAGE)
    network = Network.of(chain, _train(Path(), epochs=2, averaging=0.5, after=[chain]))
    networks = network, dataclasses.replace(network, calibrated="1" * 64)
    files = [*ALWAYS, "figures/loss.png"]
    environment = {"python": "CPython 3.13", "blas": "openblas"}
    predicate = Predicate(
        {"epochs": 2}, "portable", {"training": "0" * 64}, "0.1.0", "0" * 64, environment, "completed", networks
    )

    def write(path: Path) -> None:
        write_statement(path.parent, Statement(dict.fromkeys(files, "0" * 64), predicate))
        (path.parent / PROVENANCE).rename(path)

    return _made(write)


def _read_record(path: Path) -> None:
    differing(path.parent, read_provenance(path.parent).subjects)


def _onnx_files() -> list[bytes]:
    encoding = learn_encoding(
        Table(
            {
                "age": np.array([20.0, 60.0, np.nan, 41.0]),
                "city": np.array(["Ulm", "Bonn", None, "Ulm"], dtype=object),
                "street": np.array(["a", "a", "b", "b"], dtype=object),
                "since": np.array(["2001-01-01", "2019-05-01T12", "NaT", "2021-11-15"], "datetime64[us]"),
            }
        ),
        bins=3,
        one_hot=1,
        width=2,
    )
    nets = [
        MLP([4, 3, 2], input_encoding=encoding),
        Ensemble([MLP([4, 2], input_encoding=encoding, seed=seed) for seed in range(2)]),
        MLP([3, 4, 2], normalization="layer", activation="gelu"),
        Ensemble([MLP([3, 4, 2], normalization="batch", seed=seed) for seed in range(2)]),
        MLP(
            [4, 2], loss="squared_error", input_shape=(2, 2), input_scaling=standardize(np.arange(8.0).reshape(2, 4))
        ),
    ]
    others = [
        path.read_bytes()
        for path in sorted((ROOT / "reference/onnx").glob("*.onnx"))
        if path.stem != "torch_external"
    ]
    return _made(*(lambda path, net=net: export_onnx(net, path) for net in nets)) + others


EXTERNAL = (ROOT / "reference/onnx/torch_external.onnx").read_bytes()
NUMBERS = (ROOT / "reference/onnx/torch_external.onnx.data").read_bytes()


def _images(form: str, *modes: str) -> list[bytes]:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    images = [Image.fromarray(pixels).convert(mode) for mode in modes]
    if "RGBA" in modes:  # white ink on a transparent ground
        images[-1] = Image.new("RGBA", (8, 8), "white")
        images[-1].putalpha(Image.fromarray(pixels))
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    with_exif = {"exif": exif.tobytes()} if form in ("png", "jpeg", "webp") else {}
    return [
        _written(lambda file, image=image, more=more: image.save(file, form, **more))
        for image in images
        for more in ({}, with_exif)
    ]


def _png_files() -> list[bytes]:
    deep = Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000)
    return [*_images("png", "L", "P", "1", "LA", "RGBA"), _written(lambda file: deep.save(file, "png"))]


def _read_image(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is done to an image is told
        read_image(path, MLP([64, 2], input_shape=(8, 8), input_scaling=standardize(np.zeros((2, 8, 8), np.uint8))))


def _snapshots() -> list[bytes]:
    return _made(lambda path: save_snapshots({0: X, 3: X + 1}, path))


READERS = {
    "idx": Reader("some-idx", read_idx, _idx_files),
    "gzip": Reader("some-idx.gz", read_idx, lambda: [gzip.compress(each) for each in _idx_files()], packing.gzipped),
    "npy": Reader("x.npy", lambda path: np.asarray(read_samples(path)).tolist(), _npy_files, packing.npy),
    "stored_idx": Reader("some-idx", lambda path: stored_idx(path)[:], _idx_files),
    "stored_npy": Reader("x.npy", lambda path: stored_npy(path)[:], lambda: _npy_files()[:2], packing.npy),
    "npz": Reader("xy.npz", lambda path: load_dataset(path, validation=0.5), _npz_files, packing.zipped),
    "csv": Reader("table.csv", lambda path: load_dataset(path, target="y", validation=0.5), _csv_files),
    "csv_gzip": Reader(
        "table.csv.gz",
        lambda path: load_dataset(path, target="y", validation=0.5),
        lambda: [gzip.compress(each) for each in _csv_files()],
        packing.gzipped,
    ),
    "parquet": Reader("table.parquet", read_samples, lambda: _tables("parquet")),
    "json_lines": Reader("table.jsonl", read_samples, lambda: _tables("json")),
    "recipe": Reader(
        "recipe.toml", load_recipe, lambda: [RECIPE, *(recipe_text(name).encode() for name in recipe_names())]
    ),
    "model": Reader("model.safetensors", _read_model, _models, packing.tensors),
    "estimator": Reader(
        "estimator.safetensors",
        lambda path: numlp.sklearn.load_model(path).predict(np.zeros((2, 2))),
        _estimators,
        packing.tensors,
    ),
    "checkpoint": Reader("0.safetensors", _read_checkpoint, _checkpoints, packing.tensors),
    "snapshots": Reader("snapshots.safetensors", load_snapshots, _snapshots, packing.tensors),
    "onnx": Reader("net.onnx", import_onnx, _onnx_files, packing.onnx_graph),
    "onnx_external": Reader(
        "net.onnx",
        import_onnx,
        lambda: [EXTERNAL],
        packing.onnx_external,
        beside={"torch_external.onnx.data": NUMBERS},
    ),
    "onnx_data": Reader(
        "torch_external.onnx.data",
        lambda path: import_onnx(path.with_name("net.onnx")),
        lambda: [NUMBERS],
        beside={"net.onnx": EXTERNAL},
    ),
    "png": Reader("image.png", _read_image, _png_files, packing.png),
    "jpeg": Reader("image.jpg", _read_image, lambda: _images("jpeg", "L", "RGB")),
    "webp": Reader("image.webp", _read_image, lambda: _images("webp", "RGB", "RGBA")),
    "gif": Reader("image.gif", _read_image, lambda: _images("gif", "L", "P", "RGBA")),
    "bmp": Reader("image.bmp", _read_image, lambda: _images("bmp", "1", "L", "P", "RGB", "RGBA")),
    "digests": Reader(
        "data.json",
        lambda path: check_digests(path.parent, DATASET),
        lambda: [json.dumps({"blake2b": digests(DATASET)}).encode()],
    ),
    "history": Reader(
        "history.csv",
        lambda path: load_run(path.parent),
        lambda: [HISTORY],
        beside={"recipe.toml": RECIPE, "metrics.json": METRICS},
    ),
    "metrics": Reader(
        "metrics.json",
        lambda path: load_run(path.parent),
        lambda: [METRICS],
        packing.json_text,
        {"recipe.toml": RECIPE, "history.csv": HISTORY},
    ),
    "provenance": Reader(PROVENANCE, _read_record, _records, packing.json_text, {"recipe.toml": RECIPE}),
}
