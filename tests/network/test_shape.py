import pytest

from numlp.errors import SettingError
from numlp.network.shape import as_layer_size


@pytest.mark.parametrize("layer_size", [[], [3], "784,10", 3, None, [3, 0], [3, -1], [3, 2.0], [0, 3], [3, True]])
def test_layer_sizes_that_make_no_network(layer_size):
    with pytest.raises(SettingError, match="layer_size"):
        as_layer_size(layer_size)
