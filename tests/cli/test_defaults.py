import numpy as np
import pytest

from numlp.cli.train import choose
from numlp.errors import SettingError

NOTHING = dict.fromkeys(["validation", "validation_by", "split", "ensemble", "folds", "epochs"])


def chosen(data, name=None, **settings):
    return choose(name, NOTHING | {"data": str(data)} | settings)


@pytest.fixture
def table(tmp_path):
    x = np.random.default_rng(0).normal(size=(600, 3))
    lines = [f"{a:.3f},{b:.3f},{c:.3f},{a - b:.3f}" for a, b, c in x]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,price", *lines]) + "\n")
    return tmp_path / "t.csv"


@pytest.mark.parametrize("name", [None, "table"])
def test_a_table_is_split_into_folds_by_its_size(table, name):
    recipe, dataset = chosen(table, name, target="price")
    assert recipe.folds == len(dataset.folds) == 5
    assert len(dataset.train.y) == 600
    assert (recipe.batch_size, recipe.epochs) == (32, 167)


@pytest.mark.parametrize(
    "settings",
    [{"validation": 0.3}, {"split": "last"}, {"validation_by": "c"}, {"ensemble": 2}, {"loss": "quantile"}],
    ids=str,
)
def test_whoever_names_another_split_an_ensemble_or_intervals_gets_no_folds(table, settings):
    recipe, dataset = chosen(table, target="price", **settings)
    assert recipe.folds is None
    assert not dataset.folds
    assert len(dataset.validation.y)


def test_named_settings_come_before_those_of_the_size(table):
    recipe, dataset = chosen(table, target="price", folds=3, epochs=7)
    assert recipe.folds == len(dataset.folds) == 3
    assert recipe.epochs == 7


def test_a_share_and_folds_exclude_each_other(table, tmp_path):
    with pytest.raises(SettingError, match=r"validation 0\.2 holds rows out for one network, and each of the 3"):
        chosen(table, target="price", folds=3, validation=0.2)
    (tmp_path / "both.toml").write_text("validation = 0.2\nfolds = 3")
    with pytest.raises(SettingError, match="leave one out"):
        choose(str(tmp_path / "both.toml"), NOTHING | {"data": str(table), "target": "price"})


def test_rows_that_validate_already_make_no_folds(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_validation=x, y_validation=y)
    recipe, dataset = chosen(tmp_path / "own.npz")
    assert recipe.folds is None
    assert len(dataset.validation.y) == 40


def test_images_have_no_folds():
    recipe, dataset = chosen("mnist")
    assert recipe.folds is None
    assert len(dataset.train.y) == 57_000


def test_rows_that_only_validate_do_not_make_batches_larger(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5300, 3)), rng.normal(size=5300)
    parts = {"x_train": x[:300], "y_train": y[:300], "x_validation": x[300:], "y_validation": y[300:]}
    np.savez(tmp_path / "own.npz", **parts)
    np.savez(tmp_path / "few.npz", x=x[:300], y=y[:300])
    np.savez(tmp_path / "many.npz", x=x[300:], y=y[300:])
    own, _ = chosen(tmp_path / "own.npz")
    beside, _ = chosen(tmp_path / "few.npz", validation=str(tmp_path / "many.npz"))
    for recipe in (own, beside):
        assert (recipe.batch_size, recipe.epochs, recipe.folds) == (32, 200, None)
