"""Proposals: which point of the space a trial tries, and whether a trial has fallen behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numlp.tuning.space import Choices, Range, Space, Value
from numlp.tuning.storage import optuna

GIVEN_BACK = "given back"  # by a worker that ended: another trial takes its place
_EARLIEST = 5  # step, from 1: by half of the first network's epochs, those that learn slowly have caught up
_DIGITS = 4  # of a number that is proposed: more say nothing, and make a recipe hard to read
_FULL = 5  # trials that have come to their end, before others are measured by them


def distributions(space: Space) -> dict[str, Any]:
    """Return a space in Optuna's terms."""
    made = optuna().distributions

    def of(values: Choices | Range) -> Any:
        if isinstance(values, Choices):
            return made.CategoricalDistribution([_name(value) for value in values.values])
        if values.whole:
            return made.IntDistribution(values.low, values.high, log=values.log, step=values.step or 1)
        return made.FloatDistribution(values.low, values.high, log=values.log, step=values.step)

    return {name: of(values) for name, values in space.items()}


def encoded(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return a point of a space as Optuna takes it."""
    return {name: _name(value) for name, value in point.items()}


def decoded(params: Mapping[str, Any], space: Space, *, exact: bool = False) -> dict[str, Any]:
    """Return the point of a space that Optuna's parameters stand for; `exact` keeps all digits of numbers.

    >>> decoded({"dropout": 0.123456}, {"dropout": Range(0.0, 0.5)})
    {'dropout': 0.1235}
    """
    point = {}
    for name, param in params.items():
        values = space[name]
        if isinstance(values, Choices):
            param = next(value for value in values.values if _name(value) == param)
        elif not values.whole and values.step is None and not exact:
            param = min(max(float(f"{param:.{_DIGITS}g}"), float(values.low)), float(values.high))
        point[name] = param
    return point


def _name(value: Value) -> Any:
    """Return a value as Optuna takes it, which has no lists."""
    return str(value) if isinstance(value, tuple) else value


def ordinal(study: Any, number: int) -> int:
    """Return the number that a trial would have if no trial had been given back."""
    marks, failed = study.user_attrs, optuna().trial.TrialState.FAIL
    numbers = (trial.number for trial in study.get_trials(deepcopy=False, states=(failed,)))
    return number - sum(1 for earlier in numbers if earlier < number and f"{GIVEN_BACK} {earlier}" in marks)


def sampler(seed: int) -> Any:
    """Return what proposes points: at random at first, then by the tree-structured Parzen estimator.

    Its randomness is a function of the seed and a trial's ordinal: a search that is interrupted and resumed makes the
    same proposals as one that isn't. It supposes that trials that still run will do badly, so that several processes
    don't try the same. J. Bergstra et al., "Algorithms for hyper-parameter optimization" (2011); S. Falkner et al.,
    "BOHB" (2018), for all settings together.
    """
    samplers = optuna().samplers
    base: Any = samplers.BaseSampler

    class Sampler(base):  # type: ignore[misc]
        def _of(self, study: Any, trial: Any) -> Any:
            if getattr(self, "_number", None) != trial.number:
                self._number = trial.number
                own = (seed * 1_000_003 + ordinal(study, trial.number)) % 2**32
                self._sampler = samplers.TPESampler(seed=own, multivariate=True, constant_liar=True)
            return self._sampler

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            return self._of(study, trial).infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            return self._of(study, trial).sample_relative(study, trial, search_space)

        def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
            return self._of(study, trial).sample_independent(study, trial, name, distribution)

    return Sampler()


def pruner() -> Any:
    """Return what ends trials that fall behind the median of those that came to their end.

    `python -m benchmarks.pruning` compares it with other rules.
    """
    return optuna().pruners.MedianPruner(n_startup_trials=_FULL, n_warmup_steps=_EARLIEST)
