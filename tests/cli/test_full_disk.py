"""When a disk is full, or a folder can no longer be written, no result is lost, and existing files stay intact."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from numlp import load_model
from numlp.files.checkpoints import read_checkpoint
from numlp.runs.folder import load_run
from numlp.runs.unfinished import checkpoint_path, is_unfinished

resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
SETTINGS = [
    *("--layers", "64,64", "--epochs", "6", "--batch-size", "16", "--validation", "0.2", "--optimizer", "adam"),
    *("--checkpoint-every", "1", "--snapshots", "2"),
]
FILES = ["model.safetensors", "history.csv", "gradients.csv", "metrics.json", "weights.png", "snapshots.safetensors"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Make two empty folders: one for temporary files and one as the user's home."""
    for name, variable in (("temporary", "TMPDIR"), ("home", "HOME")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "temporary"


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of 128 KiB that the test may fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def started(*arguments, limit=None):
    """Start a numlp process and stop it at the end; `limit` is the largest size of a file in bytes."""

    def restrict():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "numlp", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restrict if limit else None,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, f"{path} never came"
        time.sleep(0.005)


def check_results(folder, epochs=6, *, report=True):
    """Check that a folder holds a complete run."""
    run = load_run(folder)
    assert len(run.history) == run.metrics["epochs"] == epochs
    assert np.isfinite(load_model(folder / "model.safetensors").params).all()
    assert run.recipe.layers == (64, 64)
    assert (folder / "report.html").exists() == report
    assert (folder / "figures/weights.png").exists()
    assert not list(folder.rglob(".*"))
    return run


def refuge(err):
    """Return the folder that a message names."""
    assert err.count("\n") == 1
    return Path(re.search(r"the results are in (\S+) instead$", err.strip())[1])


@pytest.mark.parametrize("name", [*FILES, "report.html", "figures"])
def test_results_are_saved_elsewhere_whichever_file_fails(numlp, fails, points, monkeypatch, elsewhere, name):
    replace, mkdir = os.replace, Path.mkdir

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        beside = lambda path: Path(path).name == name and Path(path).parts[0] == "run"  # noqa: E731
        patch.setattr(os, "replace", lambda a, b: (full if beside(b) else replace)(a, b))
        patch.setattr(Path, "mkdir", lambda path, *a, **k: (full if beside(path) else mkdir)(path, *a, **k))
        err = fails("train", points, *SETTINGS, "--output", "run")
    assert f"{name}: No space left on device; the results are in" in err
    run = check_results(refuge(err))
    assert run.metrics["ended"] == "completed"
    assert refuge(err).is_relative_to(elsewhere)
    assert not list(Path("run").rglob(".*"))
    assert read_checkpoint(checkpoint_path(Path("run"), 0)).figures["epoch"] == 6
    assert is_unfinished(Path("run"))
    code, _, err = numlp("resume", "run")
    assert code == 0, err
    check_results(Path("run"))
    assert (Path("run") / "model.safetensors").read_bytes() == (run.folder / "model.safetensors").read_bytes()
    assert not is_unfinished(Path("run"))


def test_a_disk_too_small_for_the_results(numlp, points, disk):
    (disk / "diary.txt").write_bytes(os.urandom(90_000))
    diary = (disk / "diary.txt").read_bytes()
    code, out, err = numlp("train", points, *SETTINGS, "--output", disk / "run")
    assert code == 2
    assert out.count("No space left on device; training continues without this checkpoint") == 6
    check_results(refuge(err))
    assert (disk / "diary.txt").read_bytes() == diary
    assert not list(disk.rglob(".*.tmp"))


def test_a_disk_that_is_full_before_training(fails, points, disk):
    (disk / "filler").write_bytes(bytes(128 << 10))
    assert "No space left on device" in fails("train", points, *SETTINGS, "--output", disk / "run")


@pytest.fixture
def whole(numlp, points):
    """Train a long run undisturbed and return its model."""
    assert numlp("train", points, *SETTINGS, "--epochs", "150", "--no-report", "--output", "whole")[0] == 0
    return (Path("whole") / "model.safetensors").read_bytes()


def long_run(points, folder, **limits):
    return started("train", points, *SETTINGS, "--epochs", "150", "--no-report", "--output", folder, **limits)


def check_resumes(numlp, folder, whole):
    """Check that the newest checkpoint is complete and resumes to the same bits."""
    record = read_checkpoint(checkpoint_path(folder, 0))
    assert 1 <= record.figures["epoch"] < 150
    code, _, err = numlp("resume", folder, "--no-report")
    assert code == 0, err
    assert (folder / "model.safetensors").read_bytes() == whole


def test_a_disk_that_becomes_full(numlp, points, disk, whole, tmp_path):
    subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
    folder = disk / "run"
    with long_run(points, folder) as process:
        wait_for(checkpoint_path(folder, 0), process)
        with open(disk / "filler", "wb", buffering=0) as filler:
            for size in (4096, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    pass
        out, err = process.communicate()
    assert process.returncode == 2, err
    assert "No space left on device; training continues without this checkpoint" in out
    check_results(refuge(err), 150, report=False)
    assert (refuge(err) / "model.safetensors").read_bytes() == whole
    (disk / "filler").unlink()
    check_resumes(numlp, folder, whole)


def test_a_folder_that_becomes_read_only(numlp, points, whole):
    folder = Path("run")
    with long_run(points, folder) as process:
        wait_for(checkpoint_path(folder, 0), process)
        frozen = [folder, folder / "checkpoints"]
        if subprocess.run(["chattr", "+i", *frozen], capture_output=True).returncode != 0:
            pytest.skip("chattr can't make a folder immutable here, and permissions don't bind a superuser")
        try:
            out, err = process.communicate()
        finally:
            subprocess.run(["chattr", "-i", *frozen], check=True)
    assert process.returncode == 2, err
    assert "Operation not permitted; training continues without this checkpoint" in out
    assert "can't write run/model.safetensors: Operation not permitted" in err
    check_results(refuge(err), 150, report=False)
    check_resumes(numlp, folder, whole)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_disappears(points, whole, replaced):
    folder = Path("run")
    with long_run(points, folder) as process:
        wait_for(checkpoint_path(folder, 0), process)
        os.rename(folder, "moved")
        if replaced:
            folder.write_text("a file")
        out, err = process.communicate()
    assert process.returncode == 2, err
    assert ("Not a directory" if replaced else "No such file or directory") in out
    assert (check_results(refuge(err), 150, report=False).folder / "model.safetensors").read_bytes() == whole
    read_checkpoint(checkpoint_path(Path("moved"), 0))


def test_nowhere_to_write(numlp, points, elsewhere, tmp_path):
    with started("train", points, *SETTINGS, "--output", "run", limit=4096) as process:
        out, err = process.communicate()
    assert process.returncode == 2
    assert err.count("\n") == 1
    assert (
        "can't write run/model.safetensors: File too large; the results can't be saved in the temporary folder" in err
    )
    assert str(tmp_path / "home") in err
    assert out.count("File too large; training continues without this checkpoint") == 6
    assert not list(elsewhere.iterdir())
    assert not list((tmp_path / "home").iterdir())
    assert sorted(path.name for path in Path("run").iterdir()) == ["checkpoints", "data.json", "recipe.toml"]


def test_the_home_folder_is_used_if_the_temporary_one_can_t_be_written(fails, points, monkeypatch, tmp_path):
    from numlp.cli import running

    save_run = running.save_run

    def gone(folder, *arguments, **settings):
        shutil.rmtree("run", ignore_errors=True)
        shutil.rmtree(tmp_path / "temporary", ignore_errors=True)
        return save_run(folder, *arguments, **settings)

    tempfile.gettempdir()
    monkeypatch.setattr(running, "save_run", gone)
    folder = refuge(fails("train", points, *SETTINGS, "--no-report", "--output", "run"))
    assert folder.is_relative_to(tmp_path / "home")
    check_results(folder, report=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_that_can_t_be_written_does_not_end_training(numlp, points):
    command = [sys.executable, "-m", "numlp", "train", points, *SETTINGS, "--output", "run"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert check_results(Path("run")).metrics["ended"] == "completed"
    assert "Traceback" not in done.stderr


def test_a_diverged_run_is_saved_elsewhere_too(fails, points, monkeypatch):
    from numlp.cli import running

    save_run = running.save_run

    def gone(folder, *arguments, **settings):
        shutil.rmtree("run", ignore_errors=True)
        return save_run(folder, *arguments, **settings)

    monkeypatch.setattr(running, "save_run", gone)
    diverging = ["--optimizer", "sgd", "--learning-rate", "1e30", "--no-report"]
    err = fails("train", points, *SETTINGS, *diverging, "--output", "run")
    assert "training diverged in epoch 1" in err
    folder = refuge(err)
    assert json.loads((folder / "metrics.json").read_text())["ended"] == "diverged"
