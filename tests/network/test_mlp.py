import copy
import pickle

import numpy as np
import pytest
from scipy.special import softmax

from numlp import MLP, Scaling, train
from numlp.arrays.arithmetic import ARITHMETICS, ORDINARY
from numlp.errors import DataError, SettingError
from numlp.network.activations import ACTIVATIONS, Tanh
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES

NOISE = {"dropout": 0.3, "input_dropout": 0.2, "noise": 0.1, "input_noise": 0.2}


def test_parameters_are_views_into_one_array_weights_first():
    net = MLP([3, 5, 2])
    named = net.named_parameters()
    assert {name: view.shape for name, view in named.items()} == {
        "linear.0.weight": (3, 5),
        "linear.0.bias": (5,),
        "linear.1.weight": (5, 2),
        "linear.1.bias": (2,),
    }
    net.params[:] = np.arange(net.params.size)
    np.testing.assert_array_equal(named["linear.0.weight"].ravel(), np.arange(15))
    np.testing.assert_array_equal(named["linear.1.weight"].ravel(), np.arange(15, 25))
    np.testing.assert_array_equal(np.concatenate([named["linear.0.bias"], named["linear.1.bias"]]), np.arange(25, 32))
    assert net.params.shape == net.grads.shape == (32,)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_each_parameter_has_its_own_place_and_weights_are_one_slice(normalization):
    net = MLP([3, 5, 4, 2], normalization=normalization, **NOISE)
    assert net.n_weights == net.weights.size == 3 * 5 + 5 * 4 + 4 * 2
    assert np.shares_memory(net.weights, net.params)
    net.params = np.arange(net.params.size)
    named = net.named_parameters()
    values = np.concatenate([view.ravel() for view in named.values()])
    assert sorted(values) == list(range(net.params.size))
    for name, view in named.items():
        assert (view.max() < net.n_weights) == name.endswith("weight"), name
    assert sum(layer.weight.size for layer in net.linear_layers) == net.n_weights


@pytest.mark.parametrize("layer_size", [[4, 3], [4, 1, 1, 3], [1, 7, 2]])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_forward_pass_is_the_textbook_s(activation, layer_size):
    net = MLP(layer_size, activation=activation, dtype="float64", seed=1)
    x = np.random.default_rng(0).normal(size=(5, layer_size[0]))
    a, named = x, net.named_parameters()
    for i in range(len(layer_size) - 1):
        a = a @ named[f"linear.{i}.weight"] + named[f"linear.{i}.bias"]
        if i < len(layer_size) - 2:
            ACTIVATIONS[activation]()(a, None, np.empty_like(a), ORDINARY)
    np.testing.assert_allclose(net.predict_proba(x), softmax(a, axis=1), rtol=1e-12)


@pytest.mark.parametrize("normalization", ["none", "layer"])
def test_training_and_inference_compute_the_same(normalization):
    net = MLP([6, 8, 3], normalization=normalization)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_array_equal(net.logits(x), net.forward(x))


@pytest.mark.parametrize("setting", NOISE)
def test_noise_is_of_the_training_alone(setting):
    net, plain = MLP([6, 8, 3], **{setting: 0.5}), MLP([6, 8, 3])
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    kept = x.copy()
    np.testing.assert_array_equal(net.params, plain.params)
    np.testing.assert_array_equal(net.predict_proba(x), plain.predict_proba(x))
    assert not np.allclose(net.forward(x), plain.forward(x))
    np.testing.assert_array_equal(x, kept)  # it is the caller's


def test_seed_and_dtype():
    one, again, other, double = (
        MLP([9, 7, 3], seed=s, dtype=d) for s, d in [(0, "float32"), (0, "float32"), (1, "float32"), (0, np.float64)]
    )
    np.testing.assert_array_equal(one.params, again.params)
    assert not np.array_equal(one.params, other.params)
    assert one.params.dtype == np.float32
    np.testing.assert_array_equal(double.params.astype(np.float32), one.params)


def test_a_network_and_all_its_layers_have_the_arithmetic_that_is_asked_for():
    for name in ARITHMETICS:
        net = MLP([9, 7, 3], arithmetic=name, normalization="layer", seed=0)
        assert {part.arithmetic for part in (net, *net.layers)} == {ARITHMETICS[name]}
    with pytest.raises(SettingError, match="unknown arithmetic 'exact'"):
        MLP([9, 3], arithmetic="exact")
    with pytest.raises(SettingError, match="dtype must be 'float32' for arithmetic 'portable', not 'float64'"):
        MLP([9, 3], arithmetic="portable", dtype="float64")


