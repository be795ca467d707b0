"""Databases: tables that don't fit into memory, in a file of DuckDB's, of which rows are fetched by their numbers."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind
from numlp.datasets.engine import Disk
from numlp.datasets.opening import opened
from numlp.datasets.reading import Reading
from numlp.datasets.source import Cells, Source
from numlp.datasets.tables import Plan, planned, wanted
from numlp.errors import FileFormatError


class Database:
    """The columns of a file of a table, or of several, copied to a disk.

    Parameters
    ----------
    path : path
        As for `read_table`.
    reading : Reading
    memory : int
        How many bytes the rows may take in memory.
    columns, kinds, labelled
        As for `read_table`.

    Attributes
    ----------
    source : Source
    plan : Plan
        What the columns hold, decided by all of their cells.

    Raises
    ------
    FileFormatError, DataError, SettingError, OutputError
    """

    def __init__(
        self,
        path: Path,
        reading: Reading,
        memory: int,
        columns: Sequence[str] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        *,
        labelled: bool = True,
    ) -> None:
        self._path = path
        stack = ExitStack()
        self._disk = Disk(memory)
        with stack:
            choose = wanted(path, reading, columns, labelled)
            source = stack.enter_context(opened(path, reading.header, reading.missing, choose, self._disk))
            self.source: Source = source
            self.plan: Plan = planned(path, source, reading, columns, {**reading.kind, **(kinds or {})})
            self._close = weakref.finalize(self, stack.pop_all().close)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.source.rows

    def fetch(self, columns: Mapping[str, Cells], start: int, stop: int) -> dict[str, AnyArray]:
        """Return columns, by name, as a table holds them, of the rows with these numbers."""
        import duckdb

        try:
            with self.source.connection.cursor() as cursor:
                return self.source.fetch(columns, (start, stop), cursor)
        except duckdb.OutOfMemoryException as error:
            raise self._disk.too_small(len(columns)) from error
        except duckdb.Error as error:
            raise FileFormatError(f"can't read the rows of {self._path} again: {error!s:.200}") from error
