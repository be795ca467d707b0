"""Training with several processes is training with one: what it learns, leaves, repeats, resumes and refuses."""

import copy
import multiprocessing
import os
import pickle
import signal

import numpy as np
import pytest
import scipy.sparse
from files.test_checkpoints import EVERYTHING, Killed, X, Y, assert_same, dies_after, finished, network
from network.test_encoding import encoding, people

from numlp import (
    MLP,
    Checkpoint,
    EarlyStopping,
    KeepBest,
    TimeBudget,
    find_learning_rate,
    train,
)
from numlp.datasets.splits import folds
from numlp.errors import DataError, DivergenceError, FileFormatError, Interrupted, SettingError
from numlp.training.callbacks import GradientNorms
from numlp.training.folds import train_folds
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.snapshots import Snapshots
from numlp.training.state import TrainingState

WEIGHTS = np.random.default_rng(1).random(len(X))


def net(seed=1, dtype="float64", **architecture):
    return MLP([16, 12, 9, 3], seed=seed, dtype=dtype, **architecture)


def trained(data=(X, Y), processes=2, network=None, **settings):
    """Return the network, and its history without the seconds."""
    network = network or net()
    history = train(network, data, processes=processes, **({"epochs": 3, "batch_size": 16, "seed": 3} | settings))
    return network, [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def assert_close(one, other, tolerance=1e-9):
    np.testing.assert_allclose(one[0].params, other[0].params, rtol=tolerance, atol=tolerance)
    assert len(one[1]) == len(other[1])
    for row, its in zip(one[1], other[1], strict=True):
        assert row == pytest.approx(its, rel=1e-6)


def stream(epoch):
    """Yield batches that grow, so that the team is started anew in the middle of an epoch, and shrink."""
    for start, stop in ((0, 5), (5, 8), (8, 30), (30, 32), (32, 90)):
        yield X[start:stop], Y[start:stop], WEIGHTS[start:stop] + epoch


NOISE = {"dropout": 0.2, "noise": 0.1, "input_noise": 0.1, "input_dropout": 0.1}
DATA = {
    "arrays": ((X, Y), {}),
    "weights": ((X, Y, WEIGHTS), {"class_weight": "balanced"}),
    "sparse rows": ((scipy.sparse.csr_array(np.where(X > 0.5, X, 0)), Y), {}),
    "bytes": ((np.arange(90 * 16).reshape(90, 16).astype(np.uint8), Y), {}),
    "images": ((X.reshape(-1, 4, 4), Y), {"augmentation": "images(shift = 1, noise = 0.1, flip = 0.5)"}),
    "mixup": ((X, Y), {"mixup": 0.3, "label_smoothing": 0.1}),
    "adversarial": ((X, Y), {"adversarial": 0.3}),
    "clipping": ((X, Y), {"clip_norm": 0.1, "clip_value": 0.05, "max_norm": 1.0}),
    "averaging": ((X, Y, WEIGHTS), {"averaging": 0.9, "l1": 1e-3, "l2": 1e-3}),
    "a schedule": ((X, Y), {"schedule": "one_cycle(warmup = 1)"}),
    "a stream": (stream, {"averaging": 0.9}),
}


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("kind", DATA)
def test_several_processes_learn_what_one_does_and_repeat_it_to_the_bit(kind, processes):
    data, settings = DATA[kind]
    settings = {"optimizer": "adam", "validation": data if kind == "bytes" else (X, Y)} | settings
    one, several, again = (
        trained(data, count, net(**NOISE, normalization="batch"), **settings) for count in (1, processes, processes)
    )
    assert_close(one, several)
    np.testing.assert_array_equal(several[0].params, again[0].params)
    assert several[1] == again[1]
    np.testing.assert_allclose(several[0].grads, one[0].grads, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(several[0].last_logits, one[0].last_logits, rtol=1e-6, atol=1e-9)
    assert several[0].row_losses.shape == one[0].row_losses.shape


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_and_norm_learns_the_same_in_float32(optimizer):
    for normalization in ("none", "batch", "layer"):
        one, several = (
            trained(processes=n, network=net(dtype="float32", normalization=normalization), optimizer=optimizer)
            for n in (1, 2)
        )
        assert several[1][-1]["train_loss"] == pytest.approx(one[1][-1]["train_loss"], rel=1e-2)


def test_tables_with_embeddings():
    data = people(), np.arange(60) % 3
    one, several = (
        trained(
            data, n, MLP([6, 8, 5, 3], input_encoding=encoding(), dtype="float64"), optimizer="adamw", clip_norm=1.0
        )
        for n in (1, 3)
    )
    assert_close(one, several)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_of_images(dtype):
    features = {"input_features": "oriented_gradients(cell = 2, stride = 1)", "input_shape": (4, 4)}
    settings = {"adversarial": 0.1, "augmentation": "images(shift = 1)", "clip_norm": 1.0}
    data = X.reshape(-1, 4, 4), Y
    one, several = (trained(data, n, net(dtype=dtype, **features, **NOISE), **settings) for n in (1, 3))
    assert_close(one, several, 1e-9 if dtype == "float64" else 1e-3)


def test_looking_at_every_step_changes_nothing():
    """Members lend the network their values after each step, and take them back."""
    settings = {"optimizer": "adam", "averaging": 0.9, "clip_norm": 0.5}
    for architecture in (NOISE, {"normalization": "layer"}):
        seen = []
        plain = trained(network=net(dtype="float32", **architecture), **settings)
        looking = [lambda state: seen.append(state.network.params.copy())]  # noqa: B023
        seen_too = trained(network=net(dtype="float32", **architecture), after_step=looking, **settings)
        np.testing.assert_array_equal(plain[0].params, seen_too[0].params)
        assert plain[1] == seen_too[1]
        assert not np.array_equal(seen[-1], seen[-2])


@pytest.mark.parametrize("moment", ["after_step", "after_epoch"])
def test_what_callbacks_change_is_trained_on(moment):
    def prune(state):
        state.network.weights[np.abs(state.network.weights) < 0.1] = 0

    one, several = (trained(processes=n, **{moment: [prune]}) for n in (1, 2))
    assert_close(one, several)
    assert (several[0].params == 0).sum() > 20


def test_callbacks_that_read_gradients_weights_and_figures():
    found = []
    for processes in (1, 2):
        snapshots, norms, best = Snapshots(3, epochs=5), GradientNorms(), KeepBest("validation_loss")
        result = trained(
            processes=processes,
            validation=(X, Y),
            learning_rate=1.0,
            epochs=5,
            after_epoch=[norms, best, snapshots, TimeBudget(1000)],
        )
        found.append((result, snapshots, norms))
    assert_close(*(result for result, _, _ in found))
    for epoch, weights in found[0][1].weights.items():
        np.testing.assert_allclose(found[1][1].weights[epoch], weights, rtol=1e-9)
    for row, its in zip(*(norms.history for _, _, norms in found), strict=True):
        assert row == pytest.approx(its, rel=1e-6)


def test_a_plateau_lowers_the_rate():
    settings = {
        "schedule": "reduce_on_plateau(patience = 1)",
        "validation": (X, Y),
        "epochs": 8,
        "learning_rate": 2.0,
    }
    one, several = (trained(processes=n, **settings) for n in (1, 2))
    assert_close(one, several, 1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resuming_with_everything_on(tmp_path, optimizer):
    settings = {**EVERYTHING, "optimizer": optimizer, "learning_rate": 0.01, "schedule": "cosine", "processes": 2}
    stopping = lambda: EarlyStopping("validation_loss", patience=6)  # noqa: E731
    expected = finished(network(), stopping(), Checkpoint(tmp_path / "a"), **settings)
    with pytest.raises(Killed):
        finished(network(), Checkpoint(tmp_path / "b"), stopping(), dies_after(3), **settings)
    again = finished(network(), Checkpoint(tmp_path / "b"), stopping(), resume=tmp_path / "b", **settings)
    assert_same(expected, again)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_resuming_from_a_state(averaging):
    """The state's average goes on, whatever the new call asks for, as with one process."""
    for processes in (1, 2):
        state = []
        settings = {"optimizer": "adam", "processes": processes, "averaging": averaging}
        split = trained(after_epoch=[state.append], epochs=2, **settings)
        assert isinstance(state[0], TrainingState)
        for other in (0.0, 0.5):
            kept = copy.deepcopy(state[0])
            resumed = trained(network=kept.network, resume=kept, epochs=4, **settings | {"averaging": other})
            np.testing.assert_array_equal(resumed[0].params, trained(epochs=4, **settings)[0].params)
        assert len(split[1]) == 2


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_resuming_a_stream_whose_batches_grow(tmp_path, normalization, processes):
    settings = {"data": stream, "processes": processes, "optimizer": "adam"}
    make = lambda: net(normalization=normalization, **NOISE)  # noqa: E731
    trained(network=make(), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")], **settings)
    kept = tmp_path / "c"
    resumed = trained(network=make(), resume=kept, after_epoch=[Checkpoint(kept)], **settings)
    np.testing.assert_array_equal(resumed[0].params, trained(network=make(), **settings)[0].params)


def test_ctrl_c_keeps_the_steps_before_it():
    def interrupt(state):
        if state.step == 9:
            os.kill(os.getpid(), signal.SIGINT)

    found = []
    for processes in (1, 2):
        one = net()
        with pytest.raises(Interrupted) as stopped:
            trained(processes=processes, network=one, after_step=[interrupt])
        found.append((one, [{k: v for k, v in row.items() if k != "seconds"} for row in stopped.value.history]))
    assert_close(*found)


def test_a_divergence_leaves_the_last_good_epoch():
    rates = [0.1] * 12 + [1e30] * 99
    found, kept = [], []
    for processes in (1, 2):
        one = net(dtype="float32")
        with pytest.raises(DivergenceError) as error:
            trained(
                processes=processes,
                network=one,
                learning_rate=rates.__getitem__,
                after_epoch=[lambda state: kept.append(state.network.params.copy())],
            )
        np.testing.assert_array_equal(one.params, kept[-1])
        found.append(error.value.epoch)
    assert found == [3, 3]


@pytest.mark.parametrize("moment", ["batch", "callback", "exit"])
def test_an_error_of_the_user_s_leaves_what_was_trained(moment):
    def source(epoch):
        yield X[:20], Y[:20]
        yield X[20:40], Y[20:40]
        if moment == "batch":
            yield X[:3], "no labels"
        yield X[40:], Y[40:]

    def fail(state):
        if state.step == 2 and moment == "callback":
            raise DataError("mine")
        if state.step == 2 and moment == "exit":
            raise SystemExit

    fail.reads_network = False
    one, two = net(), net()
    for processes, mine in ((1, one), (2, two)):
        with pytest.raises((DataError, SystemExit)):
            trained(source, processes, mine, after_step=[fail])
    np.testing.assert_allclose(two.params, one.params, rtol=1e-10)
    assert not np.array_equal(two.params, net().params)


def test_a_range_test():
    one, several = (find_learning_rate(net(), (X, Y), steps=20, processes=n) for n in (1, 2))
    np.testing.assert_allclose(several.losses, one.losses, rtol=1e-6)


def test_folds_and_an_ensemble():
    parts, settings = folds(len(Y), 3, seed=0, targets=Y), {"epochs": 2, "patience": 5, "seeds": range(3)}
    one, several = (
        train_folds([net(seed) for seed in range(3)], (X, Y), parts, processes=n, **settings) for n in (1, 2)
    )
    np.testing.assert_allclose(several.logits, one.logits, rtol=1e-6, atol=1e-9)


def test_a_network_is_trained_again_with_another_number_of_processes_and_copied_at_any_time():
    copies = []
    one, several = net(), net()
    for processes in (1, 3, 2):
        trained(network=one)
        trained(
            processes=processes, network=several, after_step=[lambda state: copies.append(copy.copy(state.network))]
        )
    np.testing.assert_allclose(several.params, one.params, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(copies[-1].params, several.params)
    for other in (copy.deepcopy(several), pickle.loads(pickle.dumps(several))):
        np.testing.assert_array_equal(other.params, several.params)
        np.testing.assert_array_equal(other.predict_proba(X), several.predict_proba(X))
        trained(network=other)


def test_a_training_within_a_training():
    inner = []

    def train_another(state):
        if state.step == 3:
            inner.append(trained(epochs=1))

    outer = trained(after_step=[train_another])
    np.testing.assert_array_equal(outer[0].params, trained()[0].params)
    np.testing.assert_array_equal(inner[0][0].params, trained(epochs=1)[0].params)


# --- Refused before any work.

REFUSED = {
    "no hidden layer": (
        lambda: MLP([16, 3]),
        {"processes": 2},
        "processes must be 1, not 2,.* without a hidden layer",
    ),
    "too narrow": (lambda: MLP([16, 9, 2, 3]), {"processes": 3}, "processes must be at most 2, not 3,.* 2 units"),
    "sync": (net, {"processes": 2, "sync_gradients": lambda grads: None}, "sync_gradients must be None with several"),
    **{
        f"processes={value!r}": (
            net,
            {"processes": value},
            f"processes must be a whole number of at least 1, not .*{value}",
        )
        for value in (0, -1, 1.5, True, "2", None)
    },
}


class Beginning:
    """A callback that remembers whether training began."""

    begun = False

    def begin(self, state):
        self.begun = True

    def __call__(self, state):
        self.begun = True


@pytest.mark.parametrize("why", REFUSED)
def test_what_can_not_work_is_refused_before_anything_changes(tmp_path, monkeypatch, why):
    make, settings, message = REFUSED[why]
    network, callback = make(), Beginning()
    train(copy.deepcopy(network), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    before = pickle.dumps(network)
    started = []
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", started.append)
    with pytest.raises(SettingError, match=message):
        train(network, (X, Y), epochs=3, after_step=[callback], resume=tmp_path / "c", **settings)
    assert not callback.begun
    assert not started
    assert pickle.dumps(network) == before


def test_a_checkpoint_of_another_network_is_refused_and_starts_nothing(tmp_path, monkeypatch):
    train(MLP([16, 7, 3]), (X, Y), epochs=1, after_epoch=[Checkpoint(tmp_path / "c")])
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", None)
    with pytest.raises(FileFormatError):
        trained(resume=tmp_path / "c", after_epoch=[Checkpoint(tmp_path / "c")])
