import io

import numpy as np
import pytest
from PIL import Image

from numlp import MLP, History, train
from numlp.errors import SettingError
from numlp.judging import confusions, metrics
from numlp.judging.inspection import saliency as saliency_of
from numlp.plots import (
    compare,
    confusion,
    curves,
    gradients,
    layers,
    learning_rate,
    learning_rates,
    mistakes,
    predictions,
    reliability,
    saliency,
    weights,
)
from numlp.training.callbacks import GradientNorms
from numlp.training.range_test import RangeTest, find_learning_rate


def png(figure):
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return Image.open(drawn)


@pytest.fixture
def history(blobs):
    return train(MLP([2, 4, 3]), blobs, validation=blobs, epochs=4)


@pytest.mark.parametrize("figure", ["loss", "accuracy"])
def test_curves_show_training_and_validation_and_the_best_epoch(history, figure):
    drawn = curves(history, figure, "title")
    axes = drawn.axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), history[f"train_{figure}"])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), history[f"validation_{figure}"])
    values = history[f"validation_{figure}"]
    best = values.index(min(values) if figure == "loss" else max(values)) + 1
    assert any(f"in epoch {best}" in text.get_text() for text in axes.get_legend().get_texts())
    assert png(drawn).width > 500


def test_curves_without_validation_and_of_one_epoch(blobs):
    assert png(curves(train(MLP([2, 3]), blobs, epochs=1), "loss"))


def test_a_bad_first_epoch_does_not_flatten_the_others():
    history, steady = History(), History()
    for epoch in range(1, 21):
        history.append({"epoch": epoch, "validation_r2": -40.0 if epoch == 1 else 1 - 1 / epoch})
        steady.append({"epoch": epoch, "validation_r2": epoch / 20})
    for low, high in (curves(history, "r2").axes[0].get_ylim(), compare({"run": history}).axes[1].get_ylim()):
        assert -1 < low < 0.9 < high < 1.2
    assert curves(steady, "r2").axes[0].get_ylim()[0] <= 0.05


def test_curves_of_an_unknown_figure(history):
    with pytest.raises(SettingError, match="figure must be one of"):
        curves(history, "f1")


def test_runs_are_compared_on_loss_and_score(history):
    drawn = compare({f"run {i}": history for i in range(20)})
    assert [axes.get_ylabel() for axes in drawn.axes] == ["Loss on validation data", "Accuracy on validation data"]
    assert len(drawn.axes[0].lines) == 20
    assert png(drawn)


def test_no_run_is_cut_off_by_a_shorter_one():
    short, long = History(), History()
    for epoch in range(1, 41):
        row = {"epoch": epoch, "validation_loss": 1 / epoch}
        long.append(row)
        if epoch < 5:
            short.append(row)
    drawn = compare({"short": short, "long": long})
    png(drawn)
    assert drawn.axes[0].get_xlim()[0] == 1
    assert drawn.axes[0].get_xlim()[1] >= 40


def test_runs_without_epochs_can_be_compared():
    assert png(compare({"a": History(), "b": History()}))


@pytest.mark.parametrize(
    ("inputs", "shape", "units"),
    [(784, None, 256), (784, (28, 28), 7), (24, (4, 6), 300), (48, (4, 4, 3), 1), (5, (5,), 3)],
)
def test_weights_of_any_input(inputs, shape, units):
    net = MLP([inputs, units, 2], input_shape=shape)
    assert png(weights(net, "title")).height > 200


def test_each_unit_s_image_is_its_weights():
    net = MLP([6, 2, 2], input_shape=(2, 3))
    unit = net.named_parameters()["linear.0.weight"][:, 0].reshape(2, 3)
    image = weights(net).axes[0].images[0].get_array()
    np.testing.assert_allclose(image[:2, :3], unit, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 5, 3), (3, 2, 5)])
def test_color_channels_lie_side_by_side(shape):
    net = MLP([30, 1, 2], input_shape=shape)
    weight = net.named_parameters()["linear.0.weight"][:, 0].reshape(shape)
    channels = [weight[..., c] if shape[2] == 3 else weight[c] for c in range(3)]
    image = weights(net).axes[0].images[0].get_array()
    np.testing.assert_allclose(image, np.hstack(channels), rtol=1e-6)


def test_units_without_weights_are_drawn_as_zero():
    net = MLP([4, 2])
    net.params[:] = 0
    assert png(weights(net))


def test_a_range_test_is_drawn_with_its_suggestion(blobs):
    found = find_learning_rate(MLP([2, 8, 3]), blobs)
    drawn = learning_rates(found, "title")
    axes = drawn.axes[0]
    assert axes.get_xscale() == "log"
    by_label = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(by_label["smoothed"].get_ydata(), found.smoothed)
    np.testing.assert_array_equal(by_label["each batch"].get_ydata(), found.losses)
    assert by_label[f"suggested: {found.suggestion:.2g}"].get_xdata() == found.suggestion
    low, high = axes.get_ylim()
    assert low < found.smoothed.min() < found.smoothed.max() < high
    assert png(drawn).width > 500


