import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numlp.files.checkpoints import read_checkpoint
from numlp.runs.provenance import read_provenance
from numlp.runs.unfinished import Lock, checkpoint_path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and locks are POSIX")
SETTINGS = [
    *("--layers", "16,16", "--epochs", "30", "--batch-size", "8", "--validation", "0.2", "--checkpoint-every", "1"),
    *("--normalization", "batch", "--dropout", "0.1", "--averaging", "0.9", "--optimizer", "adam", "--no-report"),
    *("--snapshots", "4", "--ensemble", "2", "--patience", "25"),
]


def results(folder):
    history = (folder / "history.csv").read_text().splitlines()
    seconds = history[0].split(",").index("seconds")
    rows = [line.split(",") for line in history]
    figures = [row[:seconds] + row[seconds + 1 :] for row in rows]
    networks = read_provenance(folder).predicate.networks
    files = [(folder / name).read_bytes() for name in ("model.safetensors", "snapshots.safetensors")]
    return files, networks, figures


def start(*arguments):
    command = [sys.executable, "-m", "numlp", "train", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, f"{path} never came"
        time.sleep(0.01)


@pytest.fixture
def whole(numlp, points):
    assert numlp("train", points, *SETTINGS, "--output", "whole")[0] == 0
    return results(Path("whole"))


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_resumes_to_the_same_bits(numlp, points, whole, sent):
    process = start(points, *SETTINGS, "--output", "run")
    wait_for(checkpoint_path(Path("run"), 1 if sent == signal.SIGTERM else 0), process)
    process.send_signal(sent)
    process.wait()
    assert (Path("run/model.safetensors").exists()) == (sent != signal.SIGKILL)
    code, _, err = numlp("resume", "run", "--no-report")
    assert code == 0, err
    assert results(Path("run")) == whole
    assert not Path("run/checkpoints").exists()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_writes_a_checkpoint_ahead_of_time(numlp, points, sent):
    settings = [*SETTINGS, "--ensemble", "1", "--checkpoint-every", "1000"]
    assert numlp("train", points, *settings, "--output", "whole")[0] == 0
    command = [sys.executable, "-u", "-m", "numlp", "train", points, *settings, "--output", "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not process.stdout.readline().strip().startswith("epoch 3/"):
        assert process.poll() is None
    assert not checkpoint_path(Path("run"), 0).exists()
    process.send_signal(sent)
    out, _ = process.communicate()
    assert process.returncode == 128 + sent, out
    assert ": numlp resume run\n" in out
    assert read_checkpoint(checkpoint_path(Path("run"), 0)).figures["epoch"] >= 3
    assert json.loads(Path("run/metrics.json").read_text())["ended"] == "interrupted"
    code, out, _ = numlp("resume", "run", "--no-report")
    assert code == 0
    heading = next(i for i, line in enumerate(out.splitlines()) if "epoch  train loss" in line)
    assert re.match(r" *epoch [0-9]+/30 ", out.splitlines()[heading + 1])
    assert results(Path("run")) == results(Path("whole"))


def test_two_processes_on_one_run(numlp, fails, points, whole):
    process = start(points, *SETTINGS, "--output", "run")
    wait_for(checkpoint_path(Path("run"), 0), process)
    assert "another process is working on run: wait until it ends" in fails("resume", "run")
    assert "run already exists" in fails("train", points, *SETTINGS, "--output", "run")
    assert process.wait() == 0
    assert results(Path("run")) == whole
    assert "run is a finished run" in fails("resume", "run")
    assert not Path("run/checkpoints").exists()


def test_a_file_system_without_locks(points, whole, monkeypatch):
    import fcntl

    def unknown(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unknown)
    Lock(Path("whole")).close()


def test_the_leftovers_of_a_killed_process_are_removed(numlp, points, whole):
    process = start(points, *SETTINGS, "--output", "run")
    wait_for(checkpoint_path(Path("run"), 0), process)
    process.kill()
    process.wait()
    left = [Path("run", place, ".0123456789abcdef.tmp") for place in (".", "checkpoints", "figures")]
    Path("run/figures").mkdir()
    mine = Path("run/.mine.tmp")
    for path in (*left, mine):
        path.write_text("half")
    assert numlp("resume", "run", "--no-report")[0] == 0
    assert not any(path.exists() for path in left)
    assert mine.exists()
    assert results(Path("run")) == whole


def test_a_run_of_more_than_a_minute_has_checkpoints_by_default(numlp, points, monkeypatch):
    """Let every epoch last 25 seconds: the third ends after a minute, the sixth after another."""
    from numlp.training import callbacks

    seen, seconds = [], [0.0]
    record = callbacks.Checkpoint.record
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: seconds[0])

    def recorded(self, state):
        seconds[0] += 25
        record(self, state)
        seen.append(read_checkpoint(self.path).figures["epoch"] if self.path.exists() else 0)

    monkeypatch.setattr(callbacks.Checkpoint, "record", recorded)
    assert numlp("train", points, "--ensemble", "1", "--epochs", "7", "--no-report", "--output", "run")[0] == 0
    assert seen == [0, 0, 3, 3, 3, 6, 6]


@pytest.mark.parametrize("text", ["1000", "600s"])
def test_a_short_run_has_no_checkpoints(numlp, points, text, monkeypatch):
    from numlp.training import callbacks

    written = []
    record = callbacks.Checkpoint.record

    def recorded(self, state):
        record(self, state)
        written.append(self.path.exists())

    monkeypatch.setattr(callbacks.Checkpoint, "record", recorded)
    settings = ("--ensemble", "1", "--epochs", "3", "--checkpoint-every", text, "--no-report")
    assert numlp("train", points, *settings, "--output", "run")[0] == 0
    assert written == [False] * 3


def test_a_short_torture():
    """Do what `make torture` does for every optimizer, with a few kills."""
    script = Path(__file__).parents[1] / "torture.py"
    few = ("--kills", "2", "--team-kills", "2", "--optimizers", "adamw", "--patience", "600")
    done = subprocess.run([sys.executable, script, *few], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "of which 4 SIGKILL" in done.stdout
    assert "no bit differs, all checkpoints are whole" in done.stdout


def test_a_run_stopped_before_its_first_checkpoint(numlp, points, whole):
    folder = Path("run")
    folder.mkdir()
    (folder / "recipe.toml").write_bytes(Path("whole/recipe.toml").read_bytes())
    code, out, _ = numlp("resume", "run", "--json")
    assert code == 0
    assert json.loads(out)["ended"] == "completed"
    assert results(folder) == whole
    assert (folder / "report.html").exists()


def test_runs_that_can_t_be_resumed(numlp, fails, points, whole):
    assert "whole is a finished run" in fails("resume", "whole")
    assert "there is no folder nowhere" in fails("resume", "nowhere")
    assert ". isn't a run's folder: it has no file recipe.toml" in fails("resume", ".")
    Path("whole/checkpoints").mkdir()
    lock = Lock(Path("whole"))
    assert "another process is working on whole: wait until it ends" in fails("resume", "whole")
    lock.close()
    checkpoint_path(Path("whole"), 0).write_bytes(b"nothing")
    assert "0.safetensors isn't a checkpoint, or is damaged" in fails("resume", "whole")
    assert np.all(results(Path("whole"))[0] == whole[0])


@pytest.mark.parametrize("text", ["0", "-1", "often", "0s", "1.5", "s"])
def test_bad_checkpoint_intervals(fails, points, text):
    assert "--checkpoint-every: " in fails("train", points, "--checkpoint-every", text)


def test_an_interval_that_is_no_number_gets_the_remedy(fails, points):
    said = fails("train", points, "--checkpoint-every", "often")
    assert "--checkpoint-every: write epochs, such as 5, or seconds, such as 90s, not 'often'" in said


def test_training_continues_when_checkpoints_can_t_be_written(numlp, points, monkeypatch):
    from numlp.errors import OutputError
    from numlp.training import callbacks

    def full(record, path):
        raise OutputError(f"can't write {path}: No space left on device")

    monkeypatch.setattr(callbacks, "write_checkpoint", full)
    code, out, _ = numlp(
        *("train", points, "--ensemble", "1", "--epochs", "2"),
        *("--checkpoint-every", "1", "--no-report", "--output", "run"),
    )
    assert code == 0
    assert out.count("No space left on device; training continues without this checkpoint") == 2
    assert Path("run/model.safetensors").exists()
