import dataclasses
import math
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from numlp import MLP, SGD
from numlp.arrays.arithmetic import ORDINARY
from numlp.data.augmentation import AUGMENTATIONS, Augmenter, Images, Warp, _functions
from numlp.data.erasing import Erase
from numlp.errors import DataError, SettingError
from numlp.training import threads

SHAPES = [(6, 6), (5, 8), (8, 5), (1, 7), (5, 7, 3), (3, 5, 7), (4, 4, 1), (1, 4, 6), (2, 2, 2)]
EVERYTHING = Images(
    shift=1.5, rotation=10, scale=0.1, shear=0.1, elastic=0.9, elastic_width=2, flip=0.5, erasing=0.5, noise=0.1
)
ALONE = {field.name: getattr(EVERYTHING, field.name) for field in dataclasses.fields(Images)}
ALONE.pop("elastic_width")


class Fixed:
    """A generator whose numbers are all the same."""

    def __init__(self, uniform):
        self.uniform = uniform

    def random(self, dtype, out):
        out[...] = self.uniform
        return out


def pictures(shape, n=5, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (n, *shape)).astype(dtype)


def augmented(settings, images, rng=0, batch_size=None, dtype=np.float32, unit=1.0):
    shape, n = images.shape[1:], len(images)
    rng = np.random.default_rng(rng) if isinstance(rng, int) else rng
    augment = settings.bind(shape, batch_size or n, unit)
    out = np.full((n, int(np.prod(shape))), np.nan, dtype)
    assert augment(images.reshape(n, -1), out, rng) is out
    return out.reshape(images.shape)


def coordinates(n, height=28, width=28, rng=0, **settings):
    """The coordinates that pixels read their values from, without the image's padding."""
    warp = Warp(Images(**settings), 1, height, width, n, ORDINARY)
    return warp.coordinates(n, np.random.default_rng(rng)).astype(np.float64) - 1


def grid(height=28, width=28):
    return np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij")).astype(np.float64)


# Nothing


