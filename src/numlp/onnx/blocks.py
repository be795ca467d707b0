"""Blocks: the parts of a graph between its matrices.

The rows are multiplied by a matrix, go through a few operations, and are multiplied by the next matrix. `take_apart`
splits such a block into steps: it computes values to find the longest tail of the block that is a single step, then
the longest tail of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.onnx.operators import OPERATORS, apply
from numlp.onnx.reading import Node
from numlp.onnx.recognition import ROWS, Function, Rows

MATRICES = ("MatMul", "Gemm")
MOST_NODES = 40  # in one block; the longest steps that exporters write are norms of a dozen nodes
_MOST_NUMBERS = 1 << 24  # that the nodes of a block together compute for the trial rows
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


Recognizer = Callable[[Function, int], Any]


def take_apart(value: Value | Start, recognizers: Sequence[Recognizer]) -> list[Step]:
    """Return the steps that lead from the start of a block to a value.

    Parameters
    ----------
    value : Value or Start
    recognizers : sequence of callable
        Each returns the step that a function represents, or None.

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
    start = nodes[0].start

    def function(x: Rows) -> Rows:
        rows = x.reshape(ROWS, *start.shape) if begin is start else x
        return _evaluated(nodes, begin, rows)

    return next((kind for recognizer in recognizers if (kind := recognizer(function, start.width)) is not None), None)


def _evaluated(nodes: list[Value], begin: Value | Start, rows: Rows) -> Rows:
    """Return the result of the last of the nodes if `begin` has the given rows as its result."""
    results: dict[Any, AnyArray] = {begin: rows}
    for each in nodes:
        known = all(not isinstance(arg, Value | Start) or arg in results for arg in each.args)
        if each is begin or not known:
            continue
        args = [results[arg] if isinstance(arg, Value | Start) else arg for arg in each.args]
        try:
            with np.errstate(all="ignore"):
                results[each] = apply(each.node.operator, args, each.node.attributes, most=rows.size)
        except WRONG as error:
            raise each.node.refused(why(each.node, error)) from error
    return results[nodes[-1]]


def why(node: Node, error: Exception) -> str:
    """Return why a node failed, for an error message."""
    known = node.operator in OPERATORS or node.operator in MATRICES
    return "isn't part of an MLP" if not known else f"can't be computed: {error}"
