"""Temporary folders go with their processes: at once, or at the next run if one was killed."""

import os
import subprocess
import sys

import pytest

from numlp.files.locks import Temporary

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are POSIX")

PROGRAM = """
import pathlib, sys, time
from numlp.files.locks import Temporary
made = Temporary(pathlib.Path(sys.argv[1]))
(made.path / "rows.db").write_bytes(b"1")
print(made.path, flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(tmp_path):
    others = [tmp_path / "numlp-results", tmp_path / "numlp-rows-is-a-file"]
    others[0].mkdir()
    others[1].touch()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, tmp_path], stdout=subprocess.PIPE, text=True)
    left = process.stdout.readline().strip()
    first = Temporary(tmp_path)
    assert os.path.exists(f"{left}/rows.db")
    process.kill()
    process.communicate()
    second = Temporary(tmp_path)
    assert not os.path.exists(left)
    assert first.path.exists()
    first.remove()
    second.remove()
    assert sorted(tmp_path.iterdir()) == others
