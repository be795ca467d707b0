"""With portable arithmetic, what is predicted for a row doesn't depend on the rows beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.test_encoding import encoding, people
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from numlp import MLP, Ensemble, Table, standardize
from numlp.arrays.table import as_table
from numlp.errors import DataError
from numlp.network import predictor
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore:x holds what the network hasn.t seen")  # levels of the table

N = 50
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 5)) * [1, 1e6, 1e-4, 1e3, 1] + [0, 1e6, 0, 0, 1]
WIDE = np.where(RNG.random((N, 2200)) < 0.1, RNG.normal(size=(N, 2200)), 0)


def network(sizes=(5, 12, 7, 3), seed=1, **settings):
    net = MLP(sizes, arithmetic="portable", seed=seed, **settings)
    # Batch norm's variances stay positive.
    net.params += RNG.random(net.params.size) * 0.3
    return net


def calibrated(net, temperature=1.7):
    net.temperature = temperature
    return net


def tabular(seed=1, **settings):
    return network((6, 9, 3), seed, input_encoding=ENCODING, **settings)


SMALLEST = "oriented_gradients(cell = 1, stride = 1)"
ENCODING, TABLE = encoding(), as_table(people(N, seed=3), "x")
MODELS = {
    **{f"normalization {name}": lambda name=name: network(normalization=name) for name in NORMALIZATIONS},
    **{name: lambda name=name: network(activation=name, normalization="layer") for name in ACTIVATIONS},
    "standardized": lambda: network(input_scaling=standardize(X)),
    "an ensemble": lambda: calibrated(Ensemble([calibrated(network(seed=seed), 0.8) for seed in range(3)])),
    "calibrated": lambda: calibrated(network(normalization="layer", input_scaling=standardize(X))),
    "wide": lambda: network((5, 2100, 3), normalization="layer"),
    "a wide input": lambda: network((2200, 6, 3)),
    "sparse rows": lambda: network((2200, 2100, 3), activation="tanh"),
    "features of images": lambda: network((5, 12, 3), input_features=SMALLEST, input_shape=(1, 5)),
    "a table": tabular,
    "an ensemble for tables": lambda: Ensemble([tabular(seed, normalization="batch") for seed in range(2)]),
}
MADE = {name: make() for name, make in MODELS.items()}


def rows_for(name):
    if "table" in name:
        return TABLE
    if name == "sparse rows":
        return csr_array(WIDE)
    return WIDE if name == "a wide input" else X


def taken(rows, index):
    return Table({name: rows[name][index] for name in rows.columns}) if isinstance(rows, Table) else rows[index]


@settings(max_examples=80)
@given(
    name=st.sampled_from(list(MODELS)),
    index=st.lists(st.integers(0, N - 1), min_size=1, max_size=2 * N),
    chunk=st.integers(1, N),
)
def test_any_rows_in_any_order_and_chunks_are_predicted_alike(name, index, chunk):
    model, rows, index = MADE[name], rows_for(name), np.array(index)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor, "_ROWS", N)
        whole = model.predict_proba(rows)
        patch.setattr(predictor, "_ROWS", chunk)
        assert_array_equal(model.predict_proba(taken(rows, index)), whole[index])


@pytest.mark.parametrize("name", MODELS)
def test_each_row_alone(name):
    model, rows = MADE[name], rows_for(name)
    whole = model.predict_proba(rows)
    for i in range(0, N, 7):
        assert_array_equal(model.predict_proba(taken(rows, np.array([i])))[0], whole[i])


@pytest.mark.parametrize("loss", LOSSES)
def test_predictions_of_every_loss(loss):
    net = network((5, 12, 2 * LOSSES[loss]().blocks), loss=loss, input_scaling=standardize(X))
    whole = net.predict(X)
    assert_array_equal(net.predict(X[::-1][:20]), whole[::-1][:20])
    for i in range(0, N, 7):
        assert_array_equal(net.predict(X[i : i + 1])[0], whole[i])


@pytest.mark.parametrize("name", [name for name in MODELS if "table" not in name and name != "sparse rows"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -1e38])
def test_rows_that_are_not_numbers_or_huge_change_no_other(name, value):
    """And they stay NaN, so that they are found, however many sums a layer has."""
    model, rows = MADE[name], np.array(rows_for(name), np.float32)
    clean = model.logits(rows)
    rows[7, 2] = rows[30] = value
    with np.errstate(all="ignore"):
        found = model.logits(rows)
    others = np.setdiff1d(np.arange(N), [7, 30])
    assert_array_equal(found[others], clean[others])
    if not np.isfinite(value):
        assert np.isnan(found[[7, 30]]).all()
        with pytest.raises(DataError, match="NaN or infinity, first in row 7"):
            model.predict(rows)


def test_weights_that_are_not_finite_are_found_in_wide_layers():
    net = network((2200, 6, 3))
    net.linear_layers[0].weight[5, 3] = np.inf
    with pytest.raises(DataError, match="the network's parameters hold NaN or infinity"):
        net.predict(WIDE)
