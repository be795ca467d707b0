"""Trainings under mpiexec: the bits of one process, what rank 0 says, and how all end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torture_mpi

from numlp.parallel.launch import code_of, launched
from numlp.runs.folder import load_run
from numlp.settings.checks import as_bytes

pytest.importorskip("mpi4py", reason="mpi4py isn't installed: pip install mpi4py mpich")
if not Path(sys.executable).with_name("mpiexec").exists():
    pytest.skip("this environment has no mpiexec: pip install mpich", allow_module_level=True)

QUICK = ["--layers", "8,8", "--epochs", "2", "--batch-size", "32", "--no-report", "--folds", "none"]
LIBRARY = """
import hashlib, json
import numpy as np, numlp
team = numlp.MPITeam()
rng = np.random.default_rng(0)
x, y = rng.normal(size=(50, 6)).astype(np.float32), rng.integers(0, 3, 50)
found = {}
for name, network, settings in CASES:
    net = numlp.MLP([6, 8, 7, 3], seed=1, **network)
    settings = {"batch_size": 12, "epochs": 2, "seed": 2, "team": team, **settings}
    history = numlp.train(net, (x, y), validation=(x[:9], y[:9]), **settings)
    found[name] = net.params.tolist(), history["train_loss"], history["validation_loss"]
if team.rank == 0:
    print(json.dumps(found))
"""
LARGER = """
import sys
from pathlib import Path
from numlp.cli import main
from numlp.data.windows import WindowedBatches
from numlp.datasets import sizes, slices
sizes.size_in_memory, slices._HELD = lambda name: 1 << 60, 1 << 60
windows = WindowedBatches._windows
def removing(batches, epoch):
    if epoch:
        Path("x.npy").unlink(missing_ok=True)  # the other rank may have been sooner
    return windows(batches, epoch)
if REMOVES:
    WindowedBatches._windows = removing
