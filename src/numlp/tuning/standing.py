"""A standing: the trials of a study at one moment, as one reading of its storage finds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from numlp.settings.texts import counted

ENDED = ("complete", "pruned", "diverged", "failed")


@dataclass(frozen=True)
class Trial:
    """A trial of a study.

    Attributes
    ----------
    number : int
        From 0.
    state : "running", "complete", "pruned", "diverged", "failed" or "given back"
    value : float or None
        Of the metric; of a pruned trial, the last.
    point : dict
        Its settings that are searched.
    begun, ended : datetime or None
    notes : dict
        What else is known: "owner", "seconds", "epochs", "reason".
    """

    number: int
    state: str
    value: float | None
    point: Mapping[str, Any]
    begun: datetime | None
    ended: datetime | None
    notes: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a study stands.

    Attributes
    ----------
    trials : tuple of Trial
        All that have begun, in the order of their numbers.
    higher : bool
        Whether higher values are better.

    Examples
    --------
    >>> trials = [Trial(i, "complete", value, {}, None, None, {}) for i, value in enumerate([0.5, 0.25, 0.25])]
    >>> standing = Standing((*trials, Trial(3, "pruned", 0.75, {}, None, None, {})), higher=False)
    >>> print(standing, standing.best.number)
    4 trials (3 complete, 1 pruned) 1
    """

    trials: tuple[Trial, ...]
    higher: bool

    def __getitem__(self, number: int) -> Trial:
        """Return a trial by its number."""
        return next(trial for trial in self.trials if trial.number == number)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many trials have ended in which way."""
        found = Counter(trial.state for trial in self.trials)
        return {state: found[state] for state in ENDED}

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(self.counts.values())

    @property
    def begun(self) -> int:
        """How many trials have ended or still run."""
        return self.ended + sum(trial.state == "running" for trial in self.trials)

    @cached_property
    def values(self) -> dict[int, float]:
        """The values of the trials that have come to their end, by their numbers."""
        return {
            trial.number: trial.value
            for trial in self.trials
            if trial.state == "complete" and trial.value is not None
        }

    @property
    def best(self) -> Trial | None:
        """The best trial of those that have come to their end; of equal ones, the first."""
        return next(iter(self.ranked), None)

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials that have come to their end, the best first."""
        values, sign = self.values, -1 if self.higher else 1
        ended = (trial for trial in self.trials if trial.number in values)
        return sorted(ended, key=lambda trial: (sign * values[trial.number], trial.number))

    @cached_property
    def first(self) -> Trial | None:
        """The trial of the recipe that the search began with, if it has come to its end."""
        return next((t for t in self.trials if t.number in self.values and t.notes.get("default")), None)

    @property
    def pair(self) -> tuple[Trial, Trial] | None:
        """The first trial and the best other one, whose networks can be averaged, if there are such."""
        other = next((trial for trial in self.ranked if trial != self.first), None)
        return (self.first, other) if self.first and other else None

    def __str__(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        return f"{counted(self.ended, 'trial')}{f' ({told})' if told else ''}"