@pytest.mark.parametrize("out", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_everything_off_rows_are_converted_and_no_number_is_drawn(shape, dtype, out):
    images = pictures(shape, dtype=dtype)
    np.testing.assert_array_equal(augmented(Images(), images, rng=Fixed(None), dtype=out), images.astype(out))


@given(st.sampled_from(SHAPES), st.sampled_from(["shift", "rotation", "scale", "shear", "elastic"]))
def test_a_map_that_moves_nothing_changes_no_bit(shape, name):
    images = pictures(shape)
    nothing = 0.0 if name == "elastic" else 0.5  # the radius of normal numbers; the middle of every range
    result = augmented(Images(**{name: 1.0}), images, rng=Fixed(nothing))
    np.testing.assert_array_equal(result, images)


# The map


@given(st.sampled_from(SHAPES), st.integers(0, 9), st.sampled_from([0.0, 1.0]))
def test_a_shift_by_whole_pixels_moves_zeros_in(shape, shift, uniform):
    images = pictures(shape)
    planes = images if len(shape) == 2 else np.moveaxis(images, 3 if shape[2] <= 4 else 1, 1)
    padded = np.pad(planes, [(0, 0)] * (planes.ndim - 2) + [(10, 10), (10, 10)])
    start = 10 + (shift if uniform else -shift)
    height, width = planes.shape[-2:]
    expected = padded[..., start : start + height, start : start + width]
    if len(shape) == 3:
        expected = np.moveaxis(expected, 1, 3 if shape[2] <= 4 else 1)
    np.testing.assert_array_equal(augmented(Images(shift=shift), images, rng=Fixed(uniform)), expected)


def test_half_a_pixel_is_the_mean_of_neighbors_and_half_of_the_edge():
    row = np.array([[[2, 4, 8]]], np.uint8)
    np.testing.assert_array_equal(coordinates(1, 1, 3, rng=0), grid(1, 3)[None])
    warp = Warp(Images(shift=1), 1, 1, 3, 1, ORDINARY)
    out = np.empty((1, 1, 1, 3), np.float32)
    warp.sample(row[None], np.array([[[[1, 1, 1]], [[0.5, 1.5, 3.5]]]], np.float32), out)
    np.testing.assert_array_equal(out.ravel(), [1, 3, 4])


@pytest.mark.parametrize("shape", [(6, 6), (7, 7), (7, 7, 3), (3, 6, 6)])
@pytest.mark.parametrize(("uniform", "turns"), [(1.0, 1), (0.0, -1)])
def test_a_rotation_by_90_degrees_turns_pixels_into_pixels(shape, uniform, turns):
    images = pictures(shape)
    axes = (2, 3) if len(shape) == 3 and shape[2] > 4 else (1, 2)
    result = augmented(Images(rotation=90), images, rng=Fixed(uniform))
    np.testing.assert_allclose(result, np.rot90(images, turns, axes), atol=1e-3)


@given(st.sampled_from(SHAPES), st.sampled_from(["uint8", "float32", "float64"]))
def test_a_flip_with_probability_1_is_the_mirror_image(shape, dtype):
    images = pictures(shape, dtype=dtype)
    mirror = images[:, :, ::-1] if len(shape) == 3 and shape[2] <= 4 else images[..., ::-1]
    np.testing.assert_array_equal(augmented(Images(flip=1), images), mirror)


def test_a_flip_has_its_probability_and_flips_the_whole_image():
    images = pictures((4, 4), n=4000)
    result = augmented(Images(flip=0.3), images)
    flipped = (result == images[..., ::-1]).all(axis=(1, 2))
    assert ((result == images).all(axis=(1, 2)) | flipped).all()
    assert flipped.mean() == pytest.approx(0.3, abs=0.03)


@given(st.sampled_from(SHAPES), st.sampled_from(["uint8", "float32", "float64"]), st.integers(0, 5))
def test_sampling_is_bilinear_interpolation_with_zeros_outside(shape, dtype, seed):
    settings = Images(shift=3, rotation=180, scale=0.5, shear=0.5, elastic=1, flip=0.5)
    images = pictures(shape, dtype=dtype)
    planes = images[:, None] if len(shape) == 2 else np.moveaxis(images, 3 if shape[2] <= 4 else 1, 1)
    channels, height, width = planes.shape[1:]
    warp = Warp(settings, channels, height, width, len(images), ORDINARY)
    where = warp.coordinates(len(images), np.random.default_rng(seed)).astype(np.float64) - 1
    expected = np.array(
        [
            [map_coordinates(plane.astype(float), at, order=1, mode="grid-constant") for plane in image]
            for image, at in zip(planes, where, strict=True)
        ]
    )
    result = augmented(settings, images, rng=seed)
    result = result[:, None] if len(shape) == 2 else np.moveaxis(result, 3 if shape[2] <= 4 else 1, 1)
    np.testing.assert_allclose(result, expected, atol=0.01)


@pytest.mark.parametrize("name", ["shift", "shear", "elastic"])
def test_pixels_from_far_outside_are_zero(name):
    images = pictures((1, 6) if name == "shift" else (6, 6), n=40)
    result = augmented(Images(**{name: 1e6}), images)
    assert np.isfinite(result).all()
    assert (result == 0).mean() > 0.7


@given(st.sampled_from(list(ALONE)))
def test_the_largest_settings_give_finite_numbers(name):
    largest = 180 if name == "rotation" else 5 if name == "scale" else 1 if name in ("flip", "erasing") else 1e6
    assert np.isfinite(augmented(Images(**{name: largest}), pictures((6, 7)))).all()


def test_the_parameters_of_the_map_fill_their_ranges_uniformly():
    n, limit = 4000, {"rotation": 20, "scale": 0.2, "shear": 0.3, "shift": 2}
    where = coordinates(n, 9, 12, **limit)
    across, down = where[:, :, 0, 1] - where[:, :, 0, 0], where[:, :, 1, 0] - where[:, :, 0, 0]
    angle = np.arctan2(across[:, 0], across[:, 1])
    along = across / np.linalg.norm(across, axis=1, keepdims=True)
    upright = np.stack([along[:, 1], -along[:, 0]], axis=1)
    scale_y = np.sum(down * upright, axis=1)
    parameters = {
        "rotation": np.rad2deg(angle)[:, None],
        "scale": np.log([np.linalg.norm(across, axis=1), scale_y]).T,
        "shear": (np.sum(down * along, axis=1) / scale_y)[:, None],
        "shift": where.mean(axis=(2, 3)) - grid(9, 12).mean(axis=(1, 2)),
    }
    everything = np.hstack([parameters[name] / limit[name] for name in limit])
    assert everything.shape == (n, 6)
    assert np.abs(everything).max() <= 1 + 1e-3
    assert (np.abs(everything).max(axis=0) > 0.99).all()
    np.testing.assert_allclose(everything.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(everything.std(axis=0), 1 / np.sqrt(3), atol=0.03)
    np.testing.assert_allclose(np.corrcoef(everything.T), np.eye(6), atol=0.08)


# The elastic field


@pytest.mark.parametrize(("height", "width"), [(28, 28), (10, 33)])
def test_the_elastic_field_has_its_strength_everywhere(height, width):
    field = coordinates(4000, height, width, elastic=0.9) - grid(height, width)
    np.testing.assert_allclose(field.std(axis=0), 0.9, atol=0.06)
    np.testing.assert_allclose(field.mean(axis=0), 0, atol=0.08)
    assert abs(np.corrcoef(field[:, 0].ravel(), field[:, 1].ravel())[0, 1]) < 0.05


def test_a_wider_field_is_smoother():
    def roughness(width):
        field = coordinates(200, elastic=1, elastic_width=width) - grid()
        return np.diff(field, axis=3).std()

    # Two bumps at distance 1 correlate as exp(−1 / (4 width²)).
    for width in (2, 4, 8):
        assert roughness(width) == pytest.approx(np.sqrt(2 * (1 - np.exp(-1 / (4 * width**2)))), rel=0.1)


def test_the_bumps_have_the_expected_values():
    centres = np.arange(-4, 31.3, 3.2)
    bumps = np.exp(-((np.arange(28)[:, None] - centres) ** 2) / 32)
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    functions = _functions(28, Images(elastic=0.9))
    assert functions.shape == (28, 12 + 2)
    np.testing.assert_allclose(functions[:, :12], bumps, rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(functions[:, 12:], np.stack([np.arange(28) - 13.5, np.ones(28)], axis=1))


# Erasing and noise


def test_erasing_fills_one_rectangle_with_zeros():
    images = pictures((28, 20), n=2000)
    result = augmented(Images(erasing=0.4), images)
    erased = result == 0
    np.testing.assert_array_equal(result[~erased], images[~erased])
    touched = erased.any(axis=(1, 2))
    assert touched.mean() == pytest.approx(0.4, abs=0.04)
    rows, columns = erased.any(axis=2), erased.any(axis=1)
    np.testing.assert_array_equal(erased, rows[:, :, None] & columns[:, None, :])
    for sides in (rows, columns):  # without gaps
        assert (np.abs(np.diff(np.pad(sides, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1) == 2 * touched).all()
    area = erased[touched].mean(axis=(1, 2))
    assert area.mean() == pytest.approx((0.02 + 0.33) / 2, abs=0.015)
    assert 0.01 < area.min() < 0.04  # sides are rounded to whole pixels
    assert 0.31 < area.max() < 0.38
    aspect = np.log(rows[touched].sum(axis=1) / columns[touched].sum(axis=1))
    assert aspect.mean() == pytest.approx(0, abs=0.1)
    assert np.quantile(np.abs(aspect), 0.9) <= -np.log(0.3)
    for sides in (rows, columns):  # rectangles reach both edges alike
        share = sides[touched].mean(axis=0)
        assert (share > 0.01).all()
        np.testing.assert_allclose(share, share[::-1], atol=0.1)


def test_channels_lose_the_same_rectangle():
    result = augmented(Images(erasing=1), pictures((3, 9, 9), n=50)) == 0
    assert (result == result[:, :1]).all()
    assert result.any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (2, 3)])
def test_rectangles_stay_within_thin_images(shape):
    n = 3000
    planes = np.ones((1, n, *shape))
    Erase(1.0, *shape, n, ORDINARY)(planes, n, np.random.default_rng(0), slice(None))
    assert planes.max() == 1 or shape == (1, 1)
    assert planes.min() == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_scales_with_the_range_of_the_data(dtype):
    images = pictures((28, 28), n=100)
    noise = augmented(Images(noise=0.1), images, dtype=dtype, unit=255.0) - images
    assert noise.std() == pytest.approx(25.5, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.3)
    assert np.corrcoef(noise[:50].ravel(), noise[50:].ravel())[0, 1] == pytest.approx(0, abs=0.02)


# All together


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_dtype_gives_the_same_result_and_is_not_changed(shape, dtype):
    images = pictures(shape, n=9)
    source = images.astype(dtype)
    source.flags.writeable = False
    result = augmented(EVERYTHING, source)
    np.testing.assert_array_equal(result, augmented(EVERYTHING, images))
    np.testing.assert_array_equal(source, images)
    np.testing.assert_allclose(augmented(EVERYTHING, source, dtype=np.float64), result, rtol=1e-5, atol=1e-4)
    assert not np.array_equal(result, augmented(EVERYTHING, source, rng=1))


def test_channels_share_the_map_of_their_image():
    grey = pictures((7, 9))
    settings = dataclasses.replace(EVERYTHING, noise=0)
    alone = augmented(settings, grey)
    np.testing.assert_array_equal(augmented(settings, np.stack([grey] * 3, axis=1)), np.stack([alone] * 3, axis=1))
    np.testing.assert_array_equal(augmented(settings, np.stack([grey] * 3, axis=3)), np.stack([alone] * 3, axis=3))


@given(st.integers(1, 130), st.sampled_from([1, 2, 40, 1000]))
def test_results_do_not_depend_on_the_content_of_buffers(n, more):
    images = pictures((28, 28), n=n)
    augment = EVERYTHING.bind((28, 28), n + more)
    for seed in (1, 2, 1):  # used buffers leave no trace
        out = augment(images.reshape(n, -1), np.empty((n, 784), np.float32), np.random.default_rng(seed))
    np.testing.assert_array_equal(out.reshape(images.shape), augmented(EVERYTHING, images, rng=1))


def test_strided_and_empty_rows_work():
    images = pictures((6, 6), n=8)
    wide = np.zeros((16, 80), np.float32)
    augment = EVERYTHING.bind((6, 6), 8)
    augment(images.reshape(8, -1), wide[::2, 4:40], np.random.default_rng(0))
    np.testing.assert_array_equal(wide[::2, 4:40].reshape(images.shape), augmented(EVERYTHING, images))
    assert not wide[1::2].any()
    assert augment(np.empty((0, 36)), np.empty((0, 36)), Fixed(None)).shape == (0, 36)


@pytest.fixture
def small_buffers():
    """Make NumPy convert dtypes through its smallest buffers, so that only arrays show up."""
    before = np.setbufsize(16)
    yield
    np.setbufsize(before)


def peak_memory(call):
    """Return the lowest peak of several calls: allocations of other threads don't fall into each of them."""

    def peak():
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        call()
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        return peak

    call()
    return min(peak() for _ in range(12))


@pytest.mark.usefixtures("small_buffers")
@pytest.mark.parametrize("out", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 2, 4), (4, 2, 2)])
@pytest.mark.parametrize("settings", [*({name: value} for name, value in ALONE.items()), {}, None], ids=str)
def test_a_call_allocates_no_array(settings, shape, dtype, out):
    # One float32 per image would take 8,192 bytes; views and Python's numbers take less than half of that.
    n = 2048
    x, result, rng = pictures(shape, n, dtype).reshape(n, -1), np.empty((n, 16), out), np.random.default_rng(0)
    augment = (EVERYTHING if settings is None else Images(**settings)).bind(shape, n)
    assert peak_memory(lambda: augment(x, result, rng)) < 4096
    assert peak_memory(lambda: augment(x, result, rng) * np.ones(n, np.float32)[:, None]) >= 8192


# What can go wrong


@pytest.mark.parametrize("name", [*ALONE, "elastic_width"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "much", None, True, 1e9])
def test_the_error_names_the_setting_and_its_range(name, value):
    with pytest.raises(SettingError, match=f"{name} must be a number from 0.* to .*, not "):
        Images(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("rotation", 181), ("flip", 1.01), ("erasing", 2), ("elastic_width", 0)])
