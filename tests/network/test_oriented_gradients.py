"""Histograms of oriented gradients: what they are by their definition, their gradient, and networks that begin so."""

import copy
import itertools
import math
import pickle
import re

import numpy as np
import pytest
from network.test_gradients import clear_case, numerical_gradient, relative_error
from numpy.testing import assert_allclose, assert_array_equal

from numlp import MLP, Ensemble, Scaling, evaluate, load_model, save_model, train
from numlp.arrays.arithmetic import PORTABLE
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.files.models import read_description
from numlp.judging.inspection import saliency
from numlp.network.encoder import learn_encoding
from numlp.network.features import INPUT_FEATURES, OrientedGradients
from numlp.network.layers import GradientHistograms
from numlp.network.layers import oriented_gradients as module
from numlp.network.shape import PictureShape, as_picture_shape

SETTINGS = [
    OrientedGradients(),
    OrientedGradients(orientations=6, cell=3, stride=2),
    OrientedGradients(orientations=2, cell=1, stride=1),
    OrientedGradients(cell=5, stride=7),
]
SHAPES = [(9, 7), (6, 11, 3), (2, 8, 6), (5, 5, 1)]
TEXT = "oriented_gradients(cell = 3, stride = 2)"


def pooled(images, features):
    """Return the histograms of gray images before they are divided, pixel by pixel and cell by cell."""
    n, height, width = images.shape
    directions, cell = features.orientations, features.cell

    def value(i, j):
        return images[:, i, j] if 0 <= i < height and 0 <= j < width else np.zeros(n)

    def centers(size):
        places = ((cell - 1) / 2 + features.stride * i for i in itertools.count())
        return list(itertools.takewhile(lambda center: center <= size - 1, places))

    found = np.zeros((n, directions, len(centers(height)), len(centers(width))))
    for i, j, k in itertools.product(range(height), range(width), range(directions)):
        angle = 2 * math.pi * k / directions
        along, down = value(i, j + 1) - value(i, j - 1), value(i + 1, j) - value(i - 1, j)
        rise = np.maximum(0, along * math.cos(angle) + down * math.sin(angle))
        for (row, y), (column, x) in itertools.product(enumerate(centers(height)), enumerate(centers(width))):
            found[:, k, row, column] += max(0, 1 - abs(i - y) / cell) * max(0, 1 - abs(j - x) / cell) * rise
    return found


