import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.errors import SettingError
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe
from numlp.training.recipes import recipe_names
from numlp.training.sizes import table_settings
from numlp.tuning.space import (
    SEARCHABLE,
    Choices,
    Range,
    check_space,
    left_out,
    point_of,
    read_space,
    recipe_at,
    space_text,
)
from numlp.tuning.usual import usual_space

BASE = Recipe(layers=(64, 64), optimizer="adamw(weight_decay = 0.1)", input_encoding="columns(bins = 8)")
floats = st.floats(1e-6, 0.9, allow_nan=False)
ranges = st.tuples(floats, floats, st.booleans()).filter(lambda r: r[0] < r[1]).map(lambda r: Range(*r))
spaces = st.fixed_dictionaries(
    {},
    optional={
        "dropout": ranges,
        "learning_rate": ranges,
        "optimizer.weight_decay": ranges,
        "layers.width": st.tuples(st.integers(1, 9), st.integers(10, 99)).map(lambda r: Range(*r)),
        "layers.depth": st.just(Choices((1, 2, 5))),
        "activation": st.just(Choices(("relu", "selu", "tanh"))),
        "clip_norm": st.just(Choices(("none", 1.0))),
    },
).filter(bool)


@given(spaces)
def test_what_is_written_is_read(space):
    assert read_space(space_text(space, ["a comment"]), BASE) == space


@given(spaces, st.data())
def test_a_recipe_lies_at_the_point_that_it_was_made_from(space, data):
    point = {}
    for name, values in space.items():
        if isinstance(values, Choices):
            point[name] = data.draw(st.sampled_from(values.values))
        else:
            number = st.integers if values.whole else st.floats
            point[name] = data.draw(number(values.low, values.high))
    assert point_of(recipe_at(BASE, point), space) == point


def test_a_list_of_lists_holds_whole_settings():
    space = read_space("layers = [[64, 64], [32]]\nactivation = ['relu', 'tanh']", BASE)
    assert recipe_at(BASE, {"layers": (32,), "activation": "tanh"}).layers == (32,)
    assert point_of(BASE, space) == {"layers": (64, 64), "activation": "relu"}


def test_none_turns_a_setting_off():
    assert recipe_at(BASE.edited(clip_norm=1.0), {"clip_norm": "none"}).clip_norm is None


def test_what_a_space_leaves_out_of_a_recipe_is_named():
    assert left_out(BASE, {"dropout": Range(0.1, 0.5), "epochs": Range(1, 9)}) == {"dropout": 0.0}
    assert left_out(Recipe(layers=(64, 32)), {"layers.width": Range(1, 100)}) == {"layers.width": (64, 32)}
    assert left_out(BASE, {"batch_size": Range(8, 64, step=16)}) == {"batch_size": BASE.batch_size}


@pytest.mark.parametrize("name", recipe_names())
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_usual_space_holds_the_recipe_that_it_is_around(name, task):
    base = load_recipe(name)
    if task == "regression":
        base = base.edited(label_smoothing=0.0)
    space = usual_space(base, task)
    check_space(space, base)
    assert {setting.partition(".")[0] for setting in space} <= set(SEARCHABLE)
    assert bool(left_out(base, space)) == (len(set(base.layers)) > 1)


@pytest.mark.parametrize("rows", [10, 400, 3_000, 200_000])
def test_the_usual_space_suits_tables_of_all_sizes(rows):
    sized = {name: value for name, value in table_settings(rows, 10).items() if value is not None}
    base = load_recipe("table").edited(**sized)
    space = usual_space(base, "regression")
    check_space(space, base)
    assert not left_out(base, space)


def test_what_the_user_names_is_not_searched():
    space = usual_space(BASE, "classification", fixed=["layers", "optimizer"])
    assert not [name for name in space if name.startswith(("layers", "optimizer"))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dropuot = [0.1, 0.2]", "unknown setting 'dropuot': did you mean 'dropout'?"),
        ("epochs = [", "it isn't valid TOML"),
        ("", "no setting to search"),
        ("seed = [1, 2]", "seed is the same in all trials: leave it out"),
        ("loss = ['huber', 'squared_error']", "loss is the same in all trials"),
        ("target = ['a', 'b']", "target is the same in all trials"),
        ("dropout = 0.5", "dropout must be a list of values, or a range"),
        ("dropout = [0.5]", "at least two values"),
        ("dropout = [0.5, 0.5]", "each once"),
        ("dropout = [{a = 1}, {b = 2}]", "values, not tables"),
        ("dropout = { low = 0.5, high = 0.1 }", "low must be below high, not 0.5 and 0.1"),
        ("dropout = { low = 0.1, high = 1.5 }", "dropout can't be 1.5: dropout must be at least 0 and below 1"),
        ("dropout = { low = 0.1 }", "the numbers low and high"),
        ("dropout = { low = 0.1, high = nan }", "the numbers low and high"),
        ("dropout = { low = 0.1, high = '0.2' }", "the numbers low and high"),
        ("dropout = { low = 0.1, high = 0.3, logs = true }", "unknown part of a range 'logs': did you mean 'log'?"),
        ("dropout = { low = 0.1, high = 0.3, log = 1 }", "log must be true or false"),
        ("dropout = { low = 0, high = 0.3, log = true }", "low must be above 0"),
        ("dropout = { low = 0.1, high = 0.4, step = 0.2 }", "steps of 0.2 must lead from 0.1 to 0.4"),
        ("epochs = { low = 1, high = 4, step = 1.5 }", "steps of 1.5"),
        ("epochs = { low = 1.0, high = 4.5 }", "epochs can't be 1.0: epochs must be a whole number"),
        ("activation = ['relu', 'rellu']", "activation can't be \"rellu\": unknown activation 'rellu'"),
        ("dropout.rate = [0.1, 0.2]", "it has no parts"),
        ("layers.widht = [64, 128]", "unknown part of layers 'widht': did you mean 'width'?"),
        ("layers.width = [64, 0]", "layers.width can't be 0"),
        ("optimizer.momentum = [0.1, 0.2]", "unknown part of optimizer 'momentum'"),
        ("optimizer.weight_decay = [0.1, -1.0]", "optimizer.weight_decay can't be -1.0"),
        ("augmentation.shift = [1.0, 2.0]", "the recipe has no augmentation whose parts could be searched"),
    ],
)
def test_a_wrong_space_is_refused_in_one_line(text, says):
    with pytest.raises(SettingError) as caught:
        read_space(text, BASE)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
