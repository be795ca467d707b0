import numpy as np
import pytest

from numlp import MLP, Table, learn_encoding, train


@pytest.fixture(scope="session")
def people():
    """A table of numbers, texts and dates with gaps, whose target depends on age and city alone, and a network."""
    rng = np.random.default_rng(0)
    n = 1500
    city = rng.choice(["Ulm", "Bonn", "Köln"], n).astype(object)
    age = rng.uniform(20, 60, n)
    days = np.datetime64("2026-01-01") + rng.integers(0, 300, n)
    table = Table({"age": age, "city": city, "noise": rng.normal(size=n), "since": days})
    y = age / 10 + 2.0 * (city == "Ulm") + rng.normal(scale=0.3, size=n)
    net = MLP([4, 16, 1], loss="squared_error", input_encoding=learn_encoding(table), seed=0)
    train(net, (table[:1000], y[:1000]), epochs=30, learning_rate=0.05, seed=0)
    return net, table[1000:], y[1000:]


@pytest.fixture
def linear():
    """A network without hidden layers: 3 a − 2 b, and nothing for c."""
    net = MLP([3, 1], loss="squared_error", feature_names=["a", "b", "c"], dtype="float64")
    net.params[:] = [3, -2, 0, 1]
    x = np.random.default_rng(1).normal(size=(400, 3))
    return net, x, net.predict(x)
