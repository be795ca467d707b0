"""Small networks that together use everything numlp trains with, and digests of what becomes of them.

``python tests/portable/networks.py [name …]`` trains those whose names begin so, or all, and prints a line for the
bytes of each model's file and one for its figures: a SHA-256 and a name. With `--check` it prints only the lines that
aren't in digests.txt beside this file, and ends with 1 if there are any. It needs nothing but numlp, on any machine.

The inputs are whole numbers from PCG64 divided by a prime, so that all machines train on the same bits, whose sums
are not exact.
"""

import argparse
import hashlib
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import numlp
from numlp.network.activations import ACTIVATIONS
from numlp.network.features import INPUT_FEATURES
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.learner import NUMBERS
from numlp.network.losses import LOSSES
from numlp.network.scaling import SCALINGS
from numlp.training.folds import calibrate_folds, train_folds
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

PROGRAM = Path(__file__)
DIGESTS = PROGRAM.with_name("digests.txt")
ROWS, INPUTS, CLASSES, BATCH = 43, 6, 3, 16  # batches don't divide the rows

# For settings of `numlp.train` and `numlp.MLP`, and for fields of `Images`, values that switch them on.
REGULARIZATIONS: dict[str, float] = {
    "label_smoothing": 0.1,
    "mixup": 0.4,
    "adversarial": 0.05,
    "l1": 1e-3,
    "l2": 1e-2,
    "max_norm": 0.7,
    "clip_norm": 0.2,
    "clip_value": 0.02,
    "averaging": 0.8,
}
NOISES: dict[str, float] = {"dropout": 0.3, "input_dropout": 0.2, "noise": 0.1, "input_noise": 0.1}
CHANGES: dict[str, float] = {
    "shift": 1,
    "rotation": 20,
    "scale": 0.2,
    "shear": 1,
    "elastic": 1,
    "elastic_width": 2,  # has an effect with elastic alone
    "flip": 0.5,
    "erasing": 0.5,
    "noise": 0.1,
}
VARIANTS = {
    "activation": ["leaky_relu(slope = 0.2)", "elu(alpha = 0.7)"],
    "features": ["oriented_gradients(orientations = 6, cell = 3, stride = 2)"],
    "loss": ["huber(delta = 0.3)", "quantile(levels = [0.25, 0.75])"],
    "optimizer": [
        "sgd(momentum = 0.9)",
        "sgd(momentum = 0.9, nesterov = true, weight_decay = 0.01)",
        "adam(beta1 = 0.8, beta2 = 0.95)",
        "rmsprop(rho = 0.9)",
    ],
    "schedule": [
        "cosine(warmup = 1, final = 0.1)",
        "one_cycle(shape = 'linear')",
        "reduce_on_plateau(patience = 0, threshold = 0.3)",
        "step(every = 1, by = 0.3)",
    ],
}


@dataclass
class Trained:
    """What a digest covers: a model, and figures from training and judging it."""

    model: Any
    figures: list[Any] = field(default_factory=list)


Case = Callable[[str], Trained]
"""Trains in an arithmetic, given by name."""


def numbers(seed: int, *shape: int) -> Any:
    """Return numbers in [−1, 1], float64."""
    return np.random.default_rng(seed).integers(-65_521, 65_522, shape) / 65_521


def classes(x: Any) -> Any:
    """Return classes that follow from the first two columns."""
    return np.digitize(x[:, 0] + x[:, 1], [-0.5, 0.5])


def images(channels: int = 1) -> Any:
    shape = (ROWS, 8, 8) if channels == 1 else (ROWS, 8, 8, channels)
    return np.random.default_rng(channels).integers(0, 256, shape, dtype=np.uint8)


def table() -> numlp.Table:
    """Return numbers, texts and dates, all with gaps, and one column that is a million times as large."""
    rng = np.random.default_rng(5)
    size, days = rng.integers(0, 100, ROWS) / 4, rng.integers(0, 2000, ROWS) * 86_400_000_000
    dates = (np.datetime64("2020-01-01", "us") + days).astype("datetime64[us]")
    colors = np.array(["red", "green", "blue", None, "mauve"], dtype=object)[rng.integers(0, 5, ROWS)]
    size[3], dates[4] = np.nan, np.datetime64("NaT")
    return numlp.Table({"size": size, "price": numbers(6, ROWS) * 1e6, "color": colors, "sold": dates})


