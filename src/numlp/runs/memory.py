"""Memory: how much of the machine's rows may take by default."""

from __future__ import annotations

import os
from pathlib import Path

_SHARE = 4
_UNKNOWN = 8 << 30  # where the system doesn't tell
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def usual_memory(processes: int = 1) -> str:
    """Return a quarter of the memory of this machine, or of the container, as a setting for each of some processes.

    >>> usual_memory().endswith("MiB")
    True
    """
    return f"{max(64, machine_memory() // _SHARE // processes >> 20)}MiB"


def machine_memory() -> int:
    """Return how many bytes of memory this machine has, or the container that this process is in."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
    for path in _LIMITS:
        try:
            found = min(found, int(path.read_text()))
        except (OSError, ValueError):  # there is none
            continue
    return found
