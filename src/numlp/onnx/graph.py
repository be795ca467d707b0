"""Graph: the nodes and constants of an ONNX graph, added in the order of computation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from numlp.version import __version__

# The operators of 2022, which every ONNX runtime supports. They are the first with LayerNormalization.
OPSET, IR_VERSION = 17, 8
ML, ML_OPSET = "ai.onnx.ml", 2  # the operators for tables, of the same release


class Graph:
    """A graph under construction: ``graph("Mul", x, graph("Sigmoid", x))`` adds two nodes and returns a name.

    Parameters
    ----------
    outputs : sequence of str
        The names of all outputs, which nothing else may have.

    Attributes
    ----------
    nodes, constants, inputs, outputs : list
        ONNX's own objects.
    """

    def __init__(self, outputs: Sequence[str]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._taken = set(outputs)

    def __call__(self, operator: str, *inputs: str | npt.NDArray[Any], **attributes: Any) -> str:
        """Add a node and return the name of its output; arrays among the inputs become constants."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = self._free(f"{operator.lower()}.{len(self.nodes)}")
        self.nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def constant(self, array: npt.NDArray[Any], name: str = "") -> str:
        """Add a constant and return its name."""
        name = self._free(name or f"constant.{len(self.constants)}")
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def input(self, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...], description: str = "") -> str:
        """Declare an input, any number of rows of this shape, and return its name: the wanted one if it is free."""
        name = self._free(name)
        self.inputs.append(_rows(name, dtype, shape, description))
        return name

    def output(self, name: str, value: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> None:
        """Declare a value as an output with a name of its own, as rows of this shape."""
        self.nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self.outputs.append(_rows(name, dtype, shape))

    def _free(self, name: str) -> str:
        """Return the name that is nearest to this one among those that nothing has: columns have any names."""
        while not name or name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def model(self, *, description: str, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Return the whole model, after ONNX's own checker has approved it."""
        domains = {node.domain for node in self.nodes}
        versions = {domain: version for domain, version in (("", OPSET), (ML, ML_OPSET)) if domain in domains}
        graph = helper.make_graph(self.nodes, "mlp", self.inputs, self.outputs, self.constants)
        model = helper.make_model(
            graph,
            producer_name="numlp",
            producer_version=__version__,
            doc_string=description,
            opset_imports=[helper.make_opsetid(*entry) for entry in versions.items()],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model


def _rows(name: str, dtype: npt.DTypeLike, shape: tuple[int, ...], description: str = "") -> onnx.ValueInfoProto:
    text = np.dtype(dtype).kind == "U"
    kind = onnx.TensorProto.STRING if text else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, ["n", *shape], description)
