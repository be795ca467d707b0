#!/usr/bin/env bash
# onnxruntime 1.32.0 computes a float32 Sigmoid on the CPU without correct digits below about 1e-6, and 0 from -18 on.
#
# So a classifier that ends with Sigmoid gives different small probabilities in the wrong order, or ties them at 0,
# and its log-loss becomes infinite. float32 holds the right values, down to 1e-38. The specification of the operator
# doesn't mention it; there are reports (microsoft/onnxruntime#22557, #26281). In the same file, the second column of
# Softmax over (0, z) is right, and so is exp(-softplus(-z)), as which numlp exports a sigmoid.
#
# Seen with onnxruntime 1.32.0 and onnx 1.23.2 on Python 3.11, on an x86-64 processor with AVX-512. The digits may differ
# on other kinds of processors, so this script checks only that values tie, lose their order or are far off.
#   z                      -14        -16        -17        -18        -20
#   right             8.32e-07   1.13e-07   4.14e-08   1.52e-08   2.06e-09
#   Sigmoid           7.75e-07   5.96e-08   8.94e-08   0.00e+00   0.00e+00
#   Softmax           8.32e-07   1.13e-07   4.14e-08   1.52e-08   2.06e-09
#   exp(-softplus)    8.32e-07   1.13e-07   4.14e-08   1.52e-08   2.06e-09
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet onnx==1.23.2 onnxruntime==1.32.0

"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

NODES = [
    helper.make_node("Sigmoid", ["z"], ["Sigmoid"]),
    helper.make_node("Mul", ["z", "zero"], ["zeros"]),
    helper.make_node("Concat", ["zeros", "z"], ["pairs"], axis=1),
    helper.make_node("Softmax", ["pairs"], ["Softmax"], axis=1),
    helper.make_node("Neg", ["z"], ["minus"]),
    helper.make_node("Softplus", ["minus"], ["softplus"]),
    helper.make_node("Neg", ["softplus"], ["logarithm"]),
    helper.make_node("Exp", ["logarithm"], ["exp(-softplus)"]),
]


def tensor(name, width):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])


outputs = {"Sigmoid": 1, "Softmax": 2, "exp(-softplus)": 1}
zero = numpy_helper.from_array(np.zeros(1, np.float32), "zero")
graph = helper.make_graph(NODES, "link", [tensor("z", 1)], [tensor(*each) for each in outputs.items()], [zero])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

z = np.array([-14, -16, -17, -18, -20], np.float32)
right = 1 / (1 + np.exp(-z.astype(float)))
found = dict(zip(outputs, (each[:, -1] for each in session.run(list(outputs), {"z": z[:, None]}))))
for name, values in {"right": right, **found}.items():
    print(f"{name:15}", *(f"{value:10.2e}" for value in values))

off = np.abs(found["Sigmoid"] / right - 1)
assert off.max() > 0.3, "Sigmoid has correct digits"
assert not np.all(np.diff(found["Sigmoid"]) < 0), "Sigmoid keeps the order of its inputs"
assert found["Sigmoid"][3] <= 0 < 1e-8 < right[3], "Sigmoid is positive at -18"
for name in ("Softmax", "exp(-softplus)"):
    assert np.allclose(found[name], right, rtol=1e-5, atol=0), f"{name} is off, too"
PYTHON
