"""Walking: follows the rows through a graph, from the inputs to the requested values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.onnx.blocks import (
    MATRICES,
    MOST_NODES,
    TOO_LONG,
    WRONG,
    Product,
    Recognizer,
    Start,
    Value,
    shape_of,
    start_of,
    take_apart,
    why,
)
from numlp.onnx.operators import OPERATORS, apply
from numlp.onnx.reading import Node, Source
from numlp.onnx.recognition import ROWS, activation, affine, norm

_AT_THE_INPUT: tuple[Recognizer, ...] = (affine,)
_BETWEEN: tuple[Recognizer, ...] = (affine, activation, norm)
_FLOATS = (1, 10, 11, b"FLOAT", b"FLOAT16", b"DOUBLE")  # ONNX's numbers for them, and their names of long ago


def walk(source: Source, targets: Sequence[str]) -> dict[str, Value | Start]:
    """Follow the rows through the graph, and return the targets as values.

    Parameters
    ----------
    source : Source
    targets : sequence of str
        Names of values that depend on the input.

    Raises
    ------
    FileFormatError
        If the graph isn't an MLP; the message names the first node that doesn't fit.
    """
    start = math.prod(source.input_shape), source.input_shape
    found: dict[str, Any] = {name: Start(*start) for name in source.inputs}
    made = 0
    for node in _leading_to(source, targets):
        try:
            args = [_argument(name, found, source, node) for name in node.inputs]
            result = found[node.outputs[0]] = _result(node, args, source.batch)
        except FileFormatError:
            raise
        except WRONG as error:
            raise node.refused(why(node, error)) from error
        made += _size(result)
        if made > 2 * source.size:  # the graph uses one matrix again and again
            raise node.refused("makes the network larger than its file")
    for name in targets:
        if not isinstance(found.get(name), Value | Start):
            raise FileFormatError(f"output must name a value that nodes compute from the input, not {name!r}")
    return {name: found[name] for name in targets}


def _leading_to(source: Source, targets: Sequence[str]) -> list[Node]:
    """Return the nodes that the targets depend on, in order."""
    wanted, nodes = set(targets), []
    for node in reversed(source.nodes):
        if wanted.intersection(node.outputs):
            nodes.append(node)
            wanted.update(name for name in node.inputs if name and name not in source.inputs)
    return nodes[::-1]


def _argument(name: str, found: dict[str, Any], source: Source, node: Node) -> Any:
    if not name:
        return None
    if name not in found:
        if name not in source.tensors:
            raise node.refused(f"needs {name!r}, which no earlier node computes")
        found[name] = source.constant(name)
    return found[name]


def _result(node: Node, args: list[Any], batch: int) -> Value | Start | AnyArray:
    """Return the result of a node."""
    rows = [arg for arg in args if isinstance(arg, Value | Start)]
    if not rows:
        with np.errstate(all="ignore"):
            return apply(node.operator, args, node.attributes)
    if node.operator in MATRICES:
        return _multiplied(node, args)
    if _passes(node, args):
        return rows[0]
    if node.operator == "Shape":
        return np.array(shape_of(rows[0]))[node.attributes.get("start", 0) : node.attributes.get("end")]
    return _value(node, args, rows, batch)


def _size(result: Value | Start | AnyArray) -> int:
    """Return the number of numbers that a result adds to the memory in use."""
    if isinstance(result, Product):
        return result.weight.size
    return result.size if isinstance(result, np.ndarray) else 0


def _passes(node: Node, args: list[Any]) -> bool:
    """Return whether a node leaves the rows unchanged."""
    if node.operator == "Dropout" and len(args) > 2 and args[2] is not None and np.any(args[2]):
        raise node.refused("drops units: export the network for inference")
    to_float = node.operator == "Cast" and node.attributes.get("to") in _FLOATS
    return to_float or node.operator in ("Identity", "Dropout")


def _value(node: Node, args: list[Any], rows: list[Value | Start], batch: int) -> Value:
    if node.operator not in OPERATORS:
        raise node.refused("isn't part of an MLP")
    starts = [start_of(row) for row in rows]
    if any(start is not starts[0] for start in starts):
        raise node.refused("isn't part of an MLP: it combines the products of different matrices")
    if node.operator == "Reshape" and batch and len(args) > 1 and np.shape(args[1]) and args[1][0] == batch:
        args[1] = np.array([ROWS, *args[1][1:]])
    depth = 1 + max(row.depth if isinstance(row, Value) else 0 for row in rows)
    if depth > MOST_NODES:
        raise node.refused(TOO_LONG)
    return Value(node, tuple(args), starts[0], depth)


def _multiplied(node: Node, args: list[Any]) -> Product:
    """Return the start of the block that begins with a matrix."""
    rows, weight, bias = [*args, None, None][:3]
    settings = node.attributes
    if not isinstance(rows, Value | Start) or not isinstance(weight, np.ndarray) or settings.get("transA"):
        raise node.refused("isn't part of an MLP: it doesn't multiply rows by a constant matrix")
    if weight.ndim != 2 or weight.dtype.kind != "f":
        kind = "text" if weight.dtype == np.object_ else weight.dtype
        raise node.refused(f"needs a matrix of floats, not weights of shape {weight.shape} and type {kind}")
    weight = weight.T if settings.get("transB") else weight
    start = start_of(rows)
    steps = take_apart(rows, _BETWEEN if isinstance(start, Product) else _AT_THE_INPUT)
    if start.width != weight.shape[0] or 0 in weight.shape or (rows is start and len(start.shape) != 1):
        raise node.refused(f"has a matrix of shape {weight.shape} for rows of shape {start.shape}")
    if bias is not None and not isinstance(bias, np.ndarray):
        raise node.refused("isn't part of an MLP: its bias isn't a constant")
    weight = weight if settings.get("alpha", 1.0) == 1 else weight * settings["alpha"]
    outputs = weight.shape[1]
    if bias is not None:
        if bias.shape not in ((), (1,), (outputs,), (1, 1), (1, outputs)):
            raise node.refused(f"adds a bias of shape {bias.shape} to rows of {outputs} units: it needs one per unit")
        bias = np.broadcast_to(bias.ravel() * settings.get("beta", 1.0), outputs)
    return Product(outputs, (outputs,), node, rows, steps, weight, bias)
