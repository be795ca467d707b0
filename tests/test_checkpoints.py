"""A training that was killed and resumed is the training that never was."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from numlp import MLP, Checkpoint, EarlyStopping, KeepBest, TimeBudget, train
from numlp.checkpoints import read_checkpoint, write_checkpoint
from numlp.errors import FileFormatError, NumlpError, OutputError, SettingError
from numlp.optimizers import OPTIMIZERS
from numlp.schedules import SCHEDULES

X = np.random.default_rng(0).normal(size=(90, 16)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 0)
EVERYTHING = {
    "batch_size": 16,
    "averaging": 0.9,
    "label_smoothing": 0.1,
    "mixup": 0.2,
    "adversarial": 0.1,
    "l1": 1e-4,
    "l2": 1e-4,
    "max_norm": 3.0,
    "clip_norm": 1.0,
    "augmentation": "images(shift = 1.0, rotation = 10.0, noise = 0.1)",
}


def network():
    return MLP(
        [16, 12, 3], normalization="batch", dropout=0.2, noise=0.1, input_noise=0.1, input_shape=(4, 4), seed=1
    )


def finished(net, *callbacks, epochs=7, **settings):
    """Train, and return all that must be the same: parameters, and the history without its seconds."""
    history = train(net, (X, Y), validation=(X, Y), epochs=epochs, seed=3, after_epoch=callbacks, **settings)
    return net.params, [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def assert_same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1] == other[1]


class Killed(Exception):
    pass


def dies_after(epoch):
    def die(state):
        if state.epoch == epoch:
            raise Killed

    return die


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("died", [2, 5])
def test_resumed_with_everything_on(tmp_path, optimizer, died):
    settings = {**EVERYTHING, "optimizer": optimizer, "learning_rate": 0.01, "schedule": "cosine(warmup = 1)"}
    stopping = lambda: EarlyStopping("validation_loss", patience=6)  # noqa: E731
    expected = finished(network(), stopping(), Checkpoint(tmp_path / "a"), **settings)
    with pytest.raises(Killed):
        # The checkpoint comes before what it must wait for, on purpose.
        finished(network(), Checkpoint(tmp_path / "b"), stopping(), dies_after(died), **settings)
    again = finished(network(), Checkpoint(tmp_path / "b"), stopping(), resume=tmp_path / "b", **settings)
    assert_same(expected, again)
    assert read_checkpoint(tmp_path / "b").figures["epoch"] == len(expected[1])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resumed_with_every_schedule(tmp_path, schedule):
    settings = {"schedule": schedule, "learning_rate": 0.05, "batch_size": 16}
    expected = finished(network(), **settings)
    with pytest.raises(Killed):
        finished(network(), Checkpoint(tmp_path / "c"), dies_after(4), **settings)
    assert_same(expected, finished(network(), Checkpoint(tmp_path / "c"), resume=tmp_path / "c", **settings))


def test_a_training_that_is_over_is_over_when_resumed(tmp_path):
    path = tmp_path / "c"
    stopping = EarlyStopping("validation_loss", patience=1)
    settings = {"learning_rate": 1.0, "averaging": 0.5, "epochs": 50}
    expected = finished(network(), stopping, Checkpoint(path), **settings)
    assert len(expected[1]) < 50
    again = finished(
        network(), EarlyStopping("validation_loss", patience=1), Checkpoint(path), resume=path, **settings
    )
    assert_same(expected, again)
    settings = {"averaging": 0.5, "epochs": 3}
    expected = finished(network(), Checkpoint(path), **settings)
    assert_same(expected, finished(network(), resume=path, **settings))


def test_how_often_it_writes(tmp_path):
    path = tmp_path / "c"
    written = []
    net = network()
    train(
        net, (X, Y), epochs=7, after_epoch=[Checkpoint(path, epochs=3), lambda state: written.append(path.exists())]
    )
    assert written == [False, False, False, True, True, True, True]
    assert read_checkpoint(path).figures["epoch"] == 7  # the last is always written
    train(net, (X, Y), epochs=2, after_epoch=[Checkpoint(path, seconds=1e6)])
    assert read_checkpoint(path).figures["epoch"] == 2
    written.clear()
    path.unlink()
    train(
        net, (X, Y), epochs=3, after_epoch=[Checkpoint(path, seconds=1e-9), lambda s: written.append(path.exists())]
    )
    assert written == [False, True, True]
    with pytest.raises(SettingError, match="after so many epochs or after so many seconds: give one"):
        Checkpoint(path, epochs=1, seconds=1)
    with pytest.raises(SettingError, match="epochs must be a whole number of at least 1, not 0"):
        Checkpoint(path, epochs=0)


def test_an_epoch_that_was_cut_is_not_in_it(tmp_path):
    settings = {"batch_size": 16, "optimizer": "adam"}
    expected = finished(network(), **settings)
    net = network()
    stop = lambda state: state.step == 16  # noqa: E731  # in the third epoch of six steps
    finished(net, Checkpoint(tmp_path / "c"), after_step=[stop], **settings)
    assert read_checkpoint(tmp_path / "c").figures["epoch"] == 2
    assert_same(expected, finished(network(), resume=tmp_path / "c", **settings))


def test_a_time_budget_goes_on_with_what_was_left(tmp_path):
    budget = TimeBudget(1000.0)
    with pytest.raises(Killed):
        train(
            network(), (X, Y), epochs=3, after_step=[budget], after_epoch=[Checkpoint(tmp_path / "c"), dies_after(2)]
        )
    record = read_checkpoint(tmp_path / "c")
    record.figures["callbacks"]["0"]["left"] = 0.0
    write_checkpoint(record, tmp_path / "c")
    history = train(network(), (X, Y), epochs=3, after_step=[TimeBudget(1000.0)], resume=tmp_path / "c")
    assert len(history) == 2  # one was done, and the second was cut at its first step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adam"}, "it holds params, and not optimizer.count, optimizer.mean"),
        ({"averaging": 0.5}, "it holds params, and not average, params"),
        ({"after_epoch": [KeepBest()]}, "other callbacks remember something in it"),
    ],
    ids=str,
)
def test_another_training_s_checkpoint(tmp_path, change, message):
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    with pytest.raises(FileFormatError, match=message):
        train(network(), (X, Y), validation=(X, Y), epochs=2, resume=tmp_path / "c", **change)


def test_numbers_of_numpy_s_are_remembered(tmp_path):
    class Counts:
        count = np.int64(0)

        def __call__(self, state):
            self.count += 1

        def memory(self):
            return {"count": self.count}

        def remember(self, memory):
            self.count = memory["count"]

    train(network(), (X, Y), epochs=2, after_epoch=[Counts(), Checkpoint(tmp_path / "c")])
    counts = Counts()
    train(network(), (X, Y), epochs=5, after_epoch=[counts], resume=tmp_path / "c")
    assert counts.count == 5


def test_a_network_of_other_sizes(tmp_path):
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    net = MLP([16, 3])
    before = net.params.copy()
    with pytest.raises(FileFormatError, match="its params are not as this training's"):
        train(net, (X, Y), epochs=2, resume=tmp_path / "c")
    np.testing.assert_array_equal(net.params, before)


def test_broken_files(tmp_path):
    path = tmp_path / "c"
    with pytest.raises(FileFormatError, match="there is no checkpoint"):
        read_checkpoint(path)
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(path)])
    whole = path.read_bytes()
    tensors = load_file(path)
    other = {"format": "numlp-model", "format_version": 2, "figures": {}}
    save_file(tensors, path, {"numlp": json.dumps(other)})
    with pytest.raises(FileFormatError, match="is no checkpoint: it says that it is 'numlp-model'"):
        read_checkpoint(path)
    described = {"format": "numlp-checkpoint", "format_version": 99, "numlp_version": "7.0", "figures": {}}
    save_file(tensors, path, {"numlp": json.dumps(described)})
    with pytest.raises(
        FileFormatError, match=r"format version 99, this release of numlp .* reads version 1: it takes numlp '7.0'"
    ):
        read_checkpoint(path)
    save_file(tensors, path, {"numlp": json.dumps({**described, "format_version": 1})})
    with pytest.raises(FileFormatError, match="or is damaged: 'callbacks'"):
        train(network(), (X, Y), epochs=2, resume=path)
    save_file(tensors | {"params": np.full_like(tensors["params"], np.nan)}, path)
    with pytest.raises(FileFormatError, match="is no checkpoint, or is damaged"):
        read_checkpoint(path)
    path.write_bytes(whole)
    record = read_checkpoint(path)
    record.arrays["params"][3] = np.inf
    write_checkpoint(record, path)
    with pytest.raises(FileFormatError, match="NaN or infinity"):
        train(network(), (X, Y), epochs=2, resume=path)


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_any_damage_is_an_error_of_ours_or_changes_numbers_only(tmp_path_factory, where, byte):
    path = tmp_path_factory.mktemp("damage") / "c"
    data = (X[:4, :2], [0, 1, 1, 0])
    train(MLP([2, 2]), data, epochs=1, after_epoch=[Checkpoint(path)])
    content = bytearray(path.read_bytes())
    content[where % len(content)] = byte
    path.write_bytes(content)
    with contextlib.suppress(NumlpError):
        train(MLP([2, 2]), data, epochs=2, resume=path)


def test_a_file_that_can_t_be_written_is_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="can't write .* the training goes on without this checkpoint"):
        history = train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "no folder/c")])
    assert len(history) == 1
    errors = []
    train(network(), (X, Y), epochs=2, after_epoch=[Checkpoint(tmp_path / "no folder/c", failed=errors.append)])
    assert len(errors) == 2
    assert all(isinstance(error, OutputError) for error in errors)


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes are POSIX")
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    import resource

    path = tmp_path / "c"
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(path)])
    old = path.read_bytes()
    errors = []
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(old) // 2, limits[1]))
        train(network(), (X, Y), epochs=2, after_epoch=[Checkpoint(path, failed=errors.append)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert errors
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


TRAINS_FOR_LONG = """
    import sys
    import numpy as np
    from numlp import MLP, Checkpoint, EarlyStopping, save_model, train
    from pathlib import Path

    x = np.random.default_rng(0).normal(size=(400, 10)).astype(np.float32)
    y = (x[:, 0] > 0) * 1
    net = MLP([10, 32, 2], normalization="batch", dropout=0.2, seed=0)
    path = Path(sys.argv[1])
    print("ready", flush=True)
    train(net, (x[:300], y[:300]), validation=(x[300:], y[300:]), batch_size=8, epochs=40, optimizer="adam",
          learning_rate=0.003, averaging=0.95, resume=path if path.exists() else None,
          after_epoch=[Checkpoint(path), EarlyStopping(patience=30)])
    save_model(net, sys.argv[2])
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_killed_at_random_instants(tmp_path):
    """A short torture: `make torture` is the long one."""
    code = textwrap.dedent(TRAINS_FOR_LONG)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

    def start(name):
        command = [sys.executable, "-c", code, tmp_path / f"{name}.checkpoint", tmp_path / f"{name}.safetensors"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        process.stdout.readline()
        return process

    whole = start("whole")
    started = time.monotonic()
    assert whole.wait() == 0
    seconds = time.monotonic() - started
    rng = np.random.default_rng(0)
    kills = 0
    for _ in range(200):
        process = start("killed")
        try:
            assert process.wait(timeout=rng.uniform(0.05, 0.5) * seconds) == 0
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        finally:
            process.stdout.close()
    whole.stdout.close()
    assert kills >= 1
    assert (tmp_path / "killed.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
