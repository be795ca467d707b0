"""Names that people type: every synonym leads to a name that exists, and to one alone."""

import dataclasses
from typing import get_args

import pytest

from numlp.arrays.arithmetic import ARITHMETICS
from numlp.cli.app import COMMANDS, load
from numlp.data.augmentation import AUGMENTATIONS
from numlp.datasets import SOURCES, Task
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.network.mlp import DTYPES
from numlp.network.scaling import SCALINGS
from numlp.runs.recipe import Recipe
from numlp.settings.named import resolve
from numlp.settings.numerals import remedy
from numlp.settings.synonyms import _BY_SYNONYM, _SYNONYMS, _first_word, nearest
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

COLUMNS = [f"{part}_{name}" for part in ("train", "validation") for name in ("loss", "accuracy", "r2")]
NAMED = [ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, AUGMENTATIONS]


def options(command):
    """Return the names of a command's options and arguments."""
    words = [word for p in load(command).params for word in (*p.opts, *p.secondary_opts)]
    return {word.removeprefix("--").replace("-", "_") for word in words} | {"help"}


VOCABULARIES = {
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initializers": INITIALIZERS,
    "normalizations": NORMALIZATIONS,
    "scalings": SCALINGS,
    "dtypes": DTYPES,
    "arithmetics": ARITHMETICS,
    "tasks": get_args(Task),
    "settings": [field.name for field in dataclasses.fields(Recipe)],
    "options of numlp": ["version", "help"],
    "commands": COMMANDS,
    "data sets": SOURCES,
    "columns": COLUMNS,
}
VOCABULARIES |= {f"options of {command}": options(command) for command in COMMANDS}
VOCABULARIES |= {
    f"settings of {name}": [field.name for field in dataclasses.fields(entry)]
    for registry in NAMED
    for name, entry in registry.items()
}


def test_every_synonym_means_a_name_that_exists():
    known = {name for vocabulary in VOCABULARIES.values() for name in vocabulary}
    assert {_first_word(name) for name in _SYNONYMS} - known == set()


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_synonym_means_one_name_of_a_kind_and_a_name_means_itself(vocabulary):
    names = list(VOCABULARIES[vocabulary])
    assert [nearest(name.upper(), names) for name in names] == names
    for synonym, meant in _BY_SYNONYM.items():
        here = {name for name in meant if _first_word(name) in names}
        assert len(here) <= 1, (synonym, here)


@pytest.mark.parametrize(
    ("kind", "registry", "typed", "meant"),
    [
        ("loss", LOSSES, "mse", "squared_error"),
        ("arithmetic", ARITHMETICS, "exact", "portable"),
        ("loss", LOSSES, "MAE", "absolute_error"),
        ("loss", LOSSES, "bce", "sigmoid_binary_cross_entropy"),
        ("loss", LOSSES, "CrossEntropyLoss", "softmax_cross_entropy"),
        ("activation", ACTIVATIONS, "swish", "silu"),
        ("activation", ACTIVATIONS, "LeakyReLU", "leaky_relu"),
        ("optimizer", OPTIMIZERS, "adamW", "adamw"),
        ("optimizer", OPTIMIZERS, "SGD", "sgd"),
        ("optimizer", OPTIMIZERS, "nesterov", "sgd(momentum = 0.9, nesterov = true)"),
        ("schedule", SCHEDULES, "ReduceLROnPlateau", "reduce_on_plateau"),
    ],
)
def test_the_name_of_another_library_leads_to_ours(kind, registry, typed, meant):
    with pytest.raises(SettingError) as caught:
        resolve(kind, typed, registry)
    assert f"unknown {kind} {typed!r}: did you mean {meant!r}?" in str(caught.value)


def test_a_learning_rate_in_an_optimizer_is_sent_to_its_place():
    with pytest.raises(SettingError, match="give learning_rate beside the optimizer"):
        resolve("optimizer", "adam(lr = 0.001)", OPTIMIZERS)


@pytest.mark.parametrize(
    ("typed", "seconds", "says"),
    [
        ("5m", True, "300, in seconds"),
        ("2 hours", True, "7200, in seconds"),
        ("1h30min", True, "5400, in seconds"),
        ("5m", False, "5000000"),
        ("1,000", False, "1000"),
        ("0,001", False, "0.001"),
        ("12.5%", False, "0.125"),
        ("1e3k", False, "1000000"),
    ],
)
def test_numbers_with_units_are_written_out(typed, seconds, says):
    assert remedy(typed, seconds=seconds) == f": write {says}"


@pytest.mark.parametrize("typed", ["50%", "1e-3", "1,5"])
def test_no_fraction_is_suggested_for_a_whole_number(typed):
    assert remedy(typed, whole=True) == ""
    assert remedy("10k", whole=True) == ": write 10000"


@pytest.mark.parametrize("typed", ["", "half", "m", "5x", "9" * 1000, None, b"5m", "1e999"])
def test_what_is_no_number_gets_no_remedy_and_no_traceback(typed):
    assert remedy(typed) == remedy(typed, seconds=True) == ""
