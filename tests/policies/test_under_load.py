"""Predicting under load: from many threads, in other processes, and for a long time."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_classification

from numlp import MLP, Ensemble, standardize
from numlp.network.layers import NORMALIZATIONS
from numlp.sklearn import MLPClassifier, MLPRegressor

SIZES = (1, 2, 3, 17, 64, 200, 1023, 1024, 1025, 2500)
X, Y = make_classification(2500, 20, n_informative=10, n_classes=4, random_state=0)
NOISY = {"dropout": 0.2, "input_dropout": 0.1, "noise": 0.1, "input_noise": 0.1}


def network(**settings):
    net = MLP([20, 48, 32, 4], **NOISY | settings)
    rng = np.random.default_rng(0)
    net.params[net.n_weights :] = rng.uniform(0.5, 1.5, net.params.size - net.n_weights)  # norms' statistics, too
    return net


def fitted(kind, **settings):
    usual = {"hidden_layer_sizes": (24,), "max_iter": 2, "random_state": 0, "tol": 1.0, "n_iter_no_change": 1}
    return kind(**usual | settings).fit(X, Y if kind is MLPClassifier else X[:, :2])


MODELS = {
    **{f"normalization {name}": network(normalization=name) for name in NORMALIZATIONS},
    "float64": network(dtype="float64", input_scaling=standardize(X), normalization="batch"),
    "one output": MLP([20, 16, 1], loss="sigmoid_binary_cross_entropy"),
    "values": MLP([20, 16, 6], loss="quantile(levels = [0.1, 0.5, 0.9])", target_scaling=standardize(X[:, :2])),
    "ensemble": Ensemble([network(normalization="batch", seed=seed) for seed in range(3)]),
}


@pytest.fixture(scope="module")
def estimators():
    settings = {"normalization": "batch", "input_scaling": "standardize", "dropout": 0.1}
    with pytest.warns(UserWarning, match="Maximum iterations"):
        return {"classifier": fitted(MLPClassifier, **settings), "regressor": fitted(MLPRegressor, **settings)}


def answers(model, rows):
    """Return all predictions of a model for rows."""
    methods = [getattr(model, name) for name in ("predict", "predict_proba") if hasattr(model, name)]
    if getattr(getattr(model, "loss", None), "task", "") == "regression":
        methods = [model.predict]
    return [method(rows) for method in methods]


def check_threads(model, batches, n_threads=10, rounds=4):
    """Let threads predict all batches, each in its own order, and compare with sequential predictions."""
    expected = [answers(model, rows) for rows in batches]
    barrier, wrong = threading.Barrier(n_threads), []

    def predict(number):
        rng = np.random.default_rng(number)
        barrier.wait()
        for _ in range(rounds):
            for i in rng.permutation(len(batches)):
                try:
                    for one, other in zip(expected[i], answers(model, batches[i]), strict=True):
                        np.testing.assert_array_equal(one, other)
                except Exception as error:
                    wrong.append(error)
                    return

    threads = [threading.Thread(target=predict, args=(number,)) for number in range(n_threads)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong, wrong[0]


@pytest.mark.parametrize("name", MODELS)
def test_threads_predict_the_same_bits(name):
    batches = [X[:n] for n in SIZES] + [X[:n].astype(np.float32) for n in (1, 333)] + [sp.csr_array(X[:50])]
    check_threads(MODELS[name], batches)


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_threads_predict_the_same_bits_with_an_estimator(estimators, name):
    check_threads(estimators[name], [X[:n] for n in SIZES])


def test_the_check_detects_a_shared_buffer():
    """A layer that keeps its result in a buffer of its own must fail the check."""

    class Shared:
        def __init__(self):
            self.buffer = np.empty((2500, 20))

        def predict(self, rows):
            out = self.buffer[: len(rows)]
            for column in range(20):
                np.multiply(rows[:, column], 2.0, out=out[:, column])
            return out.copy()

    with pytest.raises(AssertionError):
        check_threads(Shared(), [X[:n] for n in SIZES] + [X[-n:] for n in SIZES], rounds=50)


IN_PROCESSES = """
    import multiprocessing, sys
    import numpy as np
    from numlp import MLP, train

    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 200)).astype(np.float32)
    y = (x[:, 0] > 0) * 1

    def trained(seed):
        net = MLP([200, 256, 256, 2], normalization="batch", dropout=0.1, seed=seed)
        train(net, (x, y), epochs=2, batch_size=128, seed=seed)
        return net.params

    def predicted(net):
        return net.predict_proba(x)

    if __name__ == "__main__":
        here = [trained(seed) for seed in range(3)]  # starts the BLAS threads
        net = MLP([200, 256, 256, 2], seed=5)
        expected = net.predict_proba(x)
        with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
            there = pool.map(trained, range(3))
            answers = pool.map(predicted, [net] * 4)
        assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))
        assert all(np.array_equal(expected, answer) for answer in answers)
        print("the same bits")
"""


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_other_processes_train_and_predict_the_same_bits(tmp_path, context):
    if context != "spawn" and os.name != "posix":
        pytest.skip(f"{context} is POSIX")
    (tmp_path / "script.py").write_text(textwrap.dedent(IN_PROCESSES))
    command = [sys.executable, "-W", "error", tmp_path / "script.py", context]
    if sys.version_info >= (3, 12) and context == "fork":
        command[1:3] = ["-W", "ignore"]  # Python warns about forking a process with threads
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "the same bits\n", done.stderr


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_in_processes_gives_the_same_results_as_in_this_process():
    from sklearn.model_selection import GridSearchCV

    grid = {"dropout": [0.0, 0.3], "normalization": ["none", "batch"]}
    estimator = MLPClassifier((16,), max_iter=3, random_state=0)
    alone, many = (GridSearchCV(estimator, grid, cv=2, n_jobs=jobs).fit(X, Y) for jobs in (1, 2))
    np.testing.assert_array_equal(alone.cv_results_["mean_test_score"], many.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(alone.predict_proba(X), many.predict_proba(X))


GROWS = """
    import gc, os, sys
    from pathlib import Path
    import numpy as np
    from numlp import MLP, Ensemble
    from numlp.sklearn import MLPClassifier

    def resident():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    x = np.random.default_rng(0).normal(size=(200, 20))
    row, kept = x[:1], []
    count = int(sys.argv[2])
    if sys.argv[1] == "network":
        predict = MLP([20, 16, 4], normalization="batch").predict_proba
    elif sys.argv[1] == "ensemble":
        predict = Ensemble([MLP([20, 8, 4], seed=seed) for seed in range(2)]).predict_proba
    elif sys.argv[1] == "classifier":
        predict = MLPClassifier((16,), solver="lbfgs", max_iter=1000).fit(x, (x[:, 0] > 0) * 1).predict_proba
    else:
        predict = lambda rows: kept.append(rows[0, :1].copy())
    for _ in range(2000):
        predict(row)
    before = resident()
    for _ in range(count):
        predict(row)
    print(resident() - before)
"""


def grown(kind, count):
    """Return by how many bytes a process grows over `count` predictions, after a warm-up."""
    command = [sys.executable, "-c", textwrap.dedent(GROWS), kind, str(count)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux reports resident memory this way")
@pytest.mark.parametrize(("kind", "count"), [("network", 20_000), ("ensemble", 20_000), ("classifier", 20_000)])
def test_memory_stays_flat_over_many_predictions(kind, count):
    assert grown(kind, count) < 8 * count  # no object is so small


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux reports resident memory this way")
def test_the_check_detects_a_leak():
    assert grown("what keeps one number of each", 20_000) > 8 * 20_000
