"""`numlp train` on data larger than memory: runs resume, are verified to the bit, and have all that others have."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numlp.data import chunked
from numlp.datasets import sizes, slices
from numlp.runs.recipes import load_recipe
from numlp.runs.unfinished import checkpoint_path

SETTINGS = (
    "--target",
    "price",
    "--memory",
    "256MiB",
    "--layers",
    "8",
    "--schedule",
    "constant",
    "--batch-size",
    "16",
)


@pytest.fixture
def small(monkeypatch):
    """Let all data be too large for memory, and chunks be of a few rows."""
    monkeypatch.setattr(sizes, "size_in_memory", lambda name: 1 << 60)
    monkeypatch.setattr(slices, "_HELD", 1 << 60)
    monkeypatch.setattr(slices, "_SAMPLE", 50)
    monkeypatch.setattr(chunked, "_CHUNKS", 1 << 15)


def test_a_run_resumes_verifies_and_reports(numlp, houses, small):
    code, out, err = numlp("train", houses, *SETTINGS, "--epochs", "4", "--output", "whole")
    assert code == 0, err
    assert "don't fit into the memory that they may take" in out
    assert load_recipe("whole").memory == "256MiB"
    assert "fit into memory: the sections below show a sample of" in Path("whole/report.html").read_text()
    metrics = json.loads(Path("whole/metrics.json").read_text())
    assert np.isfinite([metrics[part]["root_mean_squared_error"] for part in ("train", "validation")]).all()
    assert numlp("train", houses, *SETTINGS, "--epochs", "2", "--output", "run", "--no-report")[0] == 0
    assert numlp("resume", "run", "--epochs", "4", "--no-report")[0] == 0
    assert Path("run/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    code, out, err = numlp("verify", "run", "--retrain")
    assert code == 0, out + err


def test_files_are_evaluated_and_predicted_in_chunks(numlp, houses, monkeypatch):
    """As in memory, by rows in memory and in chunks: of a table, and of an array of pixels with classes."""
    settings = ["--epochs", "1", "--no-report", "--layers", "4", "--folds", "none", "--arithmetic", "portable"]
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.integers(0, 256, (70, 3, 2), np.uint8))
    np.save("y.npy", rng.integers(0, 3, 70))
    assert numlp("train", houses, "--target", "price", *settings, "--output", "of-table")[0] == 0
    assert numlp("train", "x.npy", "--target", "y.npy", *settings, "--output", "of-arrays")[0] == 0
    commands = {
        "table": ("evaluate", "of-table", houses, "--json"),
        "arrays": ("evaluate", "of-arrays", "x.npy", "--target", "y.npy", "--json"),
        "values": ("predict", "of-table", houses, "--output", "{}-values.csv"),
        "parquet": ("predict", "of-table", houses, "--output", "{}-values.parquet"),
        "classes": ("predict", "of-arrays", "x.npy", "--output", "{}-classes.csv"),
    }

    def outputs(when):
        found = {name: numlp(*(part.format(when) for part in command)) for name, command in commands.items()}
        assert not any(code for code, _, _ in found.values()), found
        return {name: json.loads(out) for name, (_, out, _) in found.items() if name in ("table", "arrays")}

    whole = outputs("whole")
    monkeypatch.setattr(sizes, "size_in_memory", lambda name: 1 << 60)
    monkeypatch.setattr(slices, "_HELD", 1 << 60)
    monkeypatch.setattr(chunked, "_CHUNKS", 1 << 20)
    parts = outputs("parts")
    for name, result in whole.items():
        assert result.keys() - parts[name].keys() <= {"roc_auc"}
        for key, value in parts[name].items():
            assert value == (pytest.approx(result[key], rel=1e-5) if isinstance(value, float) else result[key])
    for name in ("values.csv", "classes.csv"):
        assert Path(f"parts-{name}").read_text() == Path(f"whole-{name}").read_text()
    duckdb = pytest.importorskip("duckdb")
    rows = [duckdb.sql(f"SELECT * FROM '{when}-values.parquet'").fetchall() for when in ("whole", "parts")]
    assert rows[0] == rows[1]
    code, _, err = numlp("predict", "of-table", houses)
    assert (code, "name a file for --output" in err) == (2, True)


def test_data_that_fit_leave_no_memory_in_the_recipe(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--epochs", "1", "--output", "run", "--no-report")[0] == 0
    assert load_recipe("run").memory is None


def test_folders_of_tables_train_and_are_evaluated(numlp, houses):
    Path("parts").mkdir()
    lines = Path(houses).read_text().splitlines()
    for i in range(2):
        Path(f"parts/{i}.csv").write_text("\n".join([lines[0], *lines[1 + i :: 2]]))
    assert numlp("train", "parts", "--target", "price", "--epochs", "1", "--output", "run", "--no-report")[0] == 0
    code, out, err = numlp("evaluate", "run", "parts", "--json")
    assert code == 0, err
    assert json.loads(out)["samples"] == 300
    assert numlp("predict", "run", "parts", "--output", "p.csv")[1] == "p.csv: 300 predictions\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_killed_run_within_little_memory_resumes_to_the_same_bits(numlp, tmp_path):
    """The rows, of 72 MB, take more than they may; the process has less than reading them into memory would take."""
    rows, width = 90_000, 800
    x = np.zeros((rows, width), np.uint8)
    y = np.arange(rows) * 4 // rows  # sorted
    for label in range(4):
        x[y == label, label * 8 : label * 8 + 8] = 200
    np.save("x.npy", x)
    np.save("y.npy", y)
    del x
    settings = ["--target", "y.npy", "--memory", "64MiB", "--layers", "none", "--batch-size", "2000", "--epochs", "3"]
    settings += ["--recipe", "default", "--schedule", "constant", "--checkpoint-every", "1", "--no-report"]
    settings += ["--processes", "1", "--optimizer", "adam", "--input-noise", "0"]  # which takes most of the time
    command = [sys.executable, "-m", "numlp", "train", "x.npy", *settings]
    measure = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=-3).returncode; "
    measure += "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    whole = subprocess.run(
        [sys.executable, "-c", measure, *command, "--output", "whole"], capture_output=True, check=True
    )
    code, most = map(int, whole.stdout.split())
    assert code == 0, whole.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert most * unit < 320_000_000  # of which Python, NumPy, matplotlib and others take some 150
    process = subprocess.Popen([*command, "--output", "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not checkpoint_path(Path("run"), 0).exists():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert numlp("resume", "run", "--no-report")[0] == 0
    assert Path("run/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    assert json.loads(Path("run/metrics.json").read_text())["train"]["accuracy"] == 1
