"""The arithmetic of comparisons on the same rows."""

import numpy as np
import pytest

from benchmarks.paired import Difference, difference, geometric_mean, tally


def test_a_difference_is_that_of_the_rows_with_its_standard_error():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=400) ** 2  # rows that are hard for both
    theirs = hard + 0.3 + 0.1 * rng.normal(size=400)
    found = difference(hard, theirs)
    assert found.mean == pytest.approx(np.mean(theirs) - np.mean(hard))
    assert found.error == pytest.approx(np.std(theirs - hard, ddof=1) / 20)
    assert found.error < np.std(hard) / 20 / 5  # the hardness of rows cancels


def test_the_sign_says_who_wins():
    better, worse = np.zeros(10), np.arange(10.0)
    assert tally([difference(better, worse)]) == 1
    assert tally([difference(worse, better)]) == -1
    assert tally([difference(better, better)]) == 0


def test_more_splits_do_not_shrink_the_error_of_a_table():
    split = Difference(0.1, 0.15)
    assert tally([split] * 10) == 0


def test_the_geometric_mean_weighs_halves_and_doubles_alike():
    assert geometric_mean([(1.0, 2.0), (2.0, 1.0)], least=0) == pytest.approx(1)
    assert geometric_mean([(1.0, 4.0), (1.0, 1.0)], least=0) == pytest.approx(0.5)
    assert geometric_mean([(0.0, 0.0), (0.0, 0.001)]) == pytest.approx(0.5**0.5)
