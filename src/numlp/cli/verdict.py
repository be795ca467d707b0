"""Verdict: what a verification found, in words and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from numlp.runs.agreement import Retraining
from numlp.runs.layout import MODEL
from numlp.runs.provenance import Statement
from numlp.runs.verification import Finding

CODES = {"verified": 0, "differs": 1, "unverifiable": 3}  # 2 is for errors, as of all commands


@dataclass
class Verdict:
    """What a verification found.

    Attributes
    ----------
    findings : list of Finding
        What isn't as the record says.
    notes : list of str
        What wasn't checked, or restricts what was found.
    impossible : str
        Why it can't be verified; empty if it can.
    checked : list of str
        What was checked, in words.
    retraining : Retraining or None
    model : str
        The SHA-256 of the model file; empty if there is none.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    impossible: str = ""
    checked: list[str] = field(default_factory=list)
    retraining: Retraining | None = None
    model: str = ""

    @property
    def outcome(self) -> str:
        """The key in `CODES`."""
        differs = self.findings or (self.retraining is not None and self.retraining.difference is not None)
        return "differs" if differs else "unverifiable" if self.impossible else "verified"


def print_verdict(verdict: Verdict, screen: Console) -> None:
    for finding in verdict.findings:
        screen.print(f"differs: {finding}")
    again = verdict.retraining
    if again is not None:
        _print_retraining(again, screen)
    for note in verdict.notes:
        screen.print(f"note: {note}")
    if verdict.checked:
        screen.print(f"checked: {', '.join(verdict.checked)}")
    if verdict.model:
        screen.print(f"SHA-256 of {MODEL}: {verdict.model}")
    if verdict.outcome == "unverifiable":
        screen.print(f"can't be verified: {verdict.impossible}")
    else:
        screen.print(verdict.outcome)


def _print_retraining(again: Retraining, screen: Console) -> None:
    if again.difference is not None:
        one = again.difference
        screen.print(f"differs: network {one.network}, epoch {one.epoch}: {one.text}")
    elif again.exact:
        screen.print(f"trained again: {again.compared} epochs are the same to the bit")
    else:
        deviations = ", ".join(f"{name} {value:.2g}" for name, value in again.deviation.items())
        screen.print(f"trained again: {again.compared} epochs agree by tolerance; largest deviations: {deviations}")


def verdict_as_json(run: Path, statement: Statement | None, verdict: Verdict) -> dict[str, Any]:
    again = verdict.retraining
    return {
        "run": str(run),
        "outcome": verdict.outcome,
        "model": verdict.model or None,
        "reason": verdict.impossible or None,
        "findings": _listed(verdict.findings),
        "notes": verdict.notes,
        "checked": verdict.checked,
        "arithmetic": None if statement is None else statement.predicate.arithmetic,
        "retraining": None
        if again is None
        else {
            "comparison": "bits" if again.exact else "tolerance",
            "epochs": again.compared,
            "difference": None if again.difference is None else vars(again.difference),
            "deviation": again.deviation,
        },
    }


def _listed(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [vars(finding) for finding in findings]
