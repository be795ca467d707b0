"""Environment: what a result's bits may depend on beside recipe and data, without names of people, hosts or paths."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np

import numlp.version
from numlp.training.threads import count


def source_digest(folder: Path | None = None) -> str:
    """Return one SHA-256 over the Python files of numlp, or of another folder.

    It covers their paths and contents in the order of the paths, with one kind of line ending. Compiled files and the
    time of a file don't matter.
    """
    folder = Path(numlp.version.__file__).parent if folder is None else folder
    made = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        made.update(f"{name}\n{len(content)}\n".encode() + content)
    return made.hexdigest()


def environment() -> dict[str, str]:
    """Return what computes now, by name: Python, NumPy, its BLAS and kernel, the processor and the system.

    >>> environment()["numpy"] == np.__version__
    True
    """
    config: Any = np.show_config(mode="dicts")
    simd = config.get("SIMD Extensions", {})
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "simd": " ".join([*simd.get("baseline", []), *simd.get("found", [])]),
        **_blas(config),
        "threads": str(count()),
        "processor": _processor(),
        "machine": platform.machine(),
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()).strip(),
    }


def _blas(config: Any) -> dict[str, str]:
    """Return the name, version and kernel of NumPy's BLAS; those of its build where the loaded one doesn't tell."""
    from threadpoolctl import threadpool_info

    loaded = [each for each in threadpool_info() if each["user_api"] == "blas"]
    # SciPy's wheel brings another OpenBLAS, and which of the two is listed first may change.
    of_numpy = [each for each in loaded if "numpy" in each["filepath"].rpartition("site-packages")[2]]
    if found := next(iter(of_numpy or loaded), None):
        name = f"{found['internal_api']} {found['version'] or ''}".strip()
        return {"blas": name, "kernel": str(found.get("architecture", ""))}
    built = config.get("Build Dependencies", {}).get("blas", {})
    return {"blas": f"{built.get('name', '')} {built.get('version', '')}".strip(), "kernel": ""}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()
