from types import SimpleNamespace

import numpy as np

from numlp.report.headline import _with_mean, headline
from numlp.runs.recipe import Recipe


def test_the_ends_of_an_interval_are_written_like_the_mean():
    judged = SimpleNamespace(weights=None, part="test")
    card = _with_mean(judged, "mean_absolute_error", np.array([3000.0, 5000.0, 4000.0, 6000.0]))
    assert "4,500" in card.values()
    assert "95 % interval 3,235 to 5,765" in card.values()


def test_an_interval_of_losses_ends_at_0():
    judged = SimpleNamespace(weights=None, part="test")
    assert "95 % interval 0 to " in _with_mean(judged, "loss", np.array([0.0, 0.0, 0.0, 9.0]))["note"]
    assert "95 % interval -" in _with_mean(judged, "loss", np.array([-1.0, 0.0, 0.0, 9.0]))["note"]


def test_metrics_of_folds_are_those_of_the_terminal():
    metrics = {
        "validation": {"loss": 0.25, "r2": 0.8658},
        "standard_errors": {"loss": 0.01, "r2": 0.062},
        "folds": [{}, {}],
        "test": None,
    }
    run = SimpleNamespace(metrics=metrics, history=[1], recipe=Recipe(epochs=1))
    cards = headline(run, None)
    assert [(card["title"], card["value"]) for card in cards[:2]] == [
        ("validation R²", "0.8658 ± 0.062"),
        ("validation loss", "0.25 ± 0.01"),
    ]
