"""Provenance: provenance.json, the record by which a run's folder can be verified.

It is a Statement of in-toto, version 1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md), so
that whatever signs such statements can sign it: the subjects are the folder's files with their SHA-256, the predicate
says how they came about. docs/verify.md describes the fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numlp.errors import FileFormatError, SettingError
from numlp.files.atomic import write_bytes
from numlp.files.folders import part_of
from numlp.files.kinds import refused
from numlp.network.mlp import MLP
from numlp.runs import layout
from numlp.runs.chain import Chain, digest_parameters
from numlp.runs.links import Link, Stage, as_json, digest, read_digest, read_links, read_stages
from numlp.runs.subjects import ALWAYS, digest_file, is_inside, result_files
from numlp.settings import limits
from numlp.settings.texts import parse_json, read_text
from numlp.version import __version__

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:numlp:run:v"
VERSION = 1

ENDINGS = ("completed", "interrupted", "diverged", "stopped")
_ARITHMETICS = ("ordinary", "portable")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,1000}")


class LaterVersionError(FileFormatError):
    """A record is of a version that this numlp doesn't read, which doesn't mean that anything is wrong with it."""


@dataclass(frozen=True)
class Network:
    """How one of a run's networks was trained.

    Attributes
    ----------
    links : tuple of Link
        Its chain, from epoch 0.
    stages : tuple of Stage
        Under which circumstances; one in a run that was never resumed under others.
    result : str
        The digest of the parameters that training kept, as `chain.digest_parameters` makes it.
    calibrated : str or None
        The digest of those in the model file, if calibration has changed them since, as it does for intervals.
    """

    links: tuple[Link, ...]
    stages: tuple[Stage, ...]
    result: str
    calibrated: str | None = None

    @classmethod
    def of(cls, chain: Chain, network: MLP) -> Network:
        """Return what a chain holds at the end of training, and what became of the network."""
        saved = digest_parameters(network)
        return cls(tuple(chain.links), tuple(chain.stages), chain.result, None if saved == chain.result else saved)


@dataclass(frozen=True)
class Predicate:
    """How a run's results came about.

    Attributes
    ----------
    recipe : dict
        The settings that are not None; files without their folders.
    arithmetic : str
        "ordinary" or "portable".
    data : dict
        The digests of the data's parts, as `numlp.runs.digests` makes them.
    numlp_version, source : str
        The version of numlp, and a digest of its source files.
    environment : dict
        As `numlp.runs.environment` returns it.
    ended : str
        "completed", "interrupted", "diverged" or "stopped", as metrics.json has it.
    networks : tuple of Network
    """

    recipe: Mapping[str, Any]
    arithmetic: str
    data: Mapping[str, str]
    numlp_version: str
    source: str
    environment: Mapping[str, str]
    ended: str
    networks: tuple[Network, ...]


@dataclass(frozen=True)
class Statement:
    """What provenance.json says.

    Attributes
    ----------
    subjects : dict
        The SHA-256 of every file, by its path from the run's folder, with slashes.
    predicate : Predicate
    """

    subjects: Mapping[str, str]
    predicate: Predicate


def write_provenance(folder: Path, predicate: Predicate) -> Statement:
    """Write the record of a run, after all its other files.

    Raises
    ------
    OutputError
        If the file can't be written.
    SettingError
        If it would be too large to be read.
    """
    statement = Statement({name: digest_file(folder, name) for name in result_files(folder)}, predicate)
    write_statement(folder, statement)
    return statement


def write_statement(folder: Path, statement: Statement) -> None:
    """Write a statement as it is; raise the errors of `write_provenance`."""
    one = statement.predicate
    predicate = {
        "recipe": dict(one.recipe),
        "arithmetic": one.arithmetic,
        "data": {"blake2b": dict(one.data)},
        "source": {"version": one.numlp_version, "sha256": one.source},
        "environment": {**one.environment, "sha256": digest(dict(one.environment))},
        "ended": one.ended,
        "networks": [
            {
                "parameters": network.result,
                **({} if network.calibrated is None else {"calibrated": network.calibrated}),
                "stages": [as_json(stage) for stage in network.stages],
                "chain": [as_json(link) for link in network.links],
            }
            for network in one.networks
        ],
    }
    subject = [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in statement.subjects.items()]
    whole = {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": f"{PREDICATE}{VERSION}",
        "predicate": predicate,
    }
    content = (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode()
    path = folder / layout.PROVENANCE
    if len(content) > limits.PROVENANCE_BYTES:
        raise SettingError(f"{path} would have {len(content):,} bytes, more than numlp reads: train fewer epochs")
    write_bytes(path, content)


def read_provenance(folder: Path) -> Statement:
    """Read the record of a run, once its chains hold together; whether the files are as they were, `differing` says.

    Raises
    ------
    LaterVersionError
        If a later numlp wrote it.
    FileFormatError
        If there is none, or it is damaged or of another kind; the message says what is wrong.
    """
    path = part_of(folder, layout.PROVENANCE)
    if not path.is_file():
        raise FileFormatError(
            f"{folder} has no {layout.PROVENANCE}: an older numlp wrote it, or its run hasn't ended"
        )
    try:
        parsed = parse_json(read_text(path, limits.PROVENANCE_BYTES))
    except (OSError, ValueError) as error:
        raise refused(path, "a run's provenance", ("json",), error) from error
    kind = parsed.get("predicateType") if isinstance(parsed, dict) else None
    if kind != f"{PREDICATE}{VERSION}" or parsed.get("_type") != STATEMENT:
        raise _other_kind(path, parsed, kind)
    try:
        return Statement(_subjects(parsed.get("subject")), _predicate(parsed.get("predicate")))
    except ValueError as error:
        raise FileFormatError(f"{path} is damaged: {error}") from error


def _other_kind(path: Path, parsed: Any, kind: Any) -> FileFormatError:
    """Return why a JSON file isn't a record that this version reads."""
    version = kind.removeprefix(PREDICATE) if isinstance(kind, str) and kind.startswith(PREDICATE) else ""
    if not version.isdecimal() or parsed.get("_type") != STATEMENT:
        return FileFormatError(
            f"{path} isn't a run's provenance: it must be a Statement of in-toto with the _type {STATEMENT} and the "
            f"predicateType {PREDICATE}{VERSION}, not {kind!r:.80}"
        )
    source = _at(parsed, "predicate", "source", "version")
    return LaterVersionError(
        f"{path} has version {version!r:.20}, but this numlp ({__version__}) reads version {VERSION}; "
        f"use numlp {source!r:.20}, which wrote it, or later"
    )