def test_each_setting_has_its_range(name, value):
    with pytest.raises(SettingError, match=name):
        Images(**{name: value})


def test_settings_are_floats_frozen_and_compared_by_value():
    settings = Images(rotation=10)
    assert settings == Images(rotation=10.0)
    assert isinstance(settings.rotation, float)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.rotation = 3.0


@pytest.mark.parametrize("shape", [(), (13,), (5, 5, 5), (2, 3, 4, 5), (0, 4), (4, 0, 3), (2000, 2000)])
@pytest.mark.parametrize("settings", [Images(), EVERYTHING], ids=["off", "on"])
def test_rows_that_are_not_images_are_refused(settings, shape):
    with pytest.raises(DataError, match="augmentation needs images"):
        settings.bind(shape, 8)


def test_the_registry_lists_every_augmentation_by_its_name():
    assert {name: entry.name for name, entry in AUGMENTATIONS.items()} == {name: name for name in AUGMENTATIONS}
    assert isinstance(AUGMENTATIONS["images"]().bind((2, 2), 1), Augmenter)


def test_augmentation_takes_no_longer_than_a_training_step(mnist):
    """Compare everything on with a step of a 784-512-512-10 network, on one core: minima of interleaved times."""
    n = 128
    x = mnist.train.x[:n].reshape(n, -1)
    everything = Images(
        shift=1.5, rotation=10, scale=0.1, shear=0.1, elastic=0.9, flip=0.5, erasing=0.5, noise=0.1
    ).bind((28, 28), n, unit=255)
    out, rng = np.empty((n, 784), np.float32), np.random.default_rng(0)
    net, optimizer = MLP([784, 512, 512, 10]), SGD()
    state, targets = optimizer.init(net.params), np.eye(10, dtype=np.float32)[mnist.train.y[:n]]
    rows = (x / np.float32(255)).astype(np.float32)

    def step():
        net.loss_and_grad(rows, targets)
        optimizer.update(net.params, net.grads, state, 0.01)

    def seconds(work):
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    with threads.limited(1):  # augmentation uses one thread; a second one's effect on the step varies by machine
        times = [(seconds(lambda: everything(x, out, rng)), seconds(step)) for _ in range(40)]
    augmenting, training = (min(column) for column in zip(*times, strict=True))
    assert augmenting <= training


