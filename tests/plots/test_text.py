import io

import matplotlib
import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from numlp import MLP, History, plots
from numlp.plots.text import heading, literal

NAMES = [
    "Ba$$in", "a$b$c", r"\$5$", r"\frac{", "_hidden", "a_b^c", "back\\slash", "<b>&amp;", "[bold]x", "{x} %d",
    "two\nlines",
    "猫", "🐱", "ת", "\x1b[31m", "x" * 300, "$" * 300, "", " ",
]  # fmt: skip


def drawn(figure):
    """Draw a figure, and return its texts as a reader sees them."""
    figure.savefig(io.BytesIO(), format="png")
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert not any(is_math_text(text) for text in texts)
    return [text.replace(r"\$", "$") for text in texts]


def history():
    made = History()
    made.append({"epoch": 1, "train_loss": 1.0, "validation_loss": 1.0, "learning_rate": 0.1})
    return made


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_classes_and_columns_are_drawn_as_they_are(name):
    """Each name in a third of the figures, in turns: each figure gets a name of every kind."""
    flat, images = MLP([2, 2], feature_names=[name, name + "2"]), MLP([64, 2], class_names=[name, name + "2"])
    x = np.eye(64)[:3].reshape(3, 8, 8)
    title = heading(name).replace(r"\$", "$")
    curves = heading(f"{name}: loss on training and validation rows").replace(r"\$", "$")
    short, longer = (literal(name, most=most).replace(r"\$", "$") for most in (16, 24))
    turn = NAMES.index(name) % 3
    if turn == 0:
        assert not name or curves in drawn(plots.curves(history(), "loss", name))
        assert title in drawn(plots.predictions([1.0, 2.0], [1.0, 2.0], name))
        shown = drawn(plots.saliency(images, x, name))
        assert shown.count(short) + 1 >= (images.predict(x, indices=True) == 0).sum()
    elif turn == 1:
        assert title in drawn(plots.learning_rate(history(), name))
        assert title in drawn(plots.reliability([[0.2, 0.8], [0.7, 0.3]], [0, 1], name))
        shown = drawn(plots.mistakes(images, x, 1 - images.predict(x, indices=True), name))
        assert any(f"true: {short}" in text for text in shown)
    else:
        assert title in drawn(plots.layers(flat, np.eye(2), name))
        assert any(text.startswith(title) for text in drawn(plots.weights(flat, name)))
        assert longer in drawn(plots.confusion([0, 1], [1, 1], [name, "dog"], name))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_stands_in_the_legend_under_its_name(name):
    figure = plots.compare({name: history(), "other": history()})
    drawn(figure)
    shown = [text.get_text().replace(r"\$", "$") for text in figure.legends[0].get_texts()]
    assert shown == [literal(name).replace(r"\$", "$"), "other"]


def test_names_stay_text_whatever_the_user_s_settings_are():
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = plots.curves(history(), "loss", "Ba$$in")
    with matplotlib.rc_context({"text.parse_math": True}):
        assert "Ba$$in: loss on training and validation rows" in drawn(figure)
    assert figure.axes[0].title.get_parse_math()


def test_both_ends_of_a_long_name_are_shown():
    assert literal("run-" + "x" * 100 + "-7", most=9) == "run-…xx-7"
