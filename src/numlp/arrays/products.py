"""Products: matrix products in the pieces in which the BLAS is fastest."""

from __future__ import annotations

import numpy as np

from numlp.arrays.special import Array

_SMALL = 1_000_000  # multiplications: up to here OpenBLAS leaves out the packing of operands
_ROWS = 4  # a piece has a multiple of so many rows, which its kernels take at a time
_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")  # those of OpenBLAS that have a kernel for small products


def rows_at_once(n: int, k: int, m: int, dtype: np.dtype[np.floating]) -> int:
    """Return how many rows of a to multiply by b at a time, shapes (n, k) and (k, m), or 0 for all.

    OpenBLAS packs the operands of a product into blocks that fit its caches. For up to a million multiplications it
    leaves that out, on processors with AVX-512: with one thread, (64, 784) times (784, 64) takes 0.7 of the time
    if it is cut so (findings/openblas-whole-product-slower.sh). Other kernels and threads gain nothing.
    """
    rows = _SMALL // (k * m) // _ROWS * _ROWS
    if not 0 < rows < n or dtype != np.float32:
        return 0
    from threadpoolctl import threadpool_info

    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    fitting = [each.get("architecture") in _KERNELS and each["num_threads"] == 1 for each in found]
    return rows if fitting and all(fitting) else 0


def multiply(a: Array, b: Array, out: Array, rows: int) -> Array:
    """Write a b, shapes (n, k) and (k, m), so many rows at a time, or all if `rows` is 0."""
    n = len(a)
    if not 0 < rows < n:
        return np.dot(a, b, out=out)
    for start in range(0, n, rows):
        stop = start + rows
        np.dot(a[start:stop], b, out=out[start:stop])
    return out