def divided(histograms):
    """Return features, by the energy of the cells around each."""
    energy = (histograms**2).sum(axis=1)
    around = np.zeros_like(energy)
    for row, column in np.ndindex(energy.shape[1:]):
        near = energy[:, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        around[:, row, column] = near.sum(axis=(1, 2))
    return (histograms / np.sqrt(around + 0.05)[:, None]).reshape(len(histograms), -1)


def layer_for(features, shape, arithmetic=None):
    layer = GradientHistograms(features, as_picture_shape(shape))
    if arithmetic is not None:
        layer.arithmetic = arithmetic
    layer.bind({}, {})
    return layer


def images(shape, n=5, seed=0):
    return np.random.default_rng(seed).random((n, math.prod(shape)))


@pytest.mark.parametrize("features", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(9, 7), (5, 5)])
def test_features_are_those_of_the_definition(shape, features):
    x, layer = images(shape), layer_for(features, shape)
    expected = divided(pooled(x.reshape(-1, *shape), features))
    assert layer.width == features.width(shape) == expected.shape[1]
    assert_allclose(layer.infer(x), expected, rtol=1e-12, atol=1e-12)
    assert_allclose(layer.infer(x.astype("float32")), expected, rtol=1e-5, atol=1e-6)
    layer.arithmetic = PORTABLE
    assert_allclose(layer.infer(x.astype("float32")), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("features", SETTINGS, ids=str)
def test_channels_are_added_up_wherever_they_stand(features):
    x = np.random.default_rng(0).random((4, 6, 9, 3))
    first = np.moveaxis(x, -1, 1)
    last = layer_for(features, (6, 9, 3)).infer(x.reshape(4, -1))
    assert_array_equal(layer_for(features, (3, 6, 9)).infer(first.reshape(4, -1)), last)
    expected = divided(sum(pooled(channel, features) for channel in np.moveaxis(x, -1, 0)))
    assert_allclose(last, expected, rtol=1e-12, atol=1e-12)


def test_flat_images_have_no_features_and_contrast_hardly_matters():
    layer = layer_for(OrientedGradients(), (12, 12))
    inner = np.zeros((1, 12, 12))
    assert not layer.infer(inner.reshape(1, -1)).any()
    x = images((12, 12))
    assert_allclose(layer.infer(3 * x), layer.infer(x), atol=0.01)
    assert 0 <= layer.infer(x).min() < layer.infer(x).max() <= 1


def test_a_step_upwards_rises_in_its_direction_alone():
    x = np.zeros((1, 8, 8))
    x[:, :, 4:] = 1
    found = layer_for(OrientedGradients(orientations=4), (8, 8)).infer(x.reshape(1, -1)).reshape(4, 2, 2)
    # At the right edge of the image, where 0 follows, brightness falls; at its ends, a column of 1s begins and ends.
    right, down, left, up = found.sum(axis=(1, 2))
    assert right > left > 0
    assert down == pytest.approx(up)


@pytest.mark.parametrize("features", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_gradient_is_that_of_finite_differences(shape, features):
    layer, x = layer_for(features, shape), images(shape, n=3)
    layer.allocate(4, "float64")
    layer.resize(3)
    delta = np.random.default_rng(1).normal(size=(3, layer.width))
    assert_array_equal(layer.forward(x), layer.infer(x))
    found = layer.backward(delta)
    expected = numerical_gradient(lambda: (layer.infer(x) * delta).sum(), x)
    assert found.shape == x.shape
    assert relative_error(found, expected) < 1e-7


@pytest.mark.parametrize("arithmetic", [None, PORTABLE])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_blocks_and_batches_of_any_size_give_the_same(shape, arithmetic, monkeypatch):
    features, x = OrientedGradients(cell=3, stride=2), images(shape, n=11).astype("float32")
    delta = np.random.default_rng(1).normal(size=(11, features.width(as_picture_shape(shape)))).astype("float32")

    def both(layer, rows):
        layer.resize(len(rows))
        return layer.forward(rows).copy(), layer.backward(delta[: len(rows)]).copy()

    whole = layer_for(features, shape, arithmetic)
    whole.allocate(11, "float32")
    expected = both(whole, x)
    monkeypatch.setattr(module, "_BLOCK", 3 * 6 * math.prod(shape))
    blocks = layer_for(features, shape, arithmetic)
    blocks.allocate(20, "float32")
    assert_array_equal(blocks.infer(x), whole.infer(x))
    for n in (11, 1, 7, 2):
        for found, wanted in zip(both(blocks, x[:n]), expected, strict=True):
            if arithmetic is PORTABLE:
                assert_array_equal(found, wanted[:n])
            assert_allclose(found, wanted[:n], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"orientations": 3}, "orientations must be even, so that each direction has its opposite, not 3"),
        ({"orientations": 0}, "orientations must be a whole number from 1 to 2048, not 0"),
        ({"cell": 0}, "cell must be a whole number from 1"),
        ({"stride": 1.5}, "stride must be a whole number from 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        OrientedGradients(**settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, r"input_features need images, with input_shape \(height, width\), .*, not rows of no known shape"),
        ({"input_shape": (64,)}, r"input_features need images, .*, not rows of shape \(64,\)"),
        ({"input_shape": (4, 4, 2, 2)}, r"not rows of shape \(4, 4, 2, 2\)"),
        ({"input_shape": (2, 32)}, "at least as high and wide as their cell of 4 pixels, .* images of 2 × 32 pixels"),
        (
            {"input_shape": (8, 8), "input_features": "hog"},
            "unknown input_features 'hog'. Available: oriented",
        ),
        ({"input_shape": (8, 8), "input_features": 3}, "input_features must be a name such as 'oriented_gradients'"),
        ({"input_shape": (8, 8), "input_features": "oriented_gradients(cells = 4)"}, "did you mean 'cell'"),
        (
            {"input_shape": (8, 8), "input_features": "oriented_gradients(orientations = 5)"},
            "input_features oriented_gradients: orientations must be even",
        ),
    ],
)
def test_a_network_without_images_is_refused_by_name(settings, says):
    with pytest.raises(SettingError, match=says):
        MLP([64, 8, 2], **({"input_features": "oriented_gradients"} | settings))


