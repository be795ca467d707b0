#!/usr/bin/env bash
# onnx 1.23.2: version_converter refuses valid models of operator set 6 and older if their batch size is a name.
#
# A first dimension with a name, such as "n", is the usual way to say "any number of rows". Up to operator set 6, Gemm
# with a bias and Add with a constant say broadcast=1; the converter's step to operator set 7 stops there with a
# RuntimeError that shows an assertion. The checker accepts the model, and the same model with 5 for "n" is converted.
# The converter's documentation doesn't mention it. numlp imports such models as they are.
#
# Seen with onnx 1.23.2 on Python 3.11:
#   Gemm, n rows: RuntimeError: ... Assertion `dim.is_int` failed: n Dimension is a param instead of an int.
#   Gemm, 5 rows: converted
#   Add, n rows: RuntimeError: ... Assertion `dim.is_int` failed: n Dimension is a param instead of an int.
#   Add, 5 rows: converted
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet onnx==1.23.2

"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, version_converter

NODES = {
    "Gemm": [helper.make_node("Gemm", ["x", "w", "b"], ["y"], broadcast=1)],
    "Add": [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Add", ["z", "b"], ["y"], broadcast=1, axis=1),
    ],
}
CONSTANTS = [
    numpy_helper.from_array(np.ones((3, 2), np.float32), "w"),
    numpy_helper.from_array(np.ones(2, np.float32), "b"),
]

for name, nodes in NODES.items():
    for rows in ("n", 5):
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, 3])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, 2])
        graph = helper.make_graph(nodes, "linear", [x], [y], CONSTANTS)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 6)], ir_version=4)
        checker.check_model(model)
        try:
            checker.check_model(version_converter.convert_version(model, 17))
            found = "converted"
        except RuntimeError as error:
            found = "RuntimeError: ... Assertion" + str(error).partition("Assertion")[2]
        print(f"{name}, {rows} rows: {found}")
        assert ("dim.is_int" in found) if rows == "n" else (found == "converted")
PYTHON
