"""Parts of data: training, validation and test rows, as a named data set, a folder or a file holds them."""

import dataclasses
import glob
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from numlp.arrays.table import Kind, Table
from numlp.data.weights import as_weights
from numlp.datasets import folder
from numlp.datasets.dataset import AnySplit, Split, WeightedSplit
from numlp.datasets.folder import FILES, is_idx
from numlp.datasets.labels import targets
from numlp.datasets.readers import ARRAYS, Parts, Samples, npz_parts, read_parts
from numlp.datasets.reading import Reading
from numlp.datasets.sources import SOURCES, locate
from numlp.datasets.suffixes import KNOWN, TABLES, suffix_of
from numlp.errors import FileFormatError, SettingError
from numlp.files.kinds import kind_of, refused
from numlp.network.losses import Task
from numlp.settings.checks import listed, unknown

_WANTED = f"a file of data ({', '.join(KNOWN)}) or a folder of IDX files"


def parts_in(name: str | os.PathLike[str], reading: Reading | None = None) -> tuple[str, ...]:
    """Return the parts that data holds, such as "train" and "test", or () for rows without parts.

    Parameters
    ----------
    name : str or path
        As for `load_dataset`.
    reading : Reading, optional
    """
    path = Path(name)
    found: Collection[str] = ()
    if os.fspath(name) in SOURCES:
        found = FILES
    elif os.path.isdir(path) or (os.path.exists(path) and is_idx(path.name)):
        found = folder.parts_in(path)
    elif path.suffix.lower() == ".npz":
        found = npz_parts(path, reading or Reading())
    return tuple(found) if len(found) > 1 else ()


def chosen_part(name: str, parts: Collection[str], part: str | None) -> str:
    """Return which of the data's parts holds the rows of a part: training rows those that are held out of them.

    Raises
    ------
    SettingError
        If there is no such part.
    """
    if len(parts) == 1:
        if part is not None:
            raise SettingError(f"split {part!r} doesn't apply to {name}, which is read whole: it has no splits")
        (only,) = parts
        return only
    part = part or "test"
    if part not in ("train", "validation", "test"):
        raise SettingError(unknown("split", part, ("train", "validation", "test")))
    cut = part == "validation" and part not in parts
    if not cut and part not in parts:
        raise SettingError(f"split {part!r} doesn't apply to {name}; it holds {listed(parts)}")
    return "train" if cut else part


def as_split(samples: Samples, names: Sequence[str] | None, *, of_indices: bool = False) -> AnySplit:
    """Return samples with their targets as a network takes them; see `numlp.datasets.labels.targets`."""
    written = None if names is None or of_indices else samples.written
    y = targets(samples.y if written is None else written, names, of_indices=of_indices)
    if samples.weights is None:
        return Split(samples.x, y)
    return WeightedSplit(samples.x, y, as_weights(samples.weights, len(samples.x)))


def pattern_of(name: str | os.PathLike[str]) -> str:
    """Return a name unchanged, unless it is that of a folder of tables: then a pattern of all of them.

    Raises
    ------
    FileFormatError
        If they have several suffixes.
    """
    suffixes = set(_tables_in(Path(name))) if os.fspath(name) not in SOURCES else set()
    if len(suffixes) > 1:
        raise FileFormatError(
            f"{os.fspath(name)} is a folder of tables of several kinds: name those of one, as "
            f"'{os.fspath(name)}/*{min(suffixes)}'"
        )
    return os.path.join(glob.escape(os.fspath(name)), f"*{suffixes.pop()}") if suffixes else os.fspath(name)


def is_larger(name: str, memory: int, *, alone: bool = False) -> bool:
    """Return whether the rows of a file or a folder, or of all files of a pattern, would take more memory.

    `alone` if they are samples without targets.
    """
    from numlp.datasets import sizes  # which loads all that reads files

    sizes.tell_of_npz(name, memory)
    return (sizes.size_of_samples(name) if alone else sizes.size_in_memory(name)) > memory


def read_data(
    name: str,
    reading: Reading,
    columns: Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[Parts, tuple[str, ...] | None]:
    """Read the parts of a named data set, a folder or a file, and the names of its classes if they are known.

    Raises
    ------
    SettingError, FileFormatError, DataError, DownloadError
    """
    path = Path(name := pattern_of(name))
    suffix = suffix_of(path) or path.suffix.lower()
    is_folder = os.path.isdir(path) or (os.path.exists(path) and is_idx(path.name))
    is_file = name not in SOURCES and suffix in (*ARRAYS, *TABLES) and not os.path.isdir(path)
    if name not in SOURCES and not (is_file or is_folder):
        raise _unread(name, path)
    given = {each: getattr(reading, each) for each in ("target", "weights", "inputs")} | reading.of_tables()
    for setting, value in given.items():
        if value is not None and (not is_file or (setting == "inputs" and suffix != ".npz")):
            wanted = ".npz" if setting == "inputs" else " or ".join(KNOWN)
            raise SettingError(f"{setting} {value!r} doesn't apply to {name}; leave it out, or name a file {wanted}")
    if name in SOURCES:
        source = SOURCES[name]
        found = locate(name, data_dir)
        if found is None:
            from numlp.datasets.download import fetch  # its imports are slow

            found = fetch(source)
        return _arrays(folder.read_folder(found, source.sha256).parts), source.class_names
    if is_file:
        return read_parts(path, reading, columns, kinds), None
    content = folder.read_folder(path)
    return _arrays(content.parts), content.class_names


def _tables_in(path: Path) -> list[str]:
    """Return the suffixes of the tables in a folder without IDX files."""
    names = os.listdir(path) if os.path.isdir(path) else []
    return [] if any(map(is_idx, names)) else [suffix for name in names if (suffix := suffix_of(name))]


def _unread(name: str, path: Path) -> FileFormatError | SettingError:
    """Return the error for what is neither a named data set nor data in a form that numlp reads, with a remedy."""
    if os.path.exists(path):
        kind = kind_of(path)
        if kind is not None and f".{kind.name}" in KNOWN:
            return FileFormatError(f"{name} is {kind.title}: give it the suffix .{kind.name}")
        untold = f"can't tell what {name} holds: give it the suffix of what it is, one of {', '.join(KNOWN)}"
        return refused(path, _WANTED, ("idx",), "", unknown=untold)
    if len(path.parts) > 1 or path.suffix:
        return FileFormatError(f"there is no file or folder {name}")
    return SettingError(unknown("data set", name, SOURCES) + f"; or name a {', '.join(KNOWN)} file or a folder")


def read_extra(
    path: str | os.PathLike[str], part: str, name: str, reading: Reading, training: Samples, task: Task | None
) -> Samples:
    """Read the validation or test rows of a file beside that of the training rows.

    Columns of a table hold what they hold in training, and the target of a regression holds numbers.
    """
    alike = Path(path).suffix.lower() == Path(name).suffix.lower() or None not in (suffix_of(path), suffix_of(name))
    kinds: dict[str, Kind] = training.x.kinds if isinstance(training.x, Table) else {}
    if reading.target is not None and (training.y.dtype.kind == "O" or task == "regression"):
        kinds[reading.target] = "number" if task == "regression" else "text"
    if not alike:
        reading = Reading(weights=reading.weights)
    elif suffix_of(path) is not None:
        reading = dataclasses.replace(reading, drop=(), keep=(), kind={})
    parts = read_parts(path, reading, training.columns, kinds).parts
    return parts.get(part) or next(iter(parts.values()))


def _arrays(parts: Mapping[str, Split]) -> Parts:
    return Parts({part: Samples(*split) for part, split in parts.items()})
