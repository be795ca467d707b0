"""The text form of named values: every registry's values survive the round trip; all else raises one clear error."""

import dataclasses

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.settings import checks
from numlp.settings.named import resolve
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

REGISTRIES = {"activation": ACTIVATIONS, "loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
ENTRIES = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]
SHARES = st.floats(0, 1, exclude_min=True, exclude_max=True)
BY_CHECK = {
    checks.fraction: st.floats(0, 1, exclude_max=True),
    checks.share: SHARES,
    checks.positive: st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**20),
    checks.nonnegative: st.floats(0, allow_infinity=False) | st.integers(0, 10**20),
    checks.truth: st.booleans(),
}
BY_NAME = {  # settings with a check of their own
    "levels": st.lists(SHARES, min_size=1, max_size=5, unique=True).map(sorted),
    "shape": st.sampled_from(["cosine", "linear"]),
    "every": st.integers(1, 10**6),
    "patience": st.integers(0, 10**6),
    "by": st.floats(0.01, 1, exclude_max=True),
    "figure": st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True),
}


def values(entry):
    """Draw any value of a registry's type; add a new setting with a check of its own to BY_NAME."""
    strategies = {
        field.name: BY_NAME[field.name] if field.name in BY_NAME else BY_CHECK[field.metadata["check"]]
        for field in dataclasses.fields(entry)
    }
    chosen = st.fixed_dictionaries({}, optional=strategies)
    return chosen.filter(lambda chosen: not chosen.get("nesterov") or chosen.get("momentum")).map(
        lambda chosen: entry(**chosen)
    )


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_a_name_alone_is_the_default(kind, name):
    registry = REGISTRIES[kind]
    for text in (name, f"{name}()", f"  {name} ( )  "):
        assert resolve(kind, text, registry) == registry[name]()
    assert str(registry[name]()) == name


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
@settings(max_examples=30)
@given(data=st.data())
def test_values_survive_the_round_trip(kind, name, data):
    registry = REGISTRIES[kind]
    value = data.draw(values(registry[name]))
    again = resolve(kind, str(value), registry)
    assert again == value
    assert type(again) is type(value)
    assert hash(again) == hash(value)
    assert str(again) == str(value)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_a_value_is_returned_unchanged(kind, name):
    value = REGISTRIES[kind][name]()
    assert resolve(kind, value, REGISTRIES[kind]) is value


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_values_are_frozen(kind, name):
    value = REGISTRIES[kind][name]()
    for attribute in ["name", "colour", *(field.name for field in dataclasses.fields(value))]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, attribute, 0.5)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, attribute)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_an_unknown_setting_raises_an_error_that_lists_the_known_ones(kind, name):
    with pytest.raises(SettingError, match=f"unknown setting of {kind} {name} 'colour'. Available: "):
        resolve(kind, f"{name}(colour = 1)", REGISTRIES[kind])


