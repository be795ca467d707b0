"""Texts that others wrote, read within a limit: every key stands once in them, and no number is too long."""

import json
import os
import re
from collections import Counter
from typing import Any

# Nothing of numlp's lies so deep, and Python's parser takes a time that grows with the square of the depth.
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PIECE = 1 << 16
_END = 1 << 64  # of whole numbers without a sign; Python refuses to write very long ones down


def read_text(path: str | os.PathLike[str], most: int) -> str:
    """Return the text of a file in UTF-8.

    Raises
    ------
    OSError
        If it can't be read.
    ValueError
        If it has more than `most` bytes, or is not in UTF-8.
    """
    return read_bytes(path, most).decode()


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the content of a file that has at most so many bytes; the errors are those of `read_text`."""
    content = bytearray()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):  # not at once: as much as is asked for is reserved
            content += piece
            if len(content) > most:
                raise ValueError(f"it has more than {most:,} bytes")
    return bytes(content)


def parse_json(text: str, most_objects: int | None = None) -> Any:
    """Return what a JSON text means.

    Raises
    ------
    ValueError
        If it is no JSON, is nested too deep, has a key twice in one object, an integer of more than 64 bits, half a
        character, or more objects than it may have.

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: 'a' stands in it twice
    """
    count = 0

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal count
        count += 1
        if most_objects is not None and count > most_objects:
            raise ValueError(f"it has more than {most_objects:,} entries")
        found = dict(pairs)
        if len(found) < len(pairs):
            ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
            raise ValueError(f"{name!r:.80} stands in it twice")
        return found

    try:
        parsed = json.loads(text, object_pairs_hook=once, parse_int=_integer)
        if _SURROGATE.search(text):
            json.dumps(parsed, ensure_ascii=False).encode()  # fails where a half of a character stands alone
        return parsed
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text means.

    Raises
    ------
    ValueError
        If it is no TOML, is nested too deep, or has an integer of more than 64 bits.

    >>> parse_toml("seed = 0xffff_ffff_ffff_ffff_ffff")
    Traceback (most recent call last):
    ...
    ValueError: it has a whole number of more than 64 bits
    """
    import tomllib  # only now: nobody who names no settings should wait for it

    if _DOTTED.search(text):
        raise ValueError("it is nested too deep")
    try:
        parsed = tomllib.loads(text)
        _check_integers(parsed)
        return parsed
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


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
