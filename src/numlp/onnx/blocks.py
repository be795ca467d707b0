"""Blocks: the parts of a graph between its matrices.

The rows are multiplied by a matrix, go through a few operations, and are multiplied by the next matrix. `take_apart`
splits such a block into steps: it computes values to find the longest tail of the block that is a single step, then
the longest tail of the rest.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.onnx.operators import OPERATORS, DoesNotFitError, apply
from numlp.onnx.reading import Node
from numlp.onnx.recognition import ROWS, Function, Rows, trial_rows

MATRICES = ("MatMul", "Gemm")
MOST_NODES = 40  # in one block; the longest steps that exporters write are norms of a dozen nodes
_MOST_NUMBERS = 1 << 24  # that the nodes of a block together compute for the trial rows
_FAR = 1e30  # exporters write the largest float32 where there is no limit
_FEW = 8  # numbers of a constant in another shape than that of the rows
# Operators that compare, so that what they compute may bend.
_BENDING = {
    *("Abs", "Celu", "Clip", "Elu", "Equal", "Greater", "GreaterOrEqual", "LeakyRelu", "Less", "LessOrEqual"),
    *("Max", "Min", "PRelu", "Relu", "Selu"),
}
TOO_LONG = "isn't part of an MLP: too many nodes lie between it and the matrix or input before it"
WRONG = (KeyError, TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError, AttributeError)


@dataclass(frozen=True, eq=False)
class Start:
    """The start of a block: the input.

    Attributes
    ----------
    width : int
    shape : tuple of int
        The shape of one row before the first operation.
    """

    width: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Product(Start):
    """The start of a later block: the product with a matrix.

    Attributes
    ----------
    node : Node
    source : Value or Start
        The multiplied rows.
    steps : list of Step
        The steps from the previous start to `source`.
    weight : array
    bias : array or None
    """

    node: Node
    source: Value | Start
    steps: list[Step]
    weight: AnyArray
    bias: AnyArray | None


@dataclass(frozen=True, eq=False)
class Value:
    """The result that a node computes from the rows.

    Attributes
    ----------
    node : Node
    args : tuple
        The inputs of the node: values, constants, and None for missing optional ones.
    start : Start
        The start of its block.
    depth : int
        The number of nodes on the longest path from there.
    """

    node: Node
    args: tuple[Value | Start | AnyArray | None, ...]
    start: Start
    depth: int


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a block (an affine map, a norm, an activation or a loss), with its last node."""

    kind: Any
    node: Node


Recognizer = Callable[[Function, Rows], Any]


def take_apart(value: Value | Start, recognizers: Sequence[Recognizer]) -> list[Step]:
    """Return the steps that lead from the start of a block to a value.

    Parameters
    ----------
    value : Value or Start
    recognizers : sequence of callable
        Each takes a function, and the rows at which it may bend; it returns the step that the function represents, or
        None.

    Raises
    ------
    FileFormatError
        If a part isn't a step.
    """
    steps: list[Step] = []
    while isinstance(value, Value):
        kind, begin = _last_step(value, recognizers)
        steps.insert(0, Step(kind, value.node))
        value = begin
    return steps


def _last_step(value: Value, recognizers: Sequence[Recognizer]) -> tuple[Any, Value | Start]:
    """Return the longest tail of a block that is a single step, and the value at which it begins."""
    nodes = _block(value)
    if len(nodes) > MOST_NODES or len(nodes) * ROWS * value.start.width > _MOST_NUMBERS:
        raise value.node.refused(TOO_LONG)
    begins: list[Value | Start] = [value.start, *(each for each in nodes[:-1] if _all_passes(nodes, each))]
    for begin in begins:
        kind = _recognized(nodes, begin, recognizers)
        if kind is not None:
            return kind, begin
    since = f"with the nodes before it, from {nodes[0].node.title} on, " if len(nodes) > 1 else ""
    raise value.node.refused(f"{since}isn't part of an MLP: numlp has no such activation, norm, scaling or link")


def start_of(value: Value | Start) -> Start:
    """Return the start of the block that holds a value."""
    return value.start if isinstance(value, Value) else value


def _block(value: Value) -> list[Value]:
    """Return the values of a block up to this one, each after the values that it depends on."""
    order: dict[Value, None] = {}
    stack: list[tuple[Value, bool]] = [(value, False)]
    while stack and len(order) <= MOST_NODES:
        each, ready = stack.pop()
        if ready:
            order[each] = None
        elif each not in order:
            stack.append((each, True))
            stack += [(arg, False) for arg in each.args if isinstance(arg, Value)]
    return list(order)


def _all_passes(nodes: list[Value], begin: Value) -> bool:
    """Return whether the last of the nodes depends on the start of the block only through `begin`."""
    apart: set[Any] = {nodes[0].start}  # everything that depends on the start without passing `begin`
    for each in nodes:
        if each is not begin and any(isinstance(arg, Value | Start) and arg in apart for arg in each.args):
            apart.add(each)
    return nodes[-1] not in apart


