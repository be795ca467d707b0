"""scikit-learn's MLPClassifier.

Rows are float32, scaled once, before the training: it takes no bytes. `partial_fit` is one epoch, and with
`assume_finite` it does not look for NaN each time. It has neither dropout nor norms nor label smoothing; its alpha is
0. A schedule there is for SGD alone, but the rate may be set from epoch to epoch, where a new optimizer begins.
"""

from benchmarks.case import AfterEpoch, Case, Predict, Rows, standard_scale

NAME = "scikit-learn"
DISTRIBUTIONS = ("scikit-learn", "scipy", "numpy")
THREADS = (1, 2)


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import warnings

    import numpy as np
    from sklearn import config_context
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    shift, deviation = standard_scale(x.reshape(len(x), -1)) if case.standardize else (np.float32(0), np.float32(1))

    def scaled(rows: Rows, one: float) -> Rows:
        out = np.multiply(rows, np.float32(1 / (one * deviation)), dtype=np.float32)
        out -= shift / deviation
        return out

    rows = scaled(x.reshape(len(x), -1), 255)
    model = MLPClassifier(
        case.hidden,
        solver=case.optimizer,
        alpha=0,
        batch_size=case.batch_size,
        learning_rate_init=case.learning_rate,
        momentum=case.momentum,
        beta_2=case.beta2,
        max_iter=1,
        warm_start=case.schedule != "constant",
        random_state=case.seed,
    )
    classes, steps = np.unique(y), -(-len(x) // case.batch_size)
    for epoch in range(case.epochs):
        with config_context(assume_finite=True), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges
            if case.schedule == "constant":
                model.partial_fit(rows, y, classes=classes)
            else:
                rates = case.learning_rates(case.epochs * steps, epoch * steps, steps)
                model.learning_rate_init = float(rates.mean())
                model.fit(rows, y)
        if after_epoch(float(model.loss_)):
            break
    return lambda rows: model.predict_proba(scaled(rows, 1) if case.standardize else rows)
