"""Opening: the columns of files of tables, CSV, JSON lines or Parquet, for DuckDB to read."""

import contextlib
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from numlp.datasets.delimited import KIND, dialects_of, read_csv
from numlp.datasets.engine import connected
from numlp.datasets.source import Choose, Source
from numlp.datasets.suffixes import TABLES, suffix_of
from numlp.datasets.typed import read_json, read_parquet
from numlp.errors import FileFormatError


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
        raise FileFormatError(f"there is no file {path}")
    return found


@contextlib.contextmanager
def opened(path: Path, header: bool | None, missing: Sequence[str], choose: Choose) -> Iterator[Source]:
    """Yield the columns of a file, or of all files that a path is a pattern of.

    Parameters
    ----------
    path : path
    header, missing
        As in `Reading`.
    choose : callable
        Takes the names of all columns, and returns those to read.

    Raises
    ------
    FileFormatError, DataError
    """
    paths = paths_of(path)
    forms = {TABLES[suffix_of(each) or ".csv"] for each in paths}
    if len(forms) > 1:
        raise FileFormatError(f"{path} stands for files of several formats; name those of one, such as *.csv")
    (form,) = forms
    if form == "csv":
        dialects = dialects_of(paths, header)
        with connected(paths, *KIND, columns=len(dialects[0].names)) as connection:
            yield read_csv(connection, paths, dialects, missing, choose)
    elif form == "parquet":
        with connected(paths, "a Parquet file", ("parquet",)) as connection:
            yield read_parquet(connection, paths, missing, choose)
    else:
        with connected(paths, "a file of JSON lines", ("json", "gzip", "zstd")) as connection:
            yield read_json(connection, paths, missing, choose)