def _recognized(nodes: list[Value], begin: Value | Start, recognizers: Sequence[Recognizer]) -> Any:
    """Return the step from `begin` to the last of the nodes, from the first recognizer that knows it, or None."""
    shape = nodes[0].start.shape if begin is nodes[0].start else (nodes[0].start.width,)

    def function(x: Rows) -> Rows:
        return _results(nodes, begin, x.reshape(ROWS, *shape))[nodes[-1]]

    with np.errstate(all="ignore"):  # formulas may overflow far out
        marks = _marks(nodes, begin, shape)
        if len(nodes) * trial_rows(marks) * marks.shape[1] > _MOST_NUMBERS:
            raise nodes[-1].node.refused(TOO_LONG)
        return next((kind for recognizer in recognizers if (kind := recognizer(function, marks)) is not None), None)


def _marks(nodes: list[Value], begin: Value | Start, shape: tuple[int, ...]) -> Rows:
    """Return where the nodes after `begin` may bend, as rows of features: 0, their constants, and comparisons."""
    zero, one = (_results(nodes, begin, np.full((ROWS, *shape), x)) for x in (0.0, 1.0))
    found: list[AnyArray] = [np.zeros(())]
    for each in nodes:
        if each is begin or each not in zero:
            continue
        numbers = [np.asarray(value) for value in each.node.attributes.values() if isinstance(value, float)]
        constants = [arg for arg in each.args if isinstance(arg, np.ndarray) and arg.dtype.kind in "fiu"] + numbers
        found += constants
        if each.node.operator in _BENDING:
            args = [arg for arg in each.args if isinstance(arg, Value | Start) and arg in zero]
            others = [*args[1:], *constants, np.zeros(())]
            found += [_crossing(args[0], other, zero, one) for other in others]
    rows = [row for each in found for row in _rows(each, shape)]
    marks = np.array(rows, dtype=float).reshape(len(rows), -1)
    return np.unique(np.where(np.abs(marks) < _FAR, marks, 0), axis=0)  # NaN isn't below, either


def _crossing(arg: Any, other: Any, zero: dict[Any, AnyArray], one: dict[Any, AnyArray]) -> AnyArray:
    """Return where two values are equal, if their difference is an affine function of the rows."""
    try:
        at_zero, at_one = (
            (results[arg] - (results[other] if isinstance(other, Value | Start) else other)).astype(float)
            for results in (zero, one)
        )
        return np.asarray(at_zero / (at_zero - at_one))
    except WRONG:  # shapes that don't fit together; booleans
        return np.zeros(())


def _rows(array: AnyArray, shape: tuple[int, ...]) -> list[AnyArray]:
    """Return an array as rows of features: one if it fits them, else one for each of a few numbers."""
    with contextlib.suppress(ValueError):
        row = array[0] if array.ndim > len(shape) and len(array) else array
        return [np.broadcast_to(row, shape).ravel()]
    return [np.full(math.prod(shape), number) for number in array.ravel()[:_FEW]]


def _results(nodes: list[Value], begin: Value | Start, rows: Rows) -> dict[Any, AnyArray]:
    """Return the results of the nodes that depend on nothing but `begin`, whose result is the given rows."""
    results: dict[Any, AnyArray] = {begin: rows}
    for each in nodes:
        known = all(not isinstance(arg, Value | Start) or arg in results for arg in each.args)
        if each is begin or not known:
            continue
        args = [results[arg] if isinstance(arg, Value | Start) else arg for arg in each.args]
        try:
            results[each] = apply(each.node.operator, args, each.node.attributes, most=rows.size)
        except WRONG as error:
            raise each.node.refused(why(each.node, error)) from error
    return results


def shape_of(value: Value | Start) -> tuple[int, ...]:
    """Return the shape of a value, with `ROWS` as the number of rows."""
    if not isinstance(value, Value):
        return (ROWS, *value.shape)
    nodes = _block(value)
    if len(nodes) > MOST_NODES or len(nodes) * ROWS * value.start.width > _MOST_NUMBERS:
        raise value.node.refused(TOO_LONG)
    with np.errstate(all="ignore"):
        return _results(nodes, value.start, np.zeros((ROWS, *value.start.shape)))[value].shape


def why(node: Node, error: Exception) -> str:
    """Return why a node failed, for an error message; what Python or NumPy said would help nobody."""
    if node.operator not in OPERATORS and node.operator not in (*MATRICES, "Shape", "Dropout"):
        return "isn't part of an MLP"
    reason = error if isinstance(error, DoesNotFitError) else "its inputs or settings don't fit the operator"
    return f"can't be computed: {reason}"
