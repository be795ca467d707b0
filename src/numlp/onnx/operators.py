"""Operators: the ONNX operators that dense networks use between their matrices.

They compute on just a few trial rows, to find out what a part of a graph does; so they are short, not fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numlp.arrays.arithmetic import ORDINARY
from numlp.arrays.special import AnyArray

# The target types of casts, by ONNX's numbers.
_TYPES: dict[int, type] = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
_NAMED_TYPES = {
    b"FLOAT": 1,
    b"INT32": 6,
    b"INT64": 7,
    b"BOOL": 9,
    b"FLOAT16": 10,
    b"DOUBLE": 11,
}  # before operator set 6
_ALIGNED = {"Add", "Div", "Equal", "Greater", "Less", "Mul", "Pow", "Sub"}  # by attributes before operator set 7
_MOST_NUMBERS = 1 << 24  # in one array


class DoesNotFitError(ValueError):
    """An operator's inputs or settings don't fit together; the message says which."""


def apply(operator: str, args: Sequence[AnyArray | None], attributes: dict[str, Any], most: int = 0) -> AnyArray:
    """Return the result of an operator; a missing optional input is None.

    A result must not be larger than every input unless it has at most `most` numbers: otherwise a hostile file could
    make a matrix of any size from a column and a row.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError, OverflowError
        If the operator is unknown, or doesn't fit its inputs.
    """
    args, attributes = _modern(operator, args, attributes)
    shapes = [arg.shape for arg in args if arg is not None]
    if operator in _ELEMENTWISE:
        try:
            size = math.prod(np.broadcast_shapes(*shapes))
        except ValueError:
            size = _MOST_NUMBERS + most
        if size > max(most, *(math.prod(shape) for shape in shapes)):
            raise DoesNotFitError(f"its inputs of shapes {shapes!s:.200} don't fit together")
        return np.asarray(_ELEMENTWISE[operator](*args, **attributes))
    if sum(math.prod(shape) for shape in shapes) > _MOST_NUMBERS:
        raise DoesNotFitError(f"its inputs of shapes {shapes!s:.200} are too large")
    return np.asarray(_OTHERS[operator](*args, **attributes))


def _modern(
    operator: str, args: Sequence[AnyArray | None], attributes: dict[str, Any]
) -> tuple[list[AnyArray | None], dict[str, Any]]:
    """Return the inputs and attributes of an operator as newer operator sets have them."""
    args = list(args)
    attributes = {name: value for name, value in attributes.items() if name != "consumed_inputs"}
    if operator in _ALIGNED and len(args) == 2:
        x, y = args
        attributes.pop("broadcast", None)
        axis = attributes.pop("axis", None)
        if axis is not None and x is not None and y is not None and 0 <= axis <= x.ndim - y.ndim:
            args[1] = y.reshape(y.shape + (1,) * (x.ndim - axis - y.ndim))
    elif operator == "Reshape" and "shape" in attributes:
        args.append(np.array(attributes.pop("shape"), np.int64))
    return args, attributes


def _clip(x: AnyArray, low: Any = None, high: Any = None, min: float = -np.inf, max: float = np.inf) -> AnyArray:  # noqa: A002
    return np.clip(x, min if low is None else low, max if high is None else high)


def _erf(x: AnyArray) -> AnyArray:
    return np.array([math.erf(value) for value in x.ravel()]).reshape(x.shape)


def _gelu(x: AnyArray, approximate: bytes = b"none") -> AnyArray:
    if approximate != b"tanh":
        return np.asarray(0.5 * x * (1 + _erf(x / math.sqrt(2))))
    return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def _elu(x: AnyArray, alpha: float = 1.0) -> AnyArray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: AnyArray) -> AnyArray:
    return ORDINARY.sigmoid(x, np.empty_like(x))


def _softplus(x: AnyArray) -> AnyArray:
    return ORDINARY.softplus(x, np.empty_like(x))


_ELEMENTWISE: dict[str, Callable[..., AnyArray]] = {
    "Abs": np.abs,
    "Add": np.add,
    "Celu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
    "Clip": _clip,
    "Div": np.divide,
    "Elu": _elu,
    "Equal": np.equal,
    "Erf": _erf,
    "Exp": np.exp,
    "Gelu": _gelu,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "LeakyRelu": lambda x, alpha=0.01: np.where(x > 0, x, alpha * x),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Max": lambda *args: np.maximum.reduce(np.broadcast_arrays(*args)),
    "Min": lambda *args: np.minimum.reduce(np.broadcast_arrays(*args)),
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "PRelu": lambda x, slope: np.where(x > 0, x, slope * x),
    "Pow": np.power,
    "Reciprocal": lambda x: 1 / x,
    "Relu": lambda x: np.maximum(x, 0),
    "Scaler": lambda x, offset, scale: (x - np.array(offset)) * np.array(scale),
    "Selu": lambda x, alpha=1.6732632, gamma=1.050701: gamma * _elu(x, alpha),
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Sum": lambda *args: np.add.reduce(np.broadcast_arrays(*args)),
    "Swish": lambda x, alpha=1.0: x * _sigmoid(alpha * x),
    "Tanh": np.tanh,
    "Where": np.where,
}


def _axes(given: AnyArray | None, attribute: Sequence[int] | None) -> tuple[int, ...] | None:
    """Return axes, which are an input in newer versions of an operator and an attribute in older ones."""
    axes = attribute if given is None else np.ravel(given).tolist()
    return tuple(axes) if axes else None


def _batch_norm(x: AnyArray, *parameters: AnyArray, epsilon: float = 1e-5, **settings: Any) -> AnyArray:
    if settings.get("training_mode"):
        raise DoesNotFitError("it is in training mode: export the network for inference")
    shape = (-1,) + (1,) * (x.ndim - 2)
    scale, shift, mean, variance = (values.astype(float).reshape(shape) for values in parameters)
    if scale.size != x.shape[1]:
        raise DoesNotFitError(f"it has {scale.size} scales for {x.shape[1]} features")
    return np.asarray((x - mean) / np.sqrt(variance + epsilon) * scale + shift)


def _layer_norm(
    x: AnyArray, scale: AnyArray, shift: AnyArray | None = None, axis: int = -1, epsilon: float = 1e-5, **_: Any
) -> AnyArray:
    axes = tuple(range(axis % x.ndim, x.ndim))
    if scale.shape != x.shape[axis % x.ndim :]:
        raise DoesNotFitError(f"it has scales of shape {scale.shape} for data of shape {x.shape}")
    centered = x - x.mean(axis=axes, keepdims=True)
    normal = centered / np.sqrt((centered**2).mean(axis=axes, keepdims=True) + epsilon)
    return np.asarray(normal * scale + (0 if shift is None else shift))


def _softmax(x: AnyArray, axis: int = -1) -> AnyArray:
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=axis, keepdims=True))


def _log_softmax(x: AnyArray, axis: int = -1) -> AnyArray:
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _reduced(reduce: Callable[..., AnyArray]) -> Callable[..., AnyArray]:
    def operator(x: AnyArray, given: Any = None, axes: Any = None, keepdims: int = 1, **_: Any) -> AnyArray:
        return reduce(x, axis=_axes(given, axes), keepdims=bool(keepdims))

    return operator


def _reshape(x: AnyArray, shape: AnyArray, allowzero: int = 0) -> AnyArray:
    return x.reshape([x.shape[i] if size == 0 and not allowzero else size for i, size in enumerate(shape.tolist())])


def _flatten(x: AnyArray, axis: int = 1) -> AnyArray:
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _gather(x: AnyArray, indices: AnyArray, axis: int = 0) -> AnyArray:
    if x.ndim != 1 or indices.ndim > 1 or indices.size > x.size:
        raise DoesNotFitError("it must take elements of a shape, not of another array")
    return x[indices]


def _slice(x: AnyArray, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = 1) -> AnyArray:
    if x.ndim != 1 or np.size(starts) != 1 or np.any(axes):
        raise DoesNotFitError("it must take elements of a shape, not of another array")
    start, stop, step = (int(np.ravel(value)[0]) for value in (starts, ends, steps))
    return x[start:stop:step]


def _constant(**attributes: Any) -> AnyArray:
    (value,) = attributes.values()
    return np.asarray(value)


_OTHERS: dict[str, Callable[..., AnyArray]] = {
    "BatchNormalization": _batch_norm,
    "Cast": lambda x, to, **_: x.astype(_TYPES[_NAMED_TYPES.get(to, to)]),
    "Concat": lambda *args, axis: np.concatenate(args, axis),
    "Constant": _constant,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": lambda x: x,
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _log_softmax,
    "ReduceMax": _reduced(np.max),
    "ReduceMean": _reduced(np.mean),
    "ReduceSum": _reduced(np.sum),
    "Reshape": _reshape,
    "Slice": _slice,
    "Softmax": _softmax,
    "Squeeze": lambda x, given=None, axes=None: np.squeeze(x, _axes(given, axes)),
    "Transpose": lambda x, perm=None: np.transpose(x, perm),
    "Unsqueeze": lambda x, given=None, axes=None: np.expand_dims(x, _axes(given, axes) or 0),
}

OPERATORS = frozenset([*_ELEMENTWISE, *_OTHERS])
