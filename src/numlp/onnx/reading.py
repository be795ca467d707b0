"""Reading: an ONNX file as nodes and constants, checked before they become arrays."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.files.kinds import refused
from numlp.onnx.external import AS_ONE_FILE, External
from numlp.settings import limits
from numlp.settings.texts import parse_json

_MOST_BYTES = 1 << 31
# For each type of tensor, the field that holds its numbers unless they are raw, and the bytes of each if they are.
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
_SINCE_INFERENCE = (
    7  # the first operator set whose batch norms and dropouts are for inference unless they say otherwise
)
ENCODING = "input_encoding"  # the entry of the metadata of a network for tables
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes
    ----------
    operator : str
    inputs, outputs : tuple of str
        Names; a missing optional input is "".
    title : str
        The name for messages.
    proto : onnx.NodeProto
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    title: str
    proto: onnx.NodeProto

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The settings of the operation, with tensors as arrays; other kinds, such as graphs, are left out."""
        found: dict[str, Any] = {}
        for attribute in self.proto.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                found[_text(attribute.name)] = as_array(attribute.t, self.title)
            elif attribute.type in _ATTRIBUTES:
                found[_text(attribute.name)] = helper.get_attribute_value(attribute)
        return found

    def refused(self, why: str) -> FileFormatError:
        """Return the error that says why this node can't be imported."""
        return FileFormatError(f"{self.title} {why}")


@dataclass(frozen=True)
class Source:
    """The contents of a file, and where the rows enter: at its input, or behind the encoding of a table's columns.

    Attributes
    ----------
    nodes : list of Node
        Each after the nodes that compute its inputs.
    tensors : dict of str to TensorProto
        Constants by name, in stored form.
    inputs : tuple of str
        One, or for networks of a table what each makes of the columns.
    input_dtype : dtype
    input_shape : tuple of int
        The shape of one sample.
    batch : int
        The number of samples that the file takes, 0 for any number.
    outputs : list of str
        The names of the outputs that hold floats or probabilities by class.
    metadata : dict of str to str
    file_size : int
        The size of the file in bytes.
    external : External
        The files beside it.
    """

    nodes: list[Node]
    tensors: dict[str, TensorProto]
    inputs: tuple[str, ...]
    input_dtype: np.dtype[Any]
    input_shape: tuple[int, ...]
    batch: int
    outputs: list[str]
    metadata: dict[str, str]
    file_size: int
    external: External

    @property
    def size(self) -> int:
        """The size of the file, and of those beside it that have been read from, in bytes."""
        return self.file_size + self.external.size

    def constant(self, name: str) -> AnyArray:
        """Return a constant as an array."""
        return as_array(self.tensors[name], f"constant {name!r}", self.external)

    def json(self, name: str) -> Any:
        """Return the JSON value of an entry of the metadata, or None if it is missing or invalid."""
        try:
            return parse_json(self.metadata.get(name, "null"))
        except ValueError:
            return None

    def behind(self, names: Iterable[str], width: int) -> Source:
        """Return the contents with values of the graph, (n, width), as the inputs."""
        return replace(self, inputs=tuple(names), input_shape=(width,))


