import numpy as np
import pytest

from numlp import MLP
from numlp.training import trial
from numlp.training.threads import count
from numlp.training.trial import Parallelism, candidates, fastest, powers

X = np.random.default_rng(0).normal(size=(60, 20))
DATA = X, np.arange(60) % 3


def test_a_trial_leaves_the_network_and_the_threads_unchanged():
    net = MLP([20, 30, 3], normalization="batch", dropout=0.5)
    params, before = net.params.copy(), count()
    choices = candidates([1, 2], powers(before))
    assert fastest(net, DATA, choices, batch_size=8, optimizer="adam") in choices
    np.testing.assert_array_equal(net.params, params)
    assert count() == before
    assert net.class_names is None


@pytest.mark.parametrize(("a_process", "expected"), [(2.0, 1), (0.5, 2)])
def test_the_fastest_takes_the_least_time(monkeypatch, a_process, expected):
    """Use a clock that runs faster, or slower, while two processes train."""
    now, trained = 0.0, 1
    train = trial.train

    def clock():
        nonlocal now
        now += 0.02 * a_process**trained
        return now

    def watched(*args, processes, **settings):
        nonlocal trained
        trained = processes
        return train(*args, processes=processes, **settings)

    monkeypatch.setattr(trial.time, "perf_counter", clock)
    monkeypatch.setattr(trial, "train", watched)
    found = fastest(MLP([20, 8, 3]), DATA, [Parallelism(1, 1), Parallelism(2, 2)], batch_size=8)
    assert found.processes == expected


def test_where_no_process_starts_one_is_the_fastest(monkeypatch):
    def fail(*arguments):
        raise OSError("Function not implemented")

    monkeypatch.setattr("multiprocessing.context.BaseContext.Semaphore", fail)
    choices = [Parallelism(2, 1), Parallelism(1, 1)]
    assert fastest(MLP([20, 8, 3]), DATA, choices, batch_size=8) == Parallelism(1, 1)


def test_a_single_candidate_needs_no_trial(monkeypatch):
    monkeypatch.setattr(trial, "train", None)
    assert fastest(MLP([20, 8, 3]), DATA, [Parallelism(2, 2)], batch_size=8) == Parallelism(2, 2)


def test_candidates_are_those_that_differ():
    assert candidates([1, 2, 4], [1]) == [Parallelism(1, 1), Parallelism(2, 1), Parallelism(4, 1)]
    assert candidates([1, 2, 4], [1, 2, 4]) == [
        *(Parallelism(1, 1), Parallelism(1, 2), Parallelism(1, 4)),
        *(Parallelism(2, 2), Parallelism(2, 4), Parallelism(4, 4)),
    ]
