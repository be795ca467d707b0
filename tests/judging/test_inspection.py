import numpy as np
import pytest

from numlp import MLP, Scaling
from numlp.errors import DataError, SettingError
from numlp.judging.inspection import dead_units, gradient_norms, hidden_activations, histogram, saliency
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS

NOISE = {"dropout": 0.3, "input_dropout": 0.3, "noise": 0.2, "input_noise": 0.2}


def network(**settings):
    rng = np.random.default_rng(1)
    net = MLP(
        [5, 7, 6, 3], dtype="float64", input_scaling=Scaling(rng.normal(size=5), rng.uniform(1, 2, 5)), **settings
    )
    for name, view in net.named_parameters().items():
        if view.ndim == 1:
            view += rng.uniform(0.1, 0.5, view.shape) if name.endswith("variance") else rng.normal(0, 0.3, view.shape)
    return net


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_saliency_is_the_derivative_of_the_logit(activation, normalization):
    net = network(activation=activation, normalization=normalization, **NOISE)
    x = np.random.default_rng(2).normal(size=(4, 5))
    found = saliency(net, x, [0, 1, 2, 0])
    step = 1e-6
    for i in range(5):
        moved = np.zeros(5)
        moved[i] = step / net.input_scaling.factor[i]  # a step of the scaled input
        slopes = (net.logits(x + moved) - net.logits(x - moved)) / (2 * step)
        np.testing.assert_allclose(found[:, i], slopes[np.arange(4), [0, 1, 2, 0]], atol=1e-6, rtol=1e-5)


def test_the_winning_logit_is_the_default():
    net, x = network(), np.random.default_rng(2).normal(size=(20, 5))
    np.testing.assert_array_equal(saliency(net, x), saliency(net, x, net.predict(x)))


def test_inspection_does_not_change_a_network():
    net = network(normalization="batch", **NOISE)
    params, grads = net.params.copy(), net.grads.copy()
    hidden_activations(net, np.ones((3, 5)))
    saliency(net, np.ones((3, 5)))
    np.testing.assert_array_equal(net.params, params)
    np.testing.assert_array_equal(net.grads, grads)


def test_the_last_activations_make_the_logits():
    net, x = network(activation="tanh"), np.random.default_rng(2).normal(size=(4, 5))
    first, last = hidden_activations(net, x)
    assert first.shape == (4, 7)
    output = net.linear_layers[-1]
    np.testing.assert_allclose(last @ output.weight + output.bias, net.logits(x))


@pytest.mark.parametrize("outputs", [[0], [0, 3], [-1, 0], [[0, 0]]])
def test_unknown_outputs_are_refused(outputs):
    with pytest.raises(SettingError, match="one index from 0 to 2"):
        saliency(network(), np.ones((2, 5)), outputs)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(DataError):
        saliency(network(), np.ones((2, 4)))


def test_dead_units_are_found_for_any_activation():
    net = MLP([2, 3, 2], activation="relu")
    net.linear_layers[0].weight[...] = [[1, -1, 0], [1, -1, 0]]
    x = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, 0.1]])
    assert dead_units(hidden_activations(net, x)[0]).tolist() == [False, True, True]
    assert dead_units(np.array([[1.0, 0.3], [1.0, 0.4]])).tolist() == [True, False]
    assert dead_units(np.zeros((3, 2))).tolist() == [True, True]


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 1 - 1e-16], [-3e300, 3e300], [5.0]])
def test_a_histogram_of_any_finite_values_is_valid(values):
    shares, edges = histogram(np.array(values), 48)
    assert shares.sum() == pytest.approx(1)
    assert np.all(np.diff(edges) > 0)


def test_norms_cover_each_layer_s_weights():
    net = network(normalization="layer")
    net.loss_and_grad(np.random.default_rng(0).normal(size=(6, 5)), np.eye(3)[[0, 1, 2, 0, 1, 2]])
    found = gradient_norms(net)
    assert list(found) == ["layer 1", "layer 2", "layer 3"]
    sizes = np.cumsum([0, 35, 42, 18])
    for norm, start, stop in zip(found.values(), sizes[:-1], sizes[1:], strict=True):
        assert norm == pytest.approx(np.sqrt(np.sum(net.grads[start:stop] ** 2)))
        assert norm > 0
