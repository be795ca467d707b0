"""Checkpoint files: where a training stood after an epoch, as safetensors with JSON in the metadata.

Like a model file it holds numbers and names, nothing that is executed; it is written whole or not at all, and the one
before stays until then.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numlp.atomic import write_bytes
from numlp.errors import FileFormatError
from numlp.special import AnyArray
from numlp.version import __version__

FORMAT = "numlp-checkpoint"
FORMAT_VERSION = 1


class Checkpoint(NamedTuple):
    """All that a training needs to go on.

    Attributes
    ----------
    arrays : dict of arrays
        By name, such as "params" and "optimizer.velocity".
    figures : dict
        What JSON can hold: counts, the history, what callbacks remember.
    """

    arrays: dict[str, AnyArray]
    figures: dict[str, Any]


def write_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Write a checkpoint atomically and durably.

    Raises
    ------
    OutputError
        If it can't be written; what was there before is untouched.
    """
    from safetensors.numpy import save

    described = {"format": FORMAT, "format_version": FORMAT_VERSION, "numlp_version": __version__}
    text = json.dumps({**described, "figures": checkpoint.figures}, sort_keys=True)
    write_bytes(path, save(checkpoint.arrays, {"numlp": text}))


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    FileFormatError
        If the file is missing, damaged, or of another format.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileFormatError(f"there is no checkpoint {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            described = json.loads((file.metadata() or {})["numlp"])
            if described["format"] != FORMAT:
                raise FileFormatError(f"{path} is no checkpoint: it says that it is {described['format']!r:.80}")
            if described["format_version"] != FORMAT_VERSION:
                raise FileFormatError(
                    f"{path} has format version {described['format_version']!r:.20}, and this release of numlp "
                    f"({__version__}) reads version {FORMAT_VERSION}: it was written by numlp "
                    f"{described.get('numlp_version')!r:.20}"
                )
            if not isinstance(described["figures"], dict):
                raise TypeError("its figures are no mapping")
            arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path} is no checkpoint, or is damaged: {error}") from error
    return Checkpoint(arrays, described["figures"])
