#!/usr/bin/env bash
# On processors with AVX-512, OpenBLAS 0.3.31 (in NumPy 2.4.6's wheels) takes longer for one float32 product of 64 rows
# than for the same product in four calls of 16 rows.
#
# Its kernels for SkylakeX have a way for small products that leaves out the packing of the operands. It is taken for
# up to a million multiplications, however much faster it is beyond that: 64 × 784 times 784 × 64, the first layer of
# a small network, has 3.2 million, and each piece of 16 rows 0.8 million. With pieces of 32 rows, 1.6 million, there
# is nothing to gain, so it is the limit and not the shape. (All arrays begin at a cache line.) With other kernels (Haswell, Zen, ARM) pieces take longer.
# numlp cuts such products: src/numlp/arrays/products.py.
#
# Seen with NumPy 2.4.6 on Python 3.11, one thread, SkylakeX kernels, time ÷ that of the whole:
#   pieces of 32 rows  1.24
#   pieces of 16 rows  0.72
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 threadpoolctl==3.6.0

OPENBLAS_NUM_THREADS=1 "$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np
from threadpoolctl import threadpool_info

kernel = threadpool_info()[0]["architecture"]
if kernel != "SkylakeX":
    sys.exit(f"this processor's kernels are {kernel}'s: the finding is about SkylakeX's, with AVX-512")



def aligned(rows, columns):
    memory = np.empty(rows * columns + 16, np.float32)
    start = -memory.ctypes.data % 64 // 4
    return memory[start : start + rows * columns].reshape(rows, columns)


rng = np.random.default_rng(0)
x, w, out = aligned(64, 784), aligned(784, 64), aligned(64, 64)
x[:], w[:] = rng.random(x.shape), rng.random(w.shape)


def seconds(rows):
    parts = [(x[i : i + rows], out[i : i + rows]) for i in range(0, 64, rows)]
    started = time.perf_counter()
    for _ in range(20):
        for part, place in parts:
            np.dot(part, w, out=place)
    return time.perf_counter() - started


least = {rows: min(each) for rows, *each in zip((64, 32, 16), *([seconds(n) for n in (64, 32, 16)] for _ in range(200)))}
for rows in (32, 16):
    print(f"pieces of {rows} rows  {least[rows] / least[64]:.2f}")
assert least[32] > least[64] > 1.15 * least[16]
PYTHON