def test_images_too_large_and_tables_are_refused():
    with pytest.raises(SettingError, match="and at most 2,048, not images of 2049 × 4 pixels"):
        MLP([2049 * 4, 2], input_features="oriented_gradients", input_shape=(2049, 4))
    many = "oriented_gradients(orientations = 128, cell = 1, stride = 1)"
    with pytest.raises(SettingError, match="input_features give 33,554,432 numbers, more than 16,777,216"):
        MLP([512 * 512, 2], input_features=many, input_shape=(512, 512))
    encoding = learn_encoding(np.arange(12.0).reshape(4, 3))
    with pytest.raises(SettingError, match="input_features need images, not the columns of a table"):
        MLP([3, 2], input_features="oriented_gradients", input_encoding=encoding)


def network(shape=(6, 7), *, seed=0, features=TEXT, **settings):
    return MLP([math.prod(shape), 8, 5, 3], input_features=features, input_shape=shape, seed=seed, **settings)


def test_the_layer_follows_the_noise_on_pixels_and_the_first_weights_have_its_width():
    net = network(input_noise=0.1, input_dropout=0.2)
    assert [layer.kind for layer in net.layers][:4] == ["gaussian_noise", "dropout", "oriented_gradients", "linear"]
    assert net.layer_size == (42, 8, 5, 3)
    width = OrientedGradients(cell=3, stride=2).width((6, 7))
    assert net.linear_layers[0].weight.shape == (width, 8)
    assert re.search(rf"oriented_gradients +{width} ", net.summary())
    assert "input_features='oriented_gradients(cell = 3, stride = 2)'" in repr(net)
    given = network(features=OrientedGradients(cell=3, stride=2))
    assert given.architecture == network().architecture
    assert set(INPUT_FEATURES) == {"oriented_gradients"}


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "squared_error"])
@pytest.mark.parametrize("shape", [(5, 4), (4, 5, 2)], ids=str)
def test_gradients_of_networks(loss, shape):
    settings = {"activation": "tanh", "input_noise": 0.2, "input_dropout": 0.2}
    for sizes in ([math.prod(shape), 4, 3], [math.prod(shape), 3]):
        features = {"input_features": "oriented_gradients(stride = 2)", "input_shape": shape}
        clear_case(sizes, loss, weighted=True, **settings, **features).check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_trains_with_everything_and_predicts_what_it_trained(dtype):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (60, 8, 8), np.uint8), np.arange(60) % 3
    x[y == 1, 2:6] = 255
    x[y == 2, :, 2:6] = 255
    net = network((8, 8), dtype=dtype, input_noise=0.05, dropout=0.1)
    settings = {"augmentation": "images(shift = 1)", "adversarial": 0.05, "mixup": 0.1, "optimizer": "adam"}
    history = train(net, (x, y), epochs=40, learning_rate=0.01, batch_size=20, validation=(x, y), **settings)
    assert history["validation_accuracy"][-1] > 0.95
    assert (net.predict(x) == y).mean() == history["validation_accuracy"][-1]
    net.resize(60)
    plain = network((8, 8), dtype=dtype)
    plain.params = net.params
    rows = net.scaling_of(x.dtype).scaled(x.reshape(60, -1), net.dtype)
    assert_allclose(plain.forward(rows), net.logits(x.reshape(60, -1)), rtol=1e-4, atol=1e-5)


def test_images_of_another_shape_do_not_train():
    net, y = network((8, 8)), np.arange(30) % 3
    with pytest.raises(DataError, match=r"samples of shape \(4, 16\), but .* from images of \(8, 8\)"):
        train(net, (np.zeros((30, 4, 16)), y))
    for shape in ((8, 8), (8, 8, 1), (64,)):
        train(net, (np.zeros((30, *shape)), y), epochs=1, batch_size=10)


