"""The operators compute what ONNX's own reference implementation does."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from numlp.onnx.operators import OPERATORS, apply

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 5, 4))
P, U, S = np.abs(X), np.abs(Y) + 0.5, RNG.uniform(0.5, 2, (4, 4))
AXES = np.array([1])

CASES = {
    "Abs": [([X], {})],
    "Add": [([X, Y[0]], {})],
    "BatchNormalization": [([X, *S], {"epsilon": 1e-3}), ([X.reshape(5, 2, 2), *S[:, :2]], {})],
    "Cast": [([X], {"to": TensorProto.INT64}), ([X], {"to": TensorProto.DOUBLE})],
    "Celu": [([X.astype(np.float32)], {"alpha": 0.5})],
    "Clip": [([X, np.array(-0.5), np.array(0.5)], {}), ([X, np.array(0.1)], {})],
    "Concat": [([X, Y], {"axis": 1})],
    "Constant": [([], {"value_floats": [1.0, 2.0]}), ([], {"value_int": 3})],
    "Div": [([X, U], {})],
    "Elu": [([X], {"alpha": 0.5}), ([X], {})],
    "Equal": [([X, X], {})],
    "Erf": [([X.astype(np.float32)], {})],
    "Exp": [([X], {})],
    "Flatten": [([X.reshape(5, 2, 2)], {}), ([X.reshape(5, 2, 2)], {"axis": -1})],
    "Gather": [([np.array([7, 8, 9]), np.array(1)], {}), ([np.array([7, 8, 9]), np.array([2, 0])], {})],
    "Gelu": [([X.astype(np.float32)], {}), ([X.astype(np.float32)], {"approximate": "tanh"})],
    "Greater": [([X, Y], {})],
    "GreaterOrEqual": [([X, Y], {})],
    "Identity": [([X], {})],
    "LayerNormalization": [([X, S[0], S[1]], {"epsilon": 1e-3}), ([X, S[0]], {})],
    "LeakyRelu": [([X], {"alpha": 0.2}), ([X], {})],
    "Less": [([X, Y], {})],
    "LessOrEqual": [([X, Y], {})],
    "Log": [([U], {})],
    "LogSoftmax": [([X], {"axis": 1}), ([X], {})],
    "Max": [([X, Y, U], {}), ([X, np.array(0.0)], {})],
    "Min": [([X, Y, U], {})],
    "Mish": [([X], {})],
    "Mul": [([X, Y], {})],
    "Neg": [([X], {})],
    "Not": [([X > 0], {})],
    "PRelu": [([X, S[0]], {})],
    "Pow": [([P, Y], {}), ([X, np.array(2.0)], {})],
    "Reciprocal": [([U], {})],
    "ReduceMax": [([X, AXES], {}), ([X, AXES], {"keepdims": 0})],
    "ReduceMean": [([X, AXES], {}), ([X], {})],
    "ReduceSum": [([X, AXES], {"keepdims": 0})],
    "Relu": [([X], {})],
    "Reshape": [([X, np.array([0, 2, -1])], {}), ([X, np.array([-1, 2])], {"allowzero": 1})],
    "Scaler": [([X], {"offset": [1.0, 2.0, 3.0, 4.0], "scale": [0.5, 1.0, 2.0, 3.0]})],
    "Selu": [([X], {}), ([X], {"alpha": 2.0, "gamma": 0.5})],
    "Sigmoid": [([X], {})],
    "Slice": [
        ([np.array([7, 8, 9]), np.array([1]), np.array([3])], {}),
        ([np.array([7, 8, 9]), np.array([0]), np.array([3]), np.array([0]), np.array([2])], {}),
    ],
    "Softmax": [([X], {"axis": 1}), ([X], {})],
    "Softplus": [([X], {})],
    "Sqrt": [([P], {})],
    "Squeeze": [([X[:, :1], AXES], {}), ([X[:, :1]], {})],
    "Sub": [([X, Y], {})],
    "Sum": [([X, Y, U], {})],
    "Swish": [([X], {"alpha": 0.5}), ([X], {})],
    "Tanh": [([X], {})],
    "Transpose": [([X], {}), ([X.reshape(5, 2, 2)], {"perm": [2, 0, 1]})],
    "Unsqueeze": [([X, np.array([0, 3])], {})],
    "Where": [([X > 0, X, Y], {})],
}
ML = {"Scaler"}


def test_every_operator_has_a_case():
    assert set(CASES) == OPERATORS


@pytest.mark.parametrize("operator", CASES)
def test_values_are_those_of_the_reference(operator):
    for args, attributes in CASES[operator]:
        names = [f"x{i}" for i in range(len(args))]
        domain = "ai.onnx.ml" if operator in ML else ""
        node = helper.make_node(operator, names, ["y"], domain=domain, **attributes)
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(arg.dtype), arg.shape)
            for name, arg in zip(names, args, strict=True)
        ]
        graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", 0, None)])
        opsets = [helper.make_opsetid("", 24), helper.make_opsetid("ai.onnx.ml", 3)]
        model = helper.make_model(graph, opset_imports=opsets)
        expected = ReferenceEvaluator(model).run(None, dict(zip(names, args, strict=True)))[0]
        found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        result = apply(operator, args, found)
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_axes_and_limits_of_older_versions():
    np.testing.assert_array_equal(apply("ReduceMean", [X], {"axes": [-1], "keepdims": 0}), X.mean(axis=1))
    np.testing.assert_array_equal(apply("Clip", [X], {"min": 0.0, "max": 1.0}), X.clip(0, 1))
    assert apply("Unsqueeze", [X], {"axes": [0]}).shape == (1, 5, 4)
    assert apply("Squeeze", [X[:, :1]], {"axes": [1]}).shape == (5,)


@pytest.mark.parametrize(
    ("operator", "args", "attributes"),
    [
        ("Add", [X[:, :1], Y[0]], {}),
        ("Where", [X[:1] > 0, X[:, :1], X[:, :1]], {}),
        ("Gather", [X, np.array(0)], {}),
        ("Gather", [np.array([1, 2]), np.zeros(9, int)], {}),
        ("Concat", [np.broadcast_to(0.0, (1 << 20,))] * 20, {"axis": 0}),
        ("BatchNormalization", [X, *S[:, :3]], {}),
        ("BatchNormalization", [X, *S], {"training_mode": 1}),
    ],
)
def test_no_result_outgrows_its_inputs(operator, args, attributes):
    with pytest.raises(ValueError, match=r"its inputs|it must take|it has|training mode"):
        apply(operator, args, attributes)