@pytest.mark.parametrize("losses", [[1.0] * 3, [-1.0, -2.0, 4.0], [1.0, 0.0, 1e30], [1e-9, 1e9, 1.0], [2.0]])
def test_any_losses_of_a_range_test_can_be_drawn(losses):
    rates, losses = np.geomspace(1e-6, 1, len(losses)), np.array(losses)
    assert png(learning_rates(RangeTest(rates, losses, losses, float("nan"))))
    assert png(learning_rates(RangeTest(rates, losses, losses / 2, rates[-1])))


def test_reliability_is_drawn_by_bin_with_the_error(blobs):
    net = MLP([2, 4, 3])
    train(net, blobs, epochs=2)
    probabilities, labels = net.predict_proba(blobs[0]), blobs[1]
    drawn = reliability(probabilities, labels, "title")
    upper, lower = drawn.axes
    shares, confidence, accuracy = metrics.reliability(probabilities, labels)
    line = upper.containers[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), confidence[shares > 0])
    np.testing.assert_array_equal(line.get_ydata(), accuracy[shares > 0])
    assert [bar.get_height() for bar in lower.patches] == np.round(150 * shares).tolist()
    error = f"{metrics.expected_calibration_error(probabilities, labels):.2%}"
    assert any(error in text.get_text() for text in upper.get_legend().get_texts())
    assert png(drawn).height > 500


@pytest.mark.parametrize("probabilities", [[[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]] * 3])
def test_reliability_of_a_few_rows(probabilities):
    assert png(reliability(probabilities, [0] * len(probabilities)))


def test_the_learning_rate_and_the_gradients_are_drawn_as_they_are(history, blobs):
    drawn = learning_rate(history)
    np.testing.assert_array_equal(drawn.axes[0].lines[0].get_ydata(), history["learning_rate"])
    norms = GradientNorms()
    train(MLP([2, 4, 3]), blobs, epochs=3, after_epoch=[norms])
    axes = gradients(norms.history).axes[0]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), norms.history["layer 2"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["layer 1", "layer 2"]


def test_a_confusion_matrix_has_its_counts_and_recalls():
    drawn = confusion([0] * 10, [0] * 8 + [1] * 2, ["cat", "dog"])
    texts = [text.get_text() for text in drawn.axes[0].texts]
    assert texts == ["8", "2"]
    assert drawn.axes[0].get_yticklabels()[0].get_text() == "cat  80.0%"
    assert png(drawn)


def test_mistakes_are_the_most_confident_ones(mnist):
    net = MLP([784, 10], input_shape=(28, 28))
    x, y = mnist.test.x[:50], mnist.test.y[:50]
    drawn = mistakes(net, x, y, most=5)
    probabilities = net.predict_proba(x)
    sureness = np.where(probabilities.argmax(axis=1) != y, probabilities.max(axis=1), 0)
    shown = [axes for axes in drawn.axes if axes.images]
    assert len(shown) == 5
    np.testing.assert_array_equal(shown[0].images[0].get_array(), x[sureness.argmax()])
    assert png(mistakes(net, x, net.predict(x)))  # none to show
    with pytest.raises(SettingError, match="network must have images as inputs"):
        mistakes(MLP([3, 2]), np.ones((1, 3)), [0])


def test_layers_are_drawn_with_their_dead_units():
    net = MLP([3, 4, 4, 2])
    net.linear_layers[0].weight[:, :2] = 0
    drawn = layers(net, np.random.default_rng(0).normal(size=(20, 3)))
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert titles[:2] == ["weights, layer 1", "activations, layer 1: 50.0% dead units"]
    assert titles[4] == "weights, layer 3"
    assert png(drawn)
    assert png(layers(MLP([3, 2]), np.ones((2, 3))))


def test_saliency_is_drawn_below_its_image(mnist):
    net, x = MLP([784, 8, 10]), mnist.test.x[:3]
    drawn = saliency(net, x)
    np.testing.assert_array_equal(drawn.axes[0].images[0].get_array(), x[0])
    expected = saliency_of(net, x)[0].reshape(28, 28)
    np.testing.assert_allclose(drawn.axes[3].images[0].get_array(), expected, rtol=1e-6)
    assert png(drawn)
    with pytest.raises(SettingError, match="network must have images as inputs"):
        saliency(MLP([3, 2]), np.ones((1, 3)))


def test_predictions_and_residuals():
    drawn = predictions([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    left, right = (axes.collections[0].get_offsets() for axes in drawn.axes)
    np.testing.assert_array_equal(left, [[1, 1.5], [2, 2], [4, 3]])
    np.testing.assert_array_equal(right, [[1.5, -0.5], [2, 0], [3, 1]])
    assert png(drawn)


def test_of_400_classes_the_figure_shows_those_with_the_most_mistakes():
    labels = np.arange(400)
    guess = np.where(labels < 10, labels + 1, labels)
    drawn = confusion(labels, guess, [f"class {i}" for i in labels], "data")
    axes = drawn.axes[0]
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert len(shown) == confusions.MOST_CLASSES
    assert shown[:11] == [f"class {i}" for i in range(11)]
    assert axes.get_yticklabels()[0].get_text() == "class 0  0.0%"
    assert axes.get_title(loc="left") == "data, the 40 of 400 classes with the most mistakes"
    assert png(drawn)
