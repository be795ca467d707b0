#!/usr/bin/env bash
# Optuna waits for ever, on a whole core, for the lock that a killed process left beside a journal with a relative path.
#
# JournalFileSymlinkLock, the default, makes a symbolic link to the journal as its lock, and takes over a lock that hasn't
# changed for 30 seconds. It looks at the time of the link's target. Where the journal's path is relative and has a folder
# in it, as in runs/study.journal, the link points to runs/runs/study.journal, which isn't there. Each attempt then fails,
# and the next one follows at once, without a pause and without an end.
# numlp makes the path absolute: src/numlp/tuning/storage.py.
#
# Seen with Optuna 5.0.0 on Python 3.11 (a grace period of 3 seconds, and at most 12 seconds to wait):
#   absolute path: has the lock, 0.3 s of work
#   relative path: waits for the lock, 11.8 s of work
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet optuna==5.0.0

cd "$folder"
mkdir runs
cat > wait.py <<'PYTHON'
import os
import sys

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

optuna.logging.set_verbosity(optuna.logging.ERROR)
path = sys.argv[1]
backend = JournalFileBackend(path, lock_obj=JournalFileSymlinkLock(path, grace_period=3))
os.symlink(path, path + ".lock")  # as a process leaves it that is killed while it writes
backend.append_logs([{}])
PYTHON

venv/bin/python - "$folder" <<'PYTHON'
import resource
import subprocess
import sys


def waited(path):
    """Return whether the lock was had within 12 seconds, and the processor's seconds until then."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run([sys.executable, "wait.py", path], check=True, timeout=12)
        had = True
    except subprocess.TimeoutExpired:
        had = False
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return had, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


had, seconds = waited(f"{sys.argv[1]}/runs/absolute.journal")
print(f"absolute path: {'has' if had else 'waits for'} the lock, {seconds:.1f} s of work")
assert had
had, seconds = waited("runs/relative.journal")
print(f"relative path: {'has' if had else 'waits for'} the lock, {seconds:.1f} s of work")
assert not had and seconds > 3
PYTHON
