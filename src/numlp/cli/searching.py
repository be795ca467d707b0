"""Searching: a search on screen, from its introduction to the run of the best recipe."""

import math
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from numlp.cli.opening import Opening
from numlp.cli.output import setting_text
from numlp.cli.running import Outcome, run
from numlp.cli.summary import introduce_data
from numlp.datasets import Dataset
from numlp.errors import NumlpError
from numlp.judging.figures import figure_of, shown
from numlp.runs.digests import check_digests
from numlp.runs.folder import load_run
from numlp.runs.recipe import Recipe
from numlp.runs.teachers import teacher_of
from numlp.runs.unfinished import is_unfinished
from numlp.settings.texts import counted
from numlp.training.interruption import Interruption
from numlp.tuning.kept import Kept
from numlp.tuning.page import write_page
from numlp.tuning.plan import BEST, PAGE, Plan
from numlp.tuning.search import Search
from numlp.tuning.space import left_out, recipe_at
from numlp.tuning.standing import Standing, Trial
from numlp.tuning.study import Study
from numlp.tuning.workers import Workers

_PAGE_EVERY = 30.0  # seconds


class Searching:
    """A search on the screen.

    Parameters
    ----------
    plan : Plan
    study : Study
    kept : Kept
    at_once : int
        How many trials run at a time.
    screen : Console
    """

    def __init__(self, plan: Plan, study: Study, kept: Kept, at_once: int, screen: Console) -> None:
        self.plan, self.study, self.kept, self.at_once, self.screen = plan, study, kept, at_once, screen
        self._written = -math.inf

    def introduce(self) -> None:
        """Describe the data and the search."""
        plan, screen = self.plan, self.screen
        introduce_data(screen, plan.base, plan.dataset)
        rows = f"{plan.base.folds} folds" if plan.base.folds else "the validation rows"
        direction = "highest" if self.study.higher else "lowest"
        screen.print(
            f"searching {counted(len(plan.space), 'setting')} for the {direction} {figure_of(plan.metric).title} "
            f"on {rows}, {counted(self.at_once, 'trial')} at a time"
        )
        called = f"{plan.name!r} in {self.study.where}"
        if self.study.begins:
            screen.print(f"a new study begins: {called}")
        else:
            screen.print(f"the study {called} goes on: it has {self.study.standing()}")
        if excluded := left_out(plan.base, plan.space):
            told = ", ".join(f"{name} {setting_text(value)}" for name, value in excluded.items())
            screen.print(f"note: the space leaves out the recipe to begin with, so no trial is that one: {told}")

    def run(self, limit: int, seconds: float | None) -> int:
        """Run the trials that the study lacks, and write its page; return the signal that stopped it, or 0."""
        if recovered := self.study.recover():
            self.screen.print(f"trying again what was stopped: {counted(recovered, 'trial')}")
        plan, missing = self.plan, limit - self.study.standing().ended
        if missing <= 0:
            self.write()
            return 0
        job = {"recipe": plan.base.as_dict(), "data": plan.data, "metric": plan.metric}
        search = Search(self.study, plan.base, self.kept, self._show, self.screen.print)
        self.screen.print(f"{'trial':>6}  {'':<10}  {plan.metric:>10}  {'best so far':>16}  seconds")
        with Interruption([signal.SIGINT, signal.SIGTERM]) as interruption:
            with Workers(min(self.at_once, missing), job, int(plan.base.threads or 1)) as workers:
                search.run(workers, limit, seconds, lambda: bool(interruption.number))
            self.write()
        return interruption.number

    def _show(self, trial: Trial, standing: Standing) -> None:
        best, title = standing.best, self.plan.metric
        value = "–" if trial.value is None else shown(title, trial.value)
        leader = "–" if best is None or best.value is None else f"{shown(title, best.value)}, trial {best.number}"
        seconds = trial.notes.get("seconds", 0.0)
        self.screen.print(f"{trial.number:>6}  {trial.state:<10}  {value:>10}  {leader:>16}  {seconds:7.1f}")
        if trial.state == "failed":
            self.screen.print(f"        {trial.notes.get('reason', '')}")
        if time.monotonic() - self._written > _PAGE_EVERY:
            self.write()

    def write(self) -> None:
        """Write the study's page."""
        self._written = time.monotonic()
        write_page(self.plan, self.study)

    def described(self, trial: Trial) -> str:
        """Return a trial in words."""
        settings = ", ".join(f"{name} {setting_text(value)}" for name, value in trial.point.items())
        return f"trial {trial.number}, {self.plan.metric} {shown(self.plan.metric, trial.value)}: {settings}"

    def train(self, best: Trial, *, report: bool) -> Outcome:
        """Train with the best recipe as `numlp train` does, if it hasn't been: only now are test rows used."""
        plan, folder = self.plan, self.plan.folder / BEST
        recipe = recipe_at(plan.base, best.point)
        if (metrics := _trained(folder, recipe, plan.dataset)) is not None:
            self.screen.print(f"{folder} was trained with its recipe before")
            outcome = Outcome(folder, metrics, 0)
        else:
            if folder.exists():
                shutil.rmtree(folder)
            opening = Opening(folder, {"seconds": 60.0}, told=True)
            outcome = run(recipe, plan.dataset, opening, self.screen, report=report)
            self.write()
        self.screen.print(f"\nthe page of the study: {plan.folder / PAGE}")
        return outcome


def _trained(folder: Path, recipe: Recipe, dataset: Dataset) -> dict[str, Any] | None:
    """Return the metrics of a finished run with a recipe on the same data; None if a folder holds no such run."""
    if is_unfinished(folder):
        return None
    try:
        found = load_run(folder)
        check_digests(folder, dataset, teacher_of(recipe))
    except NumlpError:
        return None
    return found.metrics if found.recipe == recipe else None
