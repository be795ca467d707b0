"""Files: estimators as numlp's own model files, without pickle.

Such a file is an ordinary model file of the estimator's network, which all of numlp can read. In its description, the
entry "recipe" holds the estimator's kind and parameters, and "training" the fitted attributes; `load_model` builds an
estimator from them. Both are data: reading them looks names up, but imports and executes nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from numlp.errors import FileFormatError, SettingError
from numlp.files import models
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.settings.named import Named
from numlp.sklearn.classifier import MLPClassifier
from numlp.sklearn.estimator import MLPEstimator
from numlp.sklearn.labels import Labels
from numlp.sklearn.regressor import MLPRegressor

_KINDS = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
_TASKS = {MLPClassifier: ("classification", "labels"), MLPRegressor: ("regression",)}
_NOT_STORED = "{} can't be stored in a model file, which holds no code: the file has the default, {!r}"
_LABELS = {"O": str, "U": str, "b": bool, "i": int, "u": int, "f": float}  # Python's types by NumPy's kinds
_WIDEST = 1024  # bytes of a label's dtype: a width given in a file must not fill the memory
_NUMBER, _NUMBERS = (int, float), (list,)
# The fitted attributes that aren't part of the network, with their types; each may be None or absent.
_ATTRIBUTES: dict[str, tuple[type, ...]] = {
    "n_iter_": (int,),
    "t_": (int,),
    "loss_": _NUMBER,
    "best_loss_": _NUMBER,
    "best_validation_score_": _NUMBER,
    "stopped_": (bool,),
    "loss_curve_": _NUMBERS,
    "validation_loss_curve_": _NUMBERS,
    "validation_scores_": _NUMBERS,
}


def save_model(estimator: MLPEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a model file, atomically.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        A fitted estimator. A file can't store functions (`callbacks`, a callable as `scoring`) or a `RandomState`;
        a warning says so.
    path : path
        By convention with the suffix ".safetensors".

    Raises
    ------
    SettingError
        If the object is of another kind, or of a subclass, which a file can't name.
    NotFittedError
        If the estimator isn't fitted.
    OutputError
        If the file can't be written.

    Examples
    --------
    >>> import tempfile
    >>> regressor = MLPRegressor(max_iter=300, learning_rate_init=0.05).fit([[0.0], [1.0]], [1.0, 3.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(regressor, f"{folder}/line.safetensors")
    ...     again = load_model(f"{folder}/line.safetensors")
    >>> bool(np.all(again.predict([[0.5]]) == regressor.predict([[0.5]])))
    True
    """
    kind = type(estimator).__name__
    if type(estimator) not in _TASKS:
        raise SettingError(
            f"estimator must be an MLPClassifier or an MLPRegressor of numlp.sklearn, not {kind}; use joblib for "
            "pipelines, searches and subclasses"
        )
    network = estimator._network()
    _check_outputs(estimator, network)
    parameters, defaults = {}, type(estimator)().get_params()
    for name, value in estimator.get_params().items():
        try:
            parameters[name] = _tagged(np.dtype(value).name if name == "dtype" and value is not None else value)
        except TypeError:
            parameters[name] = _tagged(defaults[name])
            warnings.warn(_NOT_STORED.format(name, defaults[name]), stacklevel=2)
    attributes = {name: getattr(estimator, name) for name in _ATTRIBUTES if hasattr(estimator, name)}
    models.save_model(
        network,
        path,
        recipe={"estimator": kind, "parameters": parameters},
        training={**_plain(attributes), "labels": _labels(estimator)},
    )


def load_model(path: str | os.PathLike[str]) -> MLPClassifier | MLPRegressor:
    """Return the estimator that `save_model` wrote to a file.

    Its predictions are the same, bit for bit. A fit that continues (`warm_start`, `partial_fit`) starts from its
    weights, but a model file doesn't hold the optimizer's state.

    Raises
    ------
    FileFormatError
        If the file is missing or damaged, or doesn't hold an estimator.

    Examples
    --------
    >>> load_model("LICENSE")
    Traceback (most recent call last):
    ...
    numlp.errors.FileFormatError: LICENSE isn't a model file, or is damaged: ...
    """
    network, described = models.load_model(path), models.read_description(path)
    recipe, training = described["recipe"] or {}, described["training"] or {}
    kind = recipe.get("estimator")
    # Without an encoding, several networks are somebody else's: a preset's ensemble has one.
    if not isinstance(kind, str) or kind not in _KINDS or not (isinstance(network, MLP) or network.input_encoding):
        raise FileFormatError(f"{path} holds a model, but not an estimator: read it with numlp.load_model")
    try:
        estimator: MLPClassifier | MLPRegressor = _KINDS[kind](**_read_parameters(recipe["parameters"]))
        for name, kinds in _ATTRIBUTES.items():
            if name in training:
                setattr(estimator, name, _checked(name, training[name], kinds))
        if isinstance(estimator, MLPClassifier):
            estimator._labels = _read_labels(training["labels"], network)
            estimator.classes_ = estimator._labels.classes
        _check_outputs(estimator, network)
        estimator._restore(network)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} doesn't hold a valid estimator: {error}") from error
    return estimator


