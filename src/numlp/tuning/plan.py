"""The plan of a search: around which recipe, through which space, judged by what, and where the study is."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numlp.datasets import Dataset
from numlp.errors import FileFormatError, SettingError
from numlp.files.atomic import write_bytes
from numlp.runs.paths import without_folders
from numlp.runs.recipe import Recipe
from numlp.settings import limits
from numlp.settings.checks import choice
from numlp.settings.texts import read_text
from numlp.tuning.identity import Identity
from numlp.tuning.space import Choices, Range, Space, check_space, read_space, space_text
from numlp.tuning.storage import identity_of, is_database, shown
from numlp.tuning.study import Study
from numlp.tuning.usual import usual_space
from numlp.tuning.worker import seen_by_trials
from numlp.version import __version__

STUDY, SPACE, PAGE, BEST, TRIALS = "study.journal", "space.toml", "study.html", "best", "trials"
STUDY_OF = "study.txt"  # says which study the results in a folder are of
_MANY = 10_000  # training rows of classes, of which each is a small share of the accuracy


@dataclass(frozen=True)
class Plan:
    """A search that can begin, or go on.

    Attributes
    ----------
    base : Recipe
        With which all trials begin.
    dataset : Dataset
    space : dict
    metric : str
        "loss", "accuracy" or "r2", of the validation rows.
    folder : path
        For the results.
    place, name : str
        Where the study is, a file's path or a database's URL, and what it is called there.
    """

    base: Recipe
    dataset: Dataset
    space: Space
    metric: str
    folder: Path
    place: str
    name: str

    @property
    def text(self) -> str:
        """The space as TOML, with a comment."""
        comment = f"The settings that numlp tune searches for {self.name}: each has a list of values, or a range."
        return space_text(self.space, [comment])

    @property
    def data(self) -> dict[str, str]:
        """The digests of the rows that train and judge trials."""
        return seen_by_trials(self.dataset)

    def open(self) -> Study:
        """Open the study, or make it, and write the space, and which study it is, to the folder.

        Raises
        ------
        SettingError
            If the study is one of something else.
        """
        space = {name: str(values) for name, values in self.space.items()}
        recipe = without_folders(self.base.as_dict())
        identity = Identity(__version__, self.data, self.metric, recipe, space)
        # Two machines may have folders of the same name, and one may search from several folders.
        place = hashlib.blake2b(str(self.folder.resolve()).encode(), digest_size=4).hexdigest()
        study = Study(self.place, self.name, identity, self.base, self.space, f"{platform.node()}-{place}")
        write_bytes(self.folder / SPACE, self.text.encode())
        write_bytes(self.folder / STUDY_OF, _called(self.folder, self.place, self.name).encode())
        return study


def make_plan(
    base: Recipe,
    dataset: Dataset,
    *,
    fixed: Collection[str] = (),
    space: Path | None = None,
    metric: str | None = None,
    study: str | None = None,
    name: str | None = None,
    output: Path | None = None,
) -> Plan:
    """Return the plan of a search; what the user leaves open is that of the study, if there is one already.

    Parameters
    ----------
    base : Recipe
    dataset : Dataset
    fixed : collection of str
        The settings that the user has named, which aren't searched.
    space : path, optional
        A TOML file; by default the usual space.
    metric : str, optional
        By default the loss; the accuracy for classes with 10,000 training rows or more that are no table.
    study : str, optional
        A file's path or a database's URL; by default a file in the folder.
    name : str, optional
        By default that of the data.
    output : path, optional
        By default runs/tune-<data>.

    Raises
    ------
    SettingError
        If a value is wrong, the space varies what the user has named, or the folder has another study.
    """
    called = Path(base.data).name.split(".")[0] or "data"
    folder = output or Path("runs", f"tune-{called}")
    place, name = study or str(folder / STUDY), name or called
    _check_folder(folder, place, name)
    begun = identity_of(place, name) if study or (folder / STUDY).exists() else None
    score = "r2" if dataset.task == "regression" else "accuracy"
    if metric is None:
        many = dataset.feature_names is None and dataset.rows["training"] >= _MANY and score == "accuracy"
        metric = begun["metric"] if begun else "accuracy" if many else "loss"
    choice("metric", metric, dict.fromkeys(("loss", score)))
    if space is not None:
        found = _read(space, base)
    elif begun:
        found = read_space("\n".join(f"{setting} = {values}" for setting, values in begun["space"].items()), base)
    else:
        found = usual_space(base, dataset.task, fixed)
        check_space(found, base)
    _check_fixed(found, fixed)
    return Plan(base, dataset, found, metric, folder, place, name)


def _check_folder(folder: Path, place: str, name: str) -> None:
    """Refuse a folder with the results of another study, which would be replaced."""
    try:
        known = read_text(folder / STUDY_OF, limits.TEXT_BYTES)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise FileFormatError(f"can't read {folder / STUDY_OF}: {error}") from error
    if known != _called(folder, place, name):
        raise SettingError(f"{folder} has the results of {known.strip()}: name another --output, or that study")


def _called(folder: Path, place: str, name: str) -> str:
    """Return how a study is called in its folder, without a password, and the same wherever the folder lies."""
    path = Path(place).resolve()
    own = not is_database(place) and path == (folder / STUDY).resolve()
    return f"the study {name!r} in {STUDY if own else shown(place) if is_database(place) else path}\n"


def _read(path: Path, base: Recipe) -> Mapping[str, Choices | Range]:
    try:
        return read_space(read_text(path, limits.RECIPE_BYTES), base)
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {path}: numlp tune --show-space prints one to begin with") from error
    except OSError as error:
        raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error
    except ValueError as error:
        raise FileFormatError(f"{path}: {error}") from error


def _check_fixed(space: Mapping[str, Any], fixed: Collection[str]) -> None:
    for name in space:
        head = name.partition(".")[0]
        if head in fixed and head != name and head != "layers":
            continue  # the parts that the space doesn't name are the user's
        if head in fixed:
            raise SettingError(
                f"the space varies {name}, and --{head.replace('_', '-')} names one value: leave one of them out"
            )