def trained(
    arithmetic: str, data: Any = None, layers: Sequence[int] = (8, 7), outputs: int = CLASSES, **settings: Any
) -> Trained:
    """Train a network on two thirds of the rows, judge it on the rest, and predict rows alone and together."""
    x, y, *weights = (numbers(1, ROWS, INPUTS), None) if data is None else data
    y = classes(x) if y is None else y
    n = len(x) if not hasattr(x, "shape") else x.shape[0]
    cut = 2 * n // 3
    held_out = tuple(each[cut:] for each in (x, y, *weights))
    own = {name: settings.pop(name) for name in list(settings) if name in MLP_SETTINGS}
    columns = len(x.columns) if isinstance(x, numlp.Table) else int(np.prod(x.shape[1:]))
    net = numlp.MLP([columns, *layers, outputs], arithmetic=arithmetic, seed=3, **own)
    settings = {"epochs": 3, "batch_size": BATCH, "seed": 4, "validation": held_out, **settings}
    history = numlp.train(net, tuple(each[:cut] for each in (x, y, *weights)), **settings)
    return Trained(net, [*listed(history), *judged(net, held_out)])


MLP_SETTINGS = {*NOISES, "activation", "loss", "initializer", "normalization", "input_features", "input_shape"} | {
    f"{side}_{what}" for side in ("input", "target") for what in ("scaling", "encoding")
}


def listed(history: numlp.History) -> list[tuple[str, list[float]]]:
    """Return a history's columns, but for what depends on the clock."""
    return [(name, history[name]) for name in history.columns if name != "seconds"]


def judged(model: Any, held_out: Any) -> list[Any]:
    """Return figures on rows, before and after calibration, and predictions; a row's own don't depend on others."""
    x = held_out[0]
    figures = [*numlp.evaluate(model, held_out).items()]
    together = model.predict_proba(x) if model.loss.task != "regression" else model.predict(x)
    alone = model.predict_proba(x[2:3]) if model.loss.task != "regression" else model.predict(x[2:3])
    figures.append(("alone", bool(np.array_equal(alone[0], together[2]))))
    if model.loss.name not in _UNCALIBRATED:
        figures.append(("calibration", tuple(vars(numlp.calibrate(model, held_out)).values())))
        figures += numlp.evaluate(model, held_out).items()
    return [*figures, together.ravel().tolist()]


_MANY = {
    "softmax_cross_entropy": CLASSES,
    "sigmoid_binary_cross_entropy": 3,
    "squared_error": 2,
    "quantile": 6,
    "gaussian_negative_log_likelihood": 4,
}
_UNCALIBRATED = {"squared_error", "absolute_error", "huber", "poisson"}


def with_loss(arithmetic: str, name: str) -> Trained:
    loss = LOSSES[name.partition("(")[0]]
    x = numbers(1, ROWS, INPUTS)
    if loss.task == "classification":
        return trained(arithmetic, loss=name)
    if loss.task == "labels":
        return trained(arithmetic, (x, (x[:, :2] > 0).astype(int)), outputs=2, loss=name)
    value = x[:, 0] * x[:, 1] + x[:, 2]
    y = np.rint(8 * abs(value)) if name == "poisson" else 50 * value
    blocks = numlp.MLP([1, 6], loss=name).loss.blocks
    scaling = {"target_scaling": numlp.standardize(y[:, None])} if loss.scales_targets else {}
    return trained(arithmetic, (x, y), outputs=blocks, loss=name, learning_rate=0.05, **scaling)


def augmented(arithmetic: str, text: str, channels: int = 1) -> Trained:
    x = images(channels)
    return trained(arithmetic, (x, np.arange(ROWS) % CLASSES), augmentation=text, epochs=2)


def featured(arithmetic: str, text: str, channels: int = 1, **settings: Any) -> Trained:
    x = images(channels)
    given = {"input_features": text, "input_shape": x.shape[1:], "epochs": 2, **settings}
    return trained(arithmetic, (x, np.arange(ROWS) % CLASSES), **given)


def encoded(arithmetic: str, **settings: Any) -> Trained:
    x = table()
    y = np.array(["low", "high"])[(np.nan_to_num(x["size"]) > 12).astype(int)]
    return trained(
        arithmetic, (x, y), outputs=2, input_encoding=numlp.learn_encoding(x, **settings), optimizer="adam"
    )


