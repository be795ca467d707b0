"""The search: workers run the trials of a study until there are enough of them, or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from numlp.errors import NumlpError, SettingError
from numlp.runs.recipe import Recipe
from numlp.tuning.kept import Kept
from numlp.tuning.space import recipe_at
from numlp.tuning.standing import Standing, Trial
from numlp.tuning.study import Study
from numlp.tuning.workers import Said, Worker, Workers

_LISTEN = 0.5  # seconds, after which the search looks at the clock and at other machines
_HOPELESS = 5  # trials that fail before any has come to its end
_STARTS = 3  # of workers that end before they can run a trial, one after the other


class Search:
    """A search through a space.

    Parameters
    ----------
    study : Study
    base : Recipe
        With which all trials begin.
    kept : Kept
        The runs of the best trials.
    tell : callable
        Called with each trial that has ended, and how the study stands then.
    say : callable
        Called with a text when something else happens that the user should know.
    """

    def __init__(
        self,
        study: Study,
        base: Recipe,
        kept: Kept,
        tell: Callable[[Trial, Standing], object],
        say: Callable[[str], object],
    ) -> None:
        self.study, self.base, self.kept, self.tell, self.say = study, base, kept, tell, say
        self._at_work: dict[Worker, Any] = {}  # each with its trial
        self._keeping: dict[Worker, int] = {}  # each with the number of the trial whose run it writes
        self._ready: list[Worker] = []
        self._started: set[Worker] = set()
        self._unstarted = 0  # workers that ended before their first trial, since one last started

    def run(self, workers: Workers, limit: int, seconds: float | None, stopped: Callable[[], bool]) -> str:
        """Run trials until the study has so many, the time is up, or the user asks to stop.

        It waits for trials that other machines have in hand. Those that are under way here when the time is up, or
        the user asks to stop, will be tried again.

        Returns
        -------
        str
            Why the search ended: "enough", "time" or "stopped".

        Raises
        ------
        NumlpError
            If no worker can start, or each of the first trials fails.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        waiting = False
        try:
            while not stopped():
                if deadline is not None and time.monotonic() >= deadline:
                    return "time"
                for number in self.study.watch():
                    self.say(f"trial {number} is tried again: its machine showed no sign of life")
                while self._ready and (trial := self.study.take(limit)) is not None:
                    self._begin(self._ready.pop(0), trial)
                if self._ready and not self._at_work and not self._keeping:
                    if self.study.standing().ended >= limit:
                        return "enough"
                    if not waiting:
                        self.say("waiting for trials that other machines are running")
                    waiting = True
                if (said := workers.hear(_LISTEN)) is not None:
                    self._answer(said, workers)
            return "stopped"
        finally:
            for trial in self._at_work.values():
                self.study.give_back(trial.number, "the search was stopped", blamed=False)

    def _begin(self, worker: Worker, trial: Any) -> None:
        self._at_work[worker] = trial
        worker.tell({"recipe": recipe_at(self.base, self.study.point(trial)).as_dict()})

    def _answer(self, said: Said, workers: Workers) -> None:
        worker, message = said
        if message is None:
            self._replace(worker, workers)
        elif "hopeless" in message:
            raise SettingError(message["hopeless"])
        elif "ready" in message:
            self._started.add(worker)
            self._unstarted = 0
            self._ready.append(worker)
        elif "kept" in message:
            del self._keeping[worker]
            self.kept.trim(self.study.standing())
            self._ready.append(worker)
        elif "step" in message:
            worker.tell({"stop": self.study.report(self._at_work[worker], message["step"], message["value"])})
        else:
            self._end(worker, **message)

    def _end(self, worker: Worker, state: str, value: float | None = None, **notes: Any) -> None:
        """Record how a trial ended, and let its worker write its run if it is among the best."""
        number = self._at_work[worker].number
        self.study.end(self._at_work.pop(worker), state, value, **notes)
        standing = self.study.standing()
        self.tell(standing[number], standing)
        if state == "failed" and standing.counts["failed"] >= _HOPELESS and not standing.values:
            raise SettingError(f"the first {_HOPELESS} trials failed; of the last: {notes['reason']}")
        folder = self.kept.place(number, standing) if state == "complete" else None
        if folder is not None:
            self._keeping[worker] = number
        if state == "complete":
            worker.tell({"folder": folder and str(folder)})
        if folder is None:
            self._ready.append(worker)

    def _replace(self, worker: Worker, workers: Workers) -> None:
        """Start another worker in the place of one that has ended, and try its trial again."""
        reason = worker.reason
        if worker not in self._started:
            self._unstarted += 1
            if self._unstarted == _STARTS:
                raise NumlpError(f"no trial can begin: {reason}")
            self.say(f"another worker starts: {reason}")
        workers.replace(worker)
        if worker in self._keeping:
            self.kept.remove(self._keeping.pop(worker))
        if worker in self._ready:
            self._ready.remove(worker)
        if (trial := self._at_work.pop(worker, None)) is None:
            return
        if self.study.give_back(trial.number, reason):
            self.say(f"trial {trial.number} is tried again: {reason}")
        else:
            standing = self.study.standing()
            self.tell(standing[trial.number], standing)
