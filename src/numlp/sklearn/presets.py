"""Presets: settings that are chosen together, by the names of the recipes that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numlp.errors import SettingError
from numlp.sklearn.optimizers import make_optimizer
from numlp.sklearn.parameters import RATES, activations, widths
from numlp.training.recipes import recipe_settings
from numlp.training.sizes import table_settings

_OWN = {  # parameters that a recipe has, too, under these names
    "hidden_layer_sizes": "layers",
    "activation": "activation",
    "learning_rate": "schedule",
    "learning_rate_init": "learning_rate",
    "max_iter": "epochs",
    "n_iter_no_change": "patience",
    "tol": "min_delta",
} | {
    name: name
    for name in (
        *("batch_size", "loss", "dtype", "initializer", "normalization", "dropout", "input_dropout", "noise"),
        *("input_noise", "label_smoothing", "mixup", "adversarial", "l1", "max_norm", "clip_norm", "clip_value"),
        *("averaging", "arithmetic"),
    )
}
_OF_SOLVER = ("momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon")
_WHY_NOT = {
    "input_scaling": "whose encoding scales the columns",
    "input_features": "which takes the columns of a table, not images",
    "validation_fraction": "which validates each network on its own fold; give X_val and y_val for other rows",
    "scoring": "which stops by the validation loss",
    "shuffle": "which shuffles the rows",
    "warm_start": "which learns its encoding and its folds from all rows at once",
    "power_t": "which has no 'invscaling'; learning_rate takes numlp's schedules",
    "max_fun": "which trains by batches",
} | dict.fromkeys(_OF_SOLVER, "where settings of an optimizer go into solver, as in solver='adam(beta1 = 0.8)'")


def preset_settings(
    parameters: Mapping[str, Any], defaults: Mapping[str, Any], shape: tuple[int, int]
) -> dict[str, Any]:
    """Return the settings of a fit with a preset, by the names that a recipe gives them.

    Parameters
    ----------
    parameters, defaults : mapping
        The estimator's parameters, and the values that they have if nobody sets them. Those that differ take the
        place of the preset's.
    shape : tuple of int
        The numbers of rows and columns.

    Raises
    ------
    SettingError
        If a parameter that has no meaning with the preset isn't at its default.
    """
    settings = recipe_settings(parameters["preset"]) | table_settings(*shape)
    preset = f"preset={parameters['preset']!r}"
    given = {name: value for name, value in parameters.items() if not _same(name, value, defaults[name])}
    for name, why in _WHY_NOT.items():
        if name in given:
            raise SettingError(f"{name} must stay {defaults[name]!r} with {preset}, {why}, not {given[name]!r}")
    if given.get("learning_rate") in RATES:
        raise SettingError(
            f"learning_rate must be a schedule of numlp's with {preset}, not {given['learning_rate']!r}"
        )
    if "solver" in given:
        if given["solver"] == "lbfgs":
            raise SettingError(f"solver must not be 'lbfgs' with {preset}, which trains by batches")
        settings |= {"optimizer": make_optimizer(dict(parameters)), "learning_rate": None}
    settings |= {own: given[name] for name, own in _OWN.items() if name in given}
    settings["activation"] = activations("activation", settings["activation"])
    settings["layers"] = widths("hidden_layer_sizes", settings["layers"])
    if "alpha" in given:  # α / (2 W) Σw², where W is the number of rows in a batch
        settings["l2"] = given["alpha"] / min(settings["batch_size"], shape[0])
    return settings


def _same(name: str, value: Any, default: Any) -> bool:
    if name == "hidden_layer_sizes":
        return widths(name, value) == widths(name, default)
    return bool(value == default)
