"""The public names are the intended ones, and each is documented with an example."""

import doctest
import inspect

import pytest

import numlp


def test_every_public_name_loads_on_first_use():
    for name in numlp.__all__:
        assert getattr(numlp, name) is getattr(numlp, name)
    assert dir(numlp) == sorted(numlp.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="module 'numlp' has no attribute 'trian'"):
        _ = numlp.trian
    with pytest.raises(ImportError, match="trian"):
        exec("from numlp import trian")


def test_modules_of_public_names_need_no_separate_import():
    assert numlp.errors.NumlpError is numlp.NumlpError


def test_public_names():
    assert set(numlp.__all__) == {
        "Adam",
        "AdamW",
        "Checkpoint",
        "DivergenceError",
        "EarlyStopping",
        "Encoding",
        "Ensemble",
        "History",
        "Interrupted",
        "KeepBest",
        "Lion",
        "MLP",
        "MPITeam",
        "NumlpError",
        "RMSprop",
        "SGD",
        "Scaling",
        "Table",
        "TeamError",
        "TimeBudget",
        "__version__",
        "calibrate",
        "evaluate",
        "find_learning_rate",
        "learn_encoding",
        "load_dataset",
        "load_model",
        "save_model",
        "standardize",
        "symmetric",
        "train",
    }


def test_public_functions_and_classes_are_documented():
    for name in numlp.__all__:
        value = getattr(numlp, name)
        if inspect.isfunction(value):
            assert doctest.DocTestParser().get_examples(inspect.getdoc(value) or ""), f"{name} has no example"
        elif inspect.isclass(value):
            assert inspect.getdoc(value), f"{name} has no docstring"
            for method, function in inspect.getmembers(value, inspect.isfunction):
                assert method.startswith("_") or inspect.getdoc(function), f"{name}.{method} has no docstring"
