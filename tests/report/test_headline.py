from types import SimpleNamespace

import numpy as np

from numlp.report.headline import _with_mean


def test_the_ends_of_an_interval_are_written_like_the_mean():
    judged = SimpleNamespace(weights=None, part="test")
    card = _with_mean(judged, "mean_absolute_error", np.array([3000.0, 5000.0, 4000.0, 6000.0]))
    assert "4,500" in card.values()
    assert "95 % interval 3,235 to 5,765" in card.values()
