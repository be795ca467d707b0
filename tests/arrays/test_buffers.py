import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from numlp import MLP
from numlp.arrays import buffers
from numlp.training.optimizers import OPTIMIZERS


@given(
    shape=st.one_of(st.integers(1, 50), arrays.array_shapes(min_dims=0, max_dims=3)),
    dtype=st.sampled_from(["float32", "float64", "uint8", "intp"]),
)
def test_buffers_are_numpy_s_arrays_aligned_to_cache_lines(shape, dtype):
    made, like = buffers.zeros(shape, dtype), np.zeros(shape, dtype)
    np.testing.assert_array_equal(made, like)
    assert made.dtype == like.dtype
    assert made.flags.c_contiguous
    assert made.flags.writeable
    assert made.ctypes.data % buffers.LINE == 0


def test_a_buffer_may_be_empty():
    assert buffers.empty((0, 4)).shape == (0, 4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_gradients_and_averages_are_aligned_to_cache_lines(name):
    net = MLP([3, 5, 2])
    state = OPTIMIZERS[name]().init(net.params)
    long = [array for array in state.values() if array.size == net.params.size]
    assert all(array.ctypes.data % buffers.LINE == 0 for array in (net.params, net.grads, *long))
