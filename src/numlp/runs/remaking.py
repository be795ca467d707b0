"""Remaking: what follows from a run's parameters and data: the rest of its model file, and its scores."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays.inputs import as_rows
from numlp.arrays.special import Array
from numlp.data.chunked import chunks_of
from numlp.datasets import Dataset
from numlp.errors import NumlpError
from numlp.files.folders import part_of
from numlp.files.models import load_model, read_description
from numlp.files.tensors import open_tensors
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.value_range import joined, value_range
from numlp.runs import layout
from numlp.runs.chain import digest_parameters
from numlp.runs.folder import load_run, write_model
from numlp.runs.folds import folded, write_out_of_fold
from numlp.runs.provenance import Predicate
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import calibrates, make_network
from numlp.runs.scores import calibrated, scores
from numlp.runs.verification import Finding, chain_history

# Given the parameters, sums that another machine rounds differently move a figure by about a millionth of itself. Now
# and then, a row of which two classes are nearly equally probable gets the other one.
SHARE, AMOUNT = 1e-3, 1e-3


def check_results(
    folder: Path, recipe: Recipe, dataset: Dataset, record: Predicate, trained: Sequence[Array] = ()
) -> list[Finding] | None:
    """Return what in a run's model file and scores doesn't follow from its parameters and its data.

    It is None if the parameters aren't known, since the model file can't be read or doesn't hold the recorded ones.

    Parameters
    ----------
    folder : path
    recipe : Recipe
        The recorded one.
    dataset : Dataset
        That of the run; `check_data` says whether it is.
    record : Predicate
    trained : sequence of arrays, optional
        The parameters of each network, as training made them; by default, those in the model file. Calibration has
        moved the ends of intervals in these, which can't be done again from there.
    """
    stored = part_of(folder, layout.MODEL)
    try:
        networks = _networks(load_model(stored))
        claimed = load_run(folder).metrics
    except NumlpError:  # which `check_folder` reports
        return None
    saved = [network.calibrated or network.result for network in record.networks]
    if not trained and [digest_parameters(network) for network in networks] != saved:
        return None
    parameters = trained or [network.params for network in networks]
    try:
        model = _untrained(recipe, dataset, len(parameters))
        if [network.params.shape for network in _networks(model)] != [params.shape for params in parameters]:
            return [Finding(layout.MODEL, "its networks aren't of the sizes that the recipe and the data give")]
        for network, params in zip(_networks(model), parameters, strict=True):
            network.params[:] = params
        found: dict[str, Any] = {"parameters": sum(network.params.size for network in _networks(model))}
        if calibrates(recipe, model.loss) and (trained or not model.loss.promised):
            found["calibration"] = calibrated(model, dataset)
        found |= scores(recipe, model, dataset)
    except NumlpError as error:
        return [Finding(layout.PROVENANCE, f"its recipe doesn't fit the data: {error}")]
    exact = record.arithmetic == "portable"
    findings = [Finding(layout.METRICS, text) for text in _other_figures(claimed, found, "", exact)]
    with tempfile.TemporaryDirectory(prefix="numlp-") as place:
        made = Path(place, layout.MODEL)
        write_model(made, model, record.recipe, chain_history(record.networks), record.ended)
        findings += [Finding(layout.MODEL, text) for text in _other_contents(stored, made, record, exact)]
        if exact and dataset.folds:
            write_out_of_fold(Path(place, layout.OUT_OF_FOLD), folded(model, dataset), dataset)
            ours, theirs = (Path(where, layout.OUT_OF_FOLD) for where in (folder, place))
            if ours.is_file() and ours.read_bytes() != theirs.read_bytes():
                findings.append(Finding(layout.OUT_OF_FOLD, "its predictions aren't those of the model"))
    return findings


def _networks(model: MLP | Ensemble) -> tuple[MLP, ...]:
    return model.members if isinstance(model, Ensemble) else (model,)


def _untrained(recipe: Recipe, dataset: Dataset, count: int) -> MLP | Ensemble:
    """Return the model of a recipe's first so many networks, with what they learn from the data before training."""
    networks = [make_network(recipe, dataset, member=member) for member in range(count)]
    for member, network in enumerate(networks):
        if network.input_encoding is None:  # as `train` does
            image = len(network.input_shape or ()) > 1
            chunks: Any = chunks_of(dataset.of_network(member).train)
            network.input_range = joined([value_range(as_rows(x), image=image) for x, *_ in chunks])
    return Ensemble(networks) if recipe.n_networks > 1 else networks[0]


def _other_figures(claimed: Any, found: Any, name: str, exact: bool) -> Iterator[str]:
    """Yield the figures that a run claims and that come out otherwise."""
    if isinstance(claimed, dict) and isinstance(found, dict):
        for key in [key for key in claimed if key in found or name]:
            yield from _other_figures(claimed[key], found.get(key), f"{name} {key}".lstrip(), exact)
    elif isinstance(claimed, list) and isinstance(found, list) and len(claimed) == len(found):
        for number, (ours, theirs) in enumerate(zip(claimed, found, strict=True), 1):
            yield from _other_figures(ours, theirs, f"{name} {number}", exact)
    elif not _agree(claimed, found, exact):
        yield f"{name} is {claimed!r:.80}, but {found!r:.80} when computed again"


def _agree(claimed: Any, found: Any, exact: bool) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (claimed, found))
    if exact or not numbers:
        return bool(claimed == found)
    return math.isclose(claimed, found, rel_tol=SHARE, abs_tol=AMOUNT)


def _other_contents(stored: Path, made: Path, record: Predicate, exact: bool) -> Iterator[str]:
    """Yield the entries and tensors of a model file that aren't those of the one made again."""
    ours, theirs = _contents(stored), _contents(made)
    theirs["numlp_version"] = record.numlp_version
    for name in sorted({*ours, *theirs}):
        one, other = ours.get(name), theirs.get(name)
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            kind, same = "tensor", one.dtype == other.dtype and np.array_equal(one, other)
        elif isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
            kind, same = "tensor", False
        else:
            kind, same = "entry", _agree(one, other, exact or not name.startswith("temperature"))
        if not same:
            yield f"its {kind} {name} isn't what follows from the record and the data"


def _contents(path: Path) -> dict[str, Any]:
    """Return all that a model file holds, by name."""
    described = read_description(path)
    networks = described.pop("networks")
    for number, network in enumerate(networks, 1):
        which = f" of network {number}" if len(networks) > 1 else ""
        described |= {f"{name}{which}": value for name, value in network.items()}
    with open_tensors(path, "model file") as file:
        return described | {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
