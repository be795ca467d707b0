"""An ONNX file as nodes and constants, each checked before it is made into an array; nothing else is ever opened."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.settings import limits
from numlp.settings.texts import parse_json

_MOST_BYTES = 1 << 31
# For each kind of tensor, the field with its numbers where they are not raw, and their size in bytes where they are.
_KINDS: dict[int, tuple[str, int | None]] = {
    TensorProto.FLOAT: ("float_data", 4),
    TensorProto.DOUBLE: ("double_data", 8),
    TensorProto.FLOAT16: ("int32_data", 2),
    TensorProto.UINT8: ("int32_data", 1),
    TensorProto.INT32: ("int32_data", 4),
    TensorProto.INT64: ("int64_data", 8),
    TensorProto.BOOL: ("int32_data", 1),
    TensorProto.STRING: ("string_data", None),
}
_NUMBERS = set(_KINDS) - {TensorProto.STRING}
_FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}
_ATTRIBUTES = {getattr(onnx.AttributeProto, kind) for kind in ("FLOAT", "INT", "STRING", "FLOATS", "INTS", "STRINGS")}
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes
    ----------
    operator : str
    inputs, outputs : tuple of str
        Names; an optional input that is not there is "".
    title : str
        What messages call it.
    proto : onnx.NodeProto
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    title: str
    proto: onnx.NodeProto

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The settings of the operation, tensors as arrays; parts of other kinds, such as graphs, are left out."""
        found: dict[str, Any] = {}
        for attribute in self.proto.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                found[_text(attribute.name)] = as_array(attribute.t, self.title)
            elif attribute.type in _ATTRIBUTES:
                found[_text(attribute.name)] = helper.get_attribute_value(attribute)
        return found

    def refused(self, why: str) -> FileFormatError:
        """Return the error that says why this node ends the reading."""
        return FileFormatError(f"{self.title} {why}")


@dataclass(frozen=True)
class Source:
    """What a file holds.

    Attributes
    ----------
    nodes : list of Node
        Each after those that it takes its inputs from.
    tensors : dict of str to TensorProto
        Constants by name, as they are stored.
    input : str
    input_dtype : dtype
    input_shape : tuple of int
        Of one sample.
    batch : int
        The number of samples that a file is made for, 0 where it takes any.
    outputs : list of str
        The names of those that hold floats or probabilities by class.
    metadata : dict of str to str
    size : int
        Of the file, in bytes.
    """

    nodes: list[Node]
    tensors: dict[str, TensorProto]
    input: str
    input_dtype: np.dtype[Any]
    input_shape: tuple[int, ...]
    batch: int
    outputs: list[str]
    metadata: dict[str, str]
    size: int

    def constant(self, name: str) -> AnyArray:
        """Return a constant as an array."""
        return as_array(self.tensors[name], f"constant {name!r}")

    def json(self, name: str) -> Any:
        """Return what the metadata hold under a name as JSON, None if nothing that can be read."""
        try:
            return parse_json(self.metadata.get(name, "null"))
        except ValueError:
            return None


def read(path: str | os.PathLike[str]) -> Source:
    """Read an ONNX file.

    Raises
    ------
    FileFormatError
        If it is missing, damaged, no ONNX file, or has none or several inputs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"there is no ONNX file {path}")
    if path.stat().st_size > _MOST_BYTES:
        raise FileFormatError(f"{path} is larger than 2 GiB, which no ONNX file is")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise FileFormatError(f"{path} is no ONNX file, or is damaged: {error}") from error
    graph = model.graph
    if not graph.node or not graph.output:
        raise FileFormatError(f"{path} is no ONNX file, or is damaged: it has no nodes or no outputs")
    if len(graph.node) > limits.NODES:
        raise FileFormatError(f"{path} has {len(graph.node):,} nodes, more than the {limits.NODES:,} that are read")
    if graph.sparse_initializer:
        raise FileFormatError(f"{path} holds sparse constants, which numlp does not read")
    tensors = {_text(tensor.name): tensor for tensor in graph.initializer}
    inputs = [value for value in graph.input if _text(value.name) not in tensors]
    if len(inputs) != 1:
        names = ", ".join(repr(value.name) for value in inputs[:5]) or "none"
        raise FileFormatError(f"{path} must have one input, not {len(inputs)}: {names}")
    return Source(
        [_node(proto, i) for i, proto in enumerate(graph.node)],
        tensors,
        _text(inputs[0].name),
        *_input(inputs[0]),
        [_text(value.name) for value in graph.output if _holds_floats(value)],
        {_text(entry.key): _text(entry.value) for entry in model.metadata_props},
        path.stat().st_size,
    )


def as_array(tensor: TensorProto, title: str) -> AnyArray:
    """Return a stored tensor as an array, after a check of its size: its dimensions could claim any.

    Raises
    ------
    FileFormatError
    """
    if tensor.data_type not in _KINDS:
        raise FileFormatError(f"{title} is of the type {_kind(tensor.data_type)}, which numlp does not read")
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise FileFormatError(f"{title} lies in another file: save the model as one file, without external data")
    field, size = _KINDS[tensor.data_type]
    if tensor.HasField("raw_data"):
        stored, part = divmod(len(tensor.raw_data), size) if size else (-1, 0)
    else:
        stored, part = len(getattr(tensor, field)), 0
    if len(tensor.dims) > limits.RANK:  # their product would take very long
        raise FileFormatError(f"{title} has the shape of {len(tensor.dims):,} dimensions, more than any array")
    shape = tuple(tensor.dims)
    if part or any(d < 0 for d in shape) or math.prod(shape) != stored:
        raise FileFormatError(f"{title} has the shape {shape!s:.200}, and does not hold as many numbers")
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:  # such as numbers beyond their type
        raise FileFormatError(f"{title} is damaged: {error}") from error


def _node(proto: onnx.NodeProto, number: int) -> Node:
    operator, domain, name = (_text(part) for part in (proto.op_type, proto.domain, proto.name))
    inputs, outputs = (tuple(_text(each) for each in names) for names in (proto.input, proto.output))
    operator = operator if domain in _DOMAINS else f"{domain}.{operator}"
    called = repr(name) if name else f"{number} (of output {', '.join(outputs)!r})"
    return Node(operator, inputs, outputs, f"node {called:.200} ({operator:.80})", proto)


def _text(value: str | bytes) -> str:
    """Return a text; what is no UTF-8 comes as bytes."""
    return value if isinstance(value, str) else value.decode(errors="replace")


def _input(value: onnx.ValueInfoProto) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return the type of the input, the shape of one sample, and the number of samples if it is fixed."""
    kind = value.type.tensor_type
    if kind.elem_type not in _NUMBERS:
        raise FileFormatError(f"input {value.name!r} must be a tensor of numbers, not {_kind(kind.elem_type)}")
    batch, *shape = [size.dim_value for size in kind.shape.dim] or [0]
    if not shape or len(shape) > limits.RANK or any(size <= 0 for size in shape):
        raise FileFormatError(
            f"input {value.name!r} must have the shape (n, …) with a fixed number of features: only its first "
            "dimension may be open"
        )
    return helper.tensor_dtype_to_np_dtype(kind.elem_type), tuple(shape), batch


def _holds_floats(value: onnx.ValueInfoProto) -> bool:
    kind = value.type.WhichOneof("value")
    return kind == "sequence_type" or (kind == "tensor_type" and value.type.tensor_type.elem_type in _FLOATS)


def _kind(number: int) -> str:
    return TensorProto.DataType.Name(number) if number in TensorProto.DataType.values() else f"number {number}"
