"""numlp, as its README shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import AfterEpoch, Case, Predict, Rows
from benchmarks.data import Images

if TYPE_CHECKING:
    import numlp

NAME = "numlp"
DISTRIBUTIONS = ("numlp", "numpy")


def load(name: str) -> Images:
    """Read a data set with numlp, which also verifies it."""
    import numlp

    data = numlp.load_dataset(name)
    assert data.validation is not None
    assert data.test is not None
    return Images(*data.train, *data.validation, *data.test)


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    """Train with as many processes as the others may have threads."""
    from numlp.training.threads import count

    return trained(case, x, y, after_epoch, count()).predict_proba


def trained(
    case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch, processes: int = 1, arithmetic: str = "ordinary"
) -> numlp.MLP:
    """Return the trained network."""
    import numlp

    net = numlp.MLP(
        case.layer_size(),
        input_scaling=numlp.standardize(x) if case.standardize else None,
        normalization="batch" if case.batch_norm else "none",
        dropout=case.dropout,
        arithmetic=arithmetic,
        seed=case.seed,
    )
    settings = f"beta2 = {case.beta2}"
    if case.optimizer == "sgd":
        settings = f"momentum = {case.momentum}, nesterov = true" if case.momentum else ""
    one_cycle = 'one_cycle(rise = 0.2, start = 0.0, final = 0.0, shape = "linear")'
    numlp.train(
        net,
        (x.reshape(len(x), -1), y),
        optimizer=f"{case.optimizer}({settings})",
        learning_rate=case.learning_rate,
        schedule=one_cycle if case.schedule == "one_cycle" else "constant",
        batch_size=case.batch_size,
        epochs=case.epochs,
        label_smoothing=case.label_smoothing,
        seed=case.seed,
        processes=processes,
        after_epoch=[lambda state: after_epoch(state.history["train_loss"][-1])],
    )
    return net
