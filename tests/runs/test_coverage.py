"""The default recipe for tables covers what its intervals promise, on rows that had no part in the training."""

import math

import numpy as np
import pytest

from numlp import evaluate, load_model
from numlp.datasets import load_dataset
from numlp.runs.folder import create_folder, save_run
from numlp.runs.recipe import OFF, Recipe
from numlp.runs.recipes import load_recipe, sized, train_model
from numlp.training.history import History

_ROWS, _SHARE, _FRESH = 1200, 0.5, 4000


def smooth(x):
    """Return what a network learns soon: the noise of dropout then makes its variances too large."""
    return 2 * x[:, 0] + np.sin(x[:, 1])


def rough(x):
    """Return what a network overfits: without dropout its variances are too small."""
    return 2 * np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 3]


def drawn(function, n, seed):
    """Return rows whose noise depends on x."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n, 6))
    return x, function(x) + 0.2 * (0.2 + np.abs(x[:, 2])) * rng.normal(size=n)


@pytest.mark.parametrize("loss", ["gaussian_negative_log_likelihood", "quantile(levels = [0.1, 0.5, 0.9])"])
@pytest.mark.parametrize(
    ("function", "settings"),
    [(smooth, {}), (smooth, {"ensemble": 2, "patience": 5}), (rough, {"dropout": 0.0})],
    ids=["dropout", "ensemble", "no dropout"],
)
def test_default_intervals_cover_fresh_rows(tmp_path, loss, function, settings):
    x, y = drawn(function, _ROWS, 0)
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    recipe = load_recipe("table").edited(data=str(tmp_path / "rows.npz"), validation=_SHARE, loss=loss)
    dataset = load_dataset(recipe.data, validation=recipe.validation, task="regression")
    recipe = recipe.edited(**sized(dataset)).edited(folds=OFF, **settings)
    model = train_model(recipe, dataset)
    folder = create_folder(recipe, tmp_path / "run")
    metrics = save_run(folder, recipe, model, dataset, History(), seconds=1.0, ended="completed")
    saved = load_model(folder / "model.safetensors")
    found = evaluate(saved, drawn(function, _FRESH, 1))
    n = round(_SHARE * _ROWS)
    for name, share in saved.loss.promised.items():
        deviation = math.sqrt(share * (1 - share) * (1 / n + 1 / _FRESH))
        assert found[name] == pytest.approx(share, abs=3 * deviation), (name, found, metrics)


def test_calibrate_is_on_for_intervals_alone_and_can_be_turned_off(tmp_path):
    x, y = drawn(smooth, 200, 0)
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    for loss, calibrate, expected in (
        ("quantile", None, True),
        ("quantile", False, False),
        ("squared_error", None, False),
    ):
        recipe = Recipe(
            data=str(tmp_path / "rows.npz"), validation=0.2, layers=(4,), epochs=1, loss=loss, calibrate=calibrate
        )
        dataset = load_dataset(recipe.data, validation=recipe.validation, task="regression")
        folder = create_folder(recipe, tmp_path / f"{loss}-{calibrate}")
        model = train_model(recipe, dataset)
        metrics = save_run(folder, recipe, model, dataset, History(), seconds=1.0, ended="completed")
        assert ("calibration" in metrics) == expected
