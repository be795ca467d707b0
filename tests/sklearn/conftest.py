import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """1,000 digits of 64 pixels in [0, 1], in float64."""
    x, y = load_digits(return_X_y=True)
    return x[:1000] / 16, y[:1000]


@pytest.fixture(scope="session")
def table():
    """A table with two real-valued targets."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    return x, np.stack([x[:, 0] * x[:, 1] + x[:, 2], np.abs(x[:, 3])], axis=1)
