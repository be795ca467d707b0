"""The figures of a report as PNG files, beside those drawn after training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from numlp.data.pictures import picture_shape
from numlp.network.mlp import MLP
from numlp.report.inside import MOST_ROWS
from numlp.report.judged import Judged
from numlp.runs.folder import Run, save_drawings

_IMAGES = 8


def save_report_figures(run: Run, network: MLP, judged: Judged | None) -> None:
    """Draw the page's figures into the run's figures/, except those drawn after training."""
    from numlp import plots

    widths = "-".join(str(width) for width in network.layer_size)

    def title(what: str) -> str:
        return f"{Path(run.recipe.data).stem} {widths}\n{what}"

    figures = {}
    if "learning_rate" in run.history:
        figures["learning-rate"] = plots.learning_rate(
            run.history, title("learning rate at the last step of each epoch")
        )
    if run.gradients:
        figures["gradients"] = plots.gradients(run.gradients, title("gradient norm at the last step of each epoch"))
    if judged is not None:
        rows = f"{len(judged):,} {judged.part} rows"
        seen = f"{min(len(judged), MOST_ROWS):,} {judged.part} rows"
        figures["layers"] = plots.layers(network, judged.x[:MOST_ROWS], title(f"weights, and activations for {seen}"))
        is_image = picture_shape(network) is not None
        if is_image:
            figures["saliency"] = plots.saliency(
                network, judged.x[:_IMAGES], title(f"saliency of {judged.part} rows")
            )
        if judged.has_classes:
            truth, guess = judged.classes
            figures["confusion"] = plots.confusion(
                truth, guess, judged.model.classes, title(f"confusion matrix of {rows}")
            )
            figures["reliability"] = plots.reliability(judged.probabilities, truth, title(f"reliability on {rows}"))
            if is_image and np.any(truth != guess):
                figures["mistakes"] = plots.mistakes(
                    judged.model, judged.x, truth, title(f"the most confident mistakes among {rows}")
                )
        elif judged.model.loss.task == "regression":
            figures["predictions"] = plots.predictions(
                judged.truth[:, 0], judged.predicted[:, 0], title(f"predicted and true values of {rows}")
            )
        if judged.survey is not None:
            part, found = judged.survey
            rows = f"on {found.importance.rows:,} {part} rows"
            figures["importance"] = plots.importance(found.importance, title(f"importance of columns, {rows}"))
            what = "the mean prediction if all rows had one value in a column"
            figures["dependence"] = plots.dependence(found.dependence, title(what))
    save_drawings(run.folder, figures)
