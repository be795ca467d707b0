import dataclasses

import numpy as np
import pytest

from numlp import MLP, EarlyStopping, KeepBest, TimeBudget, evaluate, train
from numlp.errors import DivergenceError, SettingError
from numlp.training.callbacks import GradientNorms

NOISE = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3  # nothing to learn: a network soon overfits


def others(blobs):
    return blobs[0][:40], blobs[1][:40]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("figure", ["validation_loss", "validation_accuracy", "train_loss"])
def test_the_best_epoch_s_parameters_are_kept(blobs, figure, averaging):
    best, seen = KeepBest(figure), []
    history = train(
        MLP([2, 4, 3], normalization="batch"),
        blobs,
        validation=others(blobs),
        learning_rate=3.0,
        epochs=8,
        averaging=averaging,
        after_epoch=[best, lambda state: seen.append(state.network.params.copy())],
    )
    values = history[figure]
    expected = values.index(min(values) if figure.endswith("loss") else max(values))
    assert best.epoch == expected + 1
    np.testing.assert_array_equal(best.params, seen[expected])


def test_the_best_parameters_under_averaging_are_the_average(blobs):
    best, net = KeepBest(), MLP([2, 4, 3])
    history = train(net, blobs, validation=others(blobs), epochs=5, averaging=0.9, after_epoch=[best])
    net.params[:] = best.params
    assert evaluate(net, others(blobs))["loss"] == min(history["validation_loss"])


@pytest.mark.parametrize("callback", [KeepBest, EarlyStopping])
@pytest.mark.parametrize("figure", ["validation_los", "train_r2", None, ["train_loss"]])
def test_an_unknown_metric_is_refused_before_training(blobs, callback, figure):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(SettingError, match=r"unknown history column .* Available: epoch, train_loss, train_acc"):
        train(net, blobs, epochs=1, after_epoch=[callback(figure)])
    np.testing.assert_array_equal(net.params, before)
    assert net.input_shape is None


@pytest.mark.parametrize("callback", [KeepBest, EarlyStopping])
@pytest.mark.parametrize("figure", ["validation_loss", "validation_accuracy"])
def test_validation_metrics_need_validation_data(blobs, callback, figure):
    says = f"{callback.__name__} needs '{figure}', but there is no validation data: give validation="
    with pytest.raises(SettingError, match=says):
        train(MLP([2, 3]), blobs, epochs=1, after_epoch=[callback(figure)])


def test_a_class_is_not_a_callback(blobs):
    with pytest.raises(SettingError, match=r"after_epoch holds the class EarlyStopping: make one, EarlyStopping\("):
        train(MLP([2, 3]), blobs, validation=blobs, after_epoch=[EarlyStopping])


@pytest.mark.parametrize("min_delta", [-0.1, np.nan, np.inf, "0.1", None, True])
def test_min_delta_out_of_range(min_delta):
    for callback in (KeepBest, EarlyStopping):
        with pytest.raises(SettingError, match="min_delta must be"):
            callback(min_delta=min_delta)


@pytest.mark.parametrize("patience", [0, -1, 1.5, "3", None, True])
def test_patience_out_of_range(patience):
    with pytest.raises(SettingError, match="patience must be a whole number of at least 1"):
        EarlyStopping(patience=patience)


@pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf, "3", None, True])
def test_seconds_out_of_range(seconds):
    with pytest.raises(SettingError, match="seconds must be a finite number above 0"):
        TimeBudget(seconds)


def overfit(stopping, *more, epochs=200, **settings):
    net = MLP([2, 32, 3], seed=1)
    rng = np.random.default_rng(5)
    validation = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    settings = {"learning_rate": 0.02, "optimizer": "adam"} | settings
    history = train(net, NOISE, validation=validation, epochs=epochs, after_epoch=[stopping, *more], **settings)
    return net, history, validation


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("patience", [1, 4])
def test_early_stopping_ends_training_and_restores_the_best(patience, averaging):
    stopping = EarlyStopping(patience=patience)
    net, history, validation = overfit(stopping, averaging=averaging)
    losses = history["validation_loss"]
    assert len(history) == stopping.epoch + patience < 200
    assert losses[stopping.epoch - 1] == min(losses)
    assert evaluate(net, validation)["loss"] == min(losses) < losses[-1]


def test_the_best_is_restored_when_training_runs_out_of_epochs():
    stopping = EarlyStopping(patience=1000)
    net, history, validation = overfit(stopping, epochs=40)
    assert len(history) == 40 > stopping.epoch
    assert evaluate(net, validation)["loss"] == min(history["validation_loss"])


def test_the_best_is_restored_when_another_callback_ends_the_training():
    net, history, validation = overfit(EarlyStopping(patience=1000), lambda state: state.epoch == 30)
    assert len(history) == 30
    assert evaluate(net, validation)["loss"] == min(history["validation_loss"]) < history["validation_loss"][-1]


