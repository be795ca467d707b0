"""Training data in batches that the user makes, and data on disk."""

import itertools
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest

from numlp import MLP, evaluate, train
from numlp.errors import DataError, SettingError
from numlp.network.scaling import standardize

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
Y = np.arange(30) % 3
WEIGHTS = RNG.random(30)
PAIRS = [(X[start : start + 10], Y[start : start + 10]) for start in (0, 10, 20)]
TRIPLES = [(x, y, WEIGHTS[:10]) for x, y in PAIRS]


def network(**settings):
    return MLP([4, 6, 3], dtype="float64", **settings)


def trained(data, **settings):
    net = network()
    history = train(net, data, learning_rate=0.1, epochs=3, **settings)
    return net, history


class Reiterable:
    """An iterable that starts again every epoch, like a data loader."""

    def __init__(self, batches):
        self.batches = batches
        self.begun = 0

    def __iter__(self):
        self.begun += 1
        return iter(self.batches)


class Measured(Reiterable):
    def __len__(self):
        return len(self.batches)


SOURCES = {
    "list of pairs": lambda batches: batches,
    "list of lists": lambda batches: Reiterable([list(batch) for batch in batches]),
    "object": Reiterable,
    "object with a length": Measured,
    "function of the epoch": lambda batches: lambda epoch: iter(batches),
    "generator function": lambda batches: lambda epoch: (batch for batch in batches),
}


@pytest.mark.parametrize("batches", [PAIRS, TRIPLES], ids=["pairs", "triples"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_source_trains_alike(source, batches):
    net, history = trained(SOURCES[source](batches))
    expected, other = trained(batches)
    np.testing.assert_array_equal(net.params, expected.params)
    assert history["train_loss"] == other["train_loss"]
    assert len(history) == 3


def test_each_batch_is_a_step_of_gradient_descent():
    net, expected = network(), network()
    train(net, PAIRS, learning_rate=0.1, epochs=2)
    for _ in range(2):
        for x, y in PAIRS:
            expected.loss_and_grad(x, np.eye(3)[y])
            expected.params -= 0.1 * expected.grads
    np.testing.assert_allclose(net.params, expected.params, rtol=1e-12)


def test_one_batch_of_all_rows_trains_like_arrays():
    net, history = trained([(X, Y)])
    arrays, other = trained((X, Y), batch_size=30)
    np.testing.assert_allclose(net.params, arrays.params, rtol=1e-12)
    np.testing.assert_allclose(history["train_loss"], other["train_loss"])
    np.testing.assert_allclose(history["train_accuracy"], other["train_accuracy"])


def test_metrics_cover_all_batches():
    net = network(activation="tanh")  # with ReLU, rows for which all units are off would tie
    history = train(net, [(X[:4], Y[:4]), (X[4:25], Y[4:25]), (X[25:], Y[25:])], learning_rate=1e-12, epochs=1)
    figures = evaluate(net, (X, Y))
    assert history["train_loss"][0] == pytest.approx(figures["loss"])
    assert history["train_accuracy"][0] == pytest.approx(figures["accuracy"])
    weighted = train(net, [(X[:4], Y[:4], WEIGHTS[:4]), (X[4:], Y[4:], WEIGHTS[4:])], learning_rate=1e-12, epochs=1)
    assert weighted["train_loss"][0] == pytest.approx(evaluate(net, (X, Y, WEIGHTS))["loss"])


@pytest.mark.parametrize("sizes", [[1, 29], [25, 5], [1, 2, 3, 24], [30]], ids=str)
@pytest.mark.parametrize(
    "regularization", [{}, {"adversarial": 0.1}, {"label_smoothing": 0.1, "averaging": 0.9}], ids=str
)
def test_batches_may_be_of_any_sizes(sizes, regularization):
    starts = np.cumsum([0, *sizes])
    batches = [(X[a:b], Y[a:b]) for a, b in itertools.pairwise(starts)]
    for dropout in (0, 0.5):
        net = network(dropout=dropout, input_noise=dropout)
        history = train(net, batches, epochs=3, **regularization)
        assert np.isfinite(history["train_loss"]).all()
        assert np.isfinite(net.params).all()


def test_a_function_gets_the_epoch_and_an_object_is_iterated_once_an_epoch():
    epochs = []

    def batches(epoch):
        epochs.append(epoch)
        return PAIRS

    trained(batches)
    assert epochs == [0, 1, 2]
    source = Reiterable(PAIRS)
    trained(source)
    assert source.begun == 3


def test_batches_are_made_one_at_a_time():
    alive, most = set(), 0

    def batches(epoch):
        nonlocal most
        for i in range(5):
            alive.add(i)
            most = max(most, len(alive))
            yield X, Y
            alive.discard(i)

    trained(batches)
    assert most == 1


def test_the_user_s_arrays_are_not_changed():
    kept = [(x.copy(), y.copy()) for x, y in PAIRS]
    net = network(input_dropout=0.3, input_noise=1.0)
    train(net, PAIRS, epochs=2, adversarial=0.5, label_smoothing=0.1)
    for (x, y), (x0, y0) in zip(PAIRS, kept, strict=True):
        np.testing.assert_array_equal(x, x0)
        np.testing.assert_array_equal(y, y0)


def test_bytes_images_and_scalings_are_read_like_arrays():
    images = RNG.integers(0, 256, (30, 2, 2), dtype=np.uint8)
    nets = [MLP([4, 3], dtype="float64", input_scaling=standardize(images)) for _ in range(2)]
    train(nets[0], [(images, Y)], epochs=2)
    train(nets[1], (images, Y), batch_size=30, epochs=2)
    np.testing.assert_allclose(nets[0].params, nets[1].params, rtol=1e-9)


def test_names_are_looked_up_among_the_network_s_classes():
    names = np.array(["ant", "bee", "cat"])
    net = network(class_names=names)
    train(net, [(x, names[y]) for x, y in PAIRS], epochs=3, learning_rate=0.1)
    np.testing.assert_array_equal(net.params, trained(PAIRS)[0].params)


def test_validation_rows_work_with_batches():
    net, history = trained(PAIRS, validation=(X, Y))
    assert history["validation_loss"][-1] == evaluate(net, (X, Y))["loss"]


def test_randomness_follows_the_seed():
    def params(seed):
        net = network(dropout=0.5)
        train(net, PAIRS, epochs=2, seed=seed)
        return net.params

    np.testing.assert_array_equal(params(1), params(1))
    assert not np.array_equal(params(1), params(2))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "step(every = 2)", "constant(warmup = 2)"])
