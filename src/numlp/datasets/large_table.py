"""Large tables: tables that don't fit into memory, on a disk, of which chunks of rows become splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table, as_text
from numlp.datasets.database import Database
from numlp.datasets.dataset import AnySplit
from numlp.datasets.labels import MOST_CLASSES, class_names, column_labels, infer_task
from numlp.datasets.parts import as_split
from numlp.datasets.readers import Samples
from numlp.datasets.reading import Reading
from numlp.datasets.slices import Bools, Slices, Target, Which
from numlp.datasets.source import Cells
from numlp.datasets.tables import empty, left_out
from numlp.errors import DataError, SettingError
from numlp.network.losses import Task
from numlp.settings.checks import unknown

CELL = 48  # bytes of a cell of a table while it becomes a code
_CLASSES = 1 << 16  # at most, of a target that is larger than memory
_NEARLY_ALL = 0.9  # of the rows: texts that differ in so many are ids
_TOGETHER = 100  # columns that one query looks at
_SEVERAL = 3  # rows of each value, where only the different values are known
_DATES = 1_000_000  # rows whose dates tell which are late


class LargeTable:
    """A table that doesn't fit into memory.

    Parameters
    ----------
    database : Database
    path : path
        What to call it in messages.
    reading : Reading

    Attributes
    ----------
    features : tuple of str
        The names of the columns that a network takes, at first all of them.
    notes : tuple of str
        What the user should know.
    """

    def __init__(self, database: Database, path: Path, reading: Reading) -> None:
        self.database, self.reading = database, reading
        self._path, self._cells = path, database.plan.cells
        self.features = tuple(name for name in self._cells if name not in (reading.target, reading.weights))
        self.notes = database.plan.notes
        if not self.features:
            raise DataError(f"{path} must have a column besides the target")
        self._absent = self._without_target()

    def _without_target(self) -> AnyArray:
        """Return the numbers of rows without a target, or refuse them, and rows without a weight."""
        source, absent = self.database.source, np.empty(0, np.intp)
        for name in (self.reading.target, self.reading.weights):
            if name is None:
                continue
            gap = f"{self._cells[name].sql} IS NULL"
            (count,) = source.one(f"count(*) FILTER ({gap})")
            if not count:
                continue
            found = source.connection.execute(f"SELECT rowid AS r FROM {source.relation} WHERE {gap} ORDER BY r")
            rows = found.fetchnumpy()["r"]
            if name == self.reading.target and self.reading.drop_missing_target:
                if count == source.rows:
                    raise DataError(f"column {name!r:.200} is empty in every row; name another target")
                self.notes = (*self.notes, left_out(count, name))
                absent = rows
            elif len(rows := np.setdiff1d(rows, absent)):
                raise empty(source, int(rows[0]), name, self.reading)
        return absent

    def drop_useless(self) -> None:
        """Leave out the columns that can't help: empty ones, constant ones, and texts that are ids.

        Raises
        ------
        DataError
            If no column can help.
        """
        source, reasons = self.database.source, dict[str, str]()
        names = [name for name in self.features if name not in self.reading.keep]
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            facts = [
                fact
                for cells in (self._cells[name] for name in some)
                for fact in (
                    f"count({cells.sql})",
                    f"min({cells.sql})",
                    f"max({cells.sql})",
                    f"approx_count_distinct({cells.sql})" if cells.held == "texts" else "0",
                )
            ]
            found = source.one(*facts)
            for i, name in enumerate(some):
                count, low, high, different = found[4 * i : 4 * i + 4]
                if not count:
                    reasons[name] = "it has no value in any row"
                elif count == source.rows and low == high:
                    reasons[name] = f"it is {as_text(low)} in all rows"
                elif different >= _NEARLY_ALL * count:
                    reasons[name] = (
                        f"it has about {different:,} different texts in {count:,} rows, like an id or a name"
                    )
        self.features = tuple(name for name in self.features if name not in reasons)
        if not self.features:
            name, reason = next(iter(reasons.items()))
            raise DataError(
                f"no column can help to predict the target: {name!r:.200} can't, since {reason}; keep it with `keep`"
            )
        self.notes += tuple(
            f"column {name!r:.200} is left out: {reason}; keep it with `keep`" for name, reason in reasons.items()
        )

    def target(self, task: Task | None) -> Target:
        """Return what the target is."""
        name, written = str(self.reading.target), self.database.plan.written
        assert written is not None
        labels = self._different(written, _CLASSES)
        values = self._different(self._cells[name], MOST_CLASSES)
        if len(labels) > _CLASSES and (values.dtype.kind == "O" or task in ("classification", "labels")):
            raise DataError(
                f"the target {name!r:.200} would have more than {_CLASSES:,} classes, such as {labels[0]!r:.100}: "
                "name another target, or set `task` to regression if these are numbers"
            )
        if task is None and values.dtype.kind not in "OM":
            task = "regression" if len(values) > MOST_CLASSES else infer_task(np.repeat(values, _SEVERAL))
        values = np.resize(values, _SEVERAL * len(labels))  # its kind decides; each occurs in many rows
        found, labels = column_labels(values, np.repeat(labels, _SEVERAL), name, task)
        return Target(found, None if found == "regression" else class_names(labels))

    def _different(self, cells: Cells, most: int) -> AnyArray:
        """Return the different values of a column, without gaps, or one more than `most` of them."""
        source, value = self.database.source, cells.sql
        query = f"SELECT DISTINCT {value} AS v FROM {source.relation} WHERE {value} IS NOT NULL LIMIT {most + 1}"
        return cells.array(source.connection.execute(query).fetchnumpy()["v"])

    def by_column(self, name: str, share: float, seed: int) -> Which:
        """Return what chooses the rows that validate by a column: groups at random, or about the latest dates.

        The column is no feature then, unless it is to be kept.
        """
        if name not in self.features:
            raise SettingError(unknown("column", name, self.features))
        cells, source = self._cells[name], self.database.source
        if name not in self.reading.keep:
            self.features = tuple(other for other in self.features if other != name)
        if not self.features:
            raise DataError(
                f"there is no column besides the target and {name!r}, by which rows are split; keep it with `keep`"
            )
        if cells.held == "dates":
            some = f"SELECT {cells.sql} AS v FROM {source.relation} WHERE rowid % {-(-source.rows // _DATES)} = 0"
            query = f"SELECT quantile_disc(v, {1 - share}), max(v) FROM ({some})"
            last, latest = source.connection.execute(query).fetchone()
            if last is None or last == latest:
                raise SettingError(f"{name!r:.200} has too few different dates to split by: name another column")
            end = np.datetime64(last, "us")
            return lambda start, stop: self.database.fetch({name: cells}, start, stop)[name] > end

        def groups(start: int, stop: int) -> Bools:
            texts = self.database.fetch({name: Cells(cells.sql, "texts")}, start, stop)[name].astype(str)
            found, where = np.unique(texts, return_inverse=True)
            chosen: Bools = np.array([_share_of(f"{seed} {text}") < share for text in found], bool)[where]
            return chosen

        return groups

    @property
    def kinds(self) -> dict[str, Kind]:
        """What the features hold."""
        held: dict[str, Kind] = {"texts": "text", "dates": "date"}
        return {name: held.get(self._cells[name].held, "number") for name in self.features}

    def slices(self, memory: int, names: Sequence[str] | None, *, of_indices: bool) -> Slices:
        """Return the rows, with their targets as a network with these names of classes takes them."""
        wanted = {
            name: self._cells[name] for name in (*self.features, self.reading.target, self.reading.weights) if name
        }
        written = self.database.plan.written

        def fetch(start: int, stop: int, there: Bools) -> AnySplit:
            more = {} if written is None else {"": written}
            found = self.database.fetch({f"={name}": cells for name, cells in wanted.items()} | more, start, stop)
            if not there.all():
                found = {name: array[there] for name, array in found.items()}
            columns = {name: found[f"={name}"] for name in self.features}
            weights = None if self.reading.weights is None else found[f"={self.reading.weights}"]
            y = found[f"={self.reading.target}"]
            return as_split(
                Samples(Table(columns), y, self.features, weights, found.get("")), names, of_indices=of_indices
            )

        row_bytes = CELL * (len(wanted) + 1)
        return Slices(self.database.rows, row_bytes, memory, fetch, self._absent)


def _share_of(text: str) -> float:
    """Return a number from 0 to 1 for a text, as if at random."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64
