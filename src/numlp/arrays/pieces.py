"""Pieces: parts of flat arrays that stay in the cache while several operations go over them."""

from collections.abc import Iterator

from numlp.arrays.special import Array

_LENGTH = 65536  # numbers: so many that calls take little of the time, so few that several arrays fit into the cache


def piece_length(size: int) -> int:
    """Return the length of the pieces of arrays of `size` numbers: about 65,536, and equal, but for the last.

    >>> piece_length(1000), piece_length(70_000), piece_length(131_074)
    (1000, 70000, 65537)
    """
    return -(-size // max(1, round(size / _LENGTH)))


def pieces(scratch: Array, *arrays: Array) -> Iterator[list[Array]]:
    """Yield the arrays, all 1-D and of one size, piece by piece, after as much of `scratch`, of `piece_length`."""
    size = arrays[0].size
    length = piece_length(size)
    for start in range(0, size, length):
        stop = min(start + length, size)
        yield [scratch[: stop - start], *[array[start:stop] for array in arrays]]
