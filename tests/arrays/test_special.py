import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numlp.arrays.special import row_max

finite = st.floats(-(2.0**100), 2.0**100, width=32)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=50), elements=finite))
def test_row_max_agrees_with_numpy(x):
    n, width = x.shape
    for array in (x, x[:, ::-1]):
        np.testing.assert_array_equal(row_max(array), array.max(axis=1))
        out, scratch = np.empty(n, np.float32), np.empty((n, width), np.float32)
        assert row_max(array, out, scratch) is out
        np.testing.assert_array_equal(out, array.max(axis=1))
