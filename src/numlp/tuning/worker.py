"""A worker: a process that runs one trial after another for `numlp tune`, which it talks with in lines of JSON.

It ends when its parent does, however that happens: then nothing holds the other end of its standard input any more.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from numlp.datasets import Dataset
from numlp.errors import DivergenceError, NumlpError, ValidationLossError
from numlp.runs.digests import digests
from numlp.runs.folder import create_folder, save_run
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data
from numlp.tuning.trial import Trained, train_trial


class Parent:
    """The parent at the other end of standard input and output."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._output = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what anything prints must not come between the lines
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        os._exit(1)

    def hear(self) -> dict[str, Any]:
        """Return what the parent says next."""
        heard: dict[str, Any] = json.loads(self._lines.get())
        return heard

    def tell(self, **said: Any) -> None:
        """Say something to the parent."""
        try:
            self._output.write(json.dumps(said) + "\n")
            self._output.flush()
        except OSError:
            os._exit(1)


def without_test(dataset: Dataset) -> Dataset:
    """Return a data set without its test rows, by which no trial is judged."""
    return dataclasses.replace(dataset, test=None)


def seen_by_trials(dataset: Dataset) -> dict[str, str]:
    """Return the digests of the rows that train and judge trials."""
    return digests(without_test(dataset))


def main() -> None:
    """Run the trials that the parent names until it ends."""
    parent = Parent()
    job = parent.hear()
    try:
        recipe = Recipe.from_dict(job["recipe"])
        dataset = without_test(load_data(recipe))
        if seen_by_trials(dataset) != job["data"]:
            parent.tell(hopeless=f"{recipe.data} has changed since the search began: begin another study")
            return
    except NumlpError as error:
        parent.tell(hopeless=str(error))
        return
    parent.tell(ready=True)
    while True:
        _run(Recipe.from_dict(parent.hear()["recipe"]), dataset, job["metric"], parent)


def _run(recipe: Recipe, dataset: Dataset, metric: str, parent: Parent) -> None:
    """Run one trial."""

    def tell(step: int, value: float) -> bool:
        parent.tell(step=step, value=value)
        return bool(parent.hear()["stop"])

    started = time.perf_counter()
    try:
        trained = train_trial(recipe, dataset, metric, tell)
        seconds = time.perf_counter() - started
        if trained is None:
            parent.tell(state="pruned", seconds=seconds)
            return
    except (DivergenceError, ValidationLossError) as error:
        parent.tell(state="diverged", seconds=time.perf_counter() - started, reason=str(error))
        return
    except (NumlpError, MemoryError) as error:
        parent.tell(state="failed", seconds=time.perf_counter() - started, reason=str(error) or "not enough memory")
        return
    value = trained.value
    if not math.isfinite(value):
        parent.tell(state="failed", seconds=seconds, reason=f"its {metric} isn't a finite number")
        return
    parent.tell(state="complete", value=value, seconds=seconds, epochs=len(trained.history))
    if (folder := parent.hear()["folder"]) is not None:
        _keep(Path(folder), recipe, trained, dataset, seconds)
        parent.tell(kept=True)


def _keep(folder: Path, recipe: Recipe, trained: Trained, dataset: Dataset, seconds: float) -> None:
    """Write a trial's run with its report."""
    from numlp.report import write_report

    create_folder(recipe, folder)
    model, _, history, gradients = trained
    save_run(folder, recipe, model, dataset, history, seconds=seconds, ended="completed", gradients=gradients)
    write_report(folder, dataset, figures=False)


if __name__ == "__main__":
    main()
