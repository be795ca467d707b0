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
from numlp.cli.summary import introduce_data, print_metrics
from numlp.datasets import Dataset
from numlp.errors import NumlpError, SettingError
from numlp.files.models import load_model
from numlp.judging.figures import figure_of, shown
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.digests import check_digests
from numlp.runs.folder import load_run
from numlp.runs.layout import METRICS, MODEL
from numlp.runs.recipe import Recipe
from numlp.runs.teachers import teacher_of
from numlp.runs.unfinished import is_unfinished
from numlp.settings.texts import counted
from numlp.training.interruption import Interruption
from numlp.tuning.average import averaged, write_average
from numlp.tuning.kept import Kept
from numlp.tuning.page import write_page
from numlp.tuning.plan import BEST, Plan
from numlp.tuning.search import Search
from numlp.tuning.space import left_out, recipe_at
from numlp.tuning.standing import Standing, Trial
from numlp.tuning.study import Study
from numlp.tuning.trial import train_trial
from numlp.tuning.worker import without_test
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
        return outcome

    def average(self, best: Trial) -> dict[str, Any] | None:
        """Average the networks of two recipes in the folder of the search, and return the metrics.

        It returns None where only the best recipe is to be had: without folds, with one trial, or where networks
        can't be averaged.
        """
        plan, pair, model = self.plan, self.study.standing().pair, None
        if plan.base.folds and pair:
            try:
                model = averaged([self._networks(trial, best) for trial in pair])
            except SettingError as error:
                self.screen.print(f"\nno networks are averaged: {error}")
        if pair is None or model is None:
            for name in (MODEL, METRICS):
                (plan.folder / name).unlink(missing_ok=True)
            return None
        first, other = pair
        metrics = write_average(plan.folder, model, plan.base, plan.dataset, [first.number, other.number])
        number, which = (
            (first.number, "the recipe to begin with") if other == best else (other.number, "the second best")
        )
        self.screen.print(f"\nthe average of the networks of trial {best.number} and of trial {number}, {which}:")
        print_metrics(self.screen, model, metrics)
        self.screen.print(f"\n  {plan.folder / MODEL}\n  {plan.folder / METRICS}")
        write_page(plan, self.study, averaged=True)
        return metrics

    def _networks(self, trial: Trial, best: Trial) -> MLP | Ensemble:
        """Return a trial's networks, which are trained again if another machine ran it, or no runs are kept."""
        plan = self.plan
        for folder in (plan.folder / BEST if trial == best else None, self.kept.path(trial.number)):
            if folder is not None and (folder / METRICS).is_file():
                return load_model(folder / MODEL)
        self.screen.print(f"\ntrial {trial.number} is trained again, because its run isn't here")
        recipe = recipe_at(plan.base, trial.point)
        trained = train_trial(recipe, without_test(plan.dataset), plan.metric, lambda step, value: False)
        assert trained is not None
        return trained.model


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