def test_a_length_is_enough_for_schedules_that_count_steps(schedule):
    rates, measured = (trained(data, schedule=schedule)[1]["learning_rate"] for data in (PAIRS, Measured(PAIRS)))
    assert rates == measured == trained((X, Y), batch_size=10, schedule=schedule)[1]["learning_rate"]
    assert len(set(rates)) > 1
    net = network()
    with pytest.raises(SettingError, match="needs the number of steps in an epoch: pass batches that have a length"):
        train(net, Reiterable(PAIRS), schedule=schedule, epochs=3)
    with pytest.raises(SettingError, match="needs the number of steps"):
        train(net, lambda epoch: PAIRS, schedule=schedule, epochs=3)
    np.testing.assert_array_equal(net.params, network().params)


def test_schedules_that_count_epochs_need_no_length():
    trained(Reiterable(PAIRS), schedule="reduce_on_plateau", validation=(X, Y))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "data must hold at least one batch"),
        (lambda epoch: [], "epoch 1 had no batches"),
        (lambda epoch: PAIRS if epoch < 1 else [], "epoch 2 had no batches"),
        ([(X, Y, WEIGHTS, 1)], r"batch 1 of epoch 1: a batch must be a pair \(x, y\) or a triple .*, not tuple"),
        (Reiterable([X]), "batch 1 of epoch 1: a batch must be a pair .*, not ndarray"),
        (Reiterable([None]), "not NoneType"),
        ([(X, Y), (X[:, :3], Y)], "batch 2 of epoch 1: x has 3 features a row"),
        ([(X, Y), (X, Y[:5])], "batch 2 of epoch 1: x and y must have the same number of rows, not 30 and 5"),
        ([(X, Y), (X[:0], Y[:0])], "batch 2 of epoch 1: x is empty"),
        ([(X, Y), (X * np.nan, Y)], "batch 2 of epoch 1: x holds NaN"),
        ([(X, Y + 1)], "batch 1 of epoch 1: y must hold classes from 0 to"),
        ([(X, Y, -WEIGHTS)], "batch 1 of epoch 1: weights must be at least 0"),
        ([(X, Y, WEIGHTS[:3])], r"batch 1 of epoch 1: weights must have shape \(30,\)"),
        ([(X, Y.astype(str))], "label '0' in y isn't among the network's classes: they have no names"),
        (
            lambda epoch: [(X, Y)] if epoch == 0 else [(X, Y), (X, Y[:, None, None])],
            "batch 2 of epoch 2: y must have",
        ),
    ],
)
def test_bad_batches_are_refused(data, says):
    with pytest.raises(DataError, match=says):
        train(network(), data, epochs=3)


def test_a_generator_is_used_up_after_one_epoch():
    net = network()
    train(net, (pair for pair in PAIRS), epochs=1)
    before = net.params.copy()
    with pytest.raises(DataError, match="one epoch uses up a generator"):
        train(net, (pair for pair in PAIRS), epochs=2)
    np.testing.assert_array_equal(net.params, before)


