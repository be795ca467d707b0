import warnings

import numpy as np
import pytest
from PIL import Image

from numlp import MLP, Ensemble, evaluate, load_dataset, standardize, train
from numlp.datasets.image import read_image
from numlp.errors import DataError, FileFormatError

ASKED = 40
TRANSPOSED = Image.Transpose.ROTATE_90  # what EXIF's orientation 6 undoes


@pytest.fixture(scope="module")
def mnist():
    return load_dataset("mnist")


@pytest.fixture(scope="module")
def network(mnist):
    x, y = mnist.train.x[:20_000], mnist.train.y[:20_000]
    net = MLP([784, 64, 10], input_scaling=standardize(x), input_shape=(28, 28), seed=0)
    train(net, (x, y), optimizer="adam", learning_rate=0.002, epochs=2)
    return net


def gray(x):
    return Image.fromarray(x)


def ink(value, x):
    """Ink of one color on a transparent ground."""
    return Image.fromarray(np.stack([np.full_like(x, value), x], axis=2))


def palette(x, *, ink):
    """An image whose palette has a transparent color, the ground."""
    image = Image.new("P", (28, 28))
    image.putdata((x > 127).ravel().tolist())
    image.putpalette([255 - ink] * 3 + [ink] * 3)
    return image


def exif(orientation):
    found = Image.Exif()
    found[274] = orientation
    return found


ALIKE = {  # how people save a digit: an image, the file's suffix, and settings
    "gray": (gray, "png", {}),
    "RGB": (lambda x: gray(x).convert("RGB"), "png", {}),
    "opaque RGBA": (lambda x: gray(x).convert("RGBA"), "png", {}),
    "opaque LA": (lambda x: gray(x).convert("LA"), "png", {}),
    "palette": (lambda x: gray(x).convert("P"), "png", {}),
    "16 bits": (lambda x: Image.fromarray(x.astype(np.uint16) * 257), "png", {}),
    "white ink, transparent": (lambda x: ink(255, x).convert("RGBA"), "png", {}),
    "black ink, transparent": (lambda x: ink(0, x).convert("RGBA"), "png", {}),
    "white ink, LA": (lambda x: ink(255, x), "png", {}),
    "black ink, LA": (lambda x: ink(0, x), "png", {}),
    "black on white": (lambda x: gray(255 - x), "png", {}),
    "black on white, RGBA": (lambda x: gray(255 - x).convert("RGBA"), "png", {}),
    "GIF": (gray, "gif", {}),
    "BMP": (gray, "bmp", {}),
    "WebP": (lambda x: gray(x).convert("RGB"), "webp", {"lossless": True}),
    "transparent WebP": (lambda x: ink(0, x).convert("RGBA"), "webp", {"lossless": True, "exact": True}),
    "on its side, by EXIF": (lambda x: gray(x).transpose(TRANSPOSED), "png", {"exif": exif(6)}),
    "JPEG with the suffix png": (gray, "png", {"format": "jpeg", "quality": 100, "subsampling": 0}),
    "JPEG": (gray, "jpg", {"quality": 100}),
    "JPEG on its side": (lambda x: gray(x).transpose(TRANSPOSED), "jpeg", {"quality": 100, "exif": exif(6)}),
}
BITS = {
    "two colors": lambda x: gray(x).convert("1", dither=Image.Dither.NONE),
    "palette, white ink, transparent": lambda x: palette(x, ink=255),
    "palette, black ink, transparent": lambda x: palette(x, ink=0),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ALIKE)
def test_a_digit_is_the_same_however_it_is_saved(tmp_path, network, mnist, form):
    draw, suffix, settings = ALIKE[form]
    images, labels = mnist.test.x[:ASKED], mnist.test.y[:ASKED]
    asked = []
    for number, x in enumerate(images):
        path = tmp_path / f"{number}.{suffix}"
        draw(x).save(path, **settings)
        asked.append(read_image(path, network))
    found = np.concatenate(asked).reshape(images.shape)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - images).max() <= (10 if "JPEG" in form else 1)
    assert evaluate(network, (found, labels))["accuracy"] == evaluate(network, (images, labels))["accuracy"] > 0.9


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", BITS)
def test_a_digit_of_two_colors_is_recognized(tmp_path, network, mnist, form):
    for x in mnist.test.x[:5]:
        BITS[form](x).save(tmp_path / "digit.png", **({"transparency": 0} if "palette" in form else {}))
        assert np.array_equal(read_image(tmp_path / "digit.png", network).reshape(28, 28) > 127, x > 127)