def test_an_improvement_below_min_delta_does_not_count():
    stopping = EarlyStopping("train_loss", patience=3, min_delta=100.0)
    _, history, _ = overfit(stopping)
    assert (stopping.epoch, len(history)) == (1, 4)


def test_a_callback_may_be_used_again():
    stopping = EarlyStopping(patience=2)
    first = overfit(stopping)[0].params.copy()
    epoch = stopping.epoch
    np.testing.assert_array_equal(overfit(stopping)[0].params, first)
    assert stopping.epoch == epoch


def test_a_time_budget_ends_an_epoch_which_is_still_validated(blobs, monkeypatch):
    now = iter(np.arange(0, 1000, 1.0))
    monkeypatch.setattr("numlp.training.callbacks.time.monotonic", lambda: next(now))
    net, steps = MLP([2, 3]), []
    history = train(
        net,
        blobs,
        validation=blobs,
        batch_size=50,
        epochs=100,
        after_step=[TimeBudget(5), lambda state: steps.append(state.step)],
    )
    assert steps == [1, 2, 3, 4, 5]
    assert len(history) == 2
    assert history["validation_loss"][-1] == evaluate(net, blobs)["loss"]


class Recorder:
    """A user's callback with every optional method."""

    def __init__(self):
        self.events = []

    def begin(self, state):
        self.events.append(("begin", state.epoch, state.step, len(state.history), state.figures))

    def __call__(self, state):
        self.events.append(("call", state.epoch, state.step, len(state.history)))

    def finish(self, state):
        self.events.append(("finish", state.epoch, state.step, len(state.history)))


def test_callbacks_are_called_at_the_beginning_and_at_the_end(blobs):
    recorder = Recorder()
    train(MLP([2, 3]), blobs, batch_size=150, epochs=2, after_epoch=[recorder])
    figures = ("epoch", "train_loss", "train_accuracy", "learning_rate", "seconds")
    assert recorder.events == [("begin", 0, 0, 0, figures), ("call", 1, 1, 1), ("call", 2, 2, 2), ("finish", 2, 2, 2)]


def test_a_callback_for_steps_and_epochs_begins_once(blobs):
    recorder = Recorder()
    train(MLP([2, 3]), blobs, batch_size=75, epochs=1, after_step=[recorder], after_epoch=[recorder])
    assert [event[0] for event in recorder.events] == ["begin", "call", "call", "call", "finish"]


def test_state_figures_are_the_history_s_columns(blobs):
    for loss, validation in (("softmax_cross_entropy", None), ("softmax_cross_entropy", 1), ("squared_error", 1)):
        recorder, y = Recorder(), np.eye(3)[blobs[1]]
        data = blobs[0], y
        history = train(
            MLP([2, 3], loss=loss), data, validation=data if validation else None, epochs=1, after_epoch=[recorder]
        )
        assert list(recorder.events[0][4]) == history.columns


def test_a_callback_may_be_any_object_that_can_be_called(blobs):
    @dataclasses.dataclass  # which Python can't hash
    class Counter:
        count: int = 0

        def __call__(self, state):
            self.count += 1

    counter = Counter()
    train(MLP([2, 3]), blobs, epochs=2, after_epoch=[counter])
    assert counter.count == 2


def test_an_error_in_a_callback_propagates(blobs):
    def broken(state):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train(MLP([2, 3]), blobs, epochs=1, after_epoch=[broken])


def test_a_divergence_ends_before_the_callbacks_of_its_epoch(blobs):
    recorder = Recorder()
    with pytest.raises(DivergenceError):
        train(MLP([2, 8, 3]), blobs, learning_rate=1e30, epochs=5, after_epoch=[recorder])
    assert [event[0] for event in recorder.events] == ["begin", "finish"]


def test_the_best_parameters_are_restored_after_a_divergence_too(blobs):
    net, stopping = MLP([2, 8, 3]), EarlyStopping("train_loss", patience=10)
    with pytest.raises(DivergenceError):
        train(net, blobs, learning_rate=lambda step: 0.1 if step < 9 else 1e30, epochs=9, after_epoch=[stopping])
    assert stopping.epoch > 0
    np.testing.assert_array_equal(net.params, stopping.params)


def test_gradient_norms_are_those_of_each_epoch_s_last_step(blobs):
    norms, seen = GradientNorms(), []
    net = MLP([2, 4, 3])
    watch = [norms, lambda state: seen.append(float(np.linalg.norm(net.grads[:8])))]
    train(net, blobs, epochs=3, clip_norm=0.05, after_epoch=watch)
    assert norms.history["epoch"] == [1, 2, 3]
    assert norms.history["layer 1"] == pytest.approx(seen)
    assert max(norms.history["layer 1"]) <= 0.05 + 1e-6
    train(net, blobs, epochs=1, after_epoch=watch)
    assert len(norms.history) == 1  # a reused callback starts over
