"""Circumstances: whether numlp's source and the environment are those of a recorded run."""

from __future__ import annotations

from numlp.runs.environment import environment, source_digest
from numlp.runs.links import digest
from numlp.runs.provenance import Predicate
from numlp.version import __version__


def other_source(record: Predicate) -> list[str]:
    """Return in words that numlp's source isn't that of a run, nothing if it is."""
    stages = {stage.source for network in record.networks for stage in network.stages}
    if {*stages, record.source} == {source_digest()}:
        return []
    return [f"numlp's source isn't that of the run: it was numlp {record.numlp_version}, and is {__version__}"]


def other_environment(record: Predicate) -> list[str]:
    """Return in words what of the environment isn't that of a run: of the BLAS, the processor and the like."""
    here, there = environment(), record.environment
    found = [
        f"{name} is {here.get(name)!r} here, and was {there.get(name)!r}"
        for name in {**there, **here}
        if here.get(name) != there.get(name)
    ]
    stages = {stage.environment for network in record.networks for stage in network.stages}
    if stages - {digest(dict(there))}:
        found.append("before it was resumed, the run had another environment")
    return found
