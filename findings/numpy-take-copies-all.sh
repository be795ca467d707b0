#!/usr/bin/env bash
# NumPy 2.4.6: np.take(x, rows, axis=0, out=out, mode="clip") copies all of x in every call if x is in Fortran order.
#
# The documentation says that take does the same as indexing with an array, and that out= is buffered unless mode is
# "clip" or "wrap"; it mentions no other copy. x[rows] needs memory for the rows alone, whatever order x has. take copies
# an x that isn't C-ordered into one that is, so drawing batches of 64 rows from a table copies the whole table for each
# batch. So it does for columns of a wider table. numlp reads the rows of such arrays by indexing, many batches at once.
#
# Seen with NumPy 2.4.6 on Python 3.11, for x of 20,000 by 50 numbers in float64 (8,000,000 bytes), 64 rows of which
# take 25,600. The most bytes that NumPy held during one call:
#                     x[rows]    take, out=, mode="clip"
#   C order            28,880                        232
#   Fortran order      28,880                  8,000,328
#   columns            28,880                  8,000,328
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import tracemalloc

import numpy as np


def most(function):
    """Return the most bytes that a call holds."""
    function()  # the first call also fills caches
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


table = np.arange(20_000 * 51, dtype=float).reshape(20_000, 51)
x = table[:, 1:].copy()
rows = np.random.default_rng(0).integers(0, len(x), 64)
out = np.empty((64, 50))
print(f"{'':15}{'x[rows]':>10}   take, out=, mode=\"clip\"")
for name, each in {"C order": x, "Fortran order": np.asfortranarray(x), "columns": table[:, 1:]}.items():
    indexed = most(lambda: each[rows])
    taken = most(lambda: np.take(each, rows, axis=0, out=out, mode="clip"))
    print(f"{name:15}{indexed:10,}{taken:26,}")
    assert np.array_equal(out, each[rows])
    assert indexed < 3 * out.nbytes
    if name == "C order":
        assert taken < out.nbytes
    else:
        assert x.nbytes <= taken < 1.1 * x.nbytes, "take doesn't copy all of x"
PYTHON
