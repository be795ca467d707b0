"""The page encodes the columns of a table as the library does: gaps, unseen levels and dates included."""

import numpy as np
import pytest

from numlp import MLP, Ensemble, Table, learn_encoding
from numlp.errors import DataWarning
from numlp.report.embedding import embedded, rounded
from numlp.report.examples import cells

pytestmark = pytest.mark.filterwarnings("ignore:x holds what the network hasn")  # as it should
PREDICT = """([description, columns]) => {
    const network = new Network(description);
    const rows = columns[0].map((_, i) => columns.map((column) => column[i]));
    return rows.map((row) => description.task === "regression"
        ? network.values(row)[0] : Array.from(network.probabilities(row)));
}"""
CITIES = [f"city {i}" for i in range(60)]


def people(n=300, seed=0, *, gaps=True):
    """Return a table with columns of every kind."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10, 1, n)
    born = np.datetime64("1950-01-01") + rng.integers(0, 20_000, n)
    seen = np.datetime64("2020-01-01T00:00:00.000001") + rng.integers(0, 30 * 86_400_000_000, n)
    job = rng.choice(
        np.array(["baker", "smith", "</script>", "None", "rare"], dtype=object), n, p=[0.4, 0.3, 0.2, 0.09, 0.01]
    )
    city = rng.choice(np.array(CITIES, dtype=object), n)
    if gaps:
        income[::7], born[::9], job[::11], city[::13] = np.nan, np.datetime64("NaT"), None, None
    stamp = rng.integers(1_600_000_000, 1_700_000_000, n)
    return Table(
        {
            "income": income,
            "born": born,
            "seen": seen,
            "job": job,
            "city": city,
            "member": rng.random(n) < 0.5,
            "stamp": stamp,
            "constant": np.full(n, 3.5),
        }
    )


def unlike(table):
    """Return rows with levels, gaps and sizes that training hadn't."""
    columns = {name: table[name].copy() for name in table.columns}
    columns["income"][:20] = 1e30
    columns["seen"][::5] = np.datetime64("NaT")
    columns["born"][1::5] = np.datetime64("1823-04-05T06:07:08")
    columns["job"][::3] = "astronaut"
    columns["city"][1::3] = "Atlantis"
    columns["member"] = np.where(np.arange(len(table)) % 4, columns["member"], np.nan)
    return Table(columns)


def network(encoding, seed=0, outputs=3, **settings):
    """Return a network with nothing at its initial value."""
    net = MLP([len(encoding.columns), 24, outputs], input_encoding=encoding, seed=seed, **settings)
    net.params += np.random.default_rng(seed).normal(0, 0.2, net.params.shape)
    return net


def predicted_by_the_page(scripts, model, table, dtype="float32"):
    return np.array(scripts.evaluate(PREDICT, [embedded(model, dtype), cells(model.input_encoding, table)]))


@pytest.mark.parametrize(
    "settings", [{}, {"numbers": "robust", "clip": False}, {"bins": 8, "one_hot": 2, "width": 3}]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_with_gaps_unseen_levels_and_dates(scripts, settings, dtype):
    encoding = learn_encoding(people(), **settings)
    net = network(encoding, dtype=dtype)
    rows = people(seed=1)
    np.testing.assert_allclose(predicted_by_the_page(scripts, net, rows), net.predict_proba(rows), atol=1e-4)
    strange = unlike(rows)
    if not encoding.clip:  # numbers of any size saturate
        strange["income"][:20] = 1e6
    with pytest.warns(DataWarning, match="hasn't seen"):
        expected = net.predict_proba(strange)
    np.testing.assert_allclose(predicted_by_the_page(scripts, net, strange), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).min() > 0.05  # else any constant would pass


def test_gaps_where_training_had_none_are_zero(scripts):
    encoding = learn_encoding(people(gaps=False))
    net = network(encoding)
    with pytest.warns(DataWarning, match="a gap"):
        expected = net.predict_proba(people(seed=2))
    np.testing.assert_allclose(predicted_by_the_page(scripts, net, people(seed=2)), expected, atol=1e-4)


def test_an_ensemble_for_values_of_a_table(scripts):
    encoding = learn_encoding(people(), bins=4, one_hot=8)
    model = Ensemble([network(encoding, seed, outputs=2, loss="squared_error") for seed in range(3)])
    said = predicted_by_the_page(scripts, model, people(seed=3))
    np.testing.assert_allclose(said, model.predict(people(seed=3)), rtol=1e-4, atol=1e-4)


def test_embeddings_in_sixteen_bits_are_those_of_the_rounded_network(scripts):
    net = network(learn_encoding(people(), one_hot=2))
    said = predicted_by_the_page(scripts, net, people(seed=4), "int16")
    np.testing.assert_allclose(said, rounded(net).predict_proba(people(seed=4)), atol=1e-5)


def test_texts_stay_texts_where_a_table_has_numbers_or_only_gaps(scripts):
    zips = Table({"zip": np.array(["12", "7"] * 10, dtype=object), "size": np.arange(20.0)})
    net = network(learn_encoding(zips))
    rows = Table({"size": np.full(3, np.nan), "zip": np.array([7, 12, 99])})
    with pytest.warns(DataWarning):
        expected = net.predict_proba(rows)
    np.testing.assert_allclose(predicted_by_the_page(scripts, net, rows), expected, atol=1e-4)


def test_the_page_refuses_a_kind_of_column_that_it_does_not_know(scripts):
    description = embedded(network(learn_encoding(people())), "float32")
    description["encoding"]["columns"][0]["kind"] = "sound"
    said = scripts.evaluate(
        "(description) => { try { new Network(description); } catch (error) { return error.message; } }", description
    )
    assert said == "the page doesn't know column sound"
