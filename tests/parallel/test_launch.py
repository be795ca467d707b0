"""How a rank ends all, and what a copy of their team is."""

import copy
import io
import pickle
import sys
import types

import pytest

from numlp.parallel import launch
from numlp.parallel.launch import Launch
from numlp.parallel.mpi import MPITeam


class _Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def codes(monkeypatch):
    """Return the list of exit codes with which ranks are ended in this test."""
    found = []

    def end():
        raise _Ended

    mpi = types.SimpleNamespace(COMM_WORLD=types.SimpleNamespace(Abort=found.append))
    monkeypatch.setitem(sys.modules, "mpi4py", types.SimpleNamespace(MPI=mpi))
    monkeypatch.setattr(launch, "end_alone", end)
    return found


def test_a_rank_ends_all_though_nobody_reads_what_it_prints(codes, monkeypatch, capfd):
    class Closed(io.StringIO):
        def flush(self):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", Closed())
    with pytest.raises(_Ended):
        launch.end_all(Launch(1, 3), "two\nlines", 5)
    assert codes == [5]
    assert capfd.readouterr().err == "numlp: rank 1 of 3 failed: two lines; all ranks end\n"


def test_a_copy_of_a_team_is_the_team_and_a_file_has_none():
    team = MPITeam.__new__(MPITeam)
    assert copy.deepcopy(team) is team
    assert pickle.loads(pickle.dumps(team)) is None
