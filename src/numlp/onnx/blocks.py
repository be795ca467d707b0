"""A graph cut at its matrices: rows are multiplied by one, go through a few operations, are multiplied by the next.

What lies between two matrices is a block. `take_apart` finds the steps that it consists of: it looks for the longest
end of the block that is one step, told by its values, then for the longest end of what is left.
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
MOST_NODES = 40  # in one block; the longest of exporters' are norms of a dozen nodes
_MOST_NUMBERS = 1 << 24  # that a block's nodes compute together, for the rows that are tried
TOO_LONG = "is no part of an MLP: more stands before it, without a matrix, than activations and norms consist of"
WRONG = (KeyError, TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError, AttributeError)


@dataclass(frozen=True, eq=False)
class Start:
    """Where a block begins: the input.

    Attributes
    ----------
    width : int
    shape : tuple of int
        Of one row as the operations take it.
    """

    width: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Product(Start):
    """Where another block begins: what a matrix has been multiplied with.

    Attributes
    ----------
    node : Node
    source : Value or Start
        What is multiplied.
    steps : list of Step
        From the start before to `source`.
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
    """What a node computes from the rows: the node, and what it takes.

    Attributes
    ----------
    node : Node
    args : tuple
        Values, constants, and None for what is left out.
    start : Start
        Where the block begins that it lies in.
    depth : int
        How many nodes the longest way from there has.
    """

    node: Node
    args: tuple[Value | Start | AnyArray | None, ...]
    start: Start
    depth: int


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a block: an affine map, a norm, an activation or a loss; and the node that it ends with."""

    kind: Any
    node: Node


Recognizer = Callable[[Function, int], Any]


def take_apart(value: Value | Start, recognizers: Sequence[Recognizer]) -> list[Step]:
    """Return the steps that lead from the start of a block to a value.

    Parameters
    ----------
    value : Value or Start
    recognizers : sequence of callable
        Each returns the one step that a function is, or None.

    Raises
    ------
    FileFormatError
        If there is a part that is none.
    """
    steps: list[Step] = []
    while isinstance(value, Value):
        kind, begin = _last_step(value, recognizers)
        steps.insert(0, Step(kind, value.node))
        value = begin
    return steps


def _last_step(value: Value, recognizers: Sequence[Recognizer]) -> tuple[Any, Value | Start]:
    """Return the longest end of a block that is one step, and where it begins."""
    nodes = _block(value)
    if len(nodes) > MOST_NODES or len(nodes) * ROWS * value.start.width > _MOST_NUMBERS:
        raise value.node.refused(TOO_LONG)
    begins: list[Value | Start] = [value.start, *(each for each in nodes[:-1] if _all_passes(nodes, each))]
    for begin in begins:
        kind = _recognized(nodes, begin, recognizers)
        if kind is not None:
            return kind, begin
    since = f"with the nodes before it, from {nodes[0].node.title} on, " if len(nodes) > 1 else ""
    raise value.node.refused(f"{since}is no part of an MLP: no activation, norm, scaling or link of numlp's")


def start_of(value: Value | Start) -> Start:
    """Return where the block begins that a value lies in."""
    return value.start if isinstance(value, Value) else value


def _block(value: Value) -> list[Value]:
    """Return the values of a block up to one, each after those that it is computed from."""
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
    """Tell whether the last of the nodes depends on the start of the block by `begin` alone."""
    apart: set[Any] = {nodes[0].start}  # what is reached without passing `begin`
    for each in nodes:
        if each is not begin and any(isinstance(arg, Value | Start) and arg in apart for arg in each.args):
            apart.add(each)
    return nodes[-1] not in apart


def _recognized(nodes: list[Value], begin: Value | Start, recognizers: Sequence[Recognizer]) -> Any:
    """Return what the first recognizer that knows it takes the way from `begin` to the last of the nodes for."""
    start = nodes[0].start

    def function(x: Rows) -> Rows:
        rows = x.reshape(ROWS, *start.shape) if begin is start else x
        return _evaluated(nodes, begin, rows)

    return next((kind for recognizer in recognizers if (kind := recognizer(function, start.width)) is not None), None)


def _evaluated(nodes: list[Value], begin: Value | Start, rows: Rows) -> Rows:
    """Return what the last of the nodes computes where `begin` is the given rows."""
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
    """Return what to say of a node whose operation failed."""
    known = node.operator in OPERATORS or node.operator in MATRICES
    return "is no part of an MLP" if not known else f"can't be computed: {error}"
