"""Ctrl-C while the library trains: the state so far, or KeyboardInterrupt and nothing half-made."""

import pickle
import signal
import threading

import numpy as np
import pytest

import numlp
from numlp import MLP, EarlyStopping, train
from numlp.training.interruption import Interruption


@pytest.fixture(autouse=True)
def handler():
    """Python's own handler, which a process in the background lacks."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press():
    signal.raise_signal(signal.SIGINT)


def pressing_at(step, times=1):
    def pressed(state):
        if state.step == step:
            for _ in range(times):
                press()

    return pressed


def test_ctrl_c_keeps_the_history_and_the_best_weights(blobs):
    x, y = blobs
    wrong = x, (y + 1) % 3  # so that the loss on them rises
    net, stopping = MLP([2, 8, 3], seed=0), EarlyStopping("validation_loss", patience=100)
    with pytest.raises(numlp.Interrupted) as stop:
        train(
            net,
            blobs,
            validation=wrong,
            epochs=100,
            batch_size=50,
            after_step=[pressing_at(11)],
            after_epoch=[stopping],
        )
    history = stop.value.history
    assert isinstance(stop.value, KeyboardInterrupt)
    assert history["epoch"] == [1, 2, 3, 4]
    assert stopping.epoch < 4
    np.testing.assert_array_equal(net.params, stopping.params)
    assert "sys.last_value.history" in str(stop.value)
    assert pickle.loads(pickle.dumps(stop.value)).history.rows == history.rows


def test_ctrl_c_ends_training_after_the_step(blobs):
    stopped, whole = (MLP([2, 8, 3], seed=0) for _ in range(2))
    with pytest.raises(numlp.Interrupted) as stop:
        train(stopped, blobs, epochs=9, batch_size=50, after_step=[pressing_at(5)])
    train(whole, blobs, epochs=9, batch_size=50, after_step=[lambda state: state.step == 5])
    np.testing.assert_array_equal(stopped.params, whole.params)
    assert len(stop.value.history) == 2


def test_ctrl_c_at_any_line_of_the_training_leaves_nothing_half_made(blobs, monkeypatch):
    """Send the signal at each of the places where a step, an epoch or a callback may be half done."""
    from numlp.network.mlp import MLP as Network
    from numlp.training import loop, optimizers

    places = [
        (Network, "loss_and_grad"), (optimizers.Adam, "update"), (loop, "evaluate_rows"), (Network, "begin_epoch"),
        (EarlyStopping, "__call__"),
    ]  # fmt: skip
    for owner, name in places:
        calls, original = [], getattr(owner, name)

        def interrupted(*arguments, calls=calls, original=original, name=name, **settings):
            calls.append(name)
            if len(calls) == 2:
                press()
            result = original(*arguments, **settings)
            if len(calls) == 2:
                assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
            return result

        net, stopping, seen = MLP([2, 8, 3], seed=0), EarlyStopping("validation_loss"), []

        def keep(state, seen=seen, net=net):
            seen.append(net.params.copy())

        with monkeypatch.context() as patched:
            patched.setattr(owner, name, interrupted)
            with pytest.raises(numlp.Interrupted) as stop:
                train(
                    net, blobs, validation=blobs, epochs=50, batch_size=50, optimizer="adam", averaging=0.9,
                    after_epoch=[stopping, keep],
                )  # fmt: skip
        assert 1 <= len(stop.value.history) <= 2
        assert len(seen) == len(stop.value.history)
        np.testing.assert_array_equal(net.params, seen[stopping.epoch - 1])


@pytest.mark.parametrize("step", [2, 5])
def test_a_second_ctrl_c_ends_at_once_with_the_last_complete_epoch(blobs, step):
    net, seen = MLP([2, 8, 3], seed=0), [MLP([2, 8, 3], seed=0).params.copy()]
    with pytest.raises(KeyboardInterrupt) as stop:
        train(
            net, blobs, epochs=9, batch_size=50, averaging=0.9, after_step=[pressing_at(step, times=2)],
            after_epoch=[lambda state: seen.append(net.params.copy())],
        )  # fmt: skip
    np.testing.assert_array_equal(net.params, seen[-1])
    assert isinstance(stop.value, numlp.Interrupted) == (step == 5)
    assert len(seen) == 1 + step // 3


def test_ctrl_c_while_data_is_read_changes_nothing(blobs):
    class Presses:
        def __array__(self, dtype=None, copy=None):
            press()
            return np.asarray(blobs[0])

    net = MLP([2, 3], seed=0)
    before = net.params.copy()
    with pytest.raises(KeyboardInterrupt) as stop:
        train(net, (Presses(), blobs[1]))
    assert not isinstance(stop.value, numlp.Interrupted)
    np.testing.assert_array_equal(net.params, before)


def test_a_handler_of_the_user_s_own_stays(blobs):
    heard = []
    signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    history = train(MLP([2, 3]), blobs, epochs=2, after_step=[pressing_at(1)])
    assert (len(history), heard) == (2, [1])
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_signal_that_is_ignored_stays_ignored(blobs):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interruption([signal.SIGINT]) as interruption:
        press()
    assert not interruption.number
    assert len(train(MLP([2, 3]), blobs, epochs=2, after_step=[pressing_at(1)])) == 2
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_training_in_another_thread_leaves_signals_alone(blobs):
    histories = []
    thread = threading.Thread(target=lambda: histories.append(train(MLP([2, 3]), blobs, epochs=2)))
    thread.start()
    thread.join()
    assert len(histories[0]) == 2


def test_ctrl_c_in_a_range_test_is_a_plain_keyboard_interrupt(blobs, monkeypatch):
    net, called = MLP([2, 3], seed=0), []
    before = net.params.copy()

    def gradient(self, *arguments, original=MLP.loss_and_grad, **settings):
        called.append(1)
        if len(called) == 5:
            press()
        return original(self, *arguments, **settings)

    monkeypatch.setattr(MLP, "loss_and_grad", gradient)
    with pytest.raises(KeyboardInterrupt) as stop:
        numlp.find_learning_rate(net, blobs)
    assert not isinstance(stop.value, numlp.Interrupted)
    assert len(called) == 5
    np.testing.assert_array_equal(net.params, before)


def test_a_second_ctrl_c_leaves_no_handler_behind_wherever_it_comes():
    """Not even at the end of the `with`, or every later training would end after its first step."""
    Interruption().__enter__()
    press()
    with pytest.raises(KeyboardInterrupt):
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_another_rank_has_heard_makes_no_first_signal_a_second_one():
    with Interruption([signal.SIGINT]) as interruption:
        interruption.number = signal.SIGTERM  # as ranks agree
        signal.raise_signal(signal.SIGINT)
        assert interruption.number == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
