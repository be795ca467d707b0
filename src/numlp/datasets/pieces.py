"""Pieces: a CSV file, cut where rows end."""

import re
from collections.abc import Iterator
from pathlib import Path

from numlp.datasets.dialects import unpacked
from numlp.settings import limits


def pieces_of(path: Path, separator: str, size: int) -> Iterator[bytes]:
    """Yield pieces of about so many bytes, each of whole rows, of a plain or gzipped CSV file.

    Raises
    ------
    OSError, EOFError, zlib.error
        If it can't be read, or unpacked.
    """
    rest = b""
    with unpacked(path) as file:
        while chunk := file.read(max(size - len(rest), limits.LINE)):
            rest += chunk
            end = end_of_rows(rest, separator)
            if not end and len(rest) > size + 2 * limits.LINE:
                end = len(rest)  # a row that is too long, as its reader says
            if end:
                yield rest[:end]
                rest = rest[end:]
    if rest:
        yield rest


def end_of_rows(data: bytes, separator: str) -> int:
    r"""Return where the last complete row ends of data that begin with a row; 0 if none is complete.

    Lines end inside of cells, too, if these begin with a quote; other quotes are part of a text.

    >>> end_of_rows(b'5" pipe,1\n"two\nlines",2\n"and\nmo', ",")
    24
    """
    line_end = b"\n" if b"\n" in data else b"\r"
    end = data.rfind(line_end) + 1
    # A cell in quotes, closed or not, after what separates it from the one before.
    cell = re.compile(rb'(?:\A|(?<=[\r\n%s]))"[^"]*(?:""[^"]*)*(?:"|\Z)' % re.escape(separator.encode()))
    while b'"' in data[:end] and not cell.sub(b".", data[:end]).endswith(line_end):
        for found in cell.finditer(data[:end]):
            start = found.start()
        end = data.rfind(line_end, 0, start) + 1
    return end
