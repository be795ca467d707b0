import copy
import pickle
import threading

import numpy as np
import pytest

from numlp import MLP, Scaling, train
from numlp.activations import ACTIVATIONS
from numlp.errors import DataError, SettingError
from numlp.losses import LOSSES
from numlp.special import softmax


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


@pytest.mark.parametrize("layer_size", [[4, 3], [4, 1, 1, 3], [1, 7, 1]])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_forward_pass_is_the_textbook_s(activation, layer_size):
    net = MLP(layer_size, activation=activation, dtype="float64", seed=1)
    x = np.random.default_rng(0).normal(size=(5, layer_size[0]))
    a, named = x, net.named_parameters()
    for i in range(len(layer_size) - 1):
        a = a @ named[f"linear.{i}.weight"] + named[f"linear.{i}.bias"]
        if i < len(layer_size) - 2:
            ACTIVATIONS[activation].function(a, None)
    np.testing.assert_allclose(net.predict_proba(x), softmax(a), rtol=1e-12)


def test_training_and_inference_compute_the_same():
    net = MLP([6, 8, 3])
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    net.allocate(4)
    np.testing.assert_array_equal(net.forward(x), net.forward(x, training=True))


def test_seed_and_dtype():
    one, again, other, double = (
        MLP([9, 7, 3], seed=s, dtype=d) for s, d in [(0, "float32"), (0, "float32"), (1, "float32"), (0, np.float64)]
    )
    np.testing.assert_array_equal(one.params, again.params)
    assert not np.array_equal(one.params, other.params)
    assert one.params.dtype == np.float32
    np.testing.assert_array_equal(double.params.astype(np.float32), one.params)


def test_any_input_that_is_an_array():
    net = MLP([4, 3])
    rows = [[0, 1, 2, 3], [4, 5, 6, 7]]
    expected = net.predict_proba(np.array(rows, dtype=np.float64))
    for x in (
        rows,
        np.array(rows),
        np.array(rows, dtype=np.float16).reshape(2, 2, 2),
        np.array(rows).reshape(2, 1, 4),
    ):
        np.testing.assert_allclose(net.predict_proba(x), expected, rtol=1e-6)
    np.testing.assert_allclose(
        net.predict_proba(np.array(rows, dtype=np.uint8) * 20),
        net.predict_proba(np.array(rows) * 20 / 255),
        rtol=1e-5,
    )


def test_many_rows_are_predicted_as_one_by_one():
    net = MLP([3, 5, 2], dtype="float64")
    x = np.random.default_rng(0).normal(size=(2500, 3))
    together = net.predict_proba(x)
    np.testing.assert_allclose(together[2400], net.predict_proba(x[2400:2401])[0], rtol=1e-12)
    np.testing.assert_array_equal(net.predict(x), together.argmax(axis=1))


def test_regression_predicts_in_the_units_of_the_targets():
    net = MLP([2, 1], loss="squared_error", target_scaling=Scaling(np.array([100.0]), np.array([0.1])))
    net.params[:] = 0
    np.testing.assert_array_equal(net.predict([[1.0, 2.0], [3.0, 4.0]]), [100.0, 100.0])
    assert MLP([2, 3], loss="squared_error").predict([[1.0, 2.0]]).shape == (1, 3)
    with pytest.raises(SettingError, match="has no classes"):
        net.predict_proba([[1.0, 2.0]])


def test_predicting_leaves_what_training_holds():
    net = MLP([3, 4, 2])
    x, targets = np.ones((2, 3), np.float32), np.eye(2, dtype=np.float32)
    net.loss_and_grad(x, targets)
    kept = net.logits.copy(), net.grads.copy()
    net.predict(np.zeros((2, 3)))
    np.testing.assert_array_equal(net.logits, kept[0])
    np.testing.assert_array_equal(net.grads, kept[1])


def test_threads_predict_on_one_network_at_once():
    net, x = MLP([20, 64, 5]), np.random.default_rng(0).normal(size=(8, 300, 20))
    expected = [net.predict_proba(part) for part in x]
    results: dict[int, list[np.ndarray]] = {i: [] for i in range(8)}
    threads = [
        threading.Thread(target=lambda i=i: results[i].extend(net.predict_proba(x[i]) for _ in range(20)))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(got, expected[i]) for i, all_got in results.items() for got in all_got)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_short_batch_after_a_long_one_has_the_gradient_it_has_alone(loss):
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(9, 4)), np.eye(3)[rng.integers(0, 3, 9)]
    used, fresh = (MLP([4, 6, 3], loss=loss, dtype="float64") for _ in range(2))
    used.loss_and_grad(x, targets)
    assert used.loss_and_grad(x[:2], targets[:2]) == fresh.loss_and_grad(x[:2], targets[:2])
    np.testing.assert_array_equal(used.grads, fresh.grads)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"activation": "rellu"}, "unknown activation 'rellu': did you mean 'relu'"),
        ({"loss": "cross_entropy"}, "unknown loss"),
        ({"initializer": "he"}, "unknown initializer"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"seed": -1}, "seed must be"),
        ({"input_scaling": Scaling(np.zeros(3))}, "input_scaling"),
        ({"input_scaling": Scaling(np.array(np.nan))}, "input_scaling"),
        ({"input_shape": (3, 3)}, "input_shape"),
        ({"class_names": ["a"]}, "class_names"),
        ({"class_names": ["a", "a"]}, "class_names"),
    ],
)
def test_settings_that_make_no_network(settings, says):
    with pytest.raises(SettingError, match=says):
        MLP([4, 2], **settings)


def test_targets_must_be_rows():
    with pytest.raises(DataError, match=r"rows of shape \(2, 2\), not \(2,\)"):
        MLP([4, 2]).loss_and_grad(np.ones((2, 4), np.float32), np.array([0, 1]))


def test_sizes_and_names_may_be_any_sequence():
    net = MLP(np.array([4, 2]), input_shape=(np.int64(2), 2), class_names=np.array(["a", "b"]), dtype=np.float64)
    assert (net.layer_size, net.input_shape, net.class_names) == ((4, 2), (2, 2), ("a", "b"))


@pytest.mark.parametrize("dtype", [None, 42, np.int32, "f4"])
def test_dtypes_that_are_none(dtype):
    with pytest.raises(SettingError, match="unknown dtype"):
        MLP([4, 2], dtype=dtype)


def test_values_too_large_for_the_dtype():
    with pytest.raises(DataError, match="too large for this network in float32"):
        MLP([2, 2]).predict([[1e300, 0.0]])
    assert np.isfinite(MLP([2, 2], dtype="float64").predict([[1e300, 0.0]]))


def test_another_number_of_features():
    with pytest.raises(DataError, match="the network takes 4"):
        MLP([4, 2]).predict(np.zeros((3, 5)))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_whole_and_lives_its_own_life(blobs, copied):
    net = MLP([2, 4, 3], input_scaling=Scaling(np.array(1.0)), class_names=["a", "b", "c"])
    train(net, blobs, epochs=1)
    again, before = copied(net), net.params.copy()
    np.testing.assert_array_equal(again.predict_proba(blobs[0]), net.predict_proba(blobs[0]))
    train(again, blobs, epochs=2)
    train(net, blobs, epochs=2)
    np.testing.assert_array_equal(again.params, net.params)
    assert not np.array_equal(net.params, before)
    assert again.class_names == net.class_names


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