def test_rows_with_gaps_are_found():
    net = network()
    x = images((6, 7)).astype("float32")
    clean = net.logits(x.copy())
    for value in (np.nan, np.inf, -np.inf):
        rows = x.copy()
        rows[2, 11] = value
        with np.errstate(all="ignore"):
            found = net.logits(rows)
        assert np.isnan(found[2]).all()
        assert_allclose(np.delete(found, 2, 0), np.delete(clean, 2, 0), rtol=1e-5)
        with pytest.raises(DataError, match="row 2"):
            net.predict(rows)


def test_saliency_is_the_gradient_and_leaves_the_network_alone():
    net = network((6, 6, 3), dtype="float64", activation="tanh", input_scaling=Scaling(np.array(0.2), np.array(2.0)))
    x = images((6, 6, 3), n=3)
    found = saliency(net, x, [0, 1, 2])
    steps = np.array([[0, 1, 2], [4, 50, 100]])
    for row, pixel in zip(*steps, strict=True):
        moved = [x.copy() for _ in range(2)]
        moved[0][row, pixel] += 1e-6
        moved[1][row, pixel] -= 1e-6
        above, below = (net.logits(each)[row, row] for each in moved)
        assert (above - below) / 2e-6 / 2.0 == pytest.approx(found[row, pixel], rel=1e-5)


def test_copies_pickles_and_files_keep_the_features(tmp_path):
    net, x = network(), images((6, 7))
    ensemble = Ensemble([net, network(seed=1, features=None), network(seed=2, features="oriented_gradients")])
    for model in (net, ensemble):
        save_model(model, tmp_path / "net")
        again = load_model(tmp_path / "net")
        for other in (again, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert_array_equal(other.predict_proba(x), model.predict_proba(x))
            assert repr(other) == repr(model)
    assert read_description(tmp_path / "net")["networks"][1]["input_features"] is None


def test_a_pickle_of_an_earlier_release_has_no_features():
    state = MLP([4, 2]).__getstate__()
    del state["architecture"]["input_features"]
    net = MLP.__new__(MLP)
    net.__setstate__(state)
    assert net.architecture["input_features"] is None
    assert net.predict(np.ones((2, 4))).shape == (2,)


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ({"input_shape": [42]}, "input_features need images"),
        ({"input_shape": None}, "rows of no known shape"),
        ({"input_shape": [-6, -7]}, "input_shape must be a whole number"),
        ({"input_shape": [14, 3]}, "linear.0.weight must have shape"),
        ({"input_features": "oriented_gradients(stride = 1)"}, "linear.0.weight must have shape"),
        ({"input_features": "oriented_gradients(orientations = 2048, stride = 1, cell = 1)"}, "must have shape"),
        ({"input_features": None}, "linear.0.weight must have shape"),
        ({"input_features": 3}, "its description has input_features '3'"),
        ({"input_features": "hog"}, "unknown input_features 'hog'"),
    ],
)
def test_files_with_other_features_than_weights_are_refused(tmp_path, described, says):
    from files.test_models import rewrite

    save_model(network(), tmp_path / "net")
    rewrite(tmp_path / "net", **described)
    with pytest.raises(FileFormatError, match=says):
        load_model(tmp_path / "net")


def test_shapes_of_images():
    assert as_picture_shape((3, 4)) == PictureShape(3, 4)
    assert as_picture_shape((3, 4, 4)) == PictureShape(3, 4, 4)
    assert as_picture_shape((4, 3, 5)) == PictureShape(3, 5, 4, first=True)
    assert as_picture_shape((5, 5, 5)) is as_picture_shape((9,)) is as_picture_shape(()) is None


def test_images_of_another_shape_are_refused_wherever_they_come_in():
    """Their pixels lie otherwise: what is side by side in one shape isn't in the other."""
    net = MLP([48, 4, 2], input_features="oriented_gradients", input_shape=(6, 8))
    x = np.random.default_rng(0).random((5, 8, 6))
    for model in (net, Ensemble([net, net])):
        with pytest.raises(DataError, match=r"of shape \(8, 6\), but input_features .* images of \(6, 8\)"):
            model.predict(x)
        with pytest.raises(DataError, match="but input_features"):
            evaluate(model, (x, np.arange(5) % 2))
        assert model.predict(x.reshape(5, 6, 8)).shape == model.predict(x.reshape(5, 48)).shape == (5,)