def test_first_weights_suit_the_activation_after_them_and_outputs_and_norms_begin_as_nothing():
    net = MLP([400, 300, 200, 10], activation=["relu", "selu"], normalization="batch", dtype="float64")
    named = net.named_parameters()
    assert named["linear.0.weight"].std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)  # He's
    assert named["linear.1.weight"].std() == pytest.approx((1 / 300) ** 0.5, rel=0.02)  # LeCun's
    assert named["linear.2.weight"].std() == pytest.approx(1 / 200, rel=0.05)
    values = MLP([4, 200, 10], loss="squared_error").named_parameters()["linear.1.weight"]
    assert values.std() == pytest.approx((2 / 210) ** 0.5, rel=0.05)  # Glorot's
    for name, value in (("scale", 1), ("shift", 0), ("mean", 0), ("variance", 1)):
        assert np.all(named[f"batch_norm.1.{name}"] == value)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_short_batch_after_a_long_one_has_the_gradient_it_has_alone(loss):
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(9, 4)), np.eye(3)[rng.integers(0, 3, 9)]
    used, fresh = (
        MLP([4, 6, 3 * LOSSES[loss]().blocks], loss=loss, normalization="batch", dtype="float64") for _ in range(2)
    )
    used.loss_and_grad(x, targets)
    assert used.loss_and_grad(x[:2], targets[:2]) == fresh.loss_and_grad(x[:2], targets[:2])
    np.testing.assert_array_equal(used.grads, fresh.grads)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_a_step_leaves_behind(loss):
    rng = np.random.default_rng(0)
    net = MLP([4, 6, 3 * LOSSES[loss]().blocks], loss=loss, dtype="float64")
    x, targets, weights = rng.normal(size=(5, 4)), np.eye(3)[rng.integers(0, 3, 5)], rng.random(5)
    mean = net.loss_and_grad(x, targets)
    np.testing.assert_allclose(net.row_losses.mean(), mean)
    np.testing.assert_allclose(net.last_logits, net.logits(x), rtol=1e-12)
    rows = [net.loss_and_grad(x[i : i + 1], targets[i : i + 1]) for i in range(5)]
    assert net.loss_and_grad(x, targets, weights) == pytest.approx(np.dot(weights, rows) / 5)
    np.testing.assert_allclose(net.row_losses, rows)  # each row's own, without its weight


def test_weights_of_1_change_nothing():
    one, other = (MLP([4, 6, 3], dtype="float64") for _ in range(2))
    x, targets = np.random.default_rng(0).normal(size=(5, 4)), np.eye(3)[[0, 1, 2, 0, 1]]
    assert one.loss_and_grad(x, targets) == pytest.approx(other.loss_and_grad(x, targets, np.ones(5)), rel=1e-14)
    np.testing.assert_allclose(one.grads, other.grads, rtol=1e-14)


def test_wanting_the_gradient_with_respect_to_the_inputs_changes_no_other():
    nets = [MLP([4, 6, 3], dtype="float64", **NOISE) for _ in range(2)]
    x, targets = np.random.default_rng(0).normal(size=(5, 4)), np.eye(3)[[0, 1, 2, 0, 1]]
    kept = x.copy()
    assert nets[0].loss_and_grad(x, targets) == nets[1].loss_and_grad(x, targets, input_gradient=True)
    np.testing.assert_array_equal(nets[0].grads, nets[1].grads)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"activation": "rellu"}, "unknown activation 'rellu': did you mean 'relu'"),
        ({"activation": ["relu", "relu"]}, "activation must be one for all, or 1, not 2"),
        ({"activation": "leaky_relu(slope = 2)"}, "slope must be"),
        ({"loss": "cross_entropy"}, "unknown loss"),
        ({"loss": "huber(delta = 0)"}, "delta must be"),
        (
            {"loss": "quantile"},
            "layer_size must end with a multiple of 3, not with 2: loss .* has 3 outputs for each target",
        ),
        ({"loss": "quantile(levels = [0.1, 0.2, 0.3, 0.4])"}, "multiple of 4, not with 2"),
        ({"initializer": "he"}, "unknown initializer"),
        ({"normalization": "bach"}, "unknown normalization 'bach': did you mean 'batch'"),
        ({"normalization": None}, "unknown normalization"),
        *[({name: 1}, f"{name} must be at least 0 and below 1, not 1") for name in ("dropout", "input_dropout")],
        *[({name: value}, f"{name} must be") for name in NOISE for value in (-0.1, np.nan, "0.1", None, True)],
        *[({name: np.inf}, f"{name} must be a finite number") for name in ("noise", "input_noise")],
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"seed": -1}, "seed must be"),
        ({"input_scaling": Scaling(np.zeros(3))}, "input_scaling"),
        ({"input_scaling": Scaling(np.array(np.nan))}, "input_scaling"),
        ({"input_scaling": np.zeros(4)}, "input_scaling must be a Scaling"),
        ({"loss": "squared_error", "target_scaling": Scaling(np.zeros(4))}, "target_scaling"),
        *[
            ({"loss": loss, "target_scaling": Scaling(np.array(1.0))}, f"loss '{loss}' takes targets as they are")
            for loss in LOSSES
            if not LOSSES[loss].scales_targets
        ],
        ({"input_shape": (3, 3)}, "input_shape"),
        ({"class_names": ["a"]}, "class_names"),
        ({"class_names": ["a", "a"]}, "class_names"),
        ({"class_names": "ab"}, "class_names"),
        ({"feature_names": ["a", "b", "c"]}, "feature_names must be 4 different names"),
    ],
    ids=str,
)
def test_settings_that_make_no_network(settings, says):
    with pytest.raises(SettingError, match=says):
        MLP([4, 5, 2], **settings)


