"""Mutations of bytes: flipped bits, numbers at the edge of their type, pieces cut, doubled, moved, or foreign."""

from collections.abc import Sequence
from random import Random

_NUMBERS = (0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 10**9, 2**63 - 1, 2**64 - 1)
_TOKENS = [
    number.to_bytes(8, order)[:width] for number in _NUMBERS for order in ("big", "little") for width in (4, 8)
]
_TOKENS += [str(number).encode() for number in (*_NUMBERS, -1, 10**30)]
_TOKENS += [
    b"1e999",
    b"nan",
    b"Infinity",
    b"0x" + b"f" * 6000,
    b"[" * 3000,
    b"{" * 3000,
    b'{"a":' * 2000,
    b"a." * 3000,
]
_TOKENS += [
    b"True",
    b"../../",
    b"\\u0000",
    b"\0",
    b'"',
    b"'",
    b",",
    b"," * 3000,
    b"\n",
    b"\r",
    b"=",
    b"(",
    b"# ",
    b"\xff",
]


def mutated(rng: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return some content with one to a few changes; pieces may come from others."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        content = _changed(rng, bytearray(content), others)
    return content


def _changed(rng: Random, content: bytearray, others: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(content) + 1)
    end = min(len(content), start + rng.choice((1, 2, 4, 8, rng.randrange(1, 200))))
    match rng.randrange(8):
        case 0 if content:
            content[start - 1] ^= 1 << rng.randrange(8)
        case 1 if content:
            content[start - 1] = rng.randrange(256)
        case 2:
            del content[start:]
        case 3:
            del content[start:end]
        case 4:
            content[start:start] = content[start:end] * rng.choice((1, 1, 2, 50))
        case 5:
            token = rng.choice(_TOKENS)
            content[start : start + len(token) * rng.randrange(2)] = token
        case 6:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            content[start:end] = other[begin : begin + end - start]
        case 7:
            content[start:end] = rng.randbytes(end - start)
    return bytes(content)