def test_integers_pass_as_floats():
    assert resolve("optimizer", "adam(weight_decay = 1)", OPTIMIZERS) == OPTIMIZERS["adam"](weight_decay=1.0)
    assert str(OPTIMIZERS["adam"](weight_decay=1)) == "adam(weight_decay = 1.0)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adm", r"unknown optimizer 'adm': did you mean 'adam'\? Available: sgd, "),
        ("SGD", r"unknown optimizer 'SGD'"),
        ("quicksort", r"unknown optimizer 'quicksort'. Available: sgd, "),
        ("adam(beta = 0.9)", r"unknown setting of optimizer adam 'beta': did you mean 'beta"),
        ("adam(beta1 = 1.5)", r"optimizer adam: beta1 must be at least 0 and below 1, not 1.5"),
        ("adam(beta1 = nan)", r"optimizer adam: beta1 must be"),
        ("adam(epsilon = inf)", r"optimizer adam: epsilon must be"),
        ("adam(epsilon = 1e400)", r"optimizer adam: epsilon must be"),
        (f"adam(epsilon = 1{'0' * 400})", r"a whole number of more than 64 bits"),
        ('adam(beta1 = "0.9")', r"optimizer adam: beta1 must be"),
        ("adam(beta1 = [0.9])", r"optimizer adam: beta1 must be"),
        ("adam(beta1.x = 0.9)", r"optimizer adam: beta1 must be"),
        ("adam(beta1 = 1979-05-27)", r"optimizer adam: beta1 must be"),
        ("sgd(nesterov = 1)", r"optimizer sgd: nesterov must be true or false"),
        ("sgd(nesterov = true)", r"optimizer sgd: .*momentum"),
    ],
)
def test_errors_name_wrong_names_and_settings(text, message):
    with pytest.raises(SettingError, match=message):
        resolve("optimizer", text, OPTIMIZERS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "()",
        "(momentum = 0.9)",
        "sgd(",
        "sgd)",
        "sgd(momentum = 0.9",
        "sgd momentum = 0.9)",
        "sgd((momentum = 0.9)",
        "sgd(momentum = 0.9))",
        "sgd(momentum = 0.9) nesterov",
        "sgd(momentum = 0.9, nesterov = )",
        "sgd(momentum = 0.9 nesterov = true)",
        "sgd(momentum = 0.9, momentum = 0.8)",
        "sgd(momentum = 0,9)",
        "sgd(momentum: 0.9)",
        "sgd(momentum=True)",
        "sgd(0.9)",
        "sgd(momentum = 0.9}, other = {)",
        "sgd(momentum = 0.9} # )",
        "sgd(momentum = 0.9}\nother = {)",
        "sgd(momentum = 0.9}\n[settings]\nother = {nesterov = true)",
        "sgd(\nmomentum = 0.9\n)",
        "sgd(momentum = __import__('os').getpid())",
        "sgd(__class__ = 1)",
        "os.system('true')",
        "__import__('os')",
        "numlp.training.optimizers.SGD",
        f"sgd(momentum = {'[' * 100_000})",
        f"sgd(momentum = {'{a = ' * 100_000})",
        f"sgd{'(' * 100_000}",
        f"sgd(momentum = 1{'0' * 5000})",
        "sgd(momentum = 0.9\0)",
        "sgd(momentum = '\ud800')",
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_bad_texts_raise_one_clear_error(text):
    with pytest.raises(SettingError, match="optimizer"):
        resolve("optimizer", text, OPTIMIZERS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sgd(momentum = .9)", "a number needs a digit before its point"),
        ("adam(beta1 = 0.9, beta2 = .99)", "a number needs a digit before its point"),
        ("sgd(momentum = 0.9, nesterov = True)", "true and false are lowercase"),
        ("sgd(momentum = .9, nesterov = True)", "before its point, as in 0.9, and true and false"),
        ("adam(0.9)", "each setting needs its name"),
        ("adam(beta1 = 0.9 beta2 = 0.9)", "the settings aren't valid TOML; write settings as in"),
    ],
)
def test_errors_explain_habits_from_other_languages(text, says):
    with pytest.raises(SettingError, match=says):
        resolve("optimizer", text, OPTIMIZERS)


@pytest.mark.parametrize(
    "value",
    [None, 3, 0.9, True, b"sgd", ["sgd"], {"name": "sgd"}, OPTIMIZERS["sgd"], ACTIVATIONS["relu"](), object],
    ids=repr,
)
def test_anything_but_a_text_or_a_registered_value_is_refused(value):
    with pytest.raises(SettingError, match="optimizer must be a name such as 'sgd'"):
        resolve("optimizer", value, OPTIMIZERS)


@settings(max_examples=30)
@given(st.text(max_size=40), st.booleans())
def test_any_text_is_a_value_or_a_setting_error(text, inside):
    text = f"sgd({text})" if inside else text
    try:
        value = resolve("optimizer", text, OPTIMIZERS)
    except SettingError:
        return
    assert isinstance(value, tuple(OPTIMIZERS.values()))


@settings(max_examples=30)
@given(st.sampled_from(ENTRIES), st.data())
def test_any_setting_of_any_type_is_a_value_or_a_setting_error(entry, data):
    kind, name = entry
    fields = dataclasses.fields(REGISTRIES[kind][name])
    assume(fields)
    field = data.draw(st.sampled_from(fields)).name
    scalars = st.sampled_from(["0", "-1", "0.5", "nan", "inf", "true", '"x"', "12:00:00", "[]", "{}"])
    wrong = data.draw(scalars | st.lists(scalars, max_size=3).map(lambda texts: f"[{', '.join(texts)}]"))
    try:
        value = resolve(kind, f"{name}({field} = {wrong})", REGISTRIES[kind])
    except SettingError:
        return
    assert resolve(kind, str(value), REGISTRIES[kind]) == value
