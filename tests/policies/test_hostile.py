"""Hostile files raise one clear error, quickly and with little memory: one test for each trick.

Tests of a single format are beside the other tests of its reader.
"""

import contextlib
import functools
import gzip
import io
import json
import math
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from random import Random

import numpy as np
import onnx
import pytest
from fuzz.mutations import mutated
from fuzz.readers import READERS, Reader
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from PIL import Image
from safetensors.numpy import load_file, save_file

from numlp import MLP, load_dataset, load_model, save_model, standardize
from numlp.cli import main
from numlp.datasets.idx import read_idx
from numlp.datasets.image import read_image
from numlp.datasets.readers import read_parts, read_samples
from numlp.datasets.reading import Reading
from numlp.errors import DataError, FileFormatError, NumlpError, SettingError
from numlp.files.checkpoints import read_checkpoint, write_checkpoint
from numlp.files.models import read_description
from numlp.onnx import import_onnx
from numlp.runs.folder import load_run
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe
from numlp.runs.unfinished import checkpoint_path, model_path
from numlp.settings import limits
from numlp.training.snapshots import load_snapshots

TESTS = Path(__file__).parents[1]
FINDINGS = sorted(path for path in (TESTS / "fuzz/findings").glob("*/*"))


def read_table(path, target=None):
    return read_parts(path, Reading(target)).parts["train"]


@functools.cache
def slowness():
    """Return how many times as long as usual this machine takes for a fixed piece of work, at least 1."""
    started = time.process_time()
    for _ in range(10**7):
        pass
    return max(1.0, (time.process_time() - started) / 0.3)


@contextlib.contextmanager
def quickly(seconds=2.0, mebibytes=1.0):
    """Check that a file is refused before it costs much time or memory; watching the memory itself takes time."""
    tracemalloc.start()
    started = time.process_time()  # other processes may be busy
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * 2**20
        spent = time.process_time() - started
        assert spent < seconds * slowness()
    finally:
        tracemalloc.stop()


# --- Any file, to every reader


def put(reader: Reader, folder: Path, content: bytes) -> Path:
    for name, other in reader.beside.items():
        (folder / name).write_bytes(other)
    path = folder / reader.file
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module", params=READERS)
def reader(request):
    return READERS[request.param], READERS[request.param].seeds()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def test_honest_files_are_read(reader, tmp_path):
    read, seeds = reader
    for seed in seeds:
        with contextlib.suppress(FileFormatError):  # one of the ONNX files has a convolution
            read.read(put(read, tmp_path, seed))


@given(data=st.data())
@settings(max_examples=40)  # of each reader; test_thousands_of_mutated_files tries others each time
@pytest.mark.filterwarnings("ignore")
def test_a_file_with_a_piece_replaced_is_read_or_raises_an_error_of_numlp(reader, folder, data):
    read, seeds = reader
    content = bytearray(data.draw(st.sampled_from(seeds)))
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    with contextlib.suppress(NumlpError):
        read.read(put(read, folder, bytes(content)))


@given(data=st.data(), number=st.integers(0, 2**32))
@settings(max_examples=40)
@pytest.mark.filterwarnings("ignore")
def test_a_file_changed_inside_is_read_or_raises_an_error_of_numlp(reader, folder, data, number):
    read, seeds = reader
    rng = Random(number)
    content = read.repack(rng, data.draw(st.sampled_from(seeds)), lambda part: mutated(rng, part, seeds))
    with contextlib.suppress(NumlpError):
        read.read(put(read, folder, content))


odd_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(list(Recipe.__dataclass_fields__)), value=odd_values)
def test_recipes_with_odd_values(name, value):
    with contextlib.suppress(NumlpError):
        Recipe.from_dict({name: value})


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.filterwarnings("ignore")
def test_inputs_found_by_fuzzing_stay_fixed(path, tmp_path):
    read = READERS[path.parent.name]
    with contextlib.suppress(NumlpError), quickly(mebibytes=256):
        read.read(put(read, tmp_path, path.read_bytes()))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_thousands_of_mutated_files():
    """A short attack that watches actions, time and memory; `make mutate` runs the long one."""
    command = [sys.executable, "-m", "fuzz.mutate", "--files", "3900", "--seed", str(time.time_ns())]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3,900 files, 0 findings" in done.stdout


