"""The pages on `numlp tune` say what is stored; and the rules that are compared end the trials that they should."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas")
from benchmarks import pruning, tuning

ROOT = Path(__file__).parents[2]


def result(default, tuned, *averaged):
    both = {"default": {"loss": default, "accuracy": 0.5}, "tuned": {"loss": tuned, "accuracy": 0.75}}
    return both | {"averaged": list(averaged)}


def test_a_lower_loss_wins_and_the_default_recipe_is_a_tie():
    tables = {"a": result(0.4, 0.2, 0, 3), "b": result(0.4, 0.4, 0), "c": result(0.3, 0.4, 0, 7)}
    stored = {"trials": 30, "of": 3, "tables": tables}
    assert tuning.summary(stored).startswith("On 1 of 3 tables")
    assert "on 1 it is the same, and on 1 higher" in tuning.summary(stored)
    assert tuning.summary(stored | {"of": 5}).endswith("2 of the 5 tables haven't been run yet.")
    assert "| a | 0.4 | 0.2 | **0.500** | 0.5 | 0.25 | 0, 3 |" in tuning.lines(stored)


def test_rules_end_what_falls_behind():
    ended = [np.full(20, value) for value in (0.1, 0.2, 0.3, 0.4, 0.5)]
    assert pruning.median(5)(np.full(5, 0.31), ended)
    assert not pruning.median(5)(np.full(5, 0.3), ended)
    assert not pruning.median(6)(np.full(5, 0.31), ended)
    assert not pruning.median(5)(np.full(5, 0.31), ended[:4])
    assert not pruning.median(5, best=True)(np.array([0.1, 9, 9, 9, 9]), ended)
    rule = pruning.halving(2)
    assert [rule(np.full(2, value), []) for value in (0.3, 0.4, 0.2, 0.1, 0.15)] == [False, True, False, False, False]


@pytest.mark.skipif(not tuning.STORED.exists(), reason="nothing is stored yet")
def test_the_pages_are_what_is_stored():
    stored = tuning.load()
    assert tuning.PAGE.read_text() == tuning.page(stored)
    guide = (ROOT / "docs/tuning.md").read_text()
    if "workers" in stored:
        assert tuning.throughput(stored) in " ".join(guide.split())
    if stored["tables"]:
        assert "\n".join(tuning.lines(stored)) in guide
        assert tuning.summary(stored) in " ".join(guide.split())
