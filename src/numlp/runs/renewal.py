"""Renewal: a run's record stays true when its report is written anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from numlp.errors import FileFormatError
from numlp.runs.provenance import Statement, read_provenance, write_statement
from numlp.runs.subjects import differing, digest_file, is_shown, result_files


@contextlib.contextmanager
def renewing(folder: Path) -> Iterator[list[str]]:
    """Keep a run's record true while its report and figures are written anew inside a ``with`` block.

    If the run's other files are as they were, the record takes the digests of the pages that have changed; else it
    stays as it is, and goes on to show what is wrong. Without a record, nothing happens.

    Yields
    ------
    list of str
        After the block, the files with new digests.
    """
    renewed: list[str] = []
    try:
        statement = read_provenance(folder)
    except FileFormatError:
        yield renewed
        return
    sound = not differing(folder, statement.subjects, [name for name in statement.subjects if not is_shown(name)])
    before = _shown(folder)
    yield renewed
    new = {name: sha256 for name, sha256 in _shown(folder).items() if before.get(name) != sha256}
    if sound and new:
        write_statement(folder, Statement({**statement.subjects, **new}, statement.predicate))
        renewed += new


def _shown(folder: Path) -> dict[str, str]:
    return {name: digest_file(folder, name) for name in result_files(folder) if is_shown(name)}
