import numpy as np
import pytest

from numlp import MLP
from numlp.datasets import load_dataset
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import train_model
from numlp.training.threads import count, limited

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
