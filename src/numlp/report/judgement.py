"""Where a model fails: which classes it confuses, how confident it is, and how far off its values are."""

from __future__ import annotations

from typing import Any

import numpy as np

from numlp.judging.confusions import MOST_CLASSES, class_accuracy, confusion_among, most_confused
from numlp.judging.figures import shown
from numlp.judging.intervals import wilson_interval
from numlp.judging.metrics import expected_calibration_error, reliability
from numlp.report.curves import numbers
from numlp.report.judged import Judged

_MOST_POINTS = 2000
_MOST_TARGETS = 12


def confusion(judged: Judged) -> dict[str, Any]:
    """Return the confusion matrix of the classes with the most mistakes, and their accuracies with Wilson's interval.

    "classes" are their indices: of all classes, unless there are more than `MOST_CLASSES`.
    """
    truth, guess = judged.classes
    names = judged.model.classes
    chosen = most_confused(truth, guess, len(names), MOST_CLASSES)
    totals = np.bincount(truth, minlength=len(names))
    shares = class_accuracy(truth, guess, len(names))
    accuracies = []
    for i in chosen:
        share, total = shares[i], totals[i]
        entry: dict[str, Any] = {"name": names[i], "rows": int(total), "share": None}
        if total:
            low, high = wilson_interval(float(share), int(total))
            entry |= {"share": float(share), "low": low, "high": high}
        accuracies.append(entry)
    counts = confusion_among(chosen, truth, guess)
    return {"counts": counts.tolist(), "classes": chosen.tolist(), "accuracies": accuracies}


def calibration(judged: Judged) -> dict[str, Any]:
    """Return the reliability diagram and the expected calibration error; each label is a separate decision."""
    probabilities, truth = judged.probabilities, judged.truth
    if judged.has_classes:
        truth = judged.classes[0]
    else:
        probabilities = np.stack([1 - probabilities, probabilities], axis=2).reshape(-1, 2)
        truth = truth.ravel()
    shares, confidence, right = reliability(probabilities, truth)
    return {
        "shares": numbers(shares.tolist()),
        "confidence": numbers(confidence.tolist()),
        "accuracy": numbers(right.tolist()),
        "rows": len(probabilities),
        "noun": "row" if judged.has_classes else "decision",
        "error": float(f"{expected_calibration_error(probabilities, truth):.5g}"),
    }


def labels(judged: Judged) -> list[dict[str, str]]:
    """Return each label's share, accuracy, precision and recall, as text."""
    table = []
    for i, name in enumerate(judged.model.classes):
        truth, guess = judged.truth[:, i] == 1, judged.predicted[:, i] == 1
        both, predicted, true = int((truth & guess).sum()), int(guess.sum()), int(truth.sum())
        table.append(
            {
                "name": name,
                "share": shown("accuracy", float(truth.mean())),
                "accuracy": shown("accuracy", float((truth == guess).mean())),
                "precision": shown("accuracy", both / predicted if predicted else None),
                "recall": shown("accuracy", both / true if true else None),
            }
        )
    return table


def values(judged: Judged) -> list[dict[str, Any]]:
    """Return, for each real target, points to draw (true, predicted) and error metrics in its own units."""
    chosen = np.unique(np.linspace(0, len(judged) - 1, min(len(judged), _MOST_POINTS)).astype(int))
    targets = []
    for i in range(min(judged.model.n_targets, _MOST_TARGETS)):
        true, predicted = judged.truth[:, i].astype(np.float64), judged.predicted[:, i].astype(np.float64)
        error = true - predicted
        total = float(((true - true.mean()) ** 2).sum())
        share = shown("r2", 1 - float((error**2).sum()) / total) if total else "–"
        metrics = {
            "R²": share,
            "mean absolute error": shown("", float(np.abs(error).mean())),
            "root mean squared error": shown("", float(np.sqrt((error**2).mean()))),
            "median absolute error": shown("", float(np.median(np.abs(error)))),
            "mean residual (bias)": shown("", float(error.mean())),
            "largest absolute error": shown("", float(np.abs(error).max())),
        }
        targets.append(
            {
                "name": f"target {i + 1}" if judged.model.n_targets > 1 else "the target",
                "true": numbers(true[chosen].tolist()),
                "predicted": numbers(predicted[chosen].tolist()),
                "rows": len(judged),
                "metrics": metrics,
            }
        )
    return targets
