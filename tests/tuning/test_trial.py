import numpy as np
import pytest

from numlp import load_dataset
from numlp.errors import DivergenceError
from numlp.network.ensemble import Ensemble
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_model, train_network
from numlp.tuning.trial import STEPS, train_trial
from numlp.tuning.worker import seen_by_trials, without_test

SMALL = Recipe(layers=(4,), epochs=7, learning_rate=0.1, batch_size=16)


@pytest.fixture
def dataset(tmp_path, blobs):
    x, y = blobs
    np.savez(tmp_path / "points.npz", x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:])

    def load(folds=None):
        return load_dataset(tmp_path / "points.npz", folds=folds, validation=None if folds else 0.25)

    return load


def watched(told, stop=lambda step: False):
    def tell(step, value):
        told.append((step, value))
        return stop(step)

    return tell


def params(model):
    return [network.params for network in (model.members if isinstance(model, Ensemble) else (model,))]


@pytest.mark.parametrize("settings", [{}, {"patience": 2}, {"folds": 3}, {"ensemble": 2}])
def test_a_trial_trains_to_the_bits_of_numlp_train(dataset, settings):
    recipe, rows = SMALL.edited(**settings), dataset(settings.get("folds"))
    told = []
    trained = train_trial(recipe, rows, "loss", watched(told))
    for own, theirs in zip(params(trained.model), params(train_model(recipe, rows)), strict=True):
        np.testing.assert_array_equal(own, theirs)
    assert [step for step, _ in told] == list(range(1, STEPS * recipe.n_networks + 1))


def curves(recipe, rows):
    """Return the validation losses of a recipe's networks, each trained alone."""
    networks = [make_network(recipe, rows, member=member) for member in range(recipe.n_networks)]
    return [train_network(recipe, each, rows, member=i)["validation_loss"] for i, each in enumerate(networks)]


def test_what_is_told_is_the_mean_over_the_networks_so_far(dataset):
    rows, told = dataset(2), []
    recipe = SMALL.edited(folds=2, epochs=10)
    trained = train_trial(recipe, rows, "loss", watched(told))
    alone = curves(recipe, rows)
    both = [*alone[0], *((alone[0][-1] + value) / 2 for value in alone[1])]
    assert [value for _, value in told] == pytest.approx(both, abs=1e-15)
    assert trained.value == pytest.approx(both[-1], abs=1e-15)


def test_with_patience_the_best_tenth_of_a_network_counts(dataset):
    rows, told = dataset(), []
    recipe = SMALL.edited(patience=15, epochs=20, learning_rate=1.0)
    trained = train_trial(recipe, rows, "loss", watched(told))
    tenths = np.reshape(curves(recipe, rows), (10, 2)).mean(axis=1)
    assert [value for _, value in told] == pytest.approx(np.minimum.accumulate(tenths), abs=1e-15)
    assert trained.value == min(trained.history["validation_loss"])


def test_the_epoch_that_is_judged_is_one_for_all_networks(tmp_path, blobs):
    """Each network's own best would be lower, the more so the more its course goes up and down."""
    np.savez(tmp_path / "points.npz", x=blobs[0], y=np.random.default_rng(0).permutation(blobs[1]))
    recipe, rows = (
        SMALL.edited(folds=3, patience=4, epochs=40, layers=(16,)),
        load_dataset(tmp_path / "points.npz", folds=3),
    )
    alone = curves(recipe, rows)
    reached = min(map(len, alone))
    assert max(map(len, alone)) > reached
    value = train_trial(recipe, rows, "loss", watched([])).value
    assert value == pytest.approx(np.mean([each[:reached] for each in alone], axis=0).min(), abs=1e-15)
    assert value > np.mean([min(each) for each in alone])


@pytest.mark.parametrize("last", [1, STEPS, STEPS + 3])
def test_a_trial_that_falls_behind_ends(dataset, last):
    told = []
    recipe = SMALL.edited(folds=2)
    assert train_trial(recipe, dataset(2), "loss", watched(told, lambda step: step == last)) is None
    assert told[-1][0] == last


def test_a_trial_may_diverge(dataset):
    with pytest.raises(DivergenceError):
        train_trial(SMALL.edited(learning_rate=1e30), dataset(), "loss", watched([]))


def test_trials_see_no_test_rows(dataset):
    rows = dataset()
    assert rows.test is not None
    assert without_test(rows).test is None
    assert set(seen_by_trials(rows)) == {"training", "validation", "names"}