sys.exit(main(sys.argv[1:]))
"""
CASES = [
    ("portable", {"arithmetic": "portable", "normalization": "batch", "dropout": 0.2}, {"mixup": 0.2}),
    ("layers", {"arithmetic": "portable", "normalization": "layer"}, {"optimizer": "adam", "clip_norm": 0.1}),
    ("ordinary", {"normalization": "batch", "noise": 0.1}, {"optimizer": "adam"}),
]


def mpiexec(size, *arguments, cwd=None, python=sys.executable):
    """Run a program of so many ranks; return its exit code, output and errors."""
    command = [*torture_mpi.mpiexec(sys.executable), "-n", str(size), python, *map(str, arguments)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=600)
    return found.returncode, found.stdout, found.stderr


@pytest.fixture
def data(tmp_path):
    torture_mpi.write_data(tmp_path / "data.csv")
    return tmp_path / "data.csv"


def test_the_library_learns_the_same_with_any_number_of_ranks():
    found = []
    for size in (1, 2, 3, 4):
        code, out, err = mpiexec(size, "-c", f"CASES = {CASES!r}\n{LIBRARY}")
        assert code == 0, err
        found.append(json.loads(out))
    for other in found[1:]:
        for name in ("portable", "layers"):
            assert other[name] == found[0][name]
        for mine, its in zip(other["ordinary"], found[0]["ordinary"], strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-5)


def test_a_run_is_rank_0s_and_resumes_with_other_numbers(data, tmp_path):
    portable = [*QUICK, "--target", "y", "--arithmetic", "portable"]
    for size, name, epochs in ((1, "alone", "4"), (3, "three", "2")):
        given = [*portable, "--epochs", epochs, "--schedule", "constant", "--output", name]
        code, out, err = mpiexec(size, "-m", "numlp", "train", data, *given, cwd=tmp_path)
        assert code == 0, err
        assert err == ""
        assert out.count("epoch 1/") == 1
        assert load_run(tmp_path / name).metrics["ranks"] == size
    code, out, err = mpiexec(2, "-m", "numlp", "resume", "three", cwd=tmp_path)
    assert code != 0
    assert err.count("three is a finished run") == 1
    assert "all ranks end" not in out + err
    code, _, err = mpiexec(2, "-m", "numlp", "resume", "three", "--epochs", "4", "--no-report", cwd=tmp_path)
    assert code == 0, err
    assert load_run(tmp_path / "three").metrics["ranks"] == 2
    for name in ("train_loss", "validation_loss"):
        assert load_run(tmp_path / "three").history[name] == load_run(tmp_path / "alone").history[name]


def test_ranks_share_out_rows_that_do_not_fit_into_memory(data, tmp_path):
    portable = [*QUICK, "--target", "y", "--arithmetic", "portable"]
    for size in (1, 2):
        given = [data, *portable, "--output", str(size)]
        code, out, err = mpiexec(size, "-c", f"REMOVES = False{LARGER}", "train", *given, cwd=tmp_path)
        assert code == 0, err
        assert "don't fit into the memory" in out
    for name in ("train_loss", "validation_loss"):
        assert load_run(tmp_path / "1").history[name] == load_run(tmp_path / "2").history[name]
    alone, shared = (as_bytes("memory", load_run(tmp_path / each).recipe.memory) for each in ("1", "2"))
    assert alone // 2 - (1 << 20) <= shared <= alone // 2  # of a machine with two ranks


def test_a_file_that_vanishes_while_ranks_read_it_is_told_once(tmp_path):
    for name, array in (("x", np.zeros((90, 4))), ("y", np.arange(90) % 3)):
        np.save(tmp_path / f"{name}.npy", array)
    given = ["x.npy", "--target", "y.npy", *QUICK, "--output", "run"]
    code, out, err = mpiexec(2, "-c", f"REMOVES = True{LARGER}", "train", *given, cwd=tmp_path)
    assert code != 0
    assert (out + err).count("numlp: error: ") == 1
    assert "x.npy was changed or removed while it was read" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "z"], "unknown target column 'z'"),
        (["--target", "y", "--epoch", "3"], "there is no option --epoch"),
        (["--target", "y", *QUICK, "--batch-size", "2"], "batch_size must be at least 3, a row for each"),
        (["--target", "y", *QUICK, "--processes", "2"], "processes must be 1, not 2"),
        (["--target", "y", *QUICK, "--output", "."], ". already exists: remove it, or name another output folder"),
    ],
)
def test_what_all_ranks_refuse_rank_0_says_once(data, tmp_path, arguments, said):
    code, out, err = mpiexec(3, "-m", "numlp", "train", data, "--output", "run", *arguments, cwd=tmp_path)
    assert code != 0
    assert (out + err).count("numlp: error: ") == 1
    assert said in err
    assert "all ranks end" not in out + err
    assert not (tmp_path / "run").exists()


def test_a_command_that_is_rank_0s_waits_for_no_other(data, tmp_path):
    code, out, err = mpiexec(2, "-m", "numlp", "find-lr", data, "--target", "y", "--output", "a.png", cwd=tmp_path)
    assert code == 0, err
    assert out.count("try --learning-rate") == 1
    code, _, err = mpiexec(2, "-m", "numlp", "tune", data, "--target", "y", cwd=tmp_path)
    assert code != 0
    assert err.count("leave mpiexec out") == 1


def test_without_mpi4py_rank_0_names_the_package(data, tmp_path):
    program = "import sys; sys.modules['mpi4py'] = None; from numlp.cli import main; sys.exit(main(sys.argv[1:]))"
    code, _, err = mpiexec(2, "-c", program, "train", data, "--target", "y", cwd=tmp_path)
    assert code != 0
    assert err.count("needs mpi4py; install numlp with the extra 'mpi'") == 1


@pytest.mark.parametrize("kind", torture_mpi.KINDS)
def test_a_rank_that_fails_ends_all(kind, tmp_path):
    if kind == "full disk" and not torture_mpi.may_mount(tmp_path):
        pytest.skip("this user may not mount a small disk")
    assert torture_mpi.fail_once(sys.executable, kind, 2, 0.0, tmp_path, trained=True, patience=120) == ""


def test_which_rank_this_is(monkeypatch):
    for name in ("PMI_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert launched() is None
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "1")
    assert launched() is None
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    assert launched() == (2, 4)
    assert [code_of(each) for each in (SystemExit(0), SystemExit("text"), SystemExit(5))] == [1, 1, 5]
