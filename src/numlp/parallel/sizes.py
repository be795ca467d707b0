"""Sizes: how many processes train a network."""

from __future__ import annotations

from numlp.parallel.team import Team
from numlp.settings.checks import whole_number


def as_team(processes: object) -> Team | None:
    """Return a team of so many processes, or None if that is one."""
    size = whole_number("processes", processes)
    if size == 1:
        return None
    from numlp.parallel.processes import Processes  # only now, for it loads a good part of the standard library

    return Processes(size)
