import numpy as np

from numlp import Table
from numlp.judging.relations import related_columns


def test_related_numbers_names_of_the_same_and_chains_are_groups():
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    place = rng.integers(0, 5, 500)
    table = Table(
        {
            "a": a,
            "code": place,
            "exp a": np.exp(a),
            "other": rng.normal(size=500),
            "name": np.array(["U", "B", "K", "M", "H"], dtype=object)[place],
            "minus a": -a + 0.01 * rng.normal(size=500),
            "key": np.array([str(i) for i in range(500)], dtype=object),
        }
    )
    assert related_columns(table) == (("a", "exp a", "minus a"), ("code", "name"))


def test_constants_gaps_and_keys_are_related_to_nothing():
    n = 40
    ids = np.array([f"id {i}" for i in range(n)], dtype=object)
    table = Table({"one": np.ones(n), "gaps": np.full(n, np.nan), "id": ids, "key": ids[::-1].copy()})
    assert related_columns(table) == ()