class Sparse:
    """As much of SciPy's sparse matrices as numlp takes from them."""

    ndim = 2

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        (rows, self.indices), self.data = np.nonzero(array), array[array != 0]
        self.nnz, self.indptr = len(rows), np.searchsorted(rows, np.arange(len(array) + 1))

    def tocsr(self) -> "Sparse":
        return self

    def toarray(self, out: Any = None) -> Any:
        if out is None:
            return self.array.copy()
        out[:] = self.array
        return out

    def __getitem__(self, rows: Any) -> "Sparse":
        return Sparse(self.array[rows])


def sparse(arithmetic: str) -> Trained:
    x = numbers(1, ROWS, INPUTS)
    return trained(arithmetic, (Sparse(np.where(x > 0, x, 0)), classes(x)))


def columns_of_many_sizes(arithmetic: str) -> Trained:
    """Train on columns of very different sizes, as they are."""
    x = numbers(1, ROWS, INPUTS)
    sized = x * [1.0, 10.0, 1e6, 1e-3, 100.0, 1.0]  # a power would be the C library's
    return trained(arithmetic, (sized, classes(x)), learning_rate=1e-4, normalization="layer")


def long_sums(arithmetic: str) -> Trained:
    """Train with sums of more than 2,048 products, over inputs and over rows."""
    x = numbers(2, 2500, 9)
    wide = trained(arithmetic, (numbers(3, 12, 5000), np.arange(12) % CLASSES), layers=(4,), epochs=2)
    tall = trained(arithmetic, (x, classes(x)), layers=(4,), epochs=1, batch_size=2500, normalization="batch")
    return Trained(wide.model, [*wide.figures, *tall.figures, *tall.model.params.tolist()])


def many_rows(arithmetic: str, loss: str, outputs: int) -> Trained:
    """Judge a thousand rows with weights: long sums in float64, which no two machines add in the same order."""
    x = numbers(7, 1500, INPUTS)
    known = {"classification": classes(x), "labels": (x[:, :outputs] > 0).astype(int)}
    task = LOSSES[loss].task
    y = known[task] if task in known else x[:, :2] * [3, 700] + x[:, 2:4] ** 2
    scaling = {"target_scaling": numlp.standardize(y)} if task == "regression" else {}
    return trained(arithmetic, (x, y, abs(x[:, 3]) + 0.1), outputs=outputs, loss=loss, epochs=1, **scaling)


def soft_targets(arithmetic: str) -> Trained:
    """Train towards probabilities, with weights of classes."""
    x = numbers(1, ROWS, INPUTS)
    y = abs(numbers(8, ROWS, CLASSES)) + 0.1
    return trained(arithmetic, (x, y / y.sum(axis=1, keepdims=True)), class_weight=[0.3, 1.1, 2.7])


def streamed(arithmetic: str) -> Trained:
    x, net = numbers(1, ROWS, INPUTS), numlp.MLP([INPUTS, 8, CLASSES], arithmetic=arithmetic, normalization="batch")
    batches = [(x[i : i + 10], classes(x)[i : i + 10], 1 + x[i : i + 10, 0] ** 2) for i in (0, 10, 20)]
    return Trained(net, listed(numlp.train(net, batches, epochs=3)))