# --- Archives


def npy(array):
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + array.tobytes()


def archive(path, members, packing=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


X, Y = npy(np.zeros((3, 2))), npy(np.arange(3.0))


@pytest.fixture(scope="module")
def zeros(folder):
    """300 MB of zeros, in 300 KB."""
    path = folder / "bomb.npz"
    header = npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(300000000,)")
    header = header[:8] + struct.pack("<H", len(header) - 10) + header[10:]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("x", "y"):
            with file.open(f"{name}.npy", "w") as member:
                member.write(header)
                for _ in range(300):
                    member.write(bytes(10**6))
    return path


def test_zip_bombs_are_refused(zeros):
    assert zeros.stat().st_size < 10**6
    with quickly(), pytest.raises(FileFormatError, match=r"x.npy claims 300,000,0.. bytes"):
        read_table(zeros)


def test_zip_bombs_in_archives_are_not_opened(zeros, tmp_path):
    archive(tmp_path / "x.npz", [("x.npy", zeros.read_bytes()), ("y.npy", Y)])
    with quickly(mebibytes=4), pytest.raises(FileFormatError, match="isn't a file of plain NumPy arrays"):
        read_table(tmp_path / "x.npz")


def test_overlapping_members_are_refused(tmp_path):
    path = archive(tmp_path / "x.npz", [("x.npy", X), ("y.npy", Y)])
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # y begins at the same place as x
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged"):
        read_table(path)


@pytest.mark.parametrize("size", [0, 1, 2**31, 2**32 - 2])
@pytest.mark.parametrize("offset", [20, 24])
def test_members_with_a_false_size_are_refused(tmp_path, offset, size):
    path = archive(tmp_path / "x.npz", [("y.npy", Y), ("x.npy", X)])
    content = bytearray(path.read_bytes())
    begin = content.rindex(b"PK\x01\x02")
    content[begin + offset : begin + offset + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    with quickly(), pytest.raises(FileFormatError, match="damaged"):
        read_table(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_compressed_as_numpy_never_does_are_refused(tmp_path, packing):
    archive(tmp_path / "x.npz", [("x.npy", X), ("y.npy", Y)], packing)
    with pytest.raises(FileFormatError, match="compressed by a method that NumPy doesn't use"):
        read_table(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["../x.npy", "/x.npy", "C:\\x.npy", "a/../x.npy", "x.npy/"])
def test_paths_in_archives_are_only_names(tmp_path, name):
    (tmp_path / "here").mkdir()
    path = archive(tmp_path / "here/x.npz", [(name, X), ("y.npy", Y)])
    with pytest.raises(FileFormatError, match="has no array 'x'"):
        read_table(path)
    assert [each.name for each in tmp_path.rglob("*")] == ["here", "x.npz"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["x.npy", "x", "x.npy\0.txt"])
def test_two_members_of_one_name_are_refused(tmp_path, again):
    archive(tmp_path / "x.npz", [("x.npy", X), ("y.npy", Y), (again, X)])
    with pytest.raises(FileFormatError, match="has several arrays 'x'"):
        read_table(tmp_path / "x.npz")


def test_gzip_bombs_are_refused(tmp_path):
    header = struct.pack(">BBBBI", 0, 0, 8, 1, 300_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = packer.compress(header) + b"".join(packer.compress(bytes(10**6)) for _ in range(300)) + packer.flush()
    (tmp_path / "x.gz").write_bytes(content)
    with quickly(), pytest.raises(FileFormatError, match="the file can't hold so many"):
        read_idx(tmp_path / "x.gz")
    (tmp_path / "y.gz").write_bytes(gzip.compress(content))
    with quickly(), pytest.raises(FileFormatError, match="not an IDX file"):
        read_idx(tmp_path / "y.gz")


# --- Headers


@pytest.fixture
def model(tmp_path):
    save_model(MLP([2, 3, 2]), tmp_path / "model.safetensors", recipe={"epochs": 3})
    return tmp_path / "model.safetensors"


def with_header(path, edit):
    """Change the text of a safetensors file's header."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = edit(content[8:end].decode().rstrip()).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[end:])


OPENERS = [load_model, read_description, read_checkpoint, load_snapshots]


@pytest.mark.parametrize("read", OPENERS)
def test_headers_of_100_megabytes_are_refused(tmp_path, read):
    with open(tmp_path / "big", "wb") as file:
        file.write(struct.pack("<Q", 10**8))
        file.truncate(10**8 + 100)
    with quickly(), pytest.raises(FileFormatError, match="its header claims 100,000,000 bytes"):
        read(tmp_path / "big")


def test_an_array_s_header_of_100_megabytes_is_refused(tmp_path):
    for name in ("x.npy", "member"):
        with open(tmp_path / name, "wb") as file:
            file.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", 10**8))
            file.truncate(10**8 + 100)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_STORED) as file:
        file.write(tmp_path / "member", "x.npy")
    for name in ("x.npy", "x.npz"):
        with quickly(), pytest.raises(FileFormatError, match="its header claims 100,000,000 bytes"):
            read_samples(tmp_path / name)


@pytest.mark.parametrize("read", OPENERS)
def test_hundreds_of_thousands_of_tensors_are_refused(tmp_path, read):
    entries = (f'"{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(200_000))
    header = ("{" + ",".join(entries) + "}").encode()
    (tmp_path / "many").write_bytes(struct.pack("<Q", len(header)) + header)
    with quickly(seconds=8, mebibytes=100), pytest.raises(FileFormatError, match="more than 65,536 objects"):
        read(tmp_path / "many")


@pytest.mark.parametrize(
    "edit",
    [
        lambda header: header[:-1] + ',"linear.0.weight":' + header.split('"linear.0.weight":')[1],
        lambda header: header.replace('"__metadata__":{', '"__metadata__":{"numlp":"{}",'),
        lambda header: header.replace('\\"ensemble\\"', '\\"dtype\\": 1, \\"ensemble\\": true, \\"ensemble\\"'),
    ],
    ids=["tensors", "metadata", "description"],
)
def test_repeated_keys_are_refused(model, edit):
    with_header(model, edit)
    with pytest.raises(FileFormatError):
        load_model(model)
    with pytest.raises(FileFormatError):
        read_description(model)


@pytest.mark.parametrize("read", [load_model, load_run, load_recipe])
def test_repeated_keys_in_texts_are_refused(tmp_path, model, read):
    run = make_run(tmp_path / "run", model)
    (run / "metrics.json").write_text('{"epochs": 1, "epochs": 2}')
    (run / "recipe.toml").write_text("epochs = 1\nepochs = 2\n")
    with_header(
        run / "model.safetensors", lambda header: header.replace('\\"format\\"', '\\"format\\": 1, \\"format\\"')
    )
    with pytest.raises(FileFormatError):
        read(model_path(run) if read is load_model else run)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[2,3]", "[-2,3]"),
        ("[2,3]", "[2,18446744073709551619]"),
        ("[2,3]", "[4294967296,4294967296,4294967296]"),
        ("[2,3]", "[" + "1," * 80 + "6]"),
        ("[2,3]", "2"),
        ('"F32"', '"BF16"'),
        ('"F32"', '"F8_E4M3"'),
        ('"F32"', '"F4"'),
        ('"F32"', '["F32"]'),
        ("data_offsets", "offsets"),
    ],
)
def test_invalid_sizes_and_types_of_tensors_are_refused(model, old, new):
    with_header(model, lambda header: header.replace(old, new, 1))
    for read in OPENERS:
        with quickly(), pytest.raises(FileFormatError):
            read(model)


def test_weights_of_nan_are_refused(model):
    tensors = load_file(model)
    tensors["linear.1.weight"][2, 1] = np.nan
    save_file(tensors, model, {"numlp": json.dumps(read_description(model))})
    with pytest.raises(FileFormatError, match="NaN or infinity"):
        load_model(model)


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("epoch", -(10**18)),
        ("step", -1),
        ("epoch", math.inf),
        ("epoch", math.nan),
        ("loss", "small"),
        ("callbacks", []),
        ("callbacks", {"0": 3}),
        ("history", 3),
        ("history", [3]),
        ("ended_by", [7]),
        ("ended_by", 1),
        ("averaged", math.inf),
    ],
)
def test_invalid_figures_of_checkpoints_are_refused(tmp_path, figure, value):
    (content,) = READERS["checkpoint"].seeds()
    (tmp_path / "c").write_bytes(content)
    checkpoint = read_checkpoint(tmp_path / "c")
    checkpoint.figures[figure] = value
    write_checkpoint(checkpoint, tmp_path / "c")
    with quickly(), pytest.raises(FileFormatError, match="belongs to another run, or is damaged"):
        READERS["checkpoint"].read(tmp_path / "c")


# --- Texts


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, "[" * 10**5 + "]" * 10**5])
def test_endless_json_is_refused(tmp_path, model, text):
    run = make_run(tmp_path / "run", model)
    (run / "metrics.json").write_text(text)
    with quickly(mebibytes=4), pytest.raises(FileFormatError, match="is damaged"):
        load_run(run)
    tensors = load_file(model)
    save_file(tensors, model, {"numlp": text})
    for read in (load_model, read_checkpoint):
        with quickly(mebibytes=4), pytest.raises(FileFormatError):
            read(model)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 10**5,
        "a = " + "{a = " * 10**4,
        "a." * 10**5 + "a = 1",
        "'a' . " * 10**4 + "a = 1",
        "[" + "a." * 10**5 + "a]",
        "a" * 10**5,
        "'" * 10**5,
        "a.a." * 2 * 10**4 + "=",
        "data = '" + "x" * 10**6 + "'",
        "epochs = 0x" + "f" * 10**5,
        "epochs = " + "9" * 10**5,
        "seed = 0o" + "7" * 10**5,
        "\0",
    ],
    ids=lambda text: text[:8],
)
def test_endless_toml_is_refused(tmp_path, text):
    (tmp_path / "recipe.toml").write_text(text)
    with quickly(mebibytes=32), pytest.raises(NumlpError):
        load_recipe(tmp_path / "recipe.toml")


@pytest.mark.parametrize("optimizer", ["sgd" + " " * 10**6 + "!", "sgd(" + "a." * 10**5 + "a = 1)", "a" * 10**6])
def test_endless_names_are_refused(optimizer):
    with quickly(mebibytes=8), pytest.raises(SettingError) as error:
        Recipe(optimizer=optimizer)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("layers", ["[1_000_000_000]", "[8, 1_000_000_000, 8]", "[9223372036854775807]"])
def test_recipes_with_a_billion_units_are_refused(tmp_path, layers, capsys):
    (tmp_path / "recipe.toml").write_text(f"layers = {layers}\n")
    with (
        quickly(),
        pytest.raises(SettingError, match=r"layers must be a whole number from 1 to 16777216, not \d{10}"),
    ):
        load_recipe(tmp_path / "recipe.toml")
    assert main(["train", "mnist", "--recipe", str(tmp_path / "recipe.toml"), "--output", str(tmp_path / "run")]) == 2
    assert "layers must be a whole number" in capsys.readouterr().err
    with quickly(), pytest.raises(SettingError, match="layer_size"):
        MLP([2, 10**9, 2])


# --- CSV


def columns(count):
    return ",".join(f"c{i}" for i in range(count)) + "\n" + ",".join(["1"] * count) + "\n"


def test_csv_with_a_million_columns_is_refused(tmp_path):
    path = tmp_path / "wide.csv"
    for content in (columns(10**6), "," * 10**7, '"\n",' * 10**6, columns(10**4)):
        path.write_text(content)
        with quickly(seconds=5, mebibytes=128), pytest.raises(FileFormatError, match=r"longer than|columns"):
            read_samples(path)


def test_csv_with_hundreds_of_columns_is_read_quickly(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(columns(500))
    with quickly(seconds=20, mebibytes=256):
        assert read_table(path, "c7").x.shape == (1, 499)
        with pytest.raises(SettingError, match=r"Available: c0, c1, .* \(500 in all\)"):
            read_table(path, "absent")
        path.write_text(columns(500).replace("c499\n", "c0\n"))
        with pytest.warns(UserWarning, match="one is called 'c0"):
            assert "c0 (2)" in read_samples(path).columns


@pytest.mark.parametrize("start", ["", "a,b\n1,2\n", "a,b\n1,2\n3,"])
def test_csv_of_one_line_of_4_gigabytes_is_refused(tmp_path, start):
    with open(tmp_path / "x.csv", "wb") as file:
        file.write(start.encode() + b"9" * 2 * limits.LINE)
        file.truncate(4 << 30)
    with quickly(mebibytes=32), pytest.raises(FileFormatError, match="a line is longer than 1,048,576 bytes"):
        read_samples(tmp_path / "x.csv")


def test_csv_of_few_bytes_that_unpack_to_many_is_refused(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 40_000_000, 1))
    with (
        quickly(seconds=5, mebibytes=32),
        pytest.raises(FileFormatError, match="unpacks to more than 134,217,728 bytes"),
    ):
        read_samples(tmp_path / "x.csv.gz")


def test_a_long_cell_among_many_rows_takes_its_own_length(tmp_path):
    (tmp_path / "x.csv").write_text(
        "a,y\n" + "".join(f"{i},b\n" for i in range(20_000)) + "1," + "c" * 100_000 + "\n"
    )
    with quickly(seconds=5, mebibytes=64):
        assert len(load_dataset(tmp_path / "x.csv", target="y").class_names[-1]) == 100_000


# --- Parquet


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """Write the result of a query as a Parquet file."""
    duckdb = pytest.importorskip("duckdb")

    def write(query):
        path = tmp_path_factory.mktemp("parquet") / "x.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{path}'")
        return path

    return write


def test_every_truncation_of_a_parquet_file_is_refused(parquet, tmp_path):
    content = parquet("SELECT i AS a, 'x' || i AS b FROM range(3) t(i)").read_bytes()
    for length in range(0, len(content), 7):
        path = tmp_path / f"{length}.parquet"
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError):
            read_samples(path)


@pytest.mark.parametrize(
    "query", ["SELECT 7 AS a FROM range(100_000_000)", "SELECT repeat('x', 1_000_000) AS a FROM range(1000)"]
)
def test_a_small_parquet_file_that_unpacks_to_a_gigabyte_is_refused(parquet, query):
    path = parquet(query)
    assert path.stat().st_size < 1 << 20
    with quickly(mebibytes=16), pytest.raises(FileFormatError, match=r"unpacks to .* much more than"):
        read_samples(path)


# --- Folders of runs


def make_run(folder, model):
    folder.mkdir()
    for name, content in {**READERS["history"].beside, "history.csv": READERS["history"].seeds()[0]}.items():
        (folder / name).write_bytes(content)
    (folder / "model.safetensors").write_bytes(model.read_bytes())
    return folder


def read_all(run):
    load_run(run)
    load_model(model_path(run))


FILES = ["recipe.toml", "history.csv", "metrics.json", "gradients.csv", "model.safetensors"]


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_links_out_of_a_run_s_folder_are_refused(tmp_path, model, name, absolute):
    run = make_run(tmp_path / "run", model)
    (run / "gradients.csv").write_bytes((run / "history.csv").read_bytes())
    outside = tmp_path / "outside"
    (run / name).rename(outside)
    (run / name).symlink_to(outside if absolute else Path("..", "outside"))
    with pytest.raises(FileFormatError, match=f"{name} is a link that leads out of the folder"):
        read_all(run)


@pytest.mark.parametrize("name", [name for name in FILES if name != "gradients.csv"])
def test_dangling_and_circular_links_are_refused(tmp_path, model, name):
    for target in ("absent", name):
        run = make_run(tmp_path / f"run-{target}", model)
        (run / name).unlink()
        (run / name).symlink_to(target)
        with pytest.raises(FileFormatError, match=f"no .*file .*{name}"):
            read_all(run)


@pytest.mark.parametrize("name", FILES)
def test_links_within_a_run_s_folder_and_to_it_are_followed(tmp_path, model, name):
    run = make_run(tmp_path / "run", model)
    (run / "gradients.csv").write_bytes((run / "history.csv").read_bytes())
    (run / name).rename(run / "elsewhere")
    (run / name).symlink_to("elsewhere")
    (tmp_path / "link").symlink_to(run)
    read_all(tmp_path / "link")


def test_checkpoints_behind_a_link_are_not_searched(tmp_path, model):
    run, outside = make_run(tmp_path / "run", model), tmp_path / "outside"
    outside.mkdir()
    (run / "checkpoints").symlink_to(outside)
    with pytest.raises(FileFormatError, match="leads out of the folder"):
        checkpoint_path(run, 0)


def test_figures_are_not_drawn_through_a_link(tmp_path, model):
    from numlp.runs.folder import save_figures

    run, outside = make_run(tmp_path / "run", model), tmp_path / "outside"
    outside.mkdir()
    (run / "figures").symlink_to(outside)
    with pytest.raises(FileFormatError, match="leads out of the folder"):
        save_figures(run, Recipe(), MLP([2, 2]), load_run(run).history)
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    "content", ["epoch,x\n1,\0\n", "epoch,x\n1," + "2" * 200_000, "x\n1\n", "epoch,x\n1,2,3\n", "\xff"]
)
def test_invalid_histories_are_refused(tmp_path, model, content):
    run = make_run(tmp_path / "run", model)
    (run / "history.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(FileFormatError, match="is damaged"):
        load_run(run)


# --- images

IMAGES = MLP([64, 2], input_shape=(8, 8), input_scaling=standardize(np.zeros((2, 8, 8), np.uint8)))


def png(width, height, *chunks):
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def test_png_bombs_are_refused(tmp_path):
    path = tmp_path / "bomb.png"
    for side in (8192, 100_000, 2**31 - 1):
        path.write_bytes(png(side, side, (b"IDAT", zlib.compress(bytes(1 << 24), 9))))
        with quickly(), pytest.raises(DataError, match="pixels, but the network takes 8×8"):
            read_image(path, IMAGES)
    packed = zlib.compress(bytes(200 * 10**6), 9)
    image = (b"IDAT", zlib.compress(bytes(72)))
    for chunk in ((b"zTXt", b"a\0\0" + packed), (b"iTXt", b"a\0\1\0\0\0" + packed), (b"iCCP", b"a\0\0" + packed)):
        path.write_bytes(png(8, 8, chunk, image))
        with quickly(mebibytes=8), contextlib.suppress(FileFormatError):
            assert not read_image(path, IMAGES).any()
    path.write_bytes(png(8, 8, (b"IDAT", packed)))
    with quickly(mebibytes=8), contextlib.suppress(FileFormatError):
        assert not read_image(path, IMAGES).any()


def honest(form, **settings):
    file = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("RGB").save(file, form, **settings)
    return bytearray(file.getvalue())


def claims(form, side):
    """An image that claims to have such sides."""
    content = honest(form)
    if form == "jpeg":
        place = content.index(b"\xff\xc0") + 5
        content[place : place + 4] = struct.pack(">HH", side, side)
    elif form == "webp":
        content[12:12] = b"VP8X" + struct.pack("<II", 10, 0) + 2 * (side - 1).to_bytes(3, "little")
        content[4:8] = struct.pack("<I", len(content) - 8)
    elif form == "gif":
        content[6:10] = struct.pack("<HH", side, side)
    else:
        content[18:26] = struct.pack("<ii", side, side)
    return content


@pytest.mark.parametrize(("form", "side"), [("jpeg", 65_000), ("webp", 16_384), ("gif", 65_535), ("bmp", 2**31 - 1)])
def test_bombs_of_other_images_are_refused(tmp_path, form, side):
    path = tmp_path / f"bomb.{form}"
    path.write_bytes(claims(form, side))
    with quickly(mebibytes=4), pytest.raises(NumlpError, match=r"the network takes 8×8|isn't an image"):
        read_image(path, IMAGES)


def test_a_frame_that_is_larger_than_its_image_is_refused(tmp_path):
    content = honest("gif")
    place = content.index(b"\x2c\0\0\0\0\x08\0\x08\0") + 5
    content[place : place + 4] = struct.pack("<HH", 65_535, 65_535)
    (tmp_path / "bomb.gif").write_bytes(content)
    with quickly(mebibytes=4), pytest.raises(NumlpError):
        read_image(tmp_path / "bomb.gif", IMAGES)


def test_thousands_of_scans_of_a_jpeg_are_refused(tmp_path):
    content = honest("jpeg", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    (tmp_path / "bomb.jpg").write_bytes(content[:-2] + last * (2**20 // len(last)) + b"\xff\xd9")
    with quickly(mebibytes=4), pytest.raises(FileFormatError, match="more than 1,000 scans"):
        read_image(tmp_path / "bomb.jpg", IMAGES)


# --- ONNX


def graph(path, weight=None, nodes=None, edit=None):
    weight = weight or helper.make_tensor("w", TensorProto.FLOAT, [3, 2], [0.5] * 6)
    nodes = nodes or [helper.make_node("Gemm", ["x", "w"], ["y"])]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(made)
    if edit:
        edit(model)
    path.write_bytes(model.SerializeToString())
    return path


def external(location):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize(
    "location", ["../secret", "{folder}/secret", "./../here/../secret", "./secret", "deep/secret"]
)
@pytest.mark.parametrize("constant", [True, False])
def test_onnx_weights_in_files_of_other_folders_are_not_read(tmp_path, location, constant):
    (tmp_path / "here/deep").mkdir(parents=True)
    for place in (tmp_path / "secret", tmp_path / "here/secret", tmp_path / "here/deep/secret"):
        place.write_bytes(np.ones(6, np.float32).tobytes())
    tensor = external(location.format(folder=tmp_path))
    nodes = [helper.make_node("Constant", [], ["v"], value=tensor), helper.make_node("Gemm", ["x", "v"], ["y"])]
    path = graph(tmp_path / "here/net.onnx", None if constant else tensor, nodes if constant else None)
    with pytest.raises(FileFormatError, match=r"is stored in another file|which isn't a file in the model's folder"):
        import_onnx(path)


@pytest.mark.parametrize(
    "dims", [[2**62, 4], [2**63 - 1] * 64, [2**62] * 10**6, [1] * 10**6, [-3, -2], [-1, 6], [0] * 10]
)
def test_onnx_tensors_of_enormous_dimensions_are_refused(tmp_path, dims):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(24))
    graph(tmp_path / "net.onnx", tensor)
    with (
        quickly(mebibytes=64),
        pytest.raises(FileFormatError, match=r"has the shape|must have at most 64 dimensions") as error,
    ):
        import_onnx(tmp_path / "net.onnx")
    assert len(str(error.value)) < 500


def test_onnx_inputs_of_enormous_dimensions_are_refused(tmp_path):
    def edit(model):
        dims = model.graph.input[0].type.tensor_type.shape.dim
        for _ in range(10**5):
            dims.add(dim_value=2**62)

    graph(tmp_path / "net.onnx", edit=edit)
    with quickly(mebibytes=64), pytest.raises(FileFormatError, match="must have the shape"):
        import_onnx(tmp_path / "net.onnx")


def test_onnx_of_a_million_nodes_is_refused(tmp_path):
    part = onnx.GraphProto()
    part.node.add()
    path = graph(tmp_path / "net.onnx")
    model = onnx.ModelProto.FromString(path.read_bytes())
    model.graph.ClearField("node")
    # A repeated message is merged and holds the nodes of both.
    wire = part.SerializeToString() * 10**6
    length, varint = len(wire), bytearray()
    while length:
        varint.append(length & 127 | (128 if length > 127 else 0))
        length >>= 7
    path.write_bytes(model.SerializeToString() + bytes([7 << 3 | 2]) + varint + wire)
    with quickly(mebibytes=64), pytest.raises(FileFormatError, match="must have at most 65,536 nodes, not 1,000,000"):
        import_onnx(path)