def test_too_few_and_too_many_batches_are_refused():
    once = [PAIRS]
    with pytest.raises(DataError, match="epoch 2 had no batches"):
        train(network(), lambda epoch: once.pop() if once else [], epochs=2)

    class Short(list):
        def __len__(self):
            return 1

    with pytest.raises(DataError, match="epoch 1 must have 1 batches, the length of data, not more"):
        train(network(), Short(PAIRS), schedule="one_cycle", epochs=3)


def test_weights_of_0_in_every_batch_are_refused():
    with pytest.raises(DataError, match="all weights of epoch 1 are 0"):
        train(network(), [(X, Y, np.zeros(len(X)))])
    train(network(), [(X, Y, np.zeros(len(X))), (X, Y, np.ones(len(X)))], epochs=1)


def test_names_of_unknown_classes_are_refused():
    net = network(class_names=["ant", "bee", "cat"])
    with pytest.raises(
        DataError, match="batch 1 of epoch 1: label 'dog' in y isn't among the network's classes: ant, bee, cat"
    ):
        train(net, [(X, np.array(["ant", "bee", "dog"])[Y])])


def test_batches_of_one_row_are_refused_with_batch_normalization():
    net = network(normalization="batch")
    with pytest.raises(
        DataError, match="batch 2 of epoch 1: batch normalization needs batches of 2 rows or more, not 1"
    ):
        train(net, [(X, Y), (X[:1], Y[:1])], epochs=1)
    train(network(normalization="layer"), [(X, Y), (X[:1], Y[:1])], epochs=1)


@pytest.mark.parametrize(
    "settings", [{"class_weight": "balanced"}, {"augmentation": "images(shift = 1)"}, {"mixup": 0.2}], ids=str
)
def test_some_settings_need_arrays(settings):
    net = network()
    with pytest.raises(SettingError, match=f"{next(iter(settings))} needs data as arrays"):
        train(net, PAIRS, **settings)
    np.testing.assert_array_equal(net.params, network().params)


@pytest.mark.parametrize("data", [X, "data.npz", 3, None, {"x": X, "y": Y}, (X,), (X, Y, WEIGHTS, 1)], ids=type)
def test_data_that_is_neither_a_pair_nor_batches_is_refused(data):
    with pytest.raises(DataError, match="pair"):
        train(network(), data)


def test_a_list_of_two_arrays_is_a_pair():
    np.testing.assert_array_equal(trained([X, Y])[0].params, trained((X, Y))[0].params)
    np.testing.assert_array_equal(trained([X.tolist(), Y.tolist()])[0].params, trained((X, Y))[0].params)


N, FEATURES = 40_960, 3200  # 131 MB of bytes, which take no space on disk because they were never written


@pytest.fixture
def large(tmp_path):
    """A memory-mapped array of 131 MB whose first rows are not zero, and labels."""
    path = tmp_path / "x.npy"
    x = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(N, FEATURES))
    x[:64] = RNG.integers(0, 256, (64, FEATURES))
    x.flush()
    return path


def test_rows_on_disk_are_never_loaded_whole(large):
    x, y = np.load(large, mmap_mode="r")[:8192], np.arange(8192) % 10
    net = MLP([FEATURES, 16, 10])
    tracemalloc.start()
    train(net, (x, y), validation=(x[:3000], y[:3000]), batch_size=256, epochs=1)
    evaluate(net, (x, y))
    net.predict(x)
    net.predict_proba(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes * 0.9  # a float32 copy would take four times as much, and evaluating takes 1,024 rows
    assert peak < 24e6


def test_a_file_larger_than_the_memory_trains_evaluates_and_predicts(large):
    program = """
        import resource, sys
        import numpy as np
        from numlp import MLP, evaluate, train

        x = np.load(sys.argv[1], mmap_mode="r")
        y = np.arange(len(x)) % 10
        net = MLP([x.shape[1], 8, 10])
        used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + 100_000_000, -1))
        try:
            np.ones(x.shape, np.uint8)
        except MemoryError:
            print("limited")
        history = train(net, (x, y), validation=(x[-2000:], y[-2000:]), batch_size=1024, epochs=1)
        print(len(history), sorted(evaluate(net, (x, y))), net.predict(x).shape, net.predict_proba(x).shape)
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("RLIMIT_DATA limits anonymous memory on Linux only")
    command = [sys.executable, "-c", textwrap.dedent(program), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    metrics = ["accuracy", "f1", "log_loss", "loss", "roc_auc"]
    assert done.stdout.split("\n")[:2] == ["limited", f"1 {metrics} ({N},) ({N}, 10)"]