@hypothesis_settings(max_examples=40)
@given(
    st.sampled_from(
        [
            {"shift": 2},
            {"elastic": 1, "rotation": 10},
            {"noise": 0.1},
            {"erasing": 0.7},
            {"elastic": 0.7, "elastic_width": 2, "erasing": 0.5, "noise": 0.1, "flip": 0.5},
        ]
    ),
    st.sampled_from([(28, 28), (9, 7), (5, 5, 3)]),
    st.integers(1, 100),
    st.data(),
)
def test_some_rows_alone_are_those_of_all_rows(changes, shape, n, data):
    """As when several processes share out a batch, which must not change its images."""
    first, last = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
    augment = Images(**changes).bind(shape, batch_size=100, unit=255)
    pixels = np.random.default_rng(1).integers(0, 256, (n, math.prod(shape)), dtype=np.uint8)
    rngs = [np.random.default_rng(2) for _ in range(2)]
    whole = augment(pixels, np.empty(pixels.shape, np.float32), rngs[0])
    part = augment(pixels, np.full(pixels.shape, -1e9, np.float32), rngs[1], slice(first, last))
    np.testing.assert_array_equal(part[first:last], whole[first:last])
    assert np.all(part[:first] == -1e9)
    assert np.all(part[last:] == -1e9)
    assert rngs[0].random() == rngs[1].random()  # the next batch, too, will be the same
