"""Unfinished runs: their checkpoints, the lock of the process that works on one, and how a run goes on."""

from __future__ import annotations

import os
import shlex
import shutil
import warnings
from pathlib import Path
from typing import Any

from numlp.errors import FileFormatError, NumlpWarning, OutputError, SettingError
from numlp.files.atomic import write_bytes
from numlp.files.checkpoints import describe_checkpoint
from numlp.files.folders import part_of
from numlp.files.locks import lock
from numlp.runs.layout import CHECKPOINTS, METRICS, MODEL, PROVENANCE, RECIPE, STATE
from numlp.runs.recipe import Recipe
from numlp.settings.checks import whole_number


def checkpoint_path(folder: Path, member: int) -> Path:
    """Return where a run keeps the checkpoints of one of its networks."""
    return part_of(folder, f"{CHECKPOINTS}/{member}.safetensors")


def create_checkpoints_folder(folder: Path) -> None:
    """Create the folder for a run's checkpoints; while it exists, the run is unfinished.

    Raises
    ------
    OutputError
        If it can't be created.
    """
    try:
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a run that can't go on."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def keep_state(folder: Path) -> None:
    """Keep the last checkpoints of a finished run, from which `reopen` lets it go on.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    shutil.rmtree(folder / STATE, ignore_errors=True)
    _rename(folder, CHECKPOINTS, STATE)


def remove_provenance(folder: Path) -> None:
    """Remove the record of a run that goes on, so that no old record stands beside new results.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    try:
        (folder / PROVENANCE).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error


def is_unfinished(folder: Path) -> bool:
    """Return whether a run stopped before its end and can be resumed."""
    return (folder / CHECKPOINTS).is_dir() or not (folder / MODEL).exists()


def how_it_stands(folder: Path) -> str | None:
    """Return in words how an unfinished run stands, and how it goes on; None if the folder holds no such run."""
    ended = not (folder / CHECKPOINTS).is_dir() and ((folder / MODEL).exists() or (folder / METRICS).exists())
    if ended or not (folder / RECIPE).is_file():
        return None
    if is_busy(folder):
        return "is being trained by another process: wait until it ends"
    reached = [(member, told["epoch"]) for member, told in _checkpoints(folder, CHECKPOINTS).items()]
    where = "before its first checkpoint"
    if reached:
        member, epoch = max(reached)
        network = f"network {member + 1}, " if member else ""
        where = f"in {network}epoch {epoch + 1}"
    return f"was interrupted {where}: numlp resume {shlex.quote(str(folder))}"


def reopen(folder: Path, recipe: Recipe, epochs: int) -> None:
    """Make a run that has ended unfinished again, if it can go on to so many epochs in all.

    Raises
    ------
    SettingError
        If it has had as many epochs, or more would change nothing, or its state isn't there.
    OutputError
        If the folder can't be written.
    """
    ended = not is_unfinished(folder)
    if ended and not (folder / STATE).is_dir():
        raise SettingError(
            f"{folder} keeps no state to continue from: its training diverged, or an older numlp wrote it; train "
            f"again with --epochs {epochs}"
        )
    reached = _checkpoints(folder, STATE if ended else CHECKPOINTS).values()
    least = max([recipe.epochs if ended else 0, *(told["epoch"] for told in reached)]) + 1
    whole_number("--epochs", epochs, minimum=least)
    if ended and reached and all(told["ended_by"] for told in reached):
        raise SettingError(
            f"{folder} didn't end for want of epochs, but by its patience or its time budget: train again with more"
        )
    if ended:
        remove_provenance(folder)
        _rename(folder, STATE, CHECKPOINTS)


def replace_recipe(folder: Path, recipe: Recipe) -> None:
    """Replace the recipe of a run that goes on, perhaps for more epochs, or with a teacher that was moved.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    write_bytes(folder / RECIPE, recipe.to_toml().encode())


def _checkpoints(folder: Path, place: str) -> dict[int, dict[str, Any]]:
    """Return what each network's checkpoint tells, but for those that can't be read."""
    told: dict[int, dict[str, Any]] = {}
    for path in part_of(folder, place).glob("*.safetensors"):
        try:
            figures = describe_checkpoint(path)["figures"]
            told[int(path.stem)] = {"epoch": int(figures["epoch"]), "ended_by": figures["ended_by"]}
        except (FileFormatError, KeyError, TypeError, ValueError):
            continue
    return told


def _rename(folder: Path, old: str, new: str) -> None:
    try:
        os.replace(part_of(folder, old), part_of(folder, new))
    except OSError as error:
        raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error


class Lock:
    """Keeps other processes from working in a folder until it is closed or this process ends, however that happens.

    Parameters
    ----------
    folder : path
    file : str or None
        A file in it that must be writable; by default that of a run's recipe.

    Raises
    ------
    OutputError
        If another process works in the folder, or it can't be written.
    """

    def __init__(self, folder: Path, file: str | None = RECIPE) -> None:
        try:
            if file is not None:
                with open(folder / file, "r+b"):
                    pass
        except OSError as error:
            raise OutputError(f"can't write into {folder}: {error.strerror or error}") from error
        self._descriptor = _locked(folder)

    def close(self) -> None:
        """Let other processes work on the run."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_busy(folder: Path) -> bool:
    """Return whether a process works on a run."""
    try:
        descriptor = _locked(folder)
    except OSError:
        return True
    if descriptor is not None:
        os.close(descriptor)
    return False


def _locked(folder: Path) -> int | None:
    """Lock a run's folder, and return the lock's descriptor; None where there are no locks."""
    try:
        return lock(folder)
    except BlockingIOError as error:
        raise OutputError(f"another process is working on {folder}: wait until it ends") from error


def model_path(run_or_model: str | os.PathLike[str]) -> Path:
    """Return the model file in a run's folder, or the path itself if it is a file; raise if it is neither."""
    path = Path(run_or_model)
    if not path.exists():
        raise FileFormatError(f"there is no run's folder or model file {path}")
    if not path.is_dir():
        return path
    stands = how_it_stands(path)
    if stands and not (path / MODEL).exists():
        raise FileFormatError(f"{path} {stands}")
    if stands and not is_busy(path):
        warnings.warn(f"{path} {stands}", NumlpWarning, stacklevel=2)
    return part_of(path, MODEL)
