"""The page's forward pass agrees with the library's for every activation, normalization, loss and ensemble."""

import base64

import numpy as np
import pytest

from numlp import MLP, Ensemble, Scaling
from numlp.judging.inspection import saliency
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.report.embedding import embedded, rounded

OUTPUTS = 4
# The page gets the images only once, because sending them takes longer than predicting.
PREDICT = """(description) => {
    const network = new Network(description);
    return rows.map((row) => description.task === "regression"
        ? network.values(row) : Array.from(network.probabilities(row)));
}"""
EXPLAIN = """([description, outputs]) => {
    const network = new Network(description);
    return outputs.map((output, i) => Array.from(network.saliency(network.forward(rows[i]), output)));
}"""


@pytest.fixture(scope="session")
def page(scripts, mnist):
    pixels = (mnist.test.x[:100] / 255).reshape(100, -1).astype("<f4")
    scripts.evaluate(
        """(data) => {
            const all = numbersOf({ dtype: "float32", data });
            window.rows = Array.from({ length: 100 }, (_, i) => all.subarray(784 * i, 784 * (i + 1)));
        }""",
        base64.b64encode(pixels.tobytes()).decode(),
    )
    return scripts


def images(mnist):
    return mnist.test.x[:100]


def network(seed=0, inputs=784, loss="softmax_cross_entropy", **settings):
    """Return a network with nothing at its initial value, so that norms, biases and scalings matter."""
    rng = np.random.default_rng(seed)
    outputs = OUTPUTS * LOSSES[loss]().blocks
    scaling = Scaling(rng.normal(0.3, 0.1, inputs), rng.uniform(1, 3, inputs))
    net = MLP([inputs, 24, 16, outputs], loss=loss, input_scaling=scaling, seed=seed, **settings)
    for name, view in net.named_parameters().items():
        if view.ndim == 1:
            view += rng.uniform(0.1, 0.6, view.shape) if name.endswith("variance") else rng.normal(0, 0.2, view.shape)
    return net


def predicted_by_the_page(page, model, dtype="float32"):
    return np.array(page.evaluate(PREDICT, embedded(model, dtype)))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_normalization(page, mnist, activation, normalization):
    net = network(activation=activation, normalization=normalization)
    expected = net.predict_proba(images(mnist))
    np.testing.assert_allclose(predicted_by_the_page(page, net), expected, atol=1e-4)
    assert expected.max(axis=0).min() > 0.05  # else any constant would pass


@pytest.mark.parametrize(
    "activations", [["leaky_relu(slope = 0.3)", "elu(alpha = 0.4)"], ["elu(alpha = 2.5)", "leaky_relu(slope = 0)"]]
)
def test_settings_of_activations(page, mnist, activations):
    net = network(activation=activations)
    np.testing.assert_allclose(predicted_by_the_page(page, net), net.predict_proba(images(mnist)), atol=1e-4)


def model_of(loss, members):
    target = (
        Scaling(np.linspace(10, 40, OUTPUTS), np.linspace(0.1, 2, OUTPUTS)) if LOSSES[loss].scales_targets else None
    )
    networks = [network(seed, loss=loss, target_scaling=target, initializer="he_normal") for seed in range(members)]
    for i, net in enumerate(networks):
        net.params *= 0.5  # keeps the exponentials of counts and variances in their range
        net.temperature = 1 + 0.3 * i if LOSSES[loss].task != "regression" else 1.0
    model = Ensemble(networks) if members > 1 else networks[0]
    if LOSSES[loss].task != "regression":
        model.temperature = 0.7
    return model


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_alone_and_in_an_ensemble(page, mnist, loss, members):
    model = model_of(loss, members)
    said = predicted_by_the_page(page, model)
    if LOSSES[loss].task == "regression":
        expected = model.predict(images(mnist)).reshape(100, model.loss.blocks, OUTPUTS)
        np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_allclose(said, model.predict_proba(images(mnist)), atol=1e-4)
    assert np.ptp(said) > 0.02


def test_two_classes_with_one_output(page, mnist):
    net = MLP([784, 8, 1], loss="sigmoid_binary_cross_entropy", class_names=["no", "yes"])
    said = predicted_by_the_page(page, net)
    assert said.shape == (100, 2)
    np.testing.assert_allclose(said, net.predict_proba(images(mnist)), atol=1e-4)


def test_no_hidden_layer_and_float64(page, mnist):
    net = MLP([784, OUTPUTS], dtype="float64", seed=3)
    np.testing.assert_allclose(predicted_by_the_page(page, net), net.predict_proba(images(mnist)), atol=1e-4)


def test_sixteen_bit_weights_match_the_rounded_network(page, mnist):
    net = network()
    net.params *= 1e5  # far beyond what float16 holds
    net.input_scaling = Scaling(np.array(0.0), np.array(1e-6))
    said = predicted_by_the_page(page, net, "int16")
    np.testing.assert_allclose(said, rounded(net).predict_proba(images(mnist)), atol=1e-5)
    np.testing.assert_allclose(said, net.predict_proba(images(mnist)), atol=1e-3)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_page_s_saliency_is_the_library_s(page, mnist, activation, normalization):
    net = network(activation=activation, normalization=normalization)
    rows = images(mnist)[:10]
    outputs = net.predict(rows).tolist()
    said = np.array(page.evaluate(EXPLAIN, [embedded(net, "float32"), outputs]))
    expected = saliency(net, rows)
    np.testing.assert_allclose(said, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(28, 28), (14, 14, 4), (4, 14, 14), (16, 49)], ids=str)
def test_features_of_images_and_their_saliency(page, mnist, shape):
    features = (
        "oriented_gradients" if shape == (28, 28) else "oriented_gradients(orientations = 6, cell = 5, stride = 3)"
    )
    net = network(input_features=features, input_shape=shape)
    shaped = images(mnist).reshape(-1, *shape)
    np.testing.assert_allclose(predicted_by_the_page(page, net), net.predict_proba(shaped), atol=1e-5)
    rows = shaped[:4]
    outputs = net.predict(rows).tolist()
    said = np.array(page.evaluate(EXPLAIN, [embedded(net, "float32"), outputs]))
    gradient = saliency(net, rows)
    np.testing.assert_allclose(said, gradient, atol=1e-4 * np.abs(gradient).max())


@pytest.mark.parametrize("part", ["activation", "layer", "loss"])
def test_the_page_refuses_unknown_parts(page, part):
    description = embedded(MLP([2, 2, 2], normalization="layer"), "float32")
    layers = description["members"][0]["layers"]
    if part == "loss":
        description["loss"] = "new"
    elif part == "layer":
        next(layer for layer in layers if layer["kind"] == "layer_norm")["kind"] = "new"
    else:
        next(layer for layer in layers if layer["kind"] == "activate")["name"] = "new"
    said = page.evaluate(
        "(description) => { try { new Network(description); } catch (error) { return error.message; } }", description
    )
    assert said == f"the page doesn't know {part} new"
