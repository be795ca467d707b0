"""scikit-learn's MLPClassifier.

The rows are float32 and are scaled once before training, because it does not train on bytes. One epoch is one call of
`partial_fit`; `assume_finite` spares the search for NaN in each call. scikit-learn has no dropout, normalization or
label smoothing; its alpha is 0 here. It has no one-cycle schedule, so a private attribute sets the optimizer's rate
once per epoch.
"""

from benchmarks.case import AfterEpoch, Case, Predict, Rows, standard_scale

NAME = "scikit-learn"
DISTRIBUTIONS = ("scikit-learn", "scipy", "numpy")


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
        nesterovs_momentum=case.momentum > 0,  # which would take its passes even so
        beta_2=case.beta2,
        max_iter=1,
        random_state=np.random.RandomState(case.seed),  # a number would shuffle every epoch alike
    )
    classes, steps = np.unique(y), -(-len(x) // case.batch_size)
    for epoch in range(case.epochs):
        model.learning_rate_init = float(case.learning_rates(case.epochs * steps, epoch * steps, steps).mean())
        if epoch:  # only the first one makes the optimizer
            model._optimizer.learning_rate = model._optimizer.learning_rate_init = model.learning_rate_init
        with config_context(assume_finite=True), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges
            model.partial_fit(rows, y, classes=classes)
        if after_epoch(float(model.loss_)):
            break
    return lambda rows: model.predict_proba(scaled(rows, 1) if case.standardize else rows)
