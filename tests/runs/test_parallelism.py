import numpy as np
import pytest

from numlp.datasets import load_dataset
from numlp.runs import parallelism
from numlp.runs.parallelism import with_timed_numbers, with_usual_processes
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_model
from numlp.training.threads import count, limited

WIDE = Recipe(layers=(512, 512), batch_size=512, epochs=5000)


@pytest.fixture
def data(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 4))
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 3)
    return load_dataset(tmp_path / "data.npz", validation=0.2)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(parallelism, "cores", lambda: 2)
    monkeypatch.setattr(parallelism, "allowed", lambda: 2)


def usual(recipe, data):
    return with_usual_processes(recipe, make_network(recipe, data), data).processes


def test_the_usual_number_of_processes(two_cores, data):
    assert usual(WIDE, data) == 2
    assert usual(WIDE.edited(layers=(8, 8)), data) == 1
    assert usual(WIDE.edited(layers=()), data) == 1
    assert usual(WIDE.edited(epochs=1), data) == 1
    assert usual(WIDE.edited(layers=(128, 128), batch_size=10_000), data) == 1  # there are few rows


def test_where_processes_can_not_meet_one_trains(two_cores, monkeypatch, data):
    def fail(*arguments):
        raise OSError("Function not implemented")

    monkeypatch.setattr("multiprocessing.context.BaseContext.Semaphore", fail)
    assert usual(WIDE, data) == 1
    assert usual(WIDE.edited(processes=2), data) == 2


def test_a_number_of_one_s_own_stays(two_cores, data):
    assert usual(WIDE.edited(processes=1), data) == 1
    assert usual(WIDE.edited(processes=3), data) == 3
    assert usual(WIDE.edited(processes="timed"), data) == "timed"


def test_one_thread_of_the_blas_means_one_process(two_cores, monkeypatch, data):
    assert usual(WIDE.edited(threads=1), data) == 1
    monkeypatch.setattr(parallelism, "allowed", lambda: 1)  # as OPENBLAS_NUM_THREADS=1 does
    assert usual(WIDE, data) == 1
    assert usual(WIDE.edited(threads=2), data) == 2
    monkeypatch.setattr(parallelism, "allowed", lambda: None)  # a BLAS that doesn't tell
    assert usual(WIDE, data) == 2


def test_timed_becomes_numbers(two_cores, data):
    recipe = Recipe(layers=(5,), batch_size=8, processes="timed", threads="timed")
    found = with_timed_numbers(recipe, make_network(recipe, data), data)
    assert found.processes in (1, 2)
    assert found.threads in range(1, count() + 1)
    only = with_timed_numbers(recipe.edited(threads=1), make_network(recipe, data), data)
    assert only.processes in (1, 2)
    assert only.threads == 1
    assert with_timed_numbers(Recipe(), make_network(recipe, data), data) == Recipe()


def test_no_more_processes_are_timed_than_the_network_has_units(two_cores, data):
    for layers in ((), (1, 8)):
        recipe = Recipe(layers=layers, processes="timed")
        assert with_timed_numbers(recipe, make_network(recipe, data), data).processes == 1


def test_a_recipe_trains_with_its_number_of_processes(monkeypatch, data):
    seen = []
    monkeypatch.setattr("numlp.training.training.as_team", lambda processes, team: seen.append(processes))
    for processes in (None, 1, 2):
        train_model(Recipe(layers=(5,), epochs=1, processes=processes), data)
    assert seen == [1, 1, 2]


def test_processes_share_the_threads_out(data):
    """Two threads and two processes compute what one thread and two processes do."""
    recipe = Recipe(layers=(64, 64), epochs=3, batch_size=16, processes=2)
    with limited(1):
        alone = train_model(recipe, data).params
    np.testing.assert_array_equal(train_model(recipe.edited(threads=2), data).params, alone)
