import pytest

from numlp.training.recipes import recipe_settings
from numlp.training.sizes import table_settings


@pytest.mark.parametrize(("rows", "folds"), [(3, 3), (20, 10), (499, 10), (500, 5), (100_000, 5), (100_001, None)])
def test_few_rows_have_more_folds_and_many_have_none(rows, folds):
    assert table_settings(rows, 5)["folds"] == folds


@pytest.mark.parametrize("rows", [10, 100, 1_000, 10_000, 100_000, 1_000_000])
def test_a_network_takes_enough_steps_and_not_too_many(rows):
    settings = table_settings(rows, 5)
    training = rows * (1 - 1 / settings["folds"]) if settings["folds"] else rows
    steps = settings["epochs"] * training / settings["batch_size"]
    assert steps > 2_000 or settings["epochs"] == 200
    assert steps < 22_000 or settings["epochs"] == 10


def test_the_learning_rate_grows_with_the_root_of_the_batch_size():
    small, large = table_settings(1_000, 5), table_settings(20_000, 5)
    assert large["batch_size"] == 8 * small["batch_size"]
    assert large["learning_rate"] == pytest.approx(8**0.5 * small["learning_rate"], rel=1e-3)


@pytest.mark.parametrize(
    ("rows", "columns", "bins"), [(150, 5, 0), (400, 5, 4), (5_000, 5, 16), (5_000, 500, 4), (5_000, 5_000, 0)]
)
def test_bins_hold_a_hundred_rows_and_wide_tables_have_fewer(rows, columns, bins):
    assert f"bins = {bins}," in table_settings(rows, columns)["input_encoding"]


def test_the_recipe_names_the_settings_of_10_000_rows():
    recipe, settings = recipe_settings("table"), table_settings(10_000, 30)
    assert {name: settings[name] for name in recipe if name in settings} == {
        name: recipe[name] for name in ("folds", "batch_size", "learning_rate", "epochs", "patience")
    }