def read(path: str | os.PathLike[str]) -> Source:
    """Return the contents of an ONNX file.

    Raises
    ------
    FileFormatError
        If the file is missing or damaged, isn't an ONNX file, or doesn't have exactly one input.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"there is no ONNX file {path}")
    if path.stat().st_size > _MOST_BYTES:
        raise FileFormatError(f"{path} is larger than 2 GiB, the limit of ONNX files")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except OSError as error:
        raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
    except DecodeError as error:
        unknown = f"{path} isn't an ONNX file, or is damaged"
        raise refused(path, "an ONNX file", ("onnx",), error, unknown=unknown) from error
    graph = model.graph
    if not graph.node or not graph.output:
        raise refused(path, "an ONNX file", ("onnx",), "it has no nodes or no outputs")
    if len(graph.node) > limits.NODES:
        raise FileFormatError(f"{path} must have at most {limits.NODES:,} nodes, not {len(graph.node):,}")
    if graph.sparse_initializer:
        raise FileFormatError(f"{path} holds sparse constants, which numlp doesn't read: export dense ones")
    tensors = {_text(tensor.name): tensor for tensor in graph.initializer}
    inputs = [value for value in graph.input if _text(value.name) not in tensors]
    metadata = {_text(entry.key): _text(entry.value) for entry in model.metadata_props}
    nodes = [_node(proto, i) for i, proto in enumerate(graph.node)]
    versions = [entry.version for entry in model.opset_import if entry.domain in _DOMAINS[:2]]
    for node in nodes if max(versions, default=_SINCE_INFERENCE) < _SINCE_INFERENCE else []:
        if node.operator in ("BatchNormalization", "Dropout") and not node.attributes.get("is_test"):
            raise FileFormatError(f"{path}: {node.title} is in training mode: export the network for inference")
    return Source(
        nodes,
        tensors,
        *_entry(path, inputs, metadata),
        [_text(value.name) for value in graph.output if _holds_floats(value)],
        metadata,
        path.stat().st_size,
        External(path.parent),
    )


def as_array(tensor: TensorProto, title: str, external: External | None = None) -> AnyArray:
    """Return a stored tensor as an array, after checking its size, since its dimensions may claim anything.

    Raises
    ------
    FileFormatError
        If the tensor is damaged, or of an unknown type, or stored in a file that isn't one of `external`.
    """
    if tensor.data_type not in _KINDS:
        raise FileFormatError(f"{title} has the type {_kind(tensor.data_type)}, which numlp doesn't read")
    if len(tensor.dims) > limits.RANK:  # their product would take very long
        raise FileFormatError(f"{title} must have at most {limits.RANK} dimensions, not {len(tensor.dims):,}")
    field, size = _KINDS[tensor.data_type]
    shape = tuple(tensor.dims)
    elsewhere = tensor.data_location == TensorProto.EXTERNAL or bool(tensor.external_data)
    if elsewhere and not (external and size):
        raise FileFormatError(f"{title} is stored in another file: {AS_ONE_FILE}")
    if elsewhere and external and size and all(d >= 0 for d in shape):
        return external.array(tensor, title, shape, size)
    if tensor.HasField("raw_data"):
        stored, part = divmod(len(tensor.raw_data), size) if size else (-1, 0)
    else:
        stored, part = len(getattr(tensor, field)), 0
    if elsewhere or part or any(d < 0 for d in shape) or math.prod(shape) != stored:
        raise FileFormatError(f"{title} has the shape {shape!s:.200}, but doesn't hold that many numbers")
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:  # such as numbers beyond their type
        raise FileFormatError(f"{title} holds numbers that don't fit its type") from error


def _node(proto: onnx.NodeProto, number: int) -> Node:
    operator, domain, name = (_text(part) for part in (proto.op_type, proto.domain, proto.name))
    inputs, outputs = (tuple(_text(each) for each in names) for names in (proto.input, proto.output))
    operator = operator if domain in _DOMAINS else f"{domain}.{operator}"
    called = repr(name) if name else f"{number} (of output {', '.join(outputs)!r})"
    return Node(operator, inputs, outputs, f"node {called:.200} ({operator:.80})", proto)


def _text(value: str | bytes) -> str:
    """Return a text; protobuf returns bytes if they aren't valid UTF-8."""
    return value if isinstance(value, str) else value.decode(errors="replace")


def _entry(
    path: Path, inputs: Sequence[onnx.ValueInfoProto], metadata: Mapping[str, str]
) -> tuple[tuple[str, ...], np.dtype[Any], tuple[int, ...], int]:
    """Return the input's name and what `_input` says of it; of a table, whose rows enter later, none yet."""
    if ENCODING in metadata:
        return (), np.dtype(np.float32), (), 0
    if len(inputs) != 1:
        names = ", ".join(repr(value.name) for value in inputs[:5]) or "none"
        raise FileFormatError(f"{path} must have one input, not {len(inputs)}: {names}")
    return (_text(inputs[0].name),), *_input(inputs[0])


def _input(value: onnx.ValueInfoProto) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return the type of the input, the shape of one sample, and the number of samples if it is fixed."""
    kind = value.type.tensor_type
    if kind.elem_type not in _NUMBERS:
        raise FileFormatError(f"input {value.name!r} must be a tensor of numbers, not {_kind(kind.elem_type)}")
    batch, *shape = [size.dim_value for size in kind.shape.dim] or [0]
    if not shape or len(shape) > limits.RANK or any(size <= 0 for size in shape):
        raise FileFormatError(
            f"input {value.name!r} must have the shape (n, …) with a fixed number of features, and only the first "
            "dimension may vary: export the network with an example of rows as its input, such as one of shape (1, 4)"
        )
    return helper.tensor_dtype_to_np_dtype(kind.elem_type), tuple(shape), batch


def _holds_floats(value: onnx.ValueInfoProto) -> bool:
    kind = value.type.WhichOneof("value")
    return kind == "sequence_type" or (kind == "tensor_type" and value.type.tensor_type.elem_type in _FLOATS)


def _kind(number: int) -> str:
    return TensorProto.DataType.Name(number) if number in TensorProto.DataType.values() else f"number {number}"
