"""Products in pieces: the same numbers, whatever the number of rows at a time."""

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st

from numlp.arrays.products import multiply, rows_at_once


@given(n=st.integers(1, 40), rows=st.integers(0, 50))
def test_pieces_give_the_whole_product(n, rows):
    rng = np.random.default_rng(n)
    a, b = rng.random((n, 7)), rng.random((7, 5))
    out = np.full((n, 5), np.nan)
    assert multiply(a, b, out, rows) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-14)


def blas(**changes):
    return [{"user_api": "blas", "architecture": "SkylakeX", "num_threads": 1} | changes]


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        (blas(), 16),
        ([*blas(), {"user_api": "openmp"}], 16),
        (blas(num_threads=2), 0),
        (blas(architecture="Haswell"), 0),
        (blas() + blas(architecture="Haswell"), 0),
        ([{"user_api": "blas", "num_threads": 1}], 0),
        ([], 0),
    ],
)
def test_only_kernels_for_small_products_get_them(monkeypatch, found, rows):
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: found)
    assert rows_at_once(64, 784, 64, np.dtype("float32")) == rows
    assert rows_at_once(64, 784, 64, np.dtype("float64")) == rows


def test_a_small_product_stays_whole_without_a_look_at_the_library(monkeypatch):
    monkeypatch.delattr(threadpoolctl, "threadpool_info")
    assert rows_at_once(16, 784, 64, np.dtype("float32")) == 0


def test_a_product_that_no_piece_makes_small_stays_whole(monkeypatch):
    monkeypatch.setattr(threadpoolctl, "threadpool_info", blas)
    assert rows_at_once(64, 1024, 512, np.dtype("float32")) == 0
    assert rows_at_once(64, 784, 128, np.dtype("float32")) == 8
