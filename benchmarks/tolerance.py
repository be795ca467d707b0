"""Tolerance: how far figures of a training lie apart on other machines, beside what `numlp verify` allows.

Ordinary arithmetic rounds sums as the BLAS's kernel adds them. So a recipe is trained with each of several kernels of
OpenBLAS (OPENBLAS_CORETYPE), as processors of other kinds would train it, with one thread. For each figure of the
history, it prints the largest deviation from the first kernel's, and which share of the tolerance that is.

    python -m benchmarks.tolerance [--data mnist] [--recipe default] [--kernels SkylakeX,Haswell,Prescott]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from numlp.runs.agreement import tolerance
from numlp.runs.folder import load_run
from numlp.training.history import History


def train(arguments: argparse.Namespace, kernel: str) -> History:
    """Train with one of OpenBLAS's kernels; return the history."""
    surroundings = os.environ | {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as place:
        run = Path(place, "run")
        command = [sys.executable, "-m", "numlp", "train", arguments.data, "--recipe", arguments.recipe]
        settings = ["--processes", "1", "--no-report", "--output", str(run)]
        subprocess.run([*command, *settings], check=True, stdout=subprocess.DEVNULL, env=surroundings)
        return load_run(run).history


def deviations(histories: list[History]) -> dict[str, tuple[float, float]]:
    """Return for each figure its largest deviation from the first history, and the largest share of its tolerance."""
    first, *others = histories
    found = {}
    for name in first.columns:
        if name not in ("epoch", "seconds"):
            pairs = [pair for other in others for pair in zip(first[name], other[name], strict=True)]
            apart = max(abs(one - two) for one, two in pairs)
            shares = [abs(one - two) / tolerance(name, one) for one, two in pairs if one != two]
            found[name] = apart, max(shares, default=0.0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the figures of a recipe on several kernels of OpenBLAS.")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--kernels", default="SkylakeX,Haswell,Prescott")
    arguments = parser.parse_args()
    kernels = arguments.kernels.split(",")
    found = deviations([train(arguments, kernel) for kernel in kernels])
    print(f"{arguments.recipe} on {arguments.data}, {', '.join(kernels)}")
    for name, (apart, share) in found.items():
        print(f"{name}: {apart:.2g}, {share:.0%} of the tolerance")


if __name__ == "__main__":
    main()
