"""The public names are what they are meant to be, and each is documented with an example."""

import doctest
import inspect

import numlp


def test_public_names_are_all_there_is():
    submodules = {name for name, value in vars(numlp).items() if inspect.ismodule(value)}
    public = {name for name in vars(numlp) if not name.startswith("_")} - submodules
    assert public == set(numlp.__all__) - {"__version__"}


def test_public_names():
    assert set(numlp.__all__) == {
        "Adam",
        "AdamW",
        "Checkpoint",
        "DivergenceError",
        "EarlyStopping",
        "Ensemble",
        "History",
        "KeepBest",
        "Lion",
        "MLP",
        "NumlpError",
        "RMSprop",
        "SGD",
        "Scaling",
        "TimeBudget",
        "__version__",
        "calibrate",
        "evaluate",
        "find_learning_rate",
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
