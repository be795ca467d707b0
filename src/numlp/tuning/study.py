"""A study: the trials of a search, which processes and machines share, and who has which in hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from numlp.runs.recipe import Recipe
from numlp.tuning.identity import Identity
from numlp.tuning.proposals import (
    GIVEN_BACK,
    decoded,
    distributions,
    encoded,
    ordinal,
    pruner,
    sampler,
)
from numlp.tuning.space import Space, left_out, point_of
from numlp.tuning.standing import Standing, Trial
from numlp.tuning.storage import IDENTITY, open_storage, optuna, shown

_STATES = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
_BEAT, _DEAD = 10.0, 60.0  # seconds: between signs of life, and without one until a machine counts as gone
_REASON = "reason of"  # the end of a trial that isn't tried again
_REPEATS = "repeats"  # the number of a trial that has been given back
_TRIES = 3  # of a trial whose workers end before their time


class Study:
    """A study, as one `numlp tune` sees it.

    Parameters
    ----------
    place : str
        A file's path, or a database's URL.
    name : str
        Of the study, in its file or database.
    identity : Identity
    base : Recipe
        With which all trials begin.
    space : Space
    owner : str
        Who takes trials: a machine and a folder on it. No two that run at a time have the same name.

    Attributes
    ----------
    begins : bool
        Whether there was no such study before.
    """

    def __init__(self, place: str, name: str, identity: Identity, base: Recipe, space: Space, owner: str) -> None:
        self._library = optuna()
        self.where, self.space, self.owner = shown(place), space, owner
        self.higher = not identity.metric.endswith("loss")
        self._study = self._library.create_study(
            storage=open_storage(place),
            study_name=name,
            direction="maximize" if self.higher else "minimize",
            sampler=sampler(base.seed),
            pruner=pruner(),
            load_if_exists=True,
        )
        stored = self._study.user_attrs.get(IDENTITY)
        self.begins = stored is None
        if stored is None:
            if not left_out(base, space):
                point = encoded(point_of(base, space))
                self._study.enqueue_trial(point, user_attrs={"default": True}, skip_if_exists=True)
            self._study.set_user_attr(IDENTITY, vars(identity))
        else:
            identity.check(stored, self.where)
        self._distributions = distributions(space)
        self._beats, self._last = 0, 0.0
        self._seen: dict[str, tuple[Any, float]] = {}
        self._final: dict[int, Trial] = {}  # by their numbers, those that won't change any more

    def recover(self) -> int:
        """Give back the trials that an earlier process with this owner's name had in hand; return how many."""
        states = self._library.trial.TrialState
        left = [t for t in self._trials(states.RUNNING) if t.user_attrs.get("owner") == self.owner]
        for trial in left:
            self.give_back(trial.number, "its process had ended", blamed=False)
        return len(left)

    def watch(self, clock: Callable[[], float] = time.monotonic) -> list[int]:
        """Show a sign of life, and give back the trials of machines that show none; return these trials' numbers."""
        if clock() - self._last < _BEAT:
            return []
        self._last, self._beats = clock(), self._beats + 1
        self._study.set_user_attr(f"beat of {self.owner}", self._beats)
        beats, lost = self._study.user_attrs, []
        for trial in self._trials(self._library.trial.TrialState.RUNNING):
            owner = trial.user_attrs.get("owner", f"trial {trial.number}")
            beat = beats.get(f"beat of {owner}")
            if owner == self.owner:
                continue
            if owner not in self._seen or self._seen[owner][0] != beat:
                self._seen[owner] = (beat, clock())
            elif clock() - self._seen[owner][1] >= _DEAD:
                self.give_back(trial.number, "its machine showed no sign of life")
                lost.append(trial.number)
        return lost

    def take(self, limit: int) -> Any | None:
        """Return the next trial to run of so many in all, in Optuna's terms; None if others have the rest in hand."""
        while self.standing().begun < limit:
            trial = self._study.ask(self._distributions)
            trial.set_user_attr("owner", self.owner)
            if (needless := self._needless(trial, limit)) is None:
                return trial
            self._study.set_user_attr(f"{GIVEN_BACK} {trial.number}", needless)
            self._tell(trial.number, self._library.trial.TrialState.FAIL)
        return None

    def _needless(self, trial: Any, limit: int) -> str | None:
        """Return why a trial needs no run; None if it needs one.

        Two machines may take the last trial at once, give back the same one, or begin the study together.
        """
        failed, purpose = self._library.trial.TrialState.FAIL, _purpose(trial)
        if isinstance(purpose, int):
            self._tell(purpose, failed)  # who gave it back may have been killed before
        for other in self._trials() if purpose is not None else ():
            if other.number == purpose and other.state != failed:
                return "the trial that it repeats came to its end"
            if other.number < trial.number and _purpose(other) == purpose:
                return "another trial does the same"
        return None if ordinal(self._study, trial.number) < limit else "it was one too many"

    def point(self, trial: Any) -> dict[str, Any]:
        """Return the point of the space that a trial tries."""
        return decoded(trial.params, self.space, exact=bool(trial.user_attrs.get("default")))

    def report(self, trial: Any, step: int, value: float) -> bool:
        """Record how a trial stands, and return whether it shall end: it falls behind, or another has it in hand."""
        try:
            trial.report(value, step)
            return bool(trial.should_prune())
        except self._library.exceptions.UpdateFinishedTrialError:
            return True

    def end(self, trial: Any, state: str, value: float | None = None, **notes: Any) -> None:
        """Record how a trial ended: "complete", "pruned", "diverged" or "failed"."""
        states = self._library.trial.TrialState
        told = {"complete": states.COMPLETE, "failed": states.FAIL}.get(state, states.PRUNED)
        with suppress(self._library.exceptions.UpdateFinishedTrialError):
            for name, note in {**notes, "state": state}.items():
                trial.set_user_attr(name, note)
        self._tell(trial.number, told, value if state == "complete" else None)

    def give_back(self, number: int, reason: str, *, blamed: bool = True) -> bool:
        """Let a trial be tried again, unless it is to blame for too many ends; return whether it will."""
        (trial,) = (each for each in self._trials() if each.number == number)
        tries = trial.user_attrs.get("tries", 0) + blamed
        again = bool(tries < _TRIES)
        self._study.set_user_attr(f"{GIVEN_BACK if again else _REASON} {number}", reason)
        if again:
            # First, so that a process that is killed in between loses no trial; `take` leaves out doubles.
            kept = {name: note for name, note in trial.user_attrs.items() if name == "default"}
            self._study.enqueue_trial(trial.params, user_attrs={**kept, "tries": tries, _REPEATS: number})
        self._tell(number, self._library.trial.TrialState.FAIL)
        return again

    def _tell(self, number: int, state: Any, value: float | None = None) -> None:
        """End a trial, unless it has ended: a machine that took this one for gone has given it back."""
        with suppress(self._library.exceptions.UpdateFinishedTrialError, ValueError):
            self._study.tell(number, value, state=state)

    def standing(self) -> Standing:
        """Return how the study stands now."""
        states, attributes = self._library.trial.TrialState, self._study.user_attrs
        begun = [trial for trial in self._trials() if trial.state != states.WAITING]
        for trial in begun:
            if trial.number not in self._final and trial.state in (states.COMPLETE, states.PRUNED):
                self._final[trial.number] = self._described(trial, attributes)
        trials = (self._final.get(trial.number) or self._described(trial, attributes) for trial in begun)
        return Standing(tuple(trials), self.higher)

    def _described(self, trial: Any, attributes: Mapping[str, Any]) -> Trial:
        """Return a trial in our terms, given the attributes of the study."""
        notes, state = trial.user_attrs, _STATES[trial.state.name]
        if state == "pruned":
            state = notes.get("state", state)  # Optuna has no state for trials that diverged
        elif state == "failed" and f"{GIVEN_BACK} {trial.number}" in attributes:
            state = GIVEN_BACK
        elif state == "failed":
            notes = {"reason": attributes.get(f"{_REASON} {trial.number}", ""), **notes}
        values = trial.intermediate_values
        value = trial.value if state == "complete" else values[max(values)] if values else None
        return Trial(
            trial.number, state, value, self.point(trial), trial.datetime_start, trial.datetime_complete, notes
        )

    def importance(self) -> dict[str, float]:
        """Return the share of each setting in how the best tenth of the trials differs from all.

        S. Watanabe et al., "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary subspaces"
        (2023). It is empty for fewer than ten trials that came to their end.
        """
        if len(self._trials(self._library.trial.TrialState.COMPLETE)) < 10:
            return {}
        importance = self._library.importance
        found = importance.get_param_importances(self._study, evaluator=importance.PedAnovaImportanceEvaluator())
        return {name: float(value) for name, value in found.items()}

    def _trials(self, *states: Any) -> list[Any]:
        found: list[Any] = self._study.get_trials(deepcopy=False, states=states or None)
        return found


def _purpose(trial: Any) -> int | str | None:
    """Return which trial a queued one repeats, or "default" for the recipe to begin with; None for all others."""
    notes = trial.user_attrs
    number: int | None = notes.get(_REPEATS)
    return number if number is not None else "default" if notes.get("default") else None
