"""Processes: how they start and end, what goes wrong with them, and what they leave behind."""

import errno
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from numlp import MLP, train
from numlp.errors import SettingError, TeamError
from numlp.network.activations import ReLU
from numlp.parallel.processes import Processes, _pickled
from numlp.training.threads import count, limited

linux = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 12)).astype(np.float32)
Y = (X[:, 0] > 0) * 1

PATIENCE = 60  # seconds for what other programs have for a moment to go


def network(width=32):
    return MLP([12, width, width, 2], seed=0)


@pytest.fixture(autouse=True)
def names_of_its_own(monkeypatch):
    """Let this process's semaphores have names that tell them from those of other programs."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "semprefix", f"/mp-{os.getpid()}")


def children(but=()):
    """Return the processes that this one has started, dead or alive, but for some, such as a browser."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread has just ended
            found += (task / "children").read_text().split()
    return [child for child in found if child not in but]


class Left:
    """What there is, to compare with later: names in /dev/shm, children, dead or alive, and open files."""

    def __init__(self, *, files=True):
        self.files = files
        self.there = self.look()

    def look(self):
        names = {name for name in os.listdir("/dev/shm") if name.startswith(("psm_", f"sem.mp-{os.getpid()}"))}
        files = {f"file {name}" for name in os.listdir("/proc/self/fd")} if self.files else set()
        return {*names, *(f"process {child}" for child in children()), *files}

    def more(self):
        """Return what there is in addition, and stays: what other programs share comes and goes."""
        late = time.monotonic() + PATIENCE
        while (more := self.look() - self.there) and time.monotonic() < late:
            time.sleep(0.05)
        return more


class Watch:
    """A program whose members write down what `look` says, each time that the leader commands it."""

    def __init__(self, look):
        self.look = look

    def __call__(self, team):
        return Watching(self.look, team)


class Watching:
    def __init__(self, look, team):
        self.look, self.team = look, team
        self.found = team.share((team.size, 8), np.float64)

    def follow(self):
        while True:
            self.team.obey()
            self.found[self.team.rank] = self.look(self.team)
            self.team.report()


def watched(size, look):
    """Return what each member of a team finds, (size - 1, 8)."""
    team = Processes(size)
    try:
        leader = team.start(Watch(look))
        team.command()
        team.wait()
        return leader.found[1:].copy()
    finally:
        team.end()