def _at(parsed: Any, *names: str) -> Any:
    for name in names:
        parsed = parsed.get(name) if isinstance(parsed, dict) else None
    return parsed


def _subjects(entries: Any) -> dict[str, str]:
    if not isinstance(entries, list) or len(entries) > limits.SUBJECTS:
        raise ValueError(f"its subject must be a list of at most {limits.SUBJECTS:,} files")
    subjects: dict[str, str] = {}
    for number, entry in enumerate(entries):
        name = _at(entry, "name")
        where = f"subject {number + 1}"
        if not isinstance(name, str) or not is_inside(name):
            raise ValueError(f"{where} must have the path of a file inside the folder as name, not {name!r:.80}")
        if name in subjects:
            raise ValueError(f"its subject has {name} twice")
        subjects[name] = read_digest(_object(entry.get("digest"), f"the digest of {where}"), "sha256", where)
    for name in ALWAYS:
        if name not in subjects:
            raise ValueError(f"its subject lacks {name}")
    return subjects


def _predicate(parsed: Any) -> Predicate:
    found = _object(parsed, "its predicate")
    source = _object(found.get("source"), "its source")
    environment = _texts(found.get("environment"), "its environment")
    promised = read_digest(environment, "sha256", "its environment")
    del environment["sha256"]
    if promised != digest(environment):
        raise ValueError("the digest of its environment isn't that of the environment it names")
    data = _object(_at(found, "data", "blake2b"), "its data's blake2b")
    networks = found.get("networks")
    if not isinstance(networks, list) or not 1 <= len(networks) <= limits.NETWORKS:
        raise ValueError(f"its networks must be a list of 1 to {limits.NETWORKS:,}")
    return Predicate(
        _object(found.get("recipe"), "its recipe"),
        _one_of(found, "arithmetic", _ARITHMETICS),
        {part: read_digest(data, part, "its data", "BLAKE2b") for part in data},
        _texts({"version": source.get("version")}, "its source")["version"],
        read_digest(source, "sha256", "its source"),
        environment,
        _one_of(found, "ended", ENDINGS),
        tuple(_network(network, number) for number, network in enumerate(networks)),
    )


def _network(parsed: Any, number: int) -> Network:
    where = f"network {number + 1}"
    found = _object(parsed, where)
    try:
        links = read_links(found.get("chain"))
        stages = read_stages(found.get("stages"), len(links) - 1)
        kept = read_digest(found, "parameters", "it")
        if kept not in {one.parameters for one in links}:
            raise ValueError("the parameters that it kept are those of none of its epochs")
        return Network(links, stages, kept, read_digest(found, "calibrated", "it") if "calibrated" in found else None)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {value!r:.80}")
    return dict(value)


def _texts(value: Any, what: str) -> dict[str, str]:
    found = _object(value, what)
    for name, text in found.items():
        if not isinstance(text, str) or not _TEXT.fullmatch(text):
            raise ValueError(f"{what} must have a text of at most 1000 characters as {name:.80}, not {text!r:.80}")
    return found


def _one_of(found: Mapping[str, Any], name: str, allowed: Iterable[str]) -> str:
    value = found.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"its {name} must be one of {', '.join(allowed)}, not {value!r:.80}")
    return value
