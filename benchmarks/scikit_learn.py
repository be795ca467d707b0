"""numlp.sklearn beside scikit-learn: the same estimators with their defaults, on the same data, in one run.

Goal: the same test scores within noise over ten seeds; `fit` three times as fast on 10,000 rows of MNIST, and not
slower on small tables; `predict_proba` of one row three times as fast. scikit_learn.md has the results. The two take
turns (A B A B …), seed by seed, with the thread count that NumPy's BLAS chooses. Times are medians; ratios are
medians of the ratios of all turns, with the quartiles.

    python benchmarks/scikit_learn.py
"""

import argparse
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import numlp
import numlp.sklearn

HERE = Path(__file__).parent
Split = tuple[Any, Any, Any, Any]


def mnist(seed: int) -> Split:
    """Return 10,000 training rows and all test images, as floats in [0, 1]."""
    data = numlp.load_dataset("mnist")
    assert data.test is not None
    rows = np.random.default_rng(seed).permutation(len(data.train.x))[:10_000]
    train, test = (np.asarray(x).reshape(len(x), -1) / 255 for x in (data.train.x[rows], data.test.x))
    return train, test, data.train.y[rows], data.test.y


def split(load: Callable[..., Any]) -> Callable[[int], Split]:
    """Return a function that splits a data set by a seed."""

    def by_seed(seed: int) -> Split:
        x, y = load(return_X_y=True)
        a, b, c, d = train_test_split(x, y, random_state=seed)
        return a, b, c, d

    return by_seed


DATA: dict[str, Callable[[int], Split]] = {
    "digits": split(datasets.load_digits),
    "breast cancer": split(datasets.load_breast_cancer),
    "wine": split(datasets.load_wine),
    "diabetes": split(datasets.load_diabetes),
    "MNIST, 10,000 rows": mnist,
}
PEERS = {"scikit-learn": neural_network, "numlp": numlp.sklearn}


def timed(call: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(name: str, seeds: range) -> dict[str, Any]:
    """Fit both on the same data with every seed."""
    estimator = "MLPRegressor" if name == "diabetes" else "MLPClassifier"
    rounds: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    for seed in seeds:
        x, x_test, y, y_test = DATA[name](seed)
        for peer in list(PEERS)[:: 1 if seed % 2 else -1]:
            model = getattr(PEERS[peer], estimator)(random_state=seed)
            seconds = timed(lambda model=model, x=x, y=y: model.fit(x, y))  # type: ignore[misc]
            figures = {"fit": seconds, "score": model.score(x_test, y_test), "epochs": model.n_iter_}
            if estimator == "MLPClassifier":
                row = np.ascontiguousarray(x_test[:1])
                model.predict_proba(row)
                calls = [timed(lambda model=model, row=row: model.predict_proba(row)) for _ in range(300)]  # type: ignore[misc]
                figures["one row"] = statistics.median(calls)
            rounds[peer].append(figures)
        print(name, seed, {peer: round(figures[-1]["fit"], 3) for peer, figures in rounds.items()}, flush=True)
    theirs, ours = rounds["scikit-learn"], rounds["numlp"]
    differences = [b["score"] - a["score"] for a, b in zip(theirs, ours, strict=True)]
    result: dict[str, Any] = {
        "data": name,
        "score": {peer: statistics.mean(each["score"] for each in figures) for peer, figures in rounds.items()},
        "deviation": statistics.stdev(each["score"] for each in theirs),
        "largest difference": max(map(abs, differences)),
    }
    for what in ("fit", "one row"):
        if what in ours[0]:
            ratios = [a[what] / b[what] for a, b in zip(theirs, ours, strict=True)]
            result[what] = {
                **{peer: statistics.median(each[what] for each in figures) for peer, figures in rounds.items()},
                "ratio": statistics.median(ratios),
                "quartiles": statistics.quantiles(ratios, n=4)[::2],
            }
    return result


def seconds(value: float) -> str:
    """Return a time in a readable unit."""
    return f"{value:.2f} s" if value >= 1 else f"{1e3 * value:.0f} ms" if value >= 0.01 else f"{1e6 * value:.0f} µs"


def page(measured: dict[str, Any]) -> str:
    """Return the page with the tables."""
    lines = [
        "# numlp.sklearn beside scikit-learn",
        "",
        f"Written by `make bench-sklearn`; do not edit. Both libraries use their defaults and take turns, with "
        f"{measured['seeds']} seeds. Scores are means on test data, times are medians, and ratios are medians over "
        "the seeds, with their quartiles.",
        "",
        "| data | score of scikit-learn | score of numlp | deviation over seeds | largest difference for one seed |",
        "|---|---|---|---|---|",
    ]
    for row in measured["results"]:
        theirs, ours = row["score"]["scikit-learn"], row["score"]["numlp"]
        numbers = (theirs, ours, row["deviation"], row["largest difference"])
        lines.append(f"| {row['data']} | " + " | ".join(f"{number:.4f}" for number in numbers) + " |")
    lines += ["", "| data | call | scikit-learn | numlp | speed-up |", "|---|---|---|---|---|"]
    for row in measured["results"]:
        for what in ("fit", "one row"):
            if what in row:
                times = row[what]
                low, high = times["quartiles"]
                lines.append(
                    f"| {row['data']} | {'`fit`' if what == 'fit' else '`predict_proba` of one row'} | "
                    f"{seconds(times['scikit-learn'])} | {seconds(times['numlp'])} | "
                    f"**{times['ratio']:.2f}** ({low:.2f} – {high:.2f}) |"
                )
    return "\n".join([*lines, "", measured["machine"], ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    warnings.simplefilter("ignore", ConvergenceWarning)
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "NumPy's own choice of")
    machine = (
        f"numlp {numlp.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, {threads} BLAS threads."
    )
    measured = {"seeds": len(seeds), "machine": machine, "results": [compare(name, seeds) for name in DATA]}
    (HERE / "scikit_learn.json").write_text(json.dumps(measured, indent=1) + "\n")
    (HERE / "scikit_learn.md").write_text(page(measured))
    print(page(measured))


if __name__ == "__main__":
    main()