def memory_of(team):
    """Return this process's private memory, in bytes."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines}
    return 1024 * (kilobytes["Private_Clean:"] + kilobytes["Private_Dirty:"])


def fails(team):
    raise MemoryError("no room for 7 elephants")


@linux
def test_a_data_set_is_not_copied_to_each_process():
    data = np.ones(200_000_000 // 8)
    assert (watched(3, memory_of) < data.nbytes / 5).all()


def test_what_goes_wrong_in_a_process_reaches_the_caller():
    with pytest.raises(TeamError, match=r"process 2 of the 2 .* failed: MemoryError: no room for 7 elephants"):
        watched(2, fails)


class Keep:
    """A callback that keeps the weights of the last epoch, and may kill a process at one of its calls."""

    reads_network = False

    def __init__(self, call=0, process=0):
        self.calls, self.call, self.process, self.weights = 0, call, process, None
        self.before = children()

    def __call__(self, state):
        self.calls += 1
        if self.calls == self.call:
            os.kill(int(children(but=self.before)[self.process]), signal.SIGKILL)

    def record(self, state):
        self.weights = state.network.params.copy()


def test_an_error_in_a_layer_leaves_the_weights_of_the_last_epoch(monkeypatch):
    leader, calls, keep, usual = os.getpid(), [], Keep(), ReLU.__call__

    def failing(*arguments):
        calls.append(0)
        if os.getpid() != leader and len(calls) == 100:
            raise ValueError("no such units")
        usual(*arguments)

    monkeypatch.setattr(ReLU, "__call__", failing)
    net = network()
    with pytest.raises(TeamError, match="ValueError: no such units"):
        train(net, (X, Y), batch_size=16, after_epoch=[keep], processes=2)
    np.testing.assert_array_equal(net.params, keep.weights)


def killed_at_random(size, rng):
    """Train while a thread kills a process at a random instant; return the reason that training gives."""
    over, before = threading.Event(), children()

    def kill():
        over.wait(rng.uniform(0, 0.1))
        pids = children(but=before)
        if pids and not over.is_set():
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(int(rng.choice(pids)), signal.SIGKILL)

    killer, keep, net = threading.Thread(target=kill), Keep(), network()
    keep.weights = net.params.copy()
    killer.start()
    reason = ""
    try:
        train(net, (X, Y), batch_size=8, epochs=20, validation=(X, Y), after_epoch=[keep], processes=size)
    except TeamError as error:
        reason = error.reason
    over.set()
    killer.join()
    np.testing.assert_array_equal(net.params, keep.weights)
    return reason


@linux
def test_a_process_that_is_killed_ends_training_with_the_weights_of_the_last_epoch():
    before = Left()
    rng = np.random.default_rng(0)
    reasons = {killed_at_random(size, rng) for size in (2, 3, 4) * 5}
    assert "it was killed, perhaps by the system for want of memory" in reasons
    assert len(reasons - {""}) == 1  # a kill may also come too late
    assert not before.more()


@linux
@pytest.mark.parametrize("process", [0, 1])
@pytest.mark.parametrize("event", ["after_step", "after_epoch"])
def test_a_process_may_be_killed_between_steps_and_epochs(event, process):
    net, keep = network(), Keep(3, process)
    keep.weights = net.params.copy()
    with pytest.raises(TeamError, match=rf"process {process + 2} of the 3 .* killed"):
        train(net, (X, Y), processes=3, **{event: [keep]})
    np.testing.assert_array_equal(net.params, keep.weights)


@linux
def test_a_killed_process_is_noticed_where_exit_codes_are_thrown_away(monkeypatch):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(TeamError, match="process 2 of the 2"):
            train(network(), (X, Y), processes=2, after_step=[Keep(3)])
    finally:
        signal.signal(signal.SIGCHLD, before)


@linux
@pytest.mark.parametrize("size", [2, 3])
def test_nothing_is_left_behind_when_training_ends(size):
    before = Left()
    train(network(), (X, Y), epochs=1, processes=size)
    assert not before.more()


@linux
def test_an_error_while_the_leader_waits_for_reports_ends_training(monkeypatch):
    real = Processes.wait

    def wait(team):
        real(team)
        if sys._getframe(2).f_code.co_name == "assemble":
            raise TimeoutError("of a signal's handler")  # no second wait would ever end

    monkeypatch.setattr(Processes, "wait", wait)
    before = Left()
    with pytest.raises(TimeoutError):
        train(network(), (X, Y), epochs=1, processes=3)
    assert not before.more()


@linux
def test_an_interrupt_while_processes_end_spares_none(monkeypatch):
    real, killed = multiprocessing.process.BaseProcess.kill, []

    def kill(process):
        killed.append(process)
        if len(killed) == 1:
            raise KeyboardInterrupt
        real(process)

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "kill", kill)
    before = Left()
    with pytest.raises(KeyboardInterrupt):
        train(network(), (X, Y), epochs=1, processes=3)
    assert not before.more()


@pytest.mark.parametrize("size", [2, 3])
def test_the_processes_share_the_threads_out(size):
    found = []
    with limited(4):
        train(network(), (X, Y), epochs=1, processes=size, after_step=[lambda state: found.append(count())])
        assert count() == 4
    assert set(found) == {4 // size}


def test_too_many_processes_are_refused():
    with pytest.raises(SettingError, match="processes must be at most 64, not 1000"):
        train(network(1000), (X, Y), processes=1000)


@pytest.mark.parametrize("failing", ["multiprocessing.context.BaseContext.Semaphore", "mmap.mmap"])
def test_a_system_without_semaphores_or_memory_says_so(monkeypatch, failing):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(failing, fail)
    before = Left()
    with pytest.raises(TeamError, match=r"process 1 of the 2 .* writable /dev/shm .*No space left"):
        train(network(), (X, Y), processes=2)
    assert not before.more()


def test_a_system_that_starts_no_more_processes_says_so(monkeypatch):
    real, forks = os.fork, []

    def fork():
        forks.append(0)
        if len(forks) == 2:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return real()

    monkeypatch.setattr(os, "fork", fork)
    before = Left(files=False)  # Python forgets two pipes
    with pytest.raises(TeamError, match=r"process 3 of the 3 .* can't start .*perhaps the system allows no more"):
        train(network(), (X, Y), processes=3)
    assert not before.more()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_fork_of_the_caller_that_fails_leaves_the_team_alone():
    def fork_and_fail(state):
        if state.epoch == 1:
            child = os.fork()
            if not child:
                raise RuntimeError("in the fork")
            assert os.waitpid(child, 0)[1] >> 8 == 7

    x = np.random.default_rng(0).normal(size=(40, 4))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
            history = train(
                MLP([4, 8, 2]),
                (x, np.arange(40) % 2),
                epochs=4,
                batch_size=8,
                processes=2,
                after_epoch=[fork_and_fail],
            )
    except RuntimeError:
        os._exit(7)
    assert len(history) == 4


def test_a_program_that_cannot_be_pickled_is_refused_in_words():
    with pytest.raises(SettingError, match="processes must be 1 for a network that can't be pickled"):
        _pickled(lambda team: team)


def test_batches_that_grow_row_by_row_start_few_teams(monkeypatch):
    started = []
    start = Processes.start
    monkeypatch.setattr(Processes, "start", lambda team, program: started.append(team) or start(team, program))
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(n, 3)), np.arange(n) % 2) for n in range(2, 21)]
    train(MLP([3, 4, 2]), batches, epochs=1, processes=2)
    assert len(started) <= 5  # for 2, 4, 8, 16 and 32 rows
