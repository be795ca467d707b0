"""Verification: whether a run's folder and data are those that its provenance records."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numlp.datasets import Dataset
from numlp.errors import NumlpError
from numlp.files.folders import part_of
from numlp.files.models import load_model
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs import layout
from numlp.runs.chain import digest_parameters
from numlp.runs.digests import digests, part
from numlp.runs.endings import check_endings
from numlp.runs.folder import load_run
from numlp.runs.links import Link
from numlp.runs.provenance import Network, Predicate, Statement
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe
from numlp.runs.subjects import differing
from numlp.settings import limits
from numlp.settings.texts import parse_json, read_text
from numlp.training.history import History, mean_history


@dataclass(frozen=True)
class Finding:
    """Something that isn't as a run's provenance says.

    Attributes
    ----------
    what : str
        A file, "data", or "provenance.json".
    text : str
        What is wrong with it.
    """

    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.what}: {self.text}"


_WRONG = {
    "missing": "is missing",
    "differs": "isn't as it was when the run ended",
    "not covered": "is in the folder, but not in the record",
}


def check_folder(folder: Path, statement: Statement) -> list[Finding]:
    """Return what in a run's folder isn't as its provenance says: files, and what they and the chains say.

    Parameters
    ----------
    folder : path
    statement : Statement
        As `read_provenance` returns it, so that its chains hold together.
    """
    found = [Finding(name, _WRONG[wrong]) for name, wrong in differing(folder, statement.subjects).items()]
    record = statement.predicate
    checks: dict[str, Callable[[], Iterator[str]]] = {
        layout.RECIPE: lambda: _recipe(load_recipe(part_of(folder, layout.RECIPE)), record),
        layout.HISTORY: lambda: _history(load_run(folder).history, record),
        layout.METRICS: lambda: _metrics(load_run(folder).metrics, record),
        layout.DATA: lambda: _digests(_json(folder, layout.DATA), record),
        layout.MODEL: lambda: _model(folder, record),
        layout.PROVENANCE: lambda: _endings(record),
    }
    for name, check in checks.items():
        try:
            found += [Finding(name, text) for text in check()]
        except (NumlpError, OSError, ValueError) as error:
            if (folder / name).is_file():
                found.append(Finding(name, f"can't be read: {error}"))
    return found


def check_data(dataset: Dataset, record: Predicate, teacher: MLP | Ensemble | None = None) -> list[Finding]:
    """Return in which parts data, or the teacher, differ from those that a run was trained on."""
    now = digests(dataset, teacher)
    other = [name for name in sorted({*now, *record.data}) if now.get(name) != record.data.get(name)]
    return [
        Finding("data", f"{part(name)} {'isn' if name == 'teacher' else 'aren'}'t what the run was trained on")
        for name in other
    ]


def _same(ours: Any, theirs: Any) -> bool:
    """Return whether a setting is the recorded one; of a path, the record has the name alone."""
    return bool(ours == theirs) or (
        isinstance(ours, str) and isinstance(theirs, str) and _name(ours) == _name(theirs)
    )


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _recipe(recipe: Recipe, record: Predicate) -> Iterator[str]:
    ours = recipe.as_dict()
    for name in sorted({*ours, *record.recipe}):
        if not _same(ours.get(name), record.recipe.get(name)):
            yield f"{name} is {ours.get(name)!r}, but {record.recipe.get(name)!r} in the record"
    arithmetic = getattr(recipe, "arithmetic", "ordinary")
    if arithmetic != record.arithmetic:
        yield f"it asks for {arithmetic} arithmetic, but the record is of {record.arithmetic} arithmetic"


def chain_history(networks: Sequence[Network]) -> History:
    """Return the history, but for its seconds, that follows from the chains of a run's networks."""
    histories = []
    for network in networks:
        history = History()
        for link in network.links[1:]:
            history.append({"epoch": link.epoch, **figures_of(link)})
        histories.append(history)
    return mean_history(histories)


def figures_of(link: Link) -> dict[str, float]:
    """Return a link's figures as a history has them, with NaN for what isn't finite."""
    return {name: math.nan if value is None else value for name, value in link.figures.items()}


def _history(history: History, record: Predicate) -> Iterator[str]:
    expected = chain_history(record.networks)
    if len(history) != len(expected):
        yield f"it has {len(history)} epochs, but the chain has {len(expected)}"
    for ours, theirs in zip(history, expected, strict=False):
        ours = {name: value for name, value in ours.items() if name != "seconds"}
        for name in {**theirs, **ours}:
            if not _equal(ours.get(name), theirs.get(name)):
                yield f"{name} of epoch {theirs['epoch']} is {ours.get(name)}, but {theirs.get(name)} in the chain"


def _equal(ours: float | None, theirs: float | None) -> bool:
    return ours == theirs or (
        ours is not None and theirs is not None and not math.isfinite(ours) and theirs != theirs
    )


def _metrics(metrics: Mapping[str, Any], record: Predicate) -> Iterator[str]:
    epochs = max(len(network.links) - 1 for network in record.networks)
    versions = metrics.get("versions", {})
    for name, ours, theirs in (
        ("ended", metrics.get("ended"), record.ended),
        ("epochs", metrics.get("epochs"), epochs),
        ("the version of numlp", versions.get("numlp"), record.numlp_version),
        ("the version of NumPy", versions.get("numpy"), record.environment.get("numpy")),
    ):
        if ours != theirs:
            yield f"{name} is {ours!r}, but {theirs!r} in the record"


def _endings(record: Predicate) -> Iterator[str]:
    try:
        recipe = Recipe.from_dict(record.recipe)
    except NumlpError:  # a later numlp's, or changed, which `_recipe` finds
        return
    yield from check_endings(recipe, record)


def _json(folder: Path, name: str) -> Any:
    return parse_json(read_text(part_of(folder, name), limits.TEXT_BYTES))


def _digests(parsed: Any, record: Predicate) -> Iterator[str]:
    ours = parsed.get("blake2b") if isinstance(parsed, dict) else None
    if ours != dict(record.data):
        yield "its digests of the data aren't those in the record"


def _model(folder: Path, record: Predicate) -> Iterator[str]:
    model = load_model(part_of(folder, layout.MODEL))
    networks = model.members if isinstance(model, Ensemble) else (model,)
    if len(networks) != len(record.networks):
        yield f"it holds {len(networks)} networks, but the record is of {len(record.networks)}"
    for number, (ours, theirs) in enumerate(zip(networks, record.networks, strict=False), 1):
        which = f" of network {number}" if len(networks) > 1 else ""
        if digest_parameters(ours) != (theirs.calibrated or theirs.result):
            yield f"the parameters{which} aren't those in which the recorded training ended"