def asked_with(path, network):
    """Return a sample, and what was told."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sample = read_image(path, network)
    return sample, [str(each.message) for each in told]


def test_what_is_done_to_an_image_is_told(tmp_path, network, mnist):
    x = mnist.test.x[0]
    gray(x).save(tmp_path / "plain.png")
    assert asked_with(tmp_path / "plain.png", network)[1] == []
    ink(0, x).save(tmp_path / "ink.png")
    (told,) = asked_with(tmp_path / "ink.png", network)[1]
    assert (
        "ink.png: laid over white, since it is transparent; inverted, since its ground is light and that of" in told
    )


def test_a_network_trained_on_dark_ink_gets_dark_ink(tmp_path, mnist):
    x = 255 - mnist.test.x[:100]
    net = Ensemble([MLP([784, 10], input_scaling=standardize(x), input_shape=(28, 28))])
    for image in gray(x[0]), gray(255 - x[0]):
        image.save(tmp_path / "digit.png")
        assert np.array_equal(asked_with(tmp_path / "digit.png", net)[0][0], x[0].ravel())


def test_a_network_that_does_not_know_its_ground_gets_images_as_they_are_and_says_so(tmp_path):
    net = MLP([64, 2], input_shape=(8, 8))
    for value in 0, 255:
        Image.new("L", (8, 8), value).save(tmp_path / "image.png")
        sample, told = asked_with(tmp_path / "image.png", net)
        assert np.all(sample == value)
        assert "doesn't record whether its training images were light on dark or dark on light" in told[0]


@pytest.mark.parametrize("low", [0, -1])
@pytest.mark.parametrize("high", [1, 255])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_ground_is_known_in_every_range_of_values(tmp_path, mnist, low, high):
    x = mnist.test.x[:100] / 255 * (high - low) + low
    net = MLP([784, 10], input_scaling=standardize(x), input_shape=(28, 28))
    train(net, (x, mnist.test.y[:100]), epochs=1)
    gray(255 - mnist.test.x[0]).save(tmp_path / "digit.png")
    known = net.input_range.convention is not None
    assert np.array_equal(read_image(tmp_path / "digit.png", net)[0] == mnist.test.x[0].ravel(), np.full(784, known))


def test_photographs_without_a_plain_ground_are_left_alone(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 8, 8), dtype=np.uint8)
    net = MLP([64, 2], input_scaling=standardize(noise), input_shape=(8, 8))
    Image.new("L", (8, 8), 255).save(tmp_path / "image.png")
    sample, told = asked_with(tmp_path / "image.png", net)
    assert np.all(sample == 255)
    assert told == []


@pytest.mark.parametrize("shape", [(4, 5, 1), (1, 4, 5), (4, 5)], ids=str)
@pytest.mark.filterwarnings("ignore:the network doesn't record")
def test_a_gray_image_fits_samples_of_one_channel(tmp_path, shape):
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    gray(pixels).save(tmp_path / "image.png")
    sample = read_image(tmp_path / "image.png", MLP([20, 2], input_shape=shape))
    assert sample.tolist() == [list(range(20))]


@pytest.mark.parametrize("channels", [3, 4])
def test_channels_may_come_first_or_last(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, channels), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    last = read_image(tmp_path / "image.png", MLP([20 * channels, 2], input_shape=(4, 5, channels)))
    first = read_image(tmp_path / "image.png", MLP([20 * channels, 2], input_shape=(channels, 4, 5)))
    assert np.array_equal(last[0], pixels.ravel())
    assert np.array_equal(first[0], pixels.transpose(2, 0, 1).ravel())


def test_transparent_ink_in_color_is_laid_over_the_ground_that_shows_it(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[1:3, 1:3] = [0, 0, 200, 255]
    Image.fromarray(pixels).save(tmp_path / "image.png")
    sample, told = asked_with(tmp_path / "image.png", MLP([48, 2], input_shape=(4, 4, 3)))
    assert sample.reshape(4, 4, 3)[0, 0].tolist() == [255, 255, 255]
    assert sample.reshape(4, 4, 3)[1, 1].tolist() == [0, 0, 200]
    assert "laid over white" in told[0]


def half_and_half():
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[2:4, :] = [255, 255, 255, 255]
    pixels[4:6, :] = [0, 0, 0, 255]
    return Image.fromarray(pixels)


REFUSED = {
    "transparent everywhere": (Image.new("RGBA", (8, 8)), "png", "is transparent everywhere"),
    "gray ink": (Image.new("LA", (8, 8), (128, 90)), "png", "ink is neither dark nor light; save it without"),
    "black and white ink": (half_and_half(), "png", "ink is neither dark nor light; save it without transparency"),
    "another size": (Image.new("L", (9, 8)), "png", "has 8×9 pixels, but the network takes 8×8; resize it"),
    "bytes in 16 bits": (Image.fromarray(np.full((8, 8), 255, np.uint16)), "png", "from 255 to 255 of 65,535; bring"),
    "inks of a printer": (Image.new("CMYK", (8, 8)), "jpg", "mode CMYK; save it in gray or RGB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_images_whose_meaning_is_unclear_are_refused_with_the_remedy(tmp_path, name):
    image, suffix, message = REFUSED[name]
    image.save(tmp_path / f"image.{suffix}")
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / f"image.{suffix}", MLP([64, 2], input_shape=(8, 8)))


def test_an_image_for_a_network_of_a_table_is_refused_with_its_columns(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "house.png")
    net = MLP([2, 1], loss="squared_error", feature_names=["size", "age"])
    with pytest.raises(DataError, match=r"takes rows of a table; give it a \.csv file with the columns size, age"):
        read_image(tmp_path / "house.png", net)


def test_only_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (0, 60, 120)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    net = MLP([64, 2], input_scaling=standardize(np.zeros((2, 8, 8), np.uint8)), input_shape=(8, 8))
    assert not read_image(tmp_path / "moving.gif", net).any()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp"])
def test_a_damaged_image_is_refused(tmp_path, suffix):
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=r"isn't an image \(PNG, JPG.*or is damaged"):
        read_image(path, MLP([64, 2], input_shape=(8, 8)))
