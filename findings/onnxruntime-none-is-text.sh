#!/usr/bin/env bash
# onnxruntime 1.32.0: gaps in an input of strings become the words "None" and "nan", without an error or a warning.
#
# An array of objects is the usual form of a column of texts, and None or NaN in it the usual form of a gap. onnxruntime
# takes such an array for a tensor(string) and calls str() on all that is no string. So a gap reaches the model as an
# ordinary text that training never saw, bytes as "b'Ulm'", and the prediction is that of another row. numlp's files
# count None and NaN as gaps all the same, unless these words were levels in training.
#
# Seen with onnxruntime 1.32.0 on Python 3.11:
#   'Ulm' arrives as 'Ulm'
#   None arrives as 'None'
#   nan arrives as 'nan'
#   b'Ulm' arrives as "b'Ulm'"
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet onnxruntime==1.32.0 onnx==1.23.2

"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper

x, y = (helper.make_tensor_value_info(name, TensorProto.STRING, ["n"]) for name in "xy")
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model)
session = onnxruntime.InferenceSession(model.SerializeToString())
for given in ("Ulm", None, float("nan"), b"Ulm"):
    (found,) = session.run(None, {"x": np.array([given], dtype=object)})
    print(f"{given!r} arrives as {found[0]!r}")
    assert found[0] == str(given)
PYTHON
