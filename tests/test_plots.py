import io

import numpy as np
import pytest
from PIL import Image

from numlp import MLP, History, train
from numlp.errors import SettingError
from numlp.plots import compare, curves, weights


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
def test_colours_are_laid_side_by_side(shape):
    net = MLP([30, 1, 2], input_shape=shape)
    weight = net.named_parameters()["linear.0.weight"][:, 0].reshape(shape)
    channels = [weight[..., c] if shape[2] == 3 else weight[c] for c in range(3)]
    image = weights(net).axes[0].images[0].get_array()
    np.testing.assert_allclose(image, np.hstack(channels), rtol=1e-6)


def test_units_without_weights_are_drawn_as_zero():
    net = MLP([4, 2])
    net.params[:] = 0
    assert png(weights(net))
