import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.parallel import sizes
from numlp.parallel.sizes import as_team, cores, usual_processes

WIDTHS = st.lists(st.integers(1, 3000), min_size=2, max_size=6)


@given(WIDTHS, st.integers(1, 1000), st.integers(0, 10**6), st.integers(1, 300))
def test_the_usual_number_is_one_that_training_takes(layer_size, batch_size, steps, cores):
    processes = usual_processes(layer_size, batch_size, steps, cores)
    assert 1 <= processes <= cores
    assert processes == 1 or processes <= min(layer_size[1:-1])


@given(WIDTHS, st.integers(1, 1000), st.integers(0, 10**6), st.integers(1, 64))
def test_more_work_never_takes_fewer_processes(layer_size, batch_size, steps, cores):
    twice = usual_processes([2 * width for width in layer_size], 2 * batch_size, 2 * steps, cores)
    assert twice >= usual_processes(layer_size, batch_size, steps, cores)


@pytest.mark.parametrize(
    ("layer_size", "batch_size", "steps", "expected"),
    [
        ([784, 512, 512, 10], 32, 14_000, 4),
        ([784, 256, 256, 256, 10], 64, 10_000, 4),
        ([784, 10], 512, 10_000, 1),  # no hidden layer
        ([784, 512, 8, 10], 64, 10_000, 1),  # a bottleneck
        ([8, 32, 32, 1], 32, 10_000, 1),  # hardly any work
        ([784, 512, 512, 10], 32, 50, 1),  # ends before processes have started
    ],
)
def test_the_usual_number_of_four_cores(layer_size, batch_size, steps, expected):
    assert usual_processes(layer_size, batch_size, steps, cores=4) == expected


def test_a_large_machine_has_no_more_processes_than_training_takes():
    assert as_team(usual_processes([784, 16384, 10], 4096, 10_000, cores=192)) is not None


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Four hyper-threads of two cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(sizes, "_SYSTEM", tmp_path)
    for thread in range(4):
        folder = tmp_path / f"devices/system/cpu/cpu{thread}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{thread % 2},{thread % 2 + 2}\n")
    (tmp_path / "fs/cgroup").mkdir(parents=True)
    return tmp_path


def test_hyper_threads_of_a_core_count_once(system):
    assert cores() == 2


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000", 2), ("100000 100000", 1), ("50000 100000", 1), ("400000 100000", 2)]
)
def test_a_container_s_quota_counts(system, quota, expected):
    (system / "fs/cgroup/cpu.max").write_text(quota + "\n")
    assert cores() == expected


def test_the_affinity_counts(system, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 3}, raising=False)
    assert cores() == 1


def test_without_topology_each_is_a_core(system, monkeypatch):
    monkeypatch.setattr(sizes, "_SYSTEM", system / "nothing")
    assert cores() == 4


def test_where_a_system_tells_nothing_half_of_all_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for count, expected in ((8, 4), (1, 1), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert cores() == expected
