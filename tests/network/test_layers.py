"""Layers, each by itself: the norms against PyTorch's numbers (tests/reference), noise against its distribution."""

import json
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from numlp import MLP
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, LeakyReLU, Tanh
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import (
    NORMALIZATIONS,
    Activate,
    BatchNorm,
    Dropout,
    GaussianNoise,
    LayerNorm,
    Linear,
    as_activations,
    make_layers,
    parameter_shapes,
)

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expected.json").read_text())
NORMS = {norm.kind: norm for norm in NORMALIZATIONS.values() if norm is not None}


def bound(layer, batch_size, dtype="float64", *, rows=None):
    """Give a layer its own parameters, gradients, and buffers for batches of `rows` rows."""
    params, grads = ({name: np.full(shape, np.nan, dtype) for name, shape in layer.shapes.items()} for _ in range(2))
    layer.bind(params, grads)
    layer.initialize(np.random.default_rng(0))
    layer.begin_epoch(np.random.default_rng(0))
    layer.allocate(batch_size, dtype)
    layer.resize(rows or batch_size)
    return layer, params, grads


def reference_norm(kind, dtype="float64"):
    reference = REFERENCE[kind]
    layer, params, grads = bound(NORMS[kind](3), 6, dtype)
    params["scale"][:], params["shift"][:] = reference["scale"], reference["shift"]
    return layer, params, grads, reference


def test_every_norm_has_a_reference():
    assert set(NORMS) <= set(REFERENCE)


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 2e-4)])
@pytest.mark.parametrize("kind", NORMS)
def test_norms_are_those_of_pytorch(kind, dtype, rtol):
    layer, params, grads, reference = reference_norm(kind, dtype)
    close = {"rtol": rtol, "atol": rtol / 10}
    for batch in reference["batches"]:
        output = layer.forward(np.array(batch["x"], dtype))
        np.testing.assert_allclose(output, batch["output"], **close)
        by_input = layer.backward(np.array(batch["delta"], dtype))
        np.testing.assert_allclose(by_input, batch["input_gradient"], **close)
        np.testing.assert_allclose(grads["scale"], batch["scale_gradient"], **close)
        np.testing.assert_allclose(grads["shift"], batch["shift_gradient"], **close)
        for ours, theirs in (("mean", "running_mean"), ("variance", "running_variance")):
            if theirs in batch:
                np.testing.assert_allclose(params[ours], batch[theirs], **close)
    use = reference["use"]
    np.testing.assert_allclose(layer.infer(np.array(use["x"], dtype)), use["output"], **close)


def test_a_short_batch_moves_the_running_statistics_less():
    layer, params, _ = bound(BatchNorm(2), 8)
    layer.forward(np.random.default_rng(1).normal(3, 2, (8, 2)))
    before = {name: params[name].copy() for name in ("mean", "variance")}
    x = np.random.default_rng(2).normal(3, 2, (2, 2))
    layer.resize(2)
    layer.forward(x.copy())
    for name, seen in (("mean", x.mean(axis=0)), ("variance", x.var(axis=0, ddof=1))):
        np.testing.assert_allclose(params[name], before[name] + 0.1 * 2 / 8 * (seen - before[name]))


def test_running_statistics_end_at_those_of_the_data():
    layer, params, _ = bound(BatchNorm(3), 100)
    rng = np.random.default_rng(0)
    for _ in range(200):
        layer.forward(rng.normal([1.0, -2.0, 5.0], [0.5, 1.0, 3.0], (100, 3)))
    np.testing.assert_allclose(params["mean"], [1, -2, 5], atol=0.3)
    np.testing.assert_allclose(params["variance"], [0.25, 1, 9], rtol=0.2)


def test_running_statistics_have_gradients_of_0():
    layer, _, grads = bound(BatchNorm(2), 4)
    for name in ("mean", "variance"):
        grads[name][:] = 0
    layer.forward(np.random.default_rng(0).normal(size=(4, 2)))
    layer.backward(np.ones((4, 2)))
    assert not grads["mean"].any()
    assert not grads["variance"].any()


