"""Surroundings: where teams of processes are started from, how their callers die, and signals to all of them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")

DATA = """
import os, signal, sys, threading, time, warnings
import multiprocessing
from pathlib import Path
import numpy as np
import numlp
from numlp import MLP, train

x = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
y = (x[:, 0] > 0) * 1

def trained(processes, seed=0, **settings):
    net = MLP([12, 32, 32, 2], seed=seed)
    train(net, (x, y), processes=processes, seed=seed, **{"epochs": 2} | settings)
    return net.params

def children():
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]

def same(a, b):
    assert np.array_equal(a, b)
"""

PATIENCE = 600  # seconds for processes to end
LONG = """
def tell(state):
    if state.epoch == 2:
        print(*children(), flush=True)

def long(**settings):
    net = MLP([12, 32, 32, 2])
    try:
        train(net, (x, y), epochs=10**9, batch_size=16, after_epoch=[tell], processes=3, **settings)
    except numlp.Interrupted as stop:
        print("kept", len(stop.history) > 1, stop.__cause__ is None, children())
"""


def run(code, *options, method=None, **settings):
    """Return what a program prints, which must also do without warnings."""
    main = textwrap.indent(textwrap.dedent(code), "    ")
    start = f"    multiprocessing.set_start_method({method!r})\n" if method else ""
    text = f"{DATA}\nif __name__ == '__main__':\n{start}{main}"
    command = [sys.executable, "-W", "error", *options]
    command, given = ([*command, "-c", text], None) if "-" not in options else (command, text)
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=600, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def written(path, code):
    """Return the command of a script."""
    path.write_text(DATA + textwrap.dedent(code))
    return [sys.executable, "-W", "error", str(path)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pids):
    """Return whether processes end by themselves."""
    late = time.monotonic() + PATIENCE
    while any(alive(pid) for pid in pids) and time.monotonic() < late:
        time.sleep(0.01)
    return not any(alive(pid) for pid in pids)


def looks(pid):
    """Return how often a process has slept so far."""
    return int(Path(f"/proc/{pid}/status").read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])


@pytest.fixture
def started(tmp_path):
    """Start a long training of 3 processes in a group of its own; return it and the others' numbers."""
    callers = []

    def start(code):
        command = written(tmp_path / "long.py", LONG + textwrap.dedent(code))
        pipe = subprocess.PIPE
        callers.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True))
        return callers[0], callers[0].stdout.readline().split()

    yield start
    for caller in callers:
        with caller, suppress(ProcessLookupError):
            os.killpg(caller.pid, signal.SIGKILL)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_start_method_gives_the_same_bits(tmp_path, method):
    code = f"""
    if __name__ == "__main__":
        expected = trained(2)
        prefix = multiprocessing.current_process()._config["semprefix"] = f"/mp-{{os.getpid()}}"
        mine = lambda: [name for name in os.listdir("/dev/shm") if prefix[1:] in name]
        multiprocessing.set_start_method({method!r}, force=True)
        seen = []
        same(trained(2, after_epoch=[lambda state: seen.extend(mine())]), expected)
        print(bool(seen), mine(), len(children()) <= 2)  # Python's own two processes stay
    """
    done = subprocess.run(written(tmp_path / "script.py", code), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{method != 'fork'} [] True\n", "")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_script_without_a_guard_is_told_so(tmp_path, method):
    code = f"""
    multiprocessing.set_start_method({method!r}, force=True)
    trained(2)
    """
    done = subprocess.run(written(tmp_path / "script.py", code), capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert "TeamError: process 2 of the 2" in done.stderr
    assert "`if __name__ == '__main__':` around" in done.stderr


# Python itself can't spawn processes of a program that it reads from stdin.
@pytest.mark.parametrize(("options", "method"), [([], None), (["-"], None), ([], "spawn")])
def test_programs_without_a_file_train_with_several_processes(options, method):
    assert run("print(trained(2).size)", *options, method=method) == "1538\n"


def test_threads_of_blas_and_of_the_program_are_no_trouble():
    code = """
    a = np.ones((600, 600), np.float32)
    a @ a  # starts the threads of BLAS
    expected = [trained(2, seed) for seed in range(2)]
    found = [[], []]
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            np.linalg.norm(a)

    train_often = lambda i: [found[i].append(trained(2, i)) for _ in range(10)]
    threads = [threading.Thread(target=train_often, args=(i,)) for i in range(2)]
    for thread in [other := threading.Thread(target=compute), *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    other.join()
    for parameters, one in zip(found, expected):
        for each in parameters:
            same(each, one)
    warned = False
    try:
        warnings.warn("still an error")
    except UserWarning:
        warned = True
    print(len(found[0] + found[1]), warned, children())
    """
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert run(code, env=environment) == "20 True []\n"


def test_processes_that_were_forked_train_with_others():
    code = """
    expected = trained(2)
    pid = os.fork() if len(threading.enumerate()) == 1 and os.environ["OPENBLAS_NUM_THREADS"] == "1" else 0
    if pid == 0:
        same(trained(2), expected)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        for one in pool.map(trained, [2, 2]):
            same(one, expected)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        try:
            pool.map(trained, [2])
        except numlp.errors.SettingError as error:
            print(error)
    """
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    options = ["-W", "ignore:.*fork:DeprecationWarning"]  # of the forks of the program itself
    assert "must be 1, not 2, in a process of a multiprocessing.Pool" in run(code, *options, env=environment)


def test_jobs_of_joblib_train_with_several_processes():
    code = """
    import joblib
    expected = trained(2)
    for backend in ("loky", "threading"):
        for one in joblib.Parallel(2, backend=backend)(joblib.delayed(trained)(2) for _ in range(4)):
            same(one, expected)
    print(children() == [] or "loky keeps its own")
    """
    assert run(code, "-W", "ignore") != ""


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(3)", "sys.exit(3)"])
def test_the_others_end_if_the_caller_dies(started, death):
    caller, others = started(
        f"""
    def die(state):
        if state.epoch == 3:
            {death}
    train(MLP([12, 32, 32, 2]), (x, y), epochs=10**9, after_epoch=[tell, die], processes=3)
    """,
    )
    assert len(others) == 2
    assert caller.wait(20) in (3, -signal.SIGKILL)
    assert gone(others)


def test_the_others_end_if_the_program_ends_while_a_thread_trains(started):
    caller, others = started(
        """
    threading.Thread(target=long, daemon=True).start()
    while not children():
        time.sleep(0.01)
    time.sleep(0.3)
    """,
    )
    assert caller.wait(20) == 0
    assert gone(others)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_keeps_what_was_trained(started, number):
    caller, others = started(
        """
    from numlp.training.interruption import Interruption
    with Interruption([signal.SIGINT, signal.SIGTERM]):
        long()
    """
        if number == signal.SIGTERM
        else "long()",
    )
    os.killpg(caller.pid, number)
    output, errors = caller.communicate(timeout=600)
    assert errors == ""
    if number == signal.SIGINT:
        assert output == "kept True True []\n"
    assert caller.returncode == 0
    assert gone(others)


def test_two_interrupts_end_training_at_once(started):
    caller, others = started(
        """
    def wait(state):
        if state.epoch == 3:
            print("waits", flush=True)
            while not signal.getsignal(signal.SIGINT).__self__.number:
                time.sleep(0.01)
            print("heard", flush=True)
            time.sleep(1000)
    try:
        train(MLP([12, 32, 32, 2]), (x, y), epochs=10**9, after_epoch=[tell, wait], processes=3)
    except KeyboardInterrupt:
        print("ended", children())
    """,
    )
    assert caller.stdout.readline() == "waits\n"
    os.killpg(caller.pid, signal.SIGINT)
    assert caller.stdout.readline() == "heard\n"
    os.killpg(caller.pid, signal.SIGINT)
    output, _ = caller.communicate(timeout=600)
    assert output == "ended []\n"
    assert gone(others)


def test_a_caller_that_was_stopped_goes_on(started):
    caller, others = started("long()")
    caller.send_signal(signal.SIGSTOP)
    before = looks(others[0])
    while looks(others[0]) < before + 5:  # it wakes up to see whether the caller is alive
        time.sleep(0.01)
    assert all(alive(pid) for pid in others)
    caller.send_signal(signal.SIGCONT)
    os.killpg(caller.pid, signal.SIGINT)
    output, errors = caller.communicate(timeout=600)
    assert (output, errors) == ("kept True True []\n", "")
    assert gone(others)
