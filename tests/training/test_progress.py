import io
import re
import sys

import numpy as np
import pytest
from rich.console import Console

from numlp import MLP, train
from numlp.errors import SettingError
from numlp.training.progress import Progress, sparkline


def test_sparklines():
    assert sparkline([3.0]) == "▁"
    assert sparkline(np.linspace(0, 1, 8).tolist()) == "▁▂▃▄▅▆▇█"


def test_a_library_s_training_shows_a_line_for_every_epoch(blobs, capsys):
    history = train(MLP([2, 3]), blobs, validation=blobs, epochs=3, progress=True)
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["epoch", "train", "loss", "accuracy", "validation", "loss", "accuracy", "seconds"]
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    assert [float(line.split()[2]) for line in lines] == pytest.approx(history["train_loss"], rel=1e-3)


def test_progress_is_off_unless_asked_for(blobs, capsys):
    train(MLP([2, 3]), blobs, epochs=1)
    assert capsys.readouterr().out == ""
    with pytest.raises(SettingError, match="progress must be True or False, not 'yes'"):
        train(MLP([2, 3]), blobs, epochs=1, progress="yes")


def lines_of(text):
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_a_bar_below_the_lines(blobs, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    train(MLP([2, 3]), blobs, validation=blobs, batch_size=10, epochs=3, progress=True)
    shown = lines_of(sys.stdout.getvalue())
    assert sum(bool(re.match(r" *epoch 3/3 +\d", line)) for line in shown) == 1
    assert "\x1b" in sys.stdout.getvalue()


def test_a_terminal_without_rich_has_plain_lines(blobs, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setitem(sys.modules, "rich.console", None)
    train(MLP([2, 3]), blobs, epochs=3, progress=True)
    assert "\x1b" not in sys.stdout.getvalue()
    assert len(sys.stdout.getvalue().splitlines()) == 4


def test_the_bar_shows_the_story_so_far(blobs):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    drawn = []

    def draw(state):
        progress._bar.refresh()
        drawn.append(state.history["validation_loss"])

    class Drawing:
        def __call__(self, state): ...

        record = staticmethod(draw)

    progress = Progress(console)
    train(
        MLP([2, 3]),
        blobs,
        validation=blobs,
        batch_size=50,
        epochs=4,
        progress=progress,
        after_epoch=[Drawing()],
    )
    best = [line for line in lines_of(screen.getvalue()) if "best" in line]
    assert any(f"best {min(drawn[-1]):.4g}, epoch {int(np.argmin(drawn[-1])) + 1}" in line for line in best)
    assert any("4/4" in line or "4.0/4" in line for line in best)
    assert all(len(line) <= 80 for line in best)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_bar_goes_away_however_training_ends(blobs, error):
    console = Console(file=io.StringIO(), force_terminal=True)
    progress = Progress(console)

    def fail(state):
        if state.epoch == 2:
            raise error

    with pytest.raises(error):
        train(MLP([2, 3]), blobs, epochs=4, progress=progress, after_epoch=[fail])
    assert console._live is None if hasattr(console, "_live") else not console._live_stack
    assert progress._bar is None


def test_batches_without_a_length(blobs, capsys):
    x, y = blobs
    train(MLP([2, 3]), lambda epoch: iter([(x, y)]), epochs=2, progress=True)
    assert "epoch 2/2" in capsys.readouterr().out
