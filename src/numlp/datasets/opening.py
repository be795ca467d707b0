"""Opening: the columns of files of tables, CSV, JSON lines or Parquet, for DuckDB to read."""

import contextlib
import dataclasses
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from numlp.datasets.delimited import CELLS, KIND, dialects_of, read_csv
from numlp.datasets.engine import Disk, connected
from numlp.datasets.source import Choose, Source
from numlp.datasets.suffixes import TABLES, suffix_of
from numlp.datasets.typed import fields, keys, read_json, read_parquet
from numlp.errors import FileFormatError

PARQUET = ("a Parquet file", ("parquet",))  # what a file should be, and what it may be
JSON = ("a file of JSON lines", ("json", "gzip", "zstd"))


def paths_of(path: Path) -> list[Path]:
    """Return a path, or the files, in order, that it is a pattern of.

    Raises
    ------
    FileFormatError
        If there is no such file.
    """
    if not glob.has_magic(str(path)) or path.exists():
        return [path]
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not found:
        raise FileFormatError(f"no file matches {path}")
    return found


@contextlib.contextmanager
def opened(
    path: Path, header: bool | None, missing: Sequence[str], choose: Choose, disk: Disk | None = None
) -> Iterator[Source]:
    """Yield the columns of a file, or of all files that a path is a pattern of.

    Parameters
    ----------
    path : path
    header, missing
        As in `Reading`.
    choose : callable
        Takes the names of all columns, and returns those to read.
    disk : Disk, optional
        Where to write the columns, if they don't fit into memory; the files can be left alone then.

    Raises
    ------
    FileFormatError, DataError
    """
    paths = paths_of(path)
    forms = {TABLES[suffix_of(each) or ".csv"] for each in paths}
    if len(forms) > 1:
        raise FileFormatError(f"{path} stands for files of several formats; name those of one, such as *.csv")
    (form,) = forms
    dialects = dialects_of(paths, header) if form == "csv" else []
    columns = 1
    if disk is not None:
        columns = len(dialects[0].names) if dialects else _count_columns(paths[0], form)
        disk.check(columns, json=form == "json")
    if form == "csv":
        with connected(paths, *KIND, columns=len(dialects[0].names), disk=disk) as connection:
            yield _kept(read_csv(connection, paths, dialects, missing, choose, disk), disk)
    elif form == "parquet":
        with connected(paths, *PARQUET, columns=columns, disk=disk) as connection:
            yield _kept(read_parquet(connection, paths, missing, choose), disk)
    else:
        with connected(paths, *JSON, columns=columns, disk=disk) as connection:
            yield _kept(read_json(connection, paths, missing, choose), disk)


def _kept(source: Source, disk: Disk | None) -> Source:
    """Return columns that lie on the disk, if there is one."""
    if disk is None:
        return source
    if source.relation != CELLS:
        source.connection.execute(f"CREATE TABLE {CELLS} AS SELECT {', '.join(source.names)} FROM {source.relation}")
    source.connection.execute("CHECKPOINT disk")
    disk.remove()
    return dataclasses.replace(source, relation=f"disk.main.{CELLS}")


def _count_columns(path: Path, form: str) -> int:
    """Return the number of columns of a Parquet file, or those in the first objects of one of JSON lines."""
    kind = PARQUET if form == "parquet" else JSON
    with connected([path], *kind) as connection:
        return len(fields(connection, path) if form == "parquet" else keys(connection, path))
