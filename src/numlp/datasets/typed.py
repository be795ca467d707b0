"""Tables whose columns have types: Parquet and JSON lines."""

import re
from collections.abc import Collection, Sequence
from math import isfinite, isinf
from pathlib import Path
from typing import Any, NamedTuple

from numlp.arrays.table import Kind
from numlp.datasets.cells import is_number, without_gaps
from numlp.datasets.columns import EXACT, LARGE, Column
from numlp.datasets.engine import listed_paths
from numlp.datasets.source import Cells, Choose, Source, chosen
from numlp.errors import DataError, FileFormatError
from numlp.settings import limits
from numlp.settings.checks import listed

_WHOLE = "U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"
_NUMBERS = rf"{_WHOLE}|FLOAT|DOUBLE|DECIMAL\(.*\)"
_DATES = "DATE|TIME|TIMESTAMP.*"
_TEXTS = r"UUID|ENUM\(.*\)"
_TOGETHER = 100  # columns that one query looks at
_LOOSE = ('"NULL"', "JSON")  # a column of JSON that is null in all rows, or holds values of several types
_TYPES = rf"{_NUMBERS}|{_DATES}|BOOLEAN|VARCHAR|{_TEXTS}"


def read_parquet(connection: Any, paths: Sequence[Path], missing: Sequence[str], choose: Choose) -> Source:
    files = listed_paths(paths)
    names: list[str] = []
    rows = 0
    for path in paths:
        own = fields(connection, path)
        names = names or own
        if own != names:
            odd = sorted(set(own) ^ set(names)) or own
            raise FileFormatError(
                f"{path} must have the same columns as {paths[0]}, but they differ in {listed(odd)}"
            )
        ((count,),) = connection.execute(
            f"SELECT num_rows FROM parquet_file_metadata({listed_paths([path])})"
        ).fetchall()
        rows += count
    if not rows:
        raise FileFormatError(f"{paths[0]} must have at least one row")
    kept = chosen(names, choose)
    most = limits.unpacked(sum(path.stat().st_size for path in paths))
    if 8 * rows * len(kept) > most:
        raise FileFormatError(
            f"{paths[0]} unpacks to {rows:,} rows of {len(kept):,} columns, much more than such a file should"
        )
    every = ", ".join(f"c{i}" for i in range(len(names)))
    relation = f"read_parquet({files}, hive_partitioning = false) AS cells({every})"
    return _typed(connection, relation, rows, kept, missing, str(paths[0]), most)


def fields(connection: Any, path: Path) -> list[str]:
    """Return the names of a Parquet file's columns, whatever is inside of them."""
    schema = connection.execute(f"SELECT name, num_children FROM parquet_schema({listed_paths([path])})").fetchall()
    names, inside = list[str](), 0
    for name, children in schema[1:]:  # in depth-first order
        if not inside:
            names.append(name)
        inside = max(inside - 1, 0) + (children or 0)
    return names


def keys(connection: Any, path: Path) -> list[str]:
    """Return the keys in the first objects of a file of JSON lines."""
    reader = f"read_json({listed_paths([path])}, maximum_object_size = {limits.LINE}, hive_partitioning = false)"
    return [name for name, *_ in connection.execute(f"DESCRIBE FROM {reader}").fetchall()]


def read_json(connection: Any, paths: Sequence[Path], missing: Sequence[str], choose: Choose) -> Source:
    options = f"sample_size = -1, maximum_object_size = {limits.LINE}, hive_partitioning = false"
    reader = f"read_json({listed_paths(paths)}, {options})"
    names = [name for name, *_ in connection.execute(f"DESCRIBE FROM {reader}").fetchall()]
    every = ", ".join(f"c{i}" for i in range(len(names)))
    connection.execute(f"CREATE TABLE loaded AS FROM {reader} AS cells({every})")
    rows = connection.execute("SELECT count(*) FROM loaded").fetchone()[0]
    if not rows:
        raise FileFormatError(f"{paths[0]} must have at least one row")
    most = limits.unpacked(sum(path.stat().st_size for path in paths))
    kept = chosen(names, choose)
    _as_texts(connection, kept)
    return _typed(connection, "loaded", rows, kept, missing, str(paths[0]), most)


def _as_texts(connection: Any, columns: Collection[str]) -> None:
    """Make texts of the loaded columns that have no type of their own, unless lists or objects are in them."""
    for column, kind, *_ in connection.execute("DESCRIBE loaded").fetchall():
        if column in columns and kind in _LOOSE:
            inside = f"bool_or(json_type(CAST({column} AS JSON)) IN ('ARRAY', 'OBJECT'))"
            if connection.execute(f"SELECT {inside} FROM loaded").fetchone() != (True,):
                text = f"CAST({column} AS JSON) ->> '$'"
                connection.execute(f"ALTER TABLE loaded ALTER {column} TYPE VARCHAR USING {text}")


