"""Links: what a chain of digests is made of, and how it is read."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numlp.settings.checks import whole_number

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Link:
    """A network after an epoch. Digests are SHA-256, as 64 hexadecimal digits.

    Attributes
    ----------
    epoch : int
        The number of epochs completed: 0 in the first link, which covers the initial parameters.
    parameters, optimizer : str
        Digests of the parameters, and of the optimizer's state: the count of its steps and its averages.
    average : str or None
        The digest of the moving average, if there is one. After each epoch, the parameters are the averaged ones, and
        this is the digest of those with which training continues.
    figures : dict
        The history's row without "epoch" and "seconds"; None for a figure that isn't finite.
    cut : bool
        Whether the epoch ended before its last batch, by Ctrl-C or a time budget; only the last link may be.
    sha256 : str
        The digest of all this and of the link before.
    """

    epoch: int
    parameters: str
    optimizer: str
    average: str | None
    figures: Mapping[str, float | None]
    cut: bool
    sha256: str


@dataclass(frozen=True)
class Stage:
    """Under which circumstances a network trained from some epoch on.

    A run that was never resumed has one. A further one begins where `numlp resume` changed one of these.

    Attributes
    ----------
    after : int
        The number of epochs before it.
    epochs, processes : int
        The recipe's number of epochs at that time, on which schedules depend, and the number of processes.
    data, source, environment : str
        Digests, as `provenance.Predicate` has them.
    """

    after: int
    epochs: int
    processes: int
    data: str
    source: str
    environment: str


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and without blanks, as digests cover it.

    >>> canonical({"b": 0.1, "a": [1]})
    b'{"a":[1],"b":0.1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of a value of JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def seal(one: Link, before: Link | None) -> str:
    """Return the digest of a link's entries and of the link before."""
    entry = as_json(one)
    del entry["sha256"]
    return digest(entry | {"previous": None if before is None else before.sha256})


def as_json(one: Link | Stage) -> dict[str, Any]:
    """Return a link or a stage as an object of JSON, without what is None or false."""
    return {name: value for name, value in vars(one).items() if value is not None and value is not False}


def read_links(entries: Any) -> tuple[Link, ...]:
    """Return a chain from the list that JSON holds, once every link covers the one before.

    Raises
    ------
    ValueError
        If an entry is damaged, or one is left out, doubled, reordered or changed.
    """
    if not isinstance(entries, list) or not entries:
        raise ValueError("its chain must be a list that begins with epoch 0")
    links: list[Link] = []
    for number, entry in enumerate(entries):
        one = _read_link(entry, number)
        _check_order(one.epoch, links)
        before = links[-1] if links else None
        if before is not None and (before.cut or (before.average is None) != (one.average is None)):
            what = (
                "was cut short, so that none can follow" if before.cut else "and the next one must both have averages"
            )
            raise ValueError(f"the link of epoch {before.epoch} {what}")
        if one.sha256 != seal(one, before):
            raise ValueError(f"the link of epoch {one.epoch} doesn't cover what it and the link before it say")
        links.append(one)
    return tuple(links)


def _check_order(epoch: int, links: Sequence[Link]) -> None:
    due = len(links)
    if epoch == due:
        return
    if epoch > due:
        raise ValueError(f"its chain leaves out epoch {due}: epoch {epoch} follows {due - 1 if due else 'nothing'}")
    raise ValueError(f"its chain has epoch {epoch} twice, or in the wrong place: epoch {due} is due there")


def _read_link(entry: Any, number: int) -> Link:
    where = f"entry {number} of its chain"
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object")
    figures = entry.get("figures")
    if not isinstance(figures, dict) or not all(_is_figure(value) for value in figures.values()):
        raise ValueError(f"{where} must have figures that are numbers or null")
    if not isinstance(entry.get("cut", False), bool):
        raise ValueError(f"{where} must have true or false as cut")
    return Link(
        _count(entry, "epoch", where),
        read_digest(entry, "parameters", where),
        read_digest(entry, "optimizer", where),
        None if entry.get("average") is None else read_digest(entry, "average", where),
        {name: None if value is None else float(value) for name, value in figures.items()},
        entry.get("cut", False),
        read_digest(entry, "sha256", where),
    )


def _is_figure(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(value))


def read_stages(entries: Any, epochs: int) -> tuple[Stage, ...]:
    """Return the stages of a chain of so many epochs from the list that JSON holds, or raise ValueError."""
    if not isinstance(entries, list) or bool(entries) != bool(epochs):
        raise ValueError("its stages must be a list, with one before the first epoch")
    stages: list[Stage] = []
    for number, entry in enumerate(entries):
        where = f"stage {number + 1}"
        if not isinstance(entry, dict):
            raise ValueError(f"{where} must be an object")
        after, planned, processes = (_count(entry, name, where) for name in ("after", "epochs", "processes"))
        data, source, environment = (read_digest(entry, name, where) for name in ("data", "source", "environment"))
        stage = Stage(after, planned, processes, data, source, environment)
        low = stages[-1].after + 1 if stages else 0
        if not low <= stage.after < (epochs if stages else 1):
            raise ValueError(f"{where} can't begin after epoch {stage.after} of {epochs}")
        stages.append(stage)
    return tuple(stages)


def read_digest(entry: Mapping[str, Any], name: str, where: str, kind: str = "SHA-256") -> str:
    """Return a digest from an object of JSON; raise ValueError unless it has 64 hexadecimal digits."""
    value = entry.get(name)
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(
            f"{where} must have a {kind} digest, 64 digits from 0 to 9 and a to f, as {name:.80}, not {value!r:.80}"
        )
    return value


def _count(entry: Mapping[str, Any], name: str, where: str) -> int:
    return whole_number(f"{name} of {where}", entry.get(name), minimum=0)
