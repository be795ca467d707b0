"""A run that was killed and resumed ends with the same bits as one that was never killed."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from numlp import MLP, Checkpoint, EarlyStopping, KeepBest, TimeBudget, train
from numlp.errors import FileFormatError, NumlpError, OutputError, SettingError
from numlp.files.checkpoints import read_checkpoint, write_checkpoint
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

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


def network(**settings):
    usual = {"dropout": 0.2, "noise": 0.1, "input_noise": 0.1, "input_shape": (4, 4), "seed": 1}
    return MLP([16, 12, 3], normalization="batch", **usual, **settings)


def finished(net, *callbacks, epochs=7, **settings):
    """Train; return what must be the same: the parameters, and the history without its seconds."""
    history = train(net, (X, Y), validation=(X, Y), epochs=epochs, seed=3, after_epoch=callbacks, **settings)
    return net.params, [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def assert_same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1] == other[1]
    assert [list(row) for row in one[1]] == [list(row) for row in other[1]]  # a history's columns keep their order


class Killed(Exception):
    pass


def dies_after(epoch):
    def die(state):
        if state.epoch == epoch:
            raise Killed

    return die


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("died", [2, 5])
def test_resuming_with_everything_on(tmp_path, optimizer, died):
    settings = {**EVERYTHING, "optimizer": optimizer, "learning_rate": 0.01, "schedule": "cosine(warmup = 1)"}
    stopping = lambda: EarlyStopping("validation_loss", patience=6)  # noqa: E731
    expected = finished(network(), stopping(), Checkpoint(tmp_path / "a"), **settings)
    with pytest.raises(Killed):
        # The checkpoint deliberately comes before the callbacks that it must wait for.
        finished(network(), Checkpoint(tmp_path / "b"), stopping(), dies_after(died), **settings)
    again = finished(network(), Checkpoint(tmp_path / "b"), stopping(), resume=tmp_path / "b", **settings)
    assert_same(expected, again)
    assert read_checkpoint(tmp_path / "b").figures["epoch"] == len(expected[1])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resuming_with_every_schedule(tmp_path, schedule):
    settings = {"schedule": schedule, "learning_rate": 0.05, "batch_size": 16}
    expected = finished(network(), **settings)
    with pytest.raises(Killed):
        finished(network(), Checkpoint(tmp_path / "c"), dies_after(4), **settings)
    assert_same(expected, finished(network(), Checkpoint(tmp_path / "c"), resume=tmp_path / "c", **settings))


def test_resuming_a_finished_run_trains_no_further(tmp_path):
    path = tmp_path / "c"
    stopping = EarlyStopping("validation_loss", patience=1)
    settings = {"learning_rate": 3.0, "averaging": 0.5, "epochs": 50}
    expected = finished(network(), stopping, Checkpoint(path), **settings)
    assert len(expected[1]) < 50
    again = finished(
        network(), EarlyStopping("validation_loss", patience=1), Checkpoint(path), resume=path, **settings
    )
    assert_same(expected, again)
    settings = {"averaging": 0.5, "epochs": 3}
    expected = finished(network(), Checkpoint(path), **settings)
    assert_same(expected, finished(network(), resume=path, **settings))


def test_checkpoints_are_written_as_often_as_asked(tmp_path):
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
    with pytest.raises(SettingError, match="epochs or seconds must be None, not 1 and 1: give only one"):
        Checkpoint(path, epochs=1, seconds=1)
    with pytest.raises(SettingError, match="epochs must be a whole number of at least 1, not 0"):
        Checkpoint(path, epochs=0)


def test_a_checkpoint_leaves_out_an_unfinished_epoch(tmp_path):
    settings = {"batch_size": 16, "optimizer": "adam"}
    expected = finished(network(), **settings)
    net = network()
    stop = lambda state: state.step == 16  # noqa: E731  # in the third epoch of six steps
    finished(net, Checkpoint(tmp_path / "c"), after_step=[stop], **settings)
    assert read_checkpoint(tmp_path / "c").figures["epoch"] == 2
    assert_same(expected, finished(network(), resume=tmp_path / "c", **settings))


def test_a_resumed_time_budget_has_what_was_left(tmp_path):
    budget = TimeBudget(1000.0)
    with pytest.raises(Killed):
        train(
            network(), (X, Y), epochs=3, after_step=[budget], after_epoch=[Checkpoint(tmp_path / "c"), dies_after(2)]
        )
    record = read_checkpoint(tmp_path / "c")
    record.figures["callbacks"]["0"]["left"] = 0.0
    write_checkpoint(record, tmp_path / "c")
    history = train(network(), (X, Y), epochs=3, after_step=[TimeBudget(1000.0)], resume=tmp_path / "c")
    assert len(history) == 2  # the first is complete; the second ended at its first step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adam"}, r"it lacks optimizer\.mean, optimizer\.square$"),
        ({"averaging": 0.5}, "it lacks average$"),
        ({"after_epoch": [KeepBest()]}, "it holds the state of other callbacks"),
    ],
    ids=["optimizer", "averaging", "callbacks"],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, message):
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    with pytest.raises(FileFormatError, match=message):
        train(network(), (X, Y), validation=(X, Y), epochs=2, resume=tmp_path / "c", **change)


def test_a_checkpoint_of_an_optimizer_with_more_state_is_refused(tmp_path):
    train(network(), (X, Y), epochs=1, optimizer="lion", after_epoch=[Checkpoint(tmp_path / "c")])
    with pytest.raises(FileFormatError, match=r"it also holds optimizer\.mean$"):
        train(network(), (X, Y), epochs=2, resume=tmp_path / "c")


def test_numpy_scalars_are_stored(tmp_path):
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


def test_a_checkpoint_of_a_network_of_other_sizes_is_refused(tmp_path):
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    net = MLP([16, 3])
    before = net.params.copy()
    with pytest.raises(FileFormatError, match="its array params differs from this run's in shape or dtype"):
        train(net, (X, Y), epochs=2, resume=tmp_path / "c")
    np.testing.assert_array_equal(net.params, before)


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "c"
    with pytest.raises(FileFormatError, match="there is no checkpoint"):
        read_checkpoint(path)
    train(network(), (X, Y), epochs=1, after_epoch=[Checkpoint(path)])
    whole = path.read_bytes()
    tensors = load_file(path)
    other = {"format": "numlp-model", "format_version": 2, "figures": {}}
    save_file(tensors, path, {"numlp": json.dumps(other)})
    with pytest.raises(FileFormatError, match="is a model file of numlp, not a checkpoint: numlp predict"):
        read_checkpoint(path)
    described = {"format": "numlp-checkpoint", "format_version": 99, "numlp_version": "7.0", "figures": {}}
    save_file(tensors, path, {"numlp": json.dumps(described)})
    with pytest.raises(
        FileFormatError, match=r"format version 99, but this numlp .* reads versions 1 to 2; use numlp '7.0'"
    ):
        read_checkpoint(path)
    save_file(tensors, path, {"numlp": json.dumps({**described, "format_version": 1})})
    with pytest.raises(FileFormatError, match="or is damaged: 'callbacks'"):
        train(network(), (X, Y), epochs=2, resume=path)
    save_file(tensors | {"params": np.full_like(tensors["params"], np.nan)}, path)
    with pytest.raises(FileFormatError, match="of another program, not a checkpoint"):
        read_checkpoint(path)
    path.write_bytes(whole)
    record = read_checkpoint(path)
    record.arrays["params"][3] = np.inf
    write_checkpoint(record, path)
    with pytest.raises(FileFormatError, match="NaN or infinity"):
        train(network(), (X, Y), epochs=2, resume=path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", -1),
        ("epoch", float("inf")),
        ("epoch", "2"),
        ("epoch", 3),
        ("step", -5),
        ("step", 1e400),
        ("loss", "low"),
        ("learning_rate", [1]),
        ("averaged", float("inf")),
        ("ended_by", [17]),
        ("ended_by", 3),
        ("history", "ab"),
        ("history", [{}, {}]),
        ("history", [[], []]),
        ("history", 5),
        ("arithmetic", "portable"),
        ("arithmetic", None),
        ("arithmetic", ["ordinary"]),
        ("arithmetic", 1e400),
        ("callbacks", [1, 2]),
        ("callbacks", {"0": 3}),
        ("callbacks", {"0": {"epoch": float("nan"), "best": 1}}),
        ("callbacks", {"0": {"epoch": 1}}),
    ],
    ids=str,
)
def test_figures_that_do_not_fit_are_refused(tmp_path, name, value):
    settings = {"averaging": 0.5, "validation": (X, Y)}
    train(network(), (X, Y), epochs=2, after_epoch=[KeepBest(), Checkpoint(tmp_path / "c")], **settings)
    record = read_checkpoint(tmp_path / "c")
    record.figures[name] = value
    write_checkpoint(record, tmp_path / "c")
    with pytest.raises(FileFormatError, match="the checkpoint belongs to another run, or is damaged"):
        train(network(), (X, Y), epochs=4, after_epoch=[KeepBest()], resume=tmp_path / "c", **settings)


@pytest.mark.parametrize("change", ["columns", "kinds"])
def test_a_history_of_another_run_is_refused(tmp_path, change):
    train(network(), (X, Y), epochs=2, after_epoch=[Checkpoint(tmp_path / "c")])
    record = read_checkpoint(tmp_path / "c")
    if change == "kinds":
        record.figures["history"][1]["train_loss"] = "low"
    write_checkpoint(record, tmp_path / "c")
    validation = (X, Y) if change == "columns" else None
    with pytest.raises(
        FileFormatError, match=r"its history must (have a row of epoch, train_loss|hold numbers only)"
    ):
        train(network(), (X, Y), epochs=4, validation=validation, resume=tmp_path / "c")


def test_a_run_with_the_gelu_of_earlier_releases_continues_with_that(tmp_path):
    def finish(activation, **settings):
        return finished(MLP([16, 12, 3], activation=activation, seed=1), Checkpoint(tmp_path / "d"), **settings)

    path = tmp_path / "c"
    finished(MLP([16, 12, 3], activation="gelu_tanh", seed=1), Checkpoint(path), epochs=2)
    whole = finish("gelu_tanh", epochs=4)
    with safe_open(path, "numpy") as file:
        described = json.loads(file.metadata()["numlp"])
    save_file(load_file(path), path, {"numlp": json.dumps(described | {"format_version": 1})})
    with pytest.raises(FileFormatError, match='set the activation to "gelu_tanh" to continue'):
        finish("gelu", epochs=4, resume=path)
    assert_same(finish("gelu_tanh", epochs=4, resume=path), whole)


def test_a_run_from_before_there_was_portable_arithmetic_continues_in_ordinary_alone(tmp_path):
    """Its checkpoints name none. They have the same version, since all else in them is the same."""
    path = tmp_path / "c"
    whole = finished(network(), epochs=4)
    finished(network(), Checkpoint(path), epochs=2)
    record = read_checkpoint(path)
    assert record.figures.pop("arithmetic") == "ordinary"
    write_checkpoint(record, path)
    assert_same(finished(network(), epochs=4, resume=path), whole)
    with pytest.raises(FileFormatError, match="its arithmetic is 'ordinary', but the network's is 'portable'"):
        finished(network(arithmetic="portable"), epochs=4, resume=path)


def test_best_parameters_of_another_size_are_refused(tmp_path):
    train(network(), (X, Y), validation=(X, Y), epochs=2, after_epoch=[EarlyStopping(), Checkpoint(tmp_path / "c")])
    record = read_checkpoint(tmp_path / "c")
    record.arrays["callback.0.params"] = np.zeros(3, np.float32)
    write_checkpoint(record, tmp_path / "c")
    with pytest.raises(FileFormatError, match=r"its best parameters must have shape .*, not \(3,\)$"):
        train(network(), (X, Y), validation=(X, Y), epochs=4, after_epoch=[EarlyStopping()], resume=tmp_path / "c")


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_any_damage_raises_an_error_of_numlp_or_changes_only_numbers(tmp_path_factory, where, byte):
    path = tmp_path_factory.mktemp("damage") / "c"
    data = (X[:4, :2], [0, 1, 1, 0])
    train(MLP([2, 2]), data, epochs=1, after_epoch=[Checkpoint(path)])
    content = bytearray(path.read_bytes())
    content[where % len(content)] = byte
    path.write_bytes(content)
    with contextlib.suppress(NumlpError):
        train(MLP([2, 2]), data, epochs=2, resume=path)


def test_a_failed_write_is_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="can't write .* training continues without this checkpoint"):
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


def test_ctrl_c_writes_the_last_whole_epoch(tmp_path):
    settings = {"batch_size": 16, "optimizer": "adam"}
    expected = finished(network(), **settings)

    def press(state):
        if state.step == 28:  # in the fifth epoch of six steps
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finished(network(), Checkpoint(tmp_path / "c", epochs=1000), after_step=[press], **settings)
    assert read_checkpoint(tmp_path / "c").figures["epoch"] == 4
    assert_same(expected, finished(network(), resume=tmp_path / "c", **settings))


def test_ctrl_c_between_epochs_and_before_the_first(tmp_path):
    saving = Checkpoint(tmp_path / "c", epochs=1000)

    def press(state):
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finished(network(), press, saving)
    assert read_checkpoint(tmp_path / "c").figures["epoch"] == 2
    (tmp_path / "c").unlink()

    class PressedAtOnce(KeepBest):
        def begin(self, state):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finished(network(), PressedAtOnce(), Checkpoint(tmp_path / "c"))
    assert not (tmp_path / "c").exists()


SAYS_WHEN = """
    import signal, sys, time
    import numpy as np
    from numlp import MLP, Checkpoint, train

    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def say(state):
        if state.epoch == 5:
            print("ready", flush=True)

    x = np.random.default_rng(0).normal(size=(100, 3))
    train(MLP([3, 2]), (x, (x[:, 0] > 0) * 1), epochs=10**9, after_epoch=[Checkpoint(sys.argv[1], epochs=10**9), say])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_signals_write_the_last_whole_epoch(tmp_path, sent):
    command = [sys.executable, "-c", textwrap.dedent(SAYS_WHEN), tmp_path / "c"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        assert not (tmp_path / "c").exists()
        process.send_signal(sent)
        _, err = process.communicate()
    assert b"numlp.errors.Interrupted: Ctrl-C ended the training in epoch" in err
    assert read_checkpoint(tmp_path / "c").figures["epoch"] >= 4  # the fifth may not be recorded yet


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
          after_step=[lambda state: print(state.step, flush=True)],
          after_epoch=[Checkpoint(path), EarlyStopping(patience=30)])
    save_model(net, sys.argv[2])
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_runs_killed_at_random_steps_resume_exactly(tmp_path):
    """The library alone; `make torture` kills runs of the command line."""
    code = textwrap.dedent(TRAINS_FOR_LONG)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

    def start(name):
        command = [sys.executable, "-c", code, tmp_path / f"{name}.checkpoint", tmp_path / f"{name}.safetensors"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        process.stdout.readline()
        return process

    with start("whole") as whole:
        steps = len(whole.stdout.readlines())
    assert whole.returncode == 0
    rng = np.random.default_rng(0)
    kills = 0
    for _ in range(200):
        with start("killed") as process:
            some = int(rng.integers(steps // 20, steps // 2))
            if len(list(itertools.islice(process.stdout, some))) < some:  # it has ended
                break
            process.kill()
        kills += 1
    assert process.returncode == 0
    assert kills >= 1
    assert (tmp_path / "killed.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
