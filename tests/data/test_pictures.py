import numpy as np
import pytest

from numlp import MLP
from numlp.data.pictures import as_pictures, picture_shape
from numlp.network.shape import PictureShape


@pytest.mark.parametrize(
    ("inputs", "shape", "expected"),
    [
        (784, None, (28, 28, 1, False)),
        (49, None, None),
        (65, None, None),
        (12, (3, 4), (3, 4, 1, False)),
        (24, (2, 4, 3), (2, 4, 3, False)),
        (60, (3, 5, 4), (3, 5, 4, False)),
        (90, (3, 5, 6), (5, 6, 3, True)),
        (210, (5, 6, 7), None),
    ],
)
def test_shapes(inputs, shape, expected):
    assert picture_shape(MLP([inputs, 2], input_shape=shape)) == expected


def test_a_table_of_64_named_columns_is_not_an_image():
    names = [f"column {i}" for i in range(64)]
    assert picture_shape(MLP([64, 2])) is not None
    assert picture_shape(MLP([64, 2], feature_names=names)) is None


def test_both_orders_of_channels_give_the_same_picture():
    image = np.arange(24.0).reshape(2, 4, 3)
    last = as_pictures(image.reshape(1, -1), PictureShape(2, 4, 3))
    first = as_pictures(image.transpose(2, 0, 1).reshape(1, -1), PictureShape(2, 4, 3, first=True))
    np.testing.assert_array_equal(last, first)
    np.testing.assert_array_equal(last[0], np.hstack([image[..., c] for c in range(3)]))