def _check_outputs(estimator: MLPEstimator, network: MLP | Ensemble) -> None:
    """Raise an error if the network's outputs don't fit the estimator."""
    if network.loss.task not in _TASKS[type(estimator)]:
        raise SettingError(
            f"its network has the loss {network.loss.name!r}, which isn't for {type(estimator).__name__}"
        )
    if isinstance(estimator, MLPClassifier) and network.layer_size[-1] != estimator._labels.n_outputs:
        raise SettingError(
            f"its network has {network.layer_size[-1]} outputs for {len(estimator.classes_)} classes: "
            "save the network itself with numlp.save_model"
        )


def _tagged(value: Any) -> Any:
    """Return a value as JSON can hold it, with tags for tuples and for dicts, whose keys may be of any type."""
    if isinstance(value, Named):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [_tagged(part) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [_tagged(part) for part in value]}
    if isinstance(value, Mapping):
        return {"items": [[_tagged(key), _tagged(part)] for key, part in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"JSON can't hold {value!r}")


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(part) for part in value]
    if isinstance(value, dict):
        (tag, parts), *others = value.items()
        if others or tag not in ("tuple", "items"):
            raise ValueError(f"{value!r:.80} isn't a valid parameter")
        values = _untagged(list(parts))
        return tuple(values) if tag == "tuple" else dict(values)
    return value


def _read_parameters(parameters: Any) -> dict[str, Any]:
    return {name: _untagged(value) for name, value in dict(parameters).items()}


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return fitted attributes with Python's numbers instead of NumPy's."""
    found = {name: None if value is None else np.asarray(value) for name, value in attributes.items()}
    return {
        name: array
        if array is None
        else array.astype(float if array.dtype == np.longdouble else array.dtype).tolist()
        for name, array in found.items()
    }


def _checked(name: str, value: Any, kinds: tuple[type, ...]) -> Any:
    """Return a fitted attribute if it is None or of the right type."""
    parts = value if isinstance(value, list) else []
    if value is not None and not (isinstance(value, kinds) and all(isinstance(part, int | float) for part in parts)):
        raise ValueError(f"its {name} has the invalid value {value!r:.80}")
    return value


def _labels(estimator: MLPEstimator) -> dict[str, Any] | None:
    """Return the classes of a classifier, with their dtype and whether they are multilabel."""
    if not isinstance(estimator, MLPClassifier):
        return None
    classes = estimator.classes_
    if classes.dtype.kind not in _LABELS:
        raise SettingError(f"classes must be strings or numbers to be stored, not of dtype {classes.dtype}")
    dtype = "object" if classes.dtype.kind == "O" else classes.dtype.str
    several, sparse = estimator._labels.several, bool(estimator._labels.binarizer.sparse_input_)
    return {"classes": classes.tolist(), "dtype": dtype, "several": several, "sparse": sparse}


def _read_labels(stored: Any, network: MLP | Ensemble) -> Labels:
    """Return the labels of a classifier that has this network."""
    classes, dtype = stored["classes"], np.dtype(str(stored["dtype"]))
    names = classes if isinstance(classes, list) else []
    if not names or not all(type(name) is _LABELS.get(dtype.kind) for name in names):
        raise ValueError(f"its classes {classes!r:.80} don't fit the dtype {dtype}")
    array = np.array(names, dtype if dtype.itemsize <= _WIDEST else None)
    several = stored["several"] is True
    if several and len(names) != network.n_targets:
        raise ValueError(f"it has {len(names)} labels, but its network has {network.n_targets}")
    # Targets that scikit-learn learns the classes from: two rows for several labels, otherwise all classes, repeated
    # so that it doesn't take them for real values.
    seen = np.array([[0] * len(names), [1] * len(names)]) if several else np.concatenate([array, array])
    labels = Labels(csr_array(seen) if several and stored["sparse"] is True else seen, network.loss)
    if not np.array_equal(labels.classes, array):
        raise ValueError(f"its classes must be distinct and in order, not {classes!r:.80}")
    return labels
