"""Explanations on the screen: of a network by its columns, and of one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console

from numlp.cli.output import table
from numlp.judging.dependence import Dependence
from numlp.judging.explanation import Explanation
from numlp.judging.figures import figure_of, shown
from numlp.judging.importance import Importance
from numlp.judging.mistakes import Mistake
from numlp.judging.samples import text_of
from numlp.judging.slices import Slices
from numlp.judging.survey import Survey
from numlp.network.predictor import Predictor

_LISTED = 20  # columns
_LEAST_SHARE = 0.01  # of an interaction in the effect of both columns

Values = Sequence[str] | Sequence[float]


class Words:
    """How to tell of a model's predictions: the name of its target, its error and its numbers."""

    def __init__(self, network: Predictor, target: str) -> None:
        self.of_values = network.loss.task == "regression"
        self.target = target
        self.error = figure_of("root_mean_squared_error").title if self.of_values else "share of wrong rows"

    def number(self, value: float) -> str:
        """Return a prediction or an error; probabilities and shares in percent."""
        return shown("loss" if self.of_values else "accuracy", value)

    def change(self, value: float) -> str:
        """Return a change of predictions or errors; of probabilities and shares in percentage points."""
        return self.number(value) if self.of_values else f"{100 * value:.2f}"

    def signed(self, value: float) -> str:
        """Return a change with its sign."""
        return ("+" if value >= 0 else "−") + self.change(abs(value))

    def of_change(self, title: str) -> str:
        """Return the title of a column of changes, with their unit."""
        return title if self.of_values else f"{title} (points)"

    def values(self, values: Values) -> str:
        """Return a row's class, its labels, or its values."""
        return ", ".join(value if isinstance(value, str) else shown("", value) for value in values) or "none"


def print_survey(screen: Console, title: str, words: Words, found: Survey, of_mistakes: str) -> None:
    """Print what a survey found about rows with this title, and about mistakes with theirs, unless it is empty."""
    importance = found.importance
    overall = f"loss {shown('loss', importance.loss)}, {words.error} {words.number(importance.error)}"
    sample = f"; of {importance.rows:,} of them" if importance.rows < found.slices.rows else ""
    screen.print(f"{title}{sample}: {overall}")
    _print_importance(screen, words, importance)
    for group in found.related:
        screen.print(f"note: {', '.join(group)} say nearly the same, so one alone may look unimportant")
    _print_dependence(screen, words, found)
    _print_slices(screen, words, found.slices)
    if found.mistakes:
        _print_mistakes(screen, words, found.mistakes, of_mistakes)


def print_row(screen: Console, title: str, words: Words, why: Explanation, truth: Values | None) -> None:
    """Print why a network predicts what it does for the row with this title."""
    what = words.target if words.of_values else f"the probability of {why.output}"
    true = "" if truth is None else f"; {words.values(truth)} is true"
    screen.print(f"{title}: {what} is predicted to be {words.number(why.prediction)}{true}")
    screen.print(
        f"\nwhat each column adds to the {words.number(why.mean)} that is predicted for other rows on average"
    )
    listed = table("column", "value", words.of_change("adds"), "±")
    for part in why.contributions[:_LISTED]:
        error = words.change(part.error)
        listed.add_row(part.column, text_of(part.value), words.signed(part.amount), error)
    rest = why.contributions[_LISTED:]
    if rest:
        listed.add_row(f"{len(rest):,} others", "", words.signed(sum(part.amount for part in rest)), "")
    listed.add_row("all", "", words.signed(why.prediction - why.mean), "")
    screen.print(listed)


def _print_importance(screen: Console, words: Words, importance: Importance) -> None:
    screen.print("\nimportance: how much worse it predicts with a column's values permuted among the rows")
    listed = table("column", "loss rises by", "95 % interval", words.of_change(f"{words.error} by"), "95 % interval")
    for part in importance.columns[:_LISTED]:
        low, value, high = (shown("loss", number) for number in (part.loss.low, part.loss.value, part.loss.high))
        error = [words.change(number) for number in (part.error.value, part.error.low, part.error.high)]
        listed.add_row(" + ".join(part.columns), value, f"{low} to {high}", error[0], f"{error[1]} to {error[2]}")
    screen.print(listed)
    if len(importance.columns) > _LISTED:
        screen.print(f"--json lists {len(importance.columns) - _LISTED:,} more")


def _print_dependence(screen: Console, words: Words, found: Survey) -> None:
    several = any(len(one.outputs) > 1 for one in found.dependence)
    what = "the mean prediction" if words.of_values else "the mean probability"
    screen.print(f"\n{what}{f' of {words.target}' if words.of_values else ''} if all rows had one value in a column")
    lines = []
    for one in found.dependence:
        chosen = len(one.outputs) - 1 if len(one.outputs) == 2 else int(np.argmax(one.swing))
        lines.append([one.column, *([one.outputs[chosen]] if several else []), *_course(words, one, chosen)])
    listed = table("column", *(["of"] if several else []), *([""] * (max(map(len, lines)) - 1 - several)))
    for line in lines:
        listed.add_row(*line)
    screen.print(listed)
    least = 0.1 * max((pair.strength for pair in found.interactions), default=0.0)
    strong = [pair for pair in found.interactions if pair.share >= _LEAST_SHARE and pair.strength >= least][:5]
    if strong:
        screen.print("\ncolumns that do more together than the sum of both")
        listed = table("columns", words.of_change("typically"), "share of their effect")
        for pair in strong:
            listed.add_row(" and ".join(pair.columns), f"±{words.change(pair.strength)}", f"{100 * pair.share:.0f} %")
        screen.print(listed)


def _course(words: Words, one: Dependence, output: int) -> list[str]:
    """Return the mean prediction where it is lowest and highest, at the ends of numbers and dates, and at a gap."""
    mean = one.mean[:, output]
    last = len(mean) - 1
    gap = {last} if last and text_of(one.values[last]) == "missing" else set()
    last -= len(gap)
    extremes = [int(np.argmin(mean[: last + 1])), int(np.argmax(mean[: last + 1]))]
    at = dict.fromkeys(extremes if one.kind == "text" else sorted({0, *extremes, last}))
    return [f"{text_of(one.values[i])}: {words.number(mean[i])}" for i in [*at, *gap]]


def _print_slices(screen: Console, words: Words, slices: Slices) -> None:
    if not slices.slices:
        screen.print(f"\nworst slices: on none of {slices.examined:,} is it worse than on all rows, beyond chance")
        return
    screen.print(f"\nworst slices: the {words.error} is above the {words.number(slices.error)} of all rows")
    listed = table("slice", "rows", words.error, "interval")
    for part in slices.slices:
        value, low, high = (words.number(end) for end in (part.error.value, part.error.low, part.error.high))
        listed.add_row(f"{part.column} {part.condition}", f"{part.rows:,}", value, f"{low} to {high}")
    screen.print(listed)


def _print_mistakes(screen: Console, words: Words, mistakes: Sequence[Mistake], title: str) -> None:
    screen.print(f"\n{'largest errors' if words.of_values else 'surest mistakes'} {title}".rstrip())
    listed = table("row", "true", "predicted", "off by" if words.of_values else "probability")
    for mistake in mistakes:
        size = words.number(mistake.size)
        listed.add_row(f"{mistake.row}", words.values(mistake.truth), words.values(mistake.predicted), size)
    screen.print(listed)
