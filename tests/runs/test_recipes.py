import dataclasses
import tomllib

import numpy as np
import pytest

from numlp import MLP
from numlp.datasets import Dataset, Split
from numlp.errors import FileFormatError, SettingError
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, load_recipe, make_network, train_network
from numlp.training.recipes import recipe_names, recipe_text


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    rng = np.random.default_rng(0)
    rows = [f"{a},{b},{3 * a - b + 1000}" for a, b in rng.normal(size=(200, 2))]
    path.write_text("\n".join(["a,b,price", *rows]))
    return path


@pytest.mark.parametrize("name", recipe_names())
def test_named_recipes_are_valid_and_survive_toml(name):
    recipe = load_recipe(name)
    assert Recipe.from_dict(tomllib.loads(recipe.to_toml())) == recipe


def test_reference_is_the_reference_project_s_setting():
    recipe = load_recipe("reference")
    assert recipe.layers == (256, 256, 256)
    assert (recipe.learning_rate, recipe.batch_size, recipe.epochs) == (0.1, 64, 100)
    assert (recipe.loss, recipe.input_scaling, recipe.optimizer) == ("sigmoid_squared_error", "symmetric", "sgd")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"layers": (0,)}, "layers"),
        ({"layers": (3, -1)}, "layers"),
        ({"layers": "256"}, "layers"),
        ({"layers": 256}, "layers"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"seed": -1}, "seed"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"loss": "square_error"}, "did you mean 'squared_error'"),
        ({"optimizer": "adm"}, "unknown optimizer"),
        ({"optimizer": "adam(beta3 = 1)"}, "did you mean 'beta"),
        ({"optimizer": "sgd(momentum = 1)"}, "momentum must be"),
        ({"dropout": 1}, "dropout"),
        ({"label_smoothing": 0.1, "loss": "huber"}, "label_smoothing has no meaning"),
        (
            {"activation": ["relu"], "layers": [3, 4]},
            "activation must be one for all 2 hidden layers, or one for each, not the 1 in 'relu'",
        ),
        ({"class_weight": "blanced"}, "did you mean 'balanced'"),
        ({"class_weight": {"a": -1}}, "class_weight of a"),
        ({"ensemble": 0}, "ensemble"),
        ({"calibrate": 1}, "calibrate"),
        ({"schedule": 3}, "schedule must be a name"),
        ({"input_scaling": "none"}, "unknown input_scaling"),
        ({"task": "sorting"}, "unknown task"),
        ({"dtype": "float16"}, "unknown dtype"),
        ({"arithmetic": "exact"}, "unknown arithmetic 'exact': did you mean 'portable'"),
        ({"arithmetic": True}, "unknown arithmetic True. Available: ordinary, portable"),
        ({"arithmetic": "portable", "dtype": "float64"}, "dtype must be 'float32' for arithmetic 'portable'"),
        ({"validation": 1.0}, "validation"),
        (
            {"patience": 5, "schedule": "reduce_on_plateau"},
            r"make it 12 or more, .* 'reduce_on_plateau\(patience = 2\)'",
        ),
        ({"patience": 4, "schedule": "reduce_on_plateau(patience = 3)"}, "make it 5 or more"),
        ({"data": 3}, "data must be a string"),
        ({"loss": "squared_error", "task": "classification"}, "is for regression"),
        ({"learning_rat": 0.1}, "did you mean 'learning_rate'"),
    ],
)
def test_settings_that_make_no_recipe(settings, says):
    with pytest.raises(SettingError, match=says):
        Recipe.from_dict(settings)


def test_a_schedule_that_waits_less_than_the_patience_lowers_the_rate(blobs):
    recipe = Recipe(patience=3, schedule="reduce_on_plateau(patience = 1)", epochs=50, learning_rate=1e-7)
    recipe = recipe.edited(min_delta=1.0, schedule="reduce_on_plateau(patience = 1, threshold = 0.9)")
    history = train_network(recipe, MLP([2, 3]), Dataset("blobs", Split(*blobs), Split(*blobs), None, None))
    assert history["learning_rate"] == pytest.approx([1e-7, 1e-7, 1e-7, 1e-8])
    assert Recipe(patience=5, monitor="train_loss", schedule="reduce_on_plateau").patience == 5


def test_a_recipe_is_edited_by_name_and_checked_again():
    assert Recipe().edited(epochs=3, seed=None) == dataclasses.replace(Recipe(), epochs=3)
    with pytest.raises(SettingError, match="epochs"):
        Recipe().edited(epochs=-1)


def test_a_new_optimizer_has_its_usual_rate_unless_one_is_named():
    recipe = load_recipe("default")
    assert recipe.edited(optimizer="adam").learning_rate == 0.001
    assert recipe.edited(optimizer="lion", learning_rate=0.3).learning_rate == 0.3
    assert (
        recipe.edited(optimizer="sgd", learning_rate=0.3).edited(optimizer="sgd(momentum = 0.5)").learning_rate == 0.3
    )
    assert (
        Recipe(optimizer="lion").learning_rate == Recipe(optimizer="lion", learning_rate=None).learning_rate == 0.0001
    )
    with pytest.raises(SettingError, match="did you mean 'adam'"):
        recipe.edited(optimizer="adm")


@pytest.mark.parametrize("name", recipe_names())
def test_the_recipes_name_their_rates(name):
    assert "\nlearning_rate = " in recipe_text(name)


def test_recipe_files(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('layers = []\nlearning_rate = 1\ndata = "mnist"')
    assert load_recipe(path) == Recipe(layers=(), learning_rate=1)
    path.write_text("layers = [")
    with pytest.raises(FileFormatError, match="isn't valid TOML"):
        load_recipe(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match="isn't valid TOML"):
        load_recipe(path)
    path.write_text("layers = [1.5]")
    with pytest.raises(SettingError, match=r"mine\.toml: each of layers"):
        load_recipe(path)
    with pytest.raises(SettingError, match="did you mean 'reference'"):
        load_recipe("referense")
    with pytest.raises(SettingError, match="or name a TOML file or a run's folder"):
        load_recipe(tmp_path)
    (tmp_path / "recipe.toml").write_text("epochs = 7")
    assert load_recipe(tmp_path).epochs == 7
    (tmp_path / "folder" / "recipe.toml").mkdir(parents=True)
    with pytest.raises(FileFormatError, match="can't read"):
        load_recipe(tmp_path / "folder")


def test_a_recipe_trains_on_a_table_of_real_targets(table):
    recipe = Recipe(data=str(table), target="price", layers=(16,), batch_size=16)
    dataset = load_data(recipe)
    network = make_network(recipe, dataset)
    assert network.loss.name == "squared_error"
    history = train_network(recipe, network, dataset)
    assert history["validation_r2"][-1] > 0.9


def test_the_loss_determines_the_task(table):
    assert load_data(Recipe(data=str(table), target="price")).class_names is None
    with pytest.raises(ValueError, match="set `task` to regression"):
        load_data(Recipe(data=str(table), target="price", loss="softmax_cross_entropy"))


def test_same_recipe_same_bits():
    recipe = Recipe(layers=(16,), epochs=1)
    dataset = load_data(recipe)
    params = []
    for _ in range(2):
        network = make_network(recipe, dataset)
        train_network(recipe, network, dataset)
        params.append(network.params)
    np.testing.assert_array_equal(*params)