def test_targets_must_be_rows():
    with pytest.raises(DataError, match=r"rows of shape \(2, 2\), not \(2,\)"):
        MLP([4, 2]).loss_and_grad(np.ones((2, 4), np.float32), np.array([0, 1]))
    with pytest.raises(DataError, match=r"rows of shape \(2, 2\), not \(2, 6\)"):
        MLP([4, 6], loss="quantile").loss_and_grad(np.ones((2, 4), np.float32), np.ones((2, 6), np.float32))


def test_sizes_and_names_may_be_any_sequence():
    net = MLP(np.array([4, 2]), input_shape=(np.int64(2), 2), class_names=np.array(["a", "b"]), dtype=np.float64)
    assert (net.layer_size, net.input_shape, net.class_names) == ((4, 2), (2, 2), ("a", "b"))
    assert MLP([2, 1], loss="sigmoid_binary_cross_entropy", class_names=["no", "yes"]).class_names == ("no", "yes")


@pytest.mark.parametrize("dtype", [None, 42, np.int32, "f4"])
def test_dtypes_that_are_none(dtype):
    with pytest.raises(SettingError, match="unknown dtype"):
        MLP([4, 2], dtype=dtype)


@pytest.mark.parametrize(
    "architecture", [{}, NOISE, *({"normalization": n, **NOISE} for n in NORMALIZATIONS)], ids=str
)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_whole_and_lives_its_own_life(blobs, copied, architecture):
    net = MLP(
        [2, 4, 3, 3],
        activation=["mish", "leaky_relu(slope = 0.3)"],
        input_scaling=Scaling(np.array(1.0)),
        class_names=["a", "b", "c"],
        **architecture,
    )
    train(net, blobs, epochs=1, batch_size=10)
    net.temperature = 2.0
    again, before = copied(net), net.params.copy()
    np.testing.assert_array_equal(again.predict_proba(blobs[0]), net.predict_proba(blobs[0]))
    assert (again.class_names, again.temperature, repr(again)) == (net.class_names, 2.0, repr(net))
    train(again, blobs, epochs=2)
    np.testing.assert_array_equal(net.params, before)
    train(net, blobs, epochs=2)
    np.testing.assert_array_equal(again.params, net.params)
    assert not np.array_equal(net.params, before)
    assert net.temperature == 1.0  # what was fitted to the old parameters says nothing of the new ones


def test_assigned_parameters_reach_the_layers():
    net = MLP([2, 3])
    net.params = np.zeros(9)
    net.params += 1
    np.testing.assert_array_equal(net.predict_proba([[0.5, 0.5]]), np.full((1, 3), 1 / 3, np.float32))
    assert net.named_parameters()["linear.0.bias"].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="broadcast"):
        net.params = np.zeros(8)


def test_repr_tells_what_it_is():
    assert repr(MLP([2, 3, 2])) == (
        "MLP([2, 3, 2], activation='relu', loss='softmax_cross_entropy', dtype='float32'): 17 parameters"
    )
    assert repr(MLP([2, 3, 3, 2], activation=["relu", Tanh()], normalization="batch", dropout=0.5)) == (
        "MLP([2, 3, 3, 2], activation=['relu', 'tanh'], loss='softmax_cross_entropy', normalization='batch', "
        "dropout=0.5, dtype='float32'): 47 parameters"
    )
    assert "activation" not in repr(MLP([2, 2]))


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "classification"])
def test_one_class_is_nothing_to_decide(loss):
    with pytest.raises(
        SettingError,
        match="end it with 2, or take loss='sigmoid_binary_cross_entropy' for yes or no",
    ):
        MLP([5, 16, 1], loss=loss)