def _typed(
    connection: Any, relation: str, rows: int, kept: dict[str, str], missing: Sequence[str], path: str, most: int
) -> Source:
    """Return columns that have types already; texts that stand for gaps become NULL."""
    described = connection.execute(f"DESCRIBE SELECT {', '.join(kept)} FROM {relation}").fetchall()
    types = {column: kind for column, kind, *_ in described}
    for column, kind in types.items():
        if not re.fullmatch(_TYPES, kind):
            raise DataError(
                f"{path}: column {kept[column]!r:.200} holds {kind:.80}, not numbers, texts or dates; leave it out "
                "with `drop`"
            )
    texts = [column for column, kind in types.items() if kind == "VARCHAR"]
    if texts:
        sizes = connection.execute(f"SELECT {', '.join(f'sum(strlen({text}))' for text in texts)} FROM {relation}")
        for column, size in zip(texts, sizes.fetchone(), strict=True):
            if size is not None and size > most:
                raise FileFormatError(
                    f"{path}: column {kept[column]!r:.200} unpacks to {size:,} bytes, much more than it should"
                )
    cells = {column: _cell(column, kind, missing) for column, kind in types.items()}
    relation = f"(SELECT {', '.join(f'{cell} AS {column}' for column, cell in cells.items())} FROM {relation})"
    return Source(connection, relation, rows, kept, types, None, (), lambda row: f"{path}, row {row + 1}")


def _cell(column: str, kind: str, missing: Sequence[str]) -> str:
    """Return SQL for a column in which what stands for a gap is NULL."""
    if kind == "VARCHAR":
        return without_gaps(column, missing)
    numbers = [repr(float(gap)) for gap in missing if is_number(gap) and isfinite(float(gap))]
    if not numbers or not re.fullmatch(_NUMBERS, kind):
        return column
    return f"CASE WHEN CAST({column} AS DOUBLE) IN ({', '.join(numbers)}) THEN NULL ELSE {column} END"


class Facts(NamedTuple):
    """What is in a column of numbers.

    Attributes
    ----------
    cells, fit : int
        The number of cells that aren't gaps, and of those that 64 bits hold as whole numbers.
    most : float or None
        The largest absolute value.
    """

    cells: int
    fit: int
    most: float | None


def facts(source: Source) -> dict[str, Facts]:
    """Return what is in the columns of numbers, many at once: a query for each takes longer the more there are."""
    numbers = [column for column, held in source.types.items() if re.fullmatch(f"{_NUMBERS}|BOOLEAN", held)]
    found: dict[str, Facts] = {}
    for start in range(0, len(numbers), _TOGETHER):
        some, aggregates = numbers[start : start + _TOGETHER], list[str]()
        for column in some:
            number, whole = f"CAST({column} AS DOUBLE)", re.fullmatch(_WHOLE, source.types[column])
            fit = f"count(TRY_CAST({column} AS BIGINT))" if whole else "0"
            aggregates += [f"count({column})", fit, f"max(abs({number})) FILTER (NOT isnan({number}))"]
        row = source.one(*aggregates)
        found |= {column: Facts(*row[3 * i : 3 * i + 3]) for i, column in enumerate(some)}
    return found


def read_typed(source: Source, column: str, held_in: Facts | None, kind: Kind | None = None) -> Column:
    """Return what a column holds that has another type than text.

    Parameters
    ----------
    source : Source
    column : str
    held_in : Facts or None
        What is in it, if it holds numbers.
    kind : "number", "text" or "date", optional
        What it is known to hold.

    Raises
    ------
    DataError
        If the column is known to be of another kind, or a number is infinite.
    """
    held, name = source.types[column], source.names[column]
    own: Kind = "date" if re.fullmatch(_DATES, held) else "text" if re.fullmatch(_TEXTS, held) else "number"
    if kind == "text" or own == "text" == (kind or own):
        return Column(Cells(column, "texts"))
    if kind not in (None, own):
        raise DataError(f"{source.place(0)}, column {name!r:.200} holds {own}s, not {kind}s, as it should")
    if own == "date" or held_in is None:
        return Column(Cells(f"DATE '1900-01-01' + {column}" if held == "TIME" else column, "dates"))
    if held == "BOOLEAN":
        return Column(Cells(column, "truths" if held_in.cells == source.rows else "numbers"))
    if held_in.most is not None and isinf(held_in.most):
        place, _ = source.first(f"isinf(CAST({column} AS DOUBLE))", column)
        raise DataError(f"{place}, column {name!r:.200} holds infinity; replace or remove it")
    if not re.fullmatch(_WHOLE, held):
        return Column(Cells(column, "numbers"))
    note = LARGE if (held_in.most or 0) >= EXACT else None
    return Column(Cells(column, "whole numbers" if held_in.fit == source.rows else "numbers"), note)
