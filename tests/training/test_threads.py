import numpy as np
import pytest

from numlp import MLP
from numlp.datasets import load_dataset
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import threads_of, train_model
from numlp.training.threads import count, fastest, limited

SEVERAL = pytest.mark.skipif(count() == 1, reason="this machine, or OPENBLAS_NUM_THREADS, has one thread")


def test_a_limit_holds_until_its_block_ends():
    before = count()
    with limited(1):
        assert count() == 1
    assert count() == before
    with pytest.raises(KeyError), limited(1):
        raise KeyError
    assert count() == before


def test_no_limit_is_none():
    before = count()
    with limited(None):
        assert count() == before


def test_trials_leave_the_network_and_the_limit_unchanged():
    net = MLP([20, 30, 3], normalization="batch", dropout=0.5)
    params, before = net.params.copy(), count()
    assert 1 <= fastest(net, batch_size=8) <= before
    np.testing.assert_array_equal(net.params, params)
    assert count() == before


@SEVERAL
def test_the_fastest_number_takes_the_least_time(monkeypatch):
    """Use a clock that runs faster, or slower, while one thread computes."""
    now = 0.0
    for per_thread, expected in ((2.0, 1), (0.5, count())):

        def clock(per_thread=per_thread):
            nonlocal now
            now += 0.02 * per_thread ** count()
            return now

        monkeypatch.setattr("numlp.training.threads.time.perf_counter", clock)
        assert fastest(MLP([4, 3, 2]), batch_size=2) == expected


@SEVERAL
def test_training_uses_the_threads_in_its_recipe(monkeypatch, tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 4))
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 3)
    seen = []
    forward = MLP.forward
    monkeypatch.setattr(MLP, "forward", lambda *args, **kwargs: (seen.append(count()), forward(*args, **kwargs))[1])
    data = load_dataset(tmp_path / "data.npz", validation=0.2)
    for threads in (1, None):
        seen.clear()
        train_model(Recipe(layers=(5,), epochs=1, threads=threads), data)
        assert set(seen) == {threads or count()}


def test_timed_threads_become_a_number():
    net = MLP([4, 3, 2])
    assert threads_of(Recipe(threads="timed"), net) in range(1, count() + 1)
    assert threads_of(Recipe(threads=3), net) == 3
    assert threads_of(Recipe(), net) is None
