"""Texts that others wrote: read within limits, and shown without the power to change a terminal."""

import json
import os
import re
from collections import Counter
from typing import Any

# No text of numlp nests so deep, and the time of Python's parser grows with the square of the depth.
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but the tab and the end of a line
_PIECE = 1 << 16
_END = 1 << 64  # of whole numbers without a sign; Python refuses to print very long ones


def read_text(path: str | os.PathLike[str], most: int) -> str:
    """Return the text of a UTF-8 file.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it has more than `most` bytes, or isn't UTF-8.
    """
    return read_bytes(path, most).decode()


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the content of a file of at most `most` bytes; raise the errors of `read_text`."""
    content = bytearray()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):  # piecewise: a read reserves all that it asks for
            content += piece
            if len(content) > most:
                raise ValueError(f"it has more than {most:,} bytes")
    return bytes(content)


def visible(text: str) -> str:
    r"""Return a text with its control characters as codes, so that a terminal shows them and doesn't obey.

    >>> print(visible("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def as_options(text: str) -> str:
    """Return a message in which arguments, which stand in backticks, are options of the command line.

    >>> as_options("leave such rows out with `drop_missing_target`")
    'leave such rows out with --drop-missing-target'
    """
    return re.sub("`([a-z_]+)`", lambda found: "--" + found[1].replace("_", "-"), text)


def counted(n: int, one: str, more: str | None = None) -> str:
    """Return a number with its noun; the plural ends in s unless `more` says otherwise.

    >>> counted(1, "column"), counted(2000, "column"), counted(0, "class", "classes")
    ('1 column', '2,000 columns', '0 classes')
    """
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def parse_json(text: str, most_objects: int | None = None) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        If the text isn't JSON, is nested too deep, repeats a key in one object, holds an integer of more than 64 bits
        or a lone surrogate, or has more than `most_objects` objects.

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: it has the key 'a' twice
    """
    count = 0

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal count
        count += 1
        if most_objects is not None and count > most_objects:
            raise ValueError(f"it has more than {most_objects:,} objects")
        found = dict(pairs)
        if len(found) < len(pairs):
            ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
            raise ValueError(f"it has the key {name!r:.80} twice")
        return found

    try:
        parsed = json.loads(text, object_pairs_hook=once, parse_int=_integer)
        if _SURROGATE.search(text):
            json.dumps(parsed, ensure_ascii=False).encode()  # fails on a lone surrogate
        return parsed
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text.

    Raises
    ------
    ValueError
        If the text isn't TOML, is nested too deep, or has an integer of more than 64 bits.

    >>> parse_toml("seed = 0xffff_ffff_ffff_ffff_ffff")
    Traceback (most recent call last):
    ...
    ValueError: it has a whole number of more than 64 bits
    """
    import tomllib  # here, so that users without settings don't wait for it

    if _DOTTED.search(text):
        raise ValueError("it is nested too deeply")
    try:
        parsed = tomllib.loads(text)
        _check_integers(parsed)
        return parsed
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _integer(digits: str) -> int:
    return _checked(int(digits)) if len(digits) < 21 else _checked(_END)


def _check_integers(value: Any) -> None:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check_integers(part)
    elif isinstance(value, int):
        _checked(value)


def _checked(value: int) -> int:
    if not -_END // 2 <= value < _END:
        raise ValueError("it has a whole number of more than 64 bits")
    return value