def resumed(arithmetic: str) -> Trained:
    """Stop after two epochs, and go on from the checkpoint: it ends in the bits of an uninterrupted training."""
    x = numbers(1, ROWS, INPUTS)
    settings: Any = {"optimizer": "adam", "averaging": 0.8, "clip_norm": 0.5, "batch_size": BATCH}
    whole, first, again = (
        numlp.MLP([INPUTS, 8, CLASSES], arithmetic=arithmetic, dropout=0.2, normalization="batch") for _ in range(3)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/checkpoint"
        numlp.train(first, (x, classes(x)), epochs=2, after_epoch=[numlp.Checkpoint(path)], **settings)
        history = numlp.train(again, (x, classes(x)), epochs=4, resume=path, **settings)
    numlp.train(whole, (x, classes(x)), epochs=4, **settings)
    same = bool(np.array_equal(whole.params, again.params))
    return Trained(again, [*listed(history), ("resumed", same)])


def stopped(arithmetic: str) -> Trained:
    return trained(arithmetic, epochs=12, learning_rate=3.0, after_epoch=[numlp.EarlyStopping(patience=2)])


def split_into_processes(arithmetic: str, processes: int) -> Trained:
    settings: Any = {"adversarial": 0.05, "clip_norm": 0.5, "max_norm": 0.7, "processes": processes}
    return trained(arithmetic, layers=(12, 9), normalization="layer", dropout=0.2, optimizer="adam", **settings)


def ensemble(arithmetic: str, loss: str) -> Trained:
    x = numbers(1, ROWS, INPUTS)
    y, outputs = (classes(x), CLASSES) if loss.startswith("softmax") else (x[:, 0] * 10, 2)
    nets = [numlp.MLP([INPUTS, 8, outputs], loss=loss, arithmetic=arithmetic, seed=seed) for seed in range(3)]
    histories = [numlp.train(net, (x[:30], y[:30]), epochs=2, learning_rate=0.05) for net in nets]
    model = numlp.Ensemble(nets)
    return Trained(model, [*map(listed, histories), *judged(model, (x[30:], y[30:]))])


def taught(arithmetic: str, **settings: Any) -> Trained:
    """Train on what an average of networks predicts for mixed rows."""
    teacher = ensemble(arithmetic, "softmax_cross_entropy").model
    return trained(arithmetic, teacher=teacher, distillation=0.7, mixup=0.4, **settings)


def folded(arithmetic: str) -> Trained:
    x = numbers(1, ROWS, INPUTS)
    parts = [(np.flatnonzero(np.arange(ROWS) % 3 != i), np.flatnonzero(np.arange(ROWS) % 3 == i)) for i in range(3)]
    nets = [numlp.MLP([INPUTS, 8, CLASSES], arithmetic=arithmetic, seed=seed) for seed in range(3)]
    found = train_folds(nets, (x, classes(x)), parts, seeds=range(3), patience=2, epochs=4)
    calibration = tuple(vars(calibrate_folds(found)).values())
    return Trained(found.model, [*map(listed, found.histories), calibration, found.logits.ravel().tolist()])


def range_tested(arithmetic: str) -> Trained:
    x, net = numbers(1, ROWS, INPUTS), numlp.MLP([INPUTS, 8, CLASSES], arithmetic=arithmetic)
    found = numlp.find_learning_rate(net, (x, classes(x)), steps=30, batch_size=BATCH)
    return Trained(
        net, [found.suggestion, np.asarray(found.losses).tolist(), np.asarray(found.learning_rates).tolist()]
    )


def _version(path: Path) -> tuple[bytes, bytes]:
    """Return the version in a file, and what stands for it, so that a release leaves the digests as they are."""
    quote = rb"\"" if rb"\"numlp_version\"" in path.read_bytes() else b'"'
    return quote + numlp.__version__.encode() + quote, quote + b"?" + quote


def _each(what: str, names: Iterable[str], case: Callable[[str, str], Trained]) -> dict[str, Case]:
    return {f"{what}/{name}": lambda arithmetic, name=name: case(arithmetic, name) for name in names}  # type: ignore[misc]


def cases() -> dict[str, Case]:
    """Return all cases by name. They follow the registries, so that a new entry of one is a new case."""
    x = numbers(1, ROWS, INPUTS)
    weights = abs(numbers(9, ROWS))
    bins: Any = {"bins": 4, "one_hot": 2, "width": 3, "least": 1}
    everything = ", ".join(f"{name} = {value}" for name, value in CHANGES.items())
    return {
        **_each("activation", [*ACTIVATIONS, *VARIANTS["activation"]], lambda a, name: trained(a, activation=name)),
        **_each("loss", [*LOSSES, *VARIANTS["loss"]], with_loss),
        **_each("initializer", INITIALIZERS, lambda a, name: trained(a, initializer=name)),
        **_each("normalization", NORMALIZATIONS, lambda a, name: trained(a, normalization=name)),
        **_each("optimizer", [*OPTIMIZERS, *VARIANTS["optimizer"]], lambda a, name: trained(a, optimizer=name)),
        **_each("schedule", [*SCHEDULES, *VARIANTS["schedule"]], lambda a, name: trained(a, schedule=name, epochs=4)),
        **_each("noise", NOISES, lambda a, name: trained(a, **{name: NOISES[name]})),
        **_each("regularization", REGULARIZATIONS, lambda a, name: trained(a, **{name: REGULARIZATIONS[name]})),
        **_each("augmentation", CHANGES, lambda a, name: augmented(a, f"images({name} = {CHANGES[name]})")),
        "augmentation/everything": lambda a: augmented(a, f"images({everything})"),
        "augmentation/channels": lambda a: augmented(a, f"images({everything})", channels=3),
        **_each("scaling", SCALINGS, lambda a, name: trained(a, input_scaling=SCALINGS[name](x))),
        **_each("features", [*INPUT_FEATURES, *VARIANTS["features"]], featured),
        "features/colors": lambda a: featured(a, "oriented_gradients", 3, adversarial=0.05, input_noise=0.1),
        "features/processes": lambda a: featured(a, "oriented_gradients", adversarial=0.05, processes=2),
        **_each("table", NUMBERS, lambda a, name: encoded(a, numbers=name)),
        "table/without clipping": lambda a: encoded(a, clip=False),
        "table/bins and embeddings": lambda a: encoded(a, **bins),
        "inputs/bytes": lambda a: trained(a, (images(), np.arange(ROWS) % CLASSES)),
        "inputs/float32": lambda a: trained(a, (x.astype(np.float32), classes(x))),
        "inputs/sparse": sparse,
        "inputs/columns of many sizes": columns_of_many_sizes,
        "inputs/long sums": long_sums,
        **{f"rows/{loss}": lambda a, loss=loss, n=n: many_rows(a, loss, n) for loss, n in _MANY.items()},  # type: ignore[misc]
        "weights/probabilities": soft_targets,
        "weights/classes": lambda a: trained(a, class_weight="balanced"),
        "weights/rows": lambda a: trained(a, (x, classes(x), weights)),
        "weights/both": lambda a: trained(a, (x, classes(x), weights), class_weight={0: 1, 1: 2, 2: 0.3}),
        "loop/stream": streamed,
        "loop/resume": resumed,
        "loop/early stopping": stopped,
        "loop/range test": range_tested,
        "processes/1": lambda a: split_into_processes(a, 1),
        "processes/2": lambda a: split_into_processes(a, 2),
        "processes/3": lambda a: split_into_processes(a, 3),
        "ensemble/classes": lambda a: ensemble(a, "softmax_cross_entropy"),
        "ensemble/intervals": lambda a: ensemble(a, "gaussian_negative_log_likelihood"),
        "ensemble/folds": folded,
        "teacher/one process": taught,
        "teacher/2 processes": lambda a: taught(a, layers=(12, 9), processes=2),
    }


def digests(case: Case, arithmetic: str = "portable") -> tuple[str, str]:
    """Return the SHA-256 of the bytes of a case's model file, and of its figures as text."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        found = case(arithmetic)
        path = Path(folder, "model.safetensors")
        numlp.save_model(found.model, path)
        content = path.read_bytes().replace(*_version(path))
    return hashlib.sha256(content).hexdigest(), hashlib.sha256(repr(found.figures).encode()).hexdigest()


def lines(prefixes: Sequence[str] = (), skip: Sequence[str] = (), arithmetic: str = "portable") -> Iterator[str]:
    """Yield a line for each digest of the networks whose names begin with one of the prefixes, or of all."""
    for name, case in cases().items():
        if (not prefixes or name.startswith(tuple(prefixes))) and not name.startswith(tuple(skip)):
            for what, digest in zip(("model", "figures"), digests(case, arithmetic), strict=True):
                yield f"{digest}  {name}: {what}"


def surroundings() -> str:
    """Return what this runs on: Python, NumPy, the processor, and the BLAS with its kernel and threads."""
    from threadpoolctl import threadpool_info

    blas = [each for each in threadpool_info() if each["user_api"] == "blas"]
    kernels = [f"{each['internal_api']} {each.get('architecture')}, {each['num_threads']} threads" for each in blas]
    parts = [f"Python {platform.python_version()}", f"NumPy {np.__version__}", platform.machine(), *kernels]
    return ", ".join(parts).replace(" 1 threads", " 1 thread")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of names; by default all")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME", help="leave out names that begin so")
    parser.add_argument("--check", action="store_true", help="print only what isn't in digests.txt")
    parser.add_argument("--arithmetic", default="portable", choices=("ordinary", "portable"))
    options = parser.parse_args()
    print(f"# {surroundings()}", file=sys.stderr)
    known = set(DIGESTS.read_text(encoding="utf-8").splitlines()) if options.check else set()
    found = 0
    differing = []
    for line in lines(options.names, options.skip, options.arithmetic):
        found += 1
        if line not in known:
            differing.append(line)
            print(line, flush=True)
    if options.check:
        print(f"{found - len(differing)} of {found} digests are those in {DIGESTS.name}")
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
