"""Where patience ends a training, and what it keeps, is read from figures as training itself decides it."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from numlp import EarlyStopping
from numlp.runs.endings import kept_epoch, patience_ends
from numlp.runs.links import Link
from numlp.runs.recipe import Recipe

FIGURES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, None]), min_size=1, max_size=12)


def chain(figure, values):
    links = [Link(0, "", "", None, {}, False, "")]
    return links + [Link(i, "", "", None, {figure: value}, False, "") for i, value in enumerate(values, 1)]


@given(FIGURES, st.integers(1, 4), st.sampled_from([0.0, 0.2]), st.sampled_from(["train_loss", "validation_r2"]))
def test_patience_is_that_of_early_stopping(values, patience, min_delta, figure):
    """None stands for NaN, as in a record."""
    recipe = Recipe(patience=patience, monitor=figure, min_delta=min_delta)
    stopping = EarlyStopping(figure, patience=patience, min_delta=min_delta)
    network = SimpleNamespace(params=np.zeros(1))
    state = SimpleNamespace(history=SimpleNamespace(rows=[]), network=network)
    stopped = None
    for state.epoch, value in enumerate(values, 1):
        state.history.rows.append({figure: np.nan if value is None else value})
        if stopping(state):
            stopped = state.epoch
            break
    links = chain(figure, values)
    assert patience_ends(links, recipe) == stopped
    assert kept_epoch(links[: state.epoch + 1], recipe) == (stopping.epoch or state.epoch)


def test_without_patience_the_last_epoch_is_kept():
    links = chain("validation_loss", [0.1, 0.5])
    assert (kept_epoch(links, Recipe()), patience_ends(links, Recipe())) == (2, None)
    assert kept_epoch(links[:1], Recipe()) == 0