def test_one_row_alone_is_no_error_in_a_short_last_batch():
    layer, params, _ = bound(BatchNorm(2), 8, rows=1)
    output = layer.forward(np.array([[5.0, -5.0]]))
    np.testing.assert_array_equal(output, [[0, 0]])
    assert not layer.backward(np.ones((1, 2))).any()
    assert np.isfinite([*params["mean"], *params["variance"]]).all()


@pytest.mark.parametrize("kind", NORMS)
def test_large_means_cost_no_digits(kind):
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    plain, far = (bound(NORMS[kind](3), 6, "float32")[0] for _ in range(2))
    shift = np.float32(1000)
    np.testing.assert_allclose(far.forward(x + shift), plain.forward((x + shift) - shift), atol=2e-3)


@pytest.mark.parametrize("kind", NORMS)
def test_units_or_rows_that_never_change_become_the_shift(kind):
    layer, params, _ = bound(NORMS[kind](3), 4)
    params["shift"][:] = [1, 2, 3]
    np.testing.assert_allclose(layer.forward(np.full((4, 3), 7.0)), [[1, 2, 3]] * 4, atol=1e-9)


def test_layer_norm_is_the_same_in_training_and_in_use():
    layer, _, _ = bound(LayerNorm(5), 4)
    x = np.random.default_rng(0).normal(size=(4, 5))
    np.testing.assert_array_equal(layer.infer(x.copy()), layer.forward(x.copy()))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_prediction_does_not_depend_on_the_rows_around_it(normalization):
    net = MLP([4, 6, 5, 3], normalization=normalization, dropout=0.3, noise=0.5, input_dropout=0.2, dtype="float64")
    x = np.random.default_rng(0).normal(size=(50, 4))
    for epoch in range(3):
        net.begin_epoch(0, epoch)
        net.loss_and_grad(x, np.eye(3)[np.arange(50) % 3])
    together = net.predict_proba(x)
    alone = np.concatenate([net.predict_proba(x[i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    np.testing.assert_allclose(net.predict_proba(x[::-1])[::-1], together, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("in_place", [True, False])
def test_dropout_drops_its_share_and_keeps_the_mean(rate, in_place):
    layer, _, _ = bound(Dropout(50, rate, in_place), 2000)
    x = np.full((2000, 50), 3.0)
    output = layer.forward(x)
    assert (output is x) == in_place
    np.testing.assert_allclose(np.unique(output), [0, 3 / (1 - rate)])
    assert np.mean(output == 0) == pytest.approx(rate, abs=0.01)
    assert output.mean() == pytest.approx(3, rel=0.03)
    delta = layer.backward(np.ones_like(output))
    np.testing.assert_allclose(delta, output / 3)
    if not in_place:
        assert np.all(x == 3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("width", [1, 6, 7])
def test_dropout_drops_every_unit_as_often_and_each_by_itself(rate, width):
    n = 40_000
    layer, _, _ = bound(Dropout(width, rate), n)
    dropped = layer.forward(np.ones((n, width))) == 0
    error = (rate * (1 - rate) / n) ** 0.5
    np.testing.assert_allclose(dropped.mean(axis=0), rate, atol=4.5 * error)
    together = dropped[:, :-1] & dropped[:, 1:]
    np.testing.assert_allclose(together.mean(axis=0), rate**2, atol=4.5 * (rate**2 * (1 - rate**2) / n) ** 0.5)


@pytest.mark.parametrize("in_place", [True, False])
def test_gaussian_noise_has_its_deviation_and_passes_gradients_on(in_place):
    layer, _, _ = bound(GaussianNoise(50, 0.7, in_place), 2000)
    x = np.full((2000, 50), 3.0)
    output = layer.forward(x)
    assert (output is x) == in_place
    assert output.mean() == pytest.approx(3, abs=0.02)
    assert output.std() == pytest.approx(0.7, rel=0.02)
    delta = np.random.default_rng(0).normal(size=output.shape)
    np.testing.assert_array_equal(layer.backward(delta.copy()), delta)
    if not in_place:
        assert np.all(x == 3)


@pytest.mark.parametrize("layer", [Dropout(4, 0.5), GaussianNoise(4, 1.0), Dropout(4, 0.5, in_place=False)])
def test_noise_is_nothing_in_use_and_draws_anew_in_every_batch(layer):
    bound(layer, 100, "float32")
    x = np.ones((100, 4), np.float32)
    assert layer.infer(x) is x
    assert np.all(x == 1)
    first, second = (layer.forward(x.copy()).copy() for _ in range(2))
    assert not np.array_equal(first, second)
    layer.begin_epoch(np.random.default_rng(0))
    np.testing.assert_array_equal(layer.forward(x.copy()), first)


def test_no_two_layers_of_a_network_drop_the_same():
    net = MLP([50, 50, 50, 2], dropout=0.5, input_dropout=0.5)
    masks = []
    net.resize(4)
    for layer in net.layers:
        if isinstance(layer, Dropout):
            masks.append(layer.forward(np.ones((4, 50), np.float32)).copy())
    assert len(masks) == 3
    assert not any(np.array_equal(one, other) for one, other in [masks[:2], masks[1:], masks[::2]])


def test_the_noise_of_an_epoch_is_a_function_of_seed_and_epoch():
    net, x, targets = (
        MLP([4, 6, 2], dropout=0.5, noise=0.1, dtype="float64"),
        np.ones((5, 4)),
        np.eye(2)[[0, 1, 0, 1, 1]],
    )

    def losses(seed, epoch):
        net.begin_epoch(seed, epoch)
        return [net.loss_and_grad(x, targets) for _ in range(3)]

    first = losses(1, 2)
    losses(5, 5)
    assert losses(1, 2) == first
    assert losses(1, 3) != first
    assert losses(2, 2) != first
    assert len(set(first)) == 3


@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_an_affine_map(bias):
    layer, params, grads = bound(Linear(3, 2, INITIALIZERS["he_normal"], bias), 5, rows=4)
    rng = np.random.default_rng(0)
    if bias:
        assert not params["bias"].any()
        params["bias"][:] = [1, 2]
    x, delta = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    expected = x @ params["weight"] + (params["bias"] if bias else 0)
    np.testing.assert_allclose(layer.infer(x), expected)
    np.testing.assert_allclose(layer.forward(x), expected)
    np.testing.assert_allclose(layer.backward(delta), delta @ params["weight"].T)
    np.testing.assert_allclose(grads["weight"], x.T @ delta)
    assert list(layer.shapes) == (["weight", "bias"] if bias else ["weight"])
    if bias:
        np.testing.assert_allclose(grads["bias"], delta.sum(axis=0))


def test_layers_come_in_the_order_of_the_docs():
    everything = {"dropout": 0.1, "input_dropout": 0.1, "noise": 0.1, "input_noise": 0.1}
    inputs, hidden = ["gaussian_noise", "dropout"], ["activate", "gaussian_noise", "dropout"]
    for normalization, kinds in (("none", []), ("batch", ["batch_norm"]), ("layer", ["layer_norm"])):
        layers = make_layers([4, 5, 6, 2], [Tanh(), Tanh()], normalization=normalization, **everything)
        one = ["linear", *kinds, *hidden]
        assert [layer.kind for layer in layers] == [*inputs, *one, *one, "linear"]
    assert [layer.kind for layer in make_layers([4, 5, 2], [Tanh()])] == ["linear", "activate", "linear"]
    assert [layer.kind for layer in make_layers([4, 2], [], normalization="batch")] == ["linear"]


def test_parameters_are_named_by_kind_and_number():
    shapes = parameter_shapes(make_layers([4, 5, 6, 2], [Tanh(), Tanh()], normalization="batch", dropout=0.5))
    norm = ["scale", "shift", "mean", "variance"]
    assert list(shapes) == [
        "linear.0.weight",
        *(f"batch_norm.0.{name}" for name in norm),
        "linear.1.weight",
        *(f"batch_norm.1.{name}" for name in norm),
        "linear.2.weight",
        "linear.2.bias",
    ]
    assert shapes["linear.1.weight"] == (5, 6)
    assert shapes["batch_norm.1.mean"] == (6,)
    shapes = parameter_shapes(make_layers([4, 5, 2], [Tanh()], normalization="layer"))
    assert list(shapes)[:4] == ["linear.0.weight", "linear.0.bias", "layer_norm.0.scale", "layer_norm.0.shift"]


def test_one_activation_for_all_or_one_for_each():
    assert as_activations("tanh", 2) == (Tanh(), Tanh())
    assert as_activations(["tanh", LeakyReLU(0.2)], 2) == (Tanh(), LeakyReLU(0.2))
    assert as_activations(("leaky_relu(slope = 0.1)",), 1) == (LeakyReLU(0.1),)
    assert as_activations("tanh", 0) == as_activations([], 0) == ()
    for wrong in ([], ["tanh"], ["tanh"] * 3):
        with pytest.raises(SettingError, match=rf"activation must be one for all, or 2, not {len(wrong)}"):
            as_activations(wrong, 2)
    with pytest.raises(SettingError, match="unknown activation 'tan': did you mean 'tanh'"):
        as_activations(["relu", "tan"], 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_work_in_place_and_multiply_the_gradient(name):
    layer, _, _ = bound(Activate(ACTIVATIONS[name](), 3), 4, rows=2)
    z = np.random.default_rng(0).normal(size=(2, 3))
    used, trained = z.copy(), z.copy()
    assert layer.infer(used) is used
    assert layer.forward(trained) is trained
    np.testing.assert_array_equal(used, trained)
    slope = layer.backward(np.ones((2, 3)))
    step = 1e-6
    moved = layer.infer(z + step) - layer.infer(z - step)
    np.testing.assert_allclose(slope, moved / (2 * step), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_threads_predict_at_once_while_nothing_of_the_training_is_touched(normalization):
    net = MLP([20, 64, 32, 5], normalization=normalization, dropout=0.5, input_noise=0.3)
    x = np.random.default_rng(0).normal(size=(4, 300, 20)).astype(np.float32)
    targets = np.eye(5, dtype=np.float32)[np.arange(300) % 5]
    net.loss_and_grad(x[0], targets)
    logits, grads, params = net.last_logits.copy(), net.grads.copy(), net.params.copy()
    expected = [net.predict_proba(part) for part in x]
    results = {i: [] for i in range(4)}
    threads = [
        threading.Thread(target=lambda i=i: results[i].extend(net.predict_proba(x[i]) for _ in range(10)))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(got) == 10 for got in results.values())
    assert all(np.array_equal(got, expected[i]) for i, every in results.items() for got in every)
    np.testing.assert_array_equal(net.last_logits, logits)
    np.testing.assert_array_equal(net.grads, grads)
    np.testing.assert_array_equal(net.params, params)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_gradients_of_parameters_alone_are_those_of_backward(normalization):
    rng = np.random.default_rng(0)
    for layer in make_layers([4, 5, 2], [Tanh()], normalization=normalization):
        layer, _, grads = bound(layer, 6)
        if not layer.shapes:
            continue
        width = {**layer.shapes}.get("weight", (5, 5))
        layer.forward(rng.normal(size=(6, width[0])))
        delta = rng.normal(size=(6, width[1]))
        layer.parameter_gradients(delta.copy())
        alone = {name: grad.copy() for name, grad in grads.items()}
        layer.backward(delta)
        for name, grad in grads.items():
            np.testing.assert_array_equal(grad, alone[name], err_msg=f"{layer.kind} {name}")


def test_larger_buffers_replace_smaller_ones():
    """No view keeps a smaller buffer alive."""
    net = MLP([64, 256, 256, 4])
    net.allocate(2048)
    tracemalloc.start()
    net.allocate(4096)
    peak = tracemalloc.get_traced_memory()[1]
    net.allocate(4096)
    again = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert again < 1.5 * peak
