"""The parameters of the estimators, with a check for each."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from numlp.arrays.arithmetic import ARITHMETICS, as_arithmetic
from numlp.data.teacher import refuse_preparation
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, Activation
from numlp.network.ensemble import Ensemble
from numlp.network.features import INPUT_FEATURES
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES, Task
from numlp.network.mlp import DTYPES, MLP
from numlp.network.scaling import SCALINGS
from numlp.parallel.ranks import Ranks
from numlp.settings.checks import choice, fraction, nonnegative, positive, real, share_or_all, unknown, whole_number
from numlp.settings.named import Check, Named, optional, resolve
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

PRESETS = ("table",)
SOLVERS = ("lbfgs", "sgd", "adam")
RATES = ("constant", "invscaling", "adaptive")
_ALIASES = {"logistic": "sigmoid"}


def widths(name: str, value: object) -> tuple[int, ...]:
    """Return the widths of the hidden layers; a single number stands for one layer."""
    values = value if isinstance(value, list | tuple | np.ndarray) else [value]
    try:
        return tuple(whole_number(name, width) for width in values)
    except SettingError as error:
        raise SettingError(f"{name} must be > 0, got {value!r}: give one whole number per hidden layer") from error


def activations(name: str, value: object) -> Activation | tuple[Activation, ...]:
    """Return the activation, or one for each hidden layer."""
    if isinstance(value, list | tuple):
        return tuple(resolve(name, _ALIASES.get(str(each), each), ACTIVATIONS) for each in value)
    return resolve(name, _ALIASES.get(str(value), value), ACTIVATIONS)


def _either(names: tuple[str, ...], registry: Mapping[str, type[Named]]) -> Check:
    def check(name: str, value: object) -> object:
        if value not in names:
            try:
                resolve(name, value, registry)
            except SettingError as error:
                head = str(value).partition("(")[0].strip()
                if head in registry:  # the name is right, but its settings are wrong
                    raise
                raise SettingError(unknown(name, value, dict.fromkeys([*names, *registry]))) from error
        return value

    return check


def losses(*tasks: Task, usual: tuple[str, ...] = ()) -> Check:
    """Return a check that a loss is one for these tasks."""
    return _either(usual, {name: loss for name, loss in LOSSES.items() if loss.task in tasks})


def _one_of(registry: Mapping[str, object]) -> Check:
    return lambda name, value: choice(name, value, registry)


def _named(registry: Mapping[str, type[Named]]) -> Check:
    return lambda name, value: resolve(name, value, registry)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise SettingError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def _verbose(name: str, value: object) -> object:
    return value if isinstance(value, bool | np.bool_) else whole_number(name, value, minimum=0)


def _batch_size(name: str, value: object) -> object:
    return value if isinstance(value, str) and value == "auto" else whole_number(name, value)


def _momentum(name: str, value: object) -> float:
    number = real(name, value, "in [0, 1]")
    if not 0 <= number <= 1:
        raise SettingError(f"{name} must be in [0, 1], not {value!r}")
    return number


def _patience(name: str, value: object) -> object:
    return value if value == math.inf else whole_number(name, value)


def _random_state(name: str, value: object) -> object:
    if value is None or isinstance(value, Integral | np.random.RandomState) or value is np.random:
        return value
    raise SettingError(f"{name} must be None, a whole number or a numpy.random.RandomState, not {value!r}")


def _callbacks(name: str, value: Any) -> object:
    if value is not None and not (isinstance(value, list | tuple) and all(callable(each) for each in value)):
        raise SettingError(f"{name} must be a list of callables, not {value!r}")
    return value


def _team(name: str, value: Any) -> object:
    if value is not None and not isinstance(value, Ranks):
        raise SettingError(f"{name} must be an MPITeam or None, not {value!r}")
    return value


def _teacher(name: str, value: Any) -> object:
    if value is None or isinstance(value, MLP | Ensemble):
        return value
    if isinstance(getattr(value, "network_", None), MLP | Ensemble):
        raise SettingError(
            f"{name} must be the network of {value!r:.80}: a clone of this estimator would forget "
            f"what an estimator has learned. Give its network_"
        )
    raise SettingError(f"{name} must be an MLP, an Ensemble or None, not {value!r:.80}")


def _scoring(name: str, value: Any) -> object:
    if value is None or isinstance(value, str) or callable(value):
        return value
    raise SettingError(f"{name} must be 'loss', the name of a scorer or a callable, not {value!r}")


def _anything(name: str, value: object) -> object:
    return value


CHECKS: dict[str, Callable[[str, object], object]] = {
    "hidden_layer_sizes": widths,
    "activation": activations,
    "solver": _either(SOLVERS, OPTIMIZERS),
    "alpha": nonnegative,
    "batch_size": _batch_size,
    "learning_rate": _either(RATES, SCHEDULES),
    "learning_rate_init": positive,
    "power_t": nonnegative,
    "max_iter": whole_number,
    "shuffle": _flag,
    "random_state": _random_state,
    "tol": nonnegative,
    "verbose": _verbose,
    "warm_start": _flag,
    "momentum": _momentum,
    "nesterovs_momentum": _flag,
    "early_stopping": _flag,
    "validation_fraction": fraction,
    "beta_1": fraction,
    "beta_2": fraction,
    "epsilon": positive,
    "n_iter_no_change": _patience,
    "max_fun": whole_number,
    "dtype": optional(lambda name, value: choice(name, getattr(value, "__name__", value), DTYPES)),
    "arithmetic": _one_of(ARITHMETICS),
    "input_features": optional(_named(INPUT_FEATURES)),
    "initializer": optional(_one_of(INITIALIZERS)),
    "normalization": _one_of(NORMALIZATIONS),
    "input_scaling": optional(_one_of(SCALINGS)),
    "dropout": fraction,
    "input_dropout": fraction,
    "noise": nonnegative,
    "input_noise": nonnegative,
    "l1": nonnegative,
    "max_norm": optional(positive),
    "label_smoothing": fraction,
    "mixup": nonnegative,
    "adversarial": nonnegative,
    "clip_norm": optional(positive),
    "clip_value": optional(positive),
    "averaging": fraction,
    "teacher": _teacher,
    "distillation": share_or_all,
    "class_weight": _anything,  # scikit-learn's own function checks it against the labels
    "scoring": _scoring,
    "callbacks": _callbacks,
    "time_budget": optional(positive),
    "progress": _flag,
    "processes": whole_number,
    "team": _team,
    "preset": optional(_one_of(dict.fromkeys(PRESETS))),
}

# The parameters that apply only to training by batches, and the values that switch them off.
OF_BATCHES: dict[str, object] = {
    "dropout": 0.0,
    "input_dropout": 0.0,
    "noise": 0.0,
    "input_noise": 0.0,
    "max_norm": None,
    "label_smoothing": 0.0,
    "mixup": 0.0,
    "adversarial": 0.0,
    "l1": 0.0,
    "clip_norm": None,
    "clip_value": None,
    "averaging": 0.0,
    "teacher": None,
    "callbacks": None,
    "time_budget": None,
    "progress": False,
    "processes": 1,
    "team": None,
}


def defaults_of(kind: type) -> dict[str, Any]:
    """Return the values that an estimator's parameters have if nobody sets them, whatever a subclass prefers."""
    found: dict[str, Any] = {}
    for each in kind.__mro__:
        if "__init__" in vars(each) and each is not object:
            parameters = inspect.signature(vars(each)["__init__"]).parameters.values()
            found |= {one.name: one.default for one in parameters if one.default is not one.empty}
    return found


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise an error if a parameter is out of range, or if parameters exclude each other."""
    for name, check in CHECKS.items():
        if name in parameters:
            check(name, parameters[name])
    layers = widths("hidden_layer_sizes", parameters["hidden_layer_sizes"])
    activation = parameters["activation"]
    if isinstance(activation, list | tuple) and len(activation) != len(layers):
        raise SettingError(
            f"activation must be one for all hidden layers or a list of {len(layers)}, not {activation!r}"
        )
    if parameters["solver"] == "lbfgs":
        for name, off in OF_BATCHES.items():
            if parameters.get(name, off) != off:
                raise SettingError(f"{name} must be {off!r} for solver='lbfgs', which doesn't train by batches")
        if parameters["normalization"] == "batch":
            raise SettingError("normalization must not be 'batch' for solver='lbfgs', which doesn't train by batches")
    if parameters.get("teacher") is not None:
        refuse_preparation(parameters)
    if parameters.get("arithmetic", "ordinary") == "portable":
        _check_portable(parameters)
    if parameters["scoring"] is not None and not parameters["early_stopping"]:
        raise SettingError("scoring must be None without early stopping: set early_stopping=True to use it")


def _check_portable(parameters: Mapping[str, Any]) -> None:
    """Refuse what has other bits on other machines, whatever the network computes with."""
    as_arithmetic("portable", dtype_of(parameters, None))
    if parameters["solver"] == "lbfgs":
        raise SettingError(
            "arithmetic must be 'ordinary' for solver='lbfgs', whose steps SciPy computes in float64: choose another "
            "solver, such as 'adam', for 'portable'"
        )
    if parameters["scoring"] not in (None, "loss"):
        raise SettingError(
            f"scoring must be None or 'loss' with arithmetic='portable', not {parameters['scoring']!r}: a scorer "
            "rounds as the machine does, and decides when training ends"
        )


def dtype_of(parameters: Mapping[str, Any], default: Any) -> Any:
    """Return the dtype of the network: by default that of the data, with portable arithmetic float32."""
    dtype = parameters["dtype"]
    if dtype is not None:
        return DTYPES[getattr(dtype, "__name__", dtype)]
    return DTYPES["float32"] if parameters.get("arithmetic", "ordinary") == "portable" else default
