"""A command as one rank runs it, beside others that aren't there."""

import os
import signal
import sys
from contextlib import redirect_stdout

import pytest

from numlp.cli import ranks
from numlp.parallel.launch import Launch


def as_rank_1(arguments, command):
    """Return the exit code of a command in the second of two ranks."""
    with redirect_stdout(sys.stdout):
        code = ranks.as_rank(Launch(1, 2), arguments, command)
        sys.stdout.close()  # which the rank has silenced
    return code


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_a_rank_that_waits_for_rank_0_leaves_signals_to_it(monkeypatch):
    class Waiting:
        done = False

        def leave(self, patience):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
                signal.raise_signal(number)
            return True

    monkeypatch.setattr(ranks, "team", Waiting)
    assert as_rank_1(["evaluate"], lambda: 1) == 0


def test_only_the_last_line_of_what_a_rank_said_is_the_reason(monkeypatch):
    class Alone:
        done = False

        def leave(self, patience):
            return False

    def command():
        print("numlp: warning: odd\nnumlp: error: wrong", file=sys.stderr)
        return 2

    monkeypatch.setattr(ranks, "team", Alone)
    told = []
    monkeypatch.setattr(ranks, "end_all", lambda launch, reason, code: told.append((launch.rank, reason, code)))
    as_rank_1(["train"], command)
    assert told == [(1, "wrong", 2)]
