"""Digests: a fingerprint of the data that a run began with, so that it goes on with the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table
from numlp.data.chunked import Chunked
from numlp.data.teacher import decisive
from numlp.datasets import AnySplit, Dataset
from numlp.errors import FileFormatError, SettingError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.layout import DATA
from numlp.settings import limits
from numlp.settings.texts import parse_json, read_text

_BYTES = 1 << 22
_PARTS = ("training", "validation", "test", "folds", "names", "teacher")


def digests(dataset: Dataset, teacher: MLP | Ensemble | None = None) -> dict[str, str]:
    """Return a digest of each part of a data set, of its folds, of its names, and of the teacher.

    They are called "training", "validation", "test", "folds", "names" and "teacher"; there may be no validation rows,
    test rows, folds or teacher. The column that rows are split by is often no feature, but shows in the folds.
    They cover the arrays as training takes them, wherever the data lie, in whatever kind of file. BLAKE2b: RFC 7693.
    """
    parts = {name: digest_of(rows) for name, rows in dataset.parts.items()}
    if dataset.folds:
        parts["folds"] = _digest(*(index for fold in dataset.folds for index in fold))
    if teacher is not None:
        parts["teacher"] = _digest(*decisive(teacher))
    names = json.dumps([dataset.task, dataset.feature_names, dataset.class_names])
    return parts | {"names": hashlib.blake2b(names.encode(), digest_size=32).hexdigest()}


def write_digests(folder: Path, found: Mapping[str, str]) -> None:
    """Write the digests of a run's data to its folder."""
    text = json.dumps({"blake2b": dict(found)}, indent=2) + "\n"
    write_bytes(folder / DATA, text.encode())


def check_digests(folder: Path, dataset: Dataset, teacher: MLP | Ensemble | None = None) -> None:
    """Refuse data, or a teacher, that differ from those that a run began with.

    Raises
    ------
    SettingError
        If they differ.
    FileFormatError
        If the file with the digests is damaged.
    """
    other = changed_parts(folder, digests(dataset, teacher))
    if other == ["teacher"]:
        raise SettingError(
            f"the teacher isn't the one that {folder} learned from: name that with --teacher, train again or, to go "
            "on with this one, add --changed-data"
        )
    if other:
        what = ", ".join(part(name) for name in other)
        raise SettingError(
            f"the data differ from those that {folder} began with, in {what}: put the old data back, train again or, "
            "to go on with these, add --changed-data"
        )


def changed_parts(folder: Path, now: Mapping[str, str]) -> list[str]:
    """Return the parts of data whose digests aren't those that a run began with; none if there is no record of them.

    Raises
    ------
    FileFormatError
        If the file with the digests is damaged.
    """
    path = part_of(folder, DATA)
    if not path.is_file():  # an older numlp began the run, or it was killed before it read a row
        return []
    try:
        written = parse_json(read_text(path, limits.TEXT_BYTES))["blake2b"]
        return [name for name in _PARTS if now.get(name) != written.get(name)]
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} is damaged: {error}") from error


def part(name: str) -> str:
    """Return what a digest is of, in words.

    >>> part("training"), part("folds")
    ('the training rows', 'the folds')
    """
    return f"the {name}" if name in ("folds", "names", "teacher") else f"the {name} rows"


def digest_of(rows: AnySplit | Chunked) -> str:
    """Return a digest of the rows of a part."""
    return rows.digest if isinstance(rows, Chunked) else _digest(*rows)


def _digest(*parts: AnyArray | Table) -> str:
    made = hashlib.blake2b(digest_size=32)
    for part in parts:
        for array in [part[name] for name in part.columns] if isinstance(part, Table) else [np.asarray(part)]:
            made.update(f"{array.dtype.str}{array.shape}".encode())
            rows = max(1, _BYTES // max(1, array[:1].nbytes))
            for start in range(0, len(array), rows):
                made.update(_bytes(array[start : start + rows]))
    return made.hexdigest()


def _bytes(piece: AnyArray) -> bytes | memoryview:
    if piece.dtype.kind == "O":  # texts, whose array holds addresses
        return json.dumps(piece.tolist()).encode()
    return np.ascontiguousarray(piece).view("i8" if piece.dtype.kind == "M" else piece.dtype).data
