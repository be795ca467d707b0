"""Checkpoint files: the state of a run after an epoch, as safetensors with JSON in the metadata.

Like a model file, a checkpoint holds numbers and names, nothing that is executed. It is written whole or not at all;
until then, the previous one stays.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.files.atomic import write_bytes
from numlp.files.kinds import refused
from numlp.files.tensors import open_tensors
from numlp.settings import limits
from numlp.settings.texts import parse_json
from numlp.version import __version__

FORMAT = "numlp-checkpoint"
FORMAT_VERSION = 2  # version 1 doesn't differ, but comes from releases whose "gelu" is now "gelu_tanh"


class Checkpoint(NamedTuple):
    """Everything that a run needs to resume.

    Attributes
    ----------
    arrays : dict of arrays
        By name, such as "params" and "optimizer.velocity".
    figures : dict
        Counts, the history, and the callbacks' state, as JSON.
    version : int
        The version of the format in which it was written.
    """

    arrays: dict[str, AnyArray]
    figures: dict[str, Any]
    version: int = FORMAT_VERSION


def write_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Write a checkpoint atomically and durably.

    Raises
    ------
    OutputError
        If the file can't be written. The old file is then untouched.
    """
    from safetensors.numpy import save

    described = {"format": FORMAT, "format_version": FORMAT_VERSION, "numlp_version": __version__}
    text = json.dumps({**described, "figures": checkpoint.figures}, default=_plain)
    write_bytes(path, save(checkpoint.arrays, {"numlp": text}))


def _plain(value: Any) -> Any:
    """Return a NumPy scalar as a Python number."""
    return value.item()


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    FileFormatError
        If the file is missing, damaged, or in another format.
    """
    from safetensors import SafetensorError

    try:
        with _open(path) as file:
            described = _described(path, file)
            arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            return Checkpoint(arrays, described["figures"], described["format_version"])
    except FileFormatError:
        raise
    except (SafetensorError, ValueError) as error:
        raise _damaged(path, error) from error


def describe_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a checkpoint's description, without reading its arrays."""
    with _open(path) as file:
        return _described(path, file)


def _open(path: str | os.PathLike[str]) -> Any:
    return open_tensors(path, "checkpoint", limits.CHECKPOINT_HEADER_BYTES)


def _described(path: str | os.PathLike[str], file: Any) -> dict[str, Any]:
    try:
        described = parse_json((file.metadata() or {})["numlp"])
        form, version = described["format"], described["format_version"]
        if not isinstance(described["figures"], dict):
            raise TypeError("its figures aren't a JSON object")
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    if form != FORMAT:
        raise refused(path, "a checkpoint", ("checkpoint",), f"its format is {form!r:.80}")
    if version not in (1, FORMAT_VERSION):
        raise FileFormatError(
            f"{path} has format version {version!r:.20}, but this numlp ({__version__}) reads versions "
            f"1 to {FORMAT_VERSION}; use numlp {described.get('numlp_version')!r:.20}, which wrote it, or later"
        )
    return dict(described)


def _damaged(path: str | os.PathLike[str], error: Exception) -> FileFormatError:
    return refused(path, "a checkpoint", ("checkpoint",), error)
