"""Text: names that users chose, drawn as they are, whatever marks and letters they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any, ParamSpec

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

# Fonts for what matplotlib's own lacks, above all Chinese, Japanese and Korean; those that are installed are used.
_FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR", "Source Han Sans",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "PingFang SC",
    "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol", "Symbola",
)  # fmt: skip
_MOST = 60  # characters that a name may take

Given = ParamSpec("Given")


def draws(draw: Callable[Given, Figure]) -> Callable[Given, Figure]:
    """Return a drawing function that takes `$` in escaped texts literally, whatever the user's settings are."""

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Figure:
        with matplotlib.rc_context({"text.usetex": False, "text.parse_math": True, "font.family": list(_families())}):
            return draw(*args, **kwargs)

    return drawn


def literal(name: str, most: int = _MOST) -> str:
    r"""Return a name as matplotlib draws it literally: short, on one line, and without mathematics.

    The middle of a long name becomes "…", a character that no font has becomes "□".

    >>> literal("Ba$$in_^.csv"), literal("two\nlines"), literal("a long name", most=7)
    ('Ba\\$\\$in_^.csv', 'two lines', 'a l…ame')
    """
    known = _characters(_families())
    shown = "".join(c if ord(c) in known else "□" for c in " ".join(name.split()))
    if len(shown) > most:
        shown = f"{shown[: most // 2]}…{shown[len(shown) - (most - 1) // 2 :]}"
    return shown.replace("$", r"\$")


def heading(title: str) -> str:
    r"""Return a title as matplotlib draws it literally, with its lines.

    >>> heading("5$-6$\nloss")
    '5\\$-6\\$\nloss'
    """
    return "\n".join(literal(line, most=90) for line in title.split("\n"))


def legend(place: Axes | Figure, handles: Sequence[Artist], names: Sequence[str], **options: Any) -> None:
    """Draw a legend of users' names: also of those that begin with "_", which matplotlib leaves out by itself."""
    made = place.legend(handles=handles, labels=[str(i) for i in range(len(names))], frameon=False, **options)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_text(literal(name))


def _families() -> tuple[str, ...]:
    return (*matplotlib.rcParams["font.family"], *_installed())


@cache
def _installed() -> tuple[str, ...]:
    names = {entry.name for entry in fontManager.ttflist}
    return tuple(name for name in _FALLBACKS if name in names)


@cache
def _characters(families: tuple[str, ...]) -> frozenset[int]:
    """Return the codes of all characters that fonts can draw."""
    fonts = (get_font(findfont(FontProperties(family=[family]))) for family in families)
    return frozenset(code for font in fonts for code in font.get_charmap())
