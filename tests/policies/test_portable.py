"""A portable training calls nothing whose last bits a library or a processor may choose.

Functions of NumPy and of `math` are poisoned: called from numlp, they raise. Sums and products are spared if they
can't round, because all numbers are whole and few enough. Networks that together use everything are trained so.
"""

import ast
import builtins
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from portable.networks import cases, digests

import numlp
from numlp.cli import main
from numlp.runs import folder

SOURCE = Path(numlp.__file__).parent
# What is exact by construction, and a check whose result, whether all numbers are finite, no last bit can change.
EXACT = {f"numlp.arrays.{name}" for name in ("exact", "exact_matrices", "exact_products", "products")}
EXACT |= {"numlp.parallel.team"}
SPARED = {("numlp.arrays.special", "np.vdot")}
# Files for pages, for people and for pictures: no part of a training or of its figures.
PAGES = "plots report cli onnx sklearn datasets.ground training.progress judging.dependence judging.inspection"
PAGES = tuple(f"numlp.{name}" for name in (*PAGES.split(), "judging.relations"))

FUNCTIONS = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh "
    "arctanh power float_power logaddexp logaddexp2 cbrt hypot geomspace logspace linspace interp quantile "
    "percentile median nanmedian nanquantile nanpercentile convolve correlate corrcoef cov polyfit trapezoid sinc i0"
)
# Of cumulative sums and of np.bincount, the order of the additions is defined.
SUMS = "dot vdot inner matmul einsum tensordot vecdot sum mean var std average nansum nanmean"
OF_MATH = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh pow cbrt hypot erf gamma"
)
DRAWS = {"random", "integers", "shuffle", "permutation"}


class NotPortable(AssertionError):
    pass


def caller():
    """Return the module that called, through NumPy or not."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__", "").startswith("numpy"):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "")


def is_ours(module):
    return module.startswith("numlp.") and not module.startswith(PAGES)


def is_exact(*arrays):
    """Return whether sums over arrays, or over their products, can't round."""
    size, digits = 1.0, 53
    for array in map(np.asarray, arrays):
        if array.dtype.kind not in "biuf" or np.any(np.floor(array) != array):
            return False
        digits = min(digits, 24 if array.dtype == np.float32 else 53)
        size *= float(np.maximum.reduce(np.abs(array.astype(np.float64)), axis=None, initial=1))
    return size * max(np.size(array) for array in arrays) <= 2.0**digits


def poisoned(name, function, spare=False):
    """Return a function that only numlp's exact modules may call with anything that rounds."""

    def call(*args, **kwargs):
        who = caller()
        if is_ours(who) and who not in EXACT and (who, name) not in SPARED:
            arrays = [each for each in args if isinstance(each, np.ndarray | np.generic | list)]
            if not (spare and arrays and is_exact(*arrays)):
                raise NotPortable(f"{who} calls {name}")
        return function(*args, **kwargs)

    return call


class Ufunc:
    """A ufunc whose reductions are poisoned."""

    def __init__(self, ufunc):
        self._ufunc = ufunc
        self.reduce, self.accumulate, self.reduceat = (
            poisoned(f"np.{ufunc.__name__}.{name}", getattr(ufunc, name), spare=True)
            for name in ("reduce", "accumulate", "reduceat")
        )
        at = poisoned(f"np.{ufunc.__name__}.at", ufunc.at, spare=True)
        self.at = lambda out, index, numbers: at(out, index, np.asarray(numbers))

    def __call__(self, *args, **kwargs):
        return self._ufunc(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._ufunc, name)


class Generator:
    """A generator that only draws what needs no function of the C library."""

    def __init__(self, rng):
        self._rng = rng

    def __getattr__(self, name):
        if name not in DRAWS and is_ours(caller()):
            raise NotPortable(f"{caller()} calls Generator.{name}")
        return getattr(self._rng, name)


def checked_sum(numbers, *start):
    """Return a sum: Python 3.12 and later correct the rounding of floats in it, earlier ones don't."""
    numbers = list(numbers)
    if any(isinstance(each, float) and not each.is_integer() for each in numbers):
        raise NotPortable(f"{caller()} calls sum with floats")
    return builtins.sum(numbers, *start)


@pytest.fixture
def poison(monkeypatch):
    import numpy._core._methods as methods

    for name in FUNCTIONS.split():
        monkeypatch.setattr(np, name, poisoned(f"np.{name}", getattr(np, name, None)), raising=False)
    for name in SUMS.split():
        if hasattr(np, name):
            monkeypatch.setattr(np, name, poisoned(f"np.{name}", getattr(np, name), spare=True))
    for name in dir(np.linalg):
        if name[0].islower() and callable(function := getattr(np.linalg, name)):
            monkeypatch.setattr(np.linalg, name, poisoned(f"np.linalg.{name}", function))
    for name in OF_MATH.split():
        if hasattr(math, name):
            monkeypatch.setattr(math, name, poisoned(f"math.{name}", getattr(math, name)))
    # The methods sum, mean, var and std of arrays.
    monkeypatch.setattr(methods, "umr_sum", poisoned("a method that sums", methods.umr_sum, spare=True))
    monkeypatch.setattr(np, "add", Ufunc(np.add))
    make = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda *seed: Generator(make(*seed)))
    for name, module in list(sys.modules.items()):
        if is_ours(name):
            monkeypatch.setattr(module, "sum", checked_sum, raising=False)


@pytest.mark.parametrize("name", cases())
def test_a_portable_training_calls_nothing_that_differs_from_machine_to_machine(poison, name):
    digests(cases()[name])


def test_a_portable_run_on_a_table_calls_nothing_that_differs_either(poison, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folder, "save_figures", lambda *arguments: None)
    lines = ["size,city,sold,price"]
    for i, (size, city) in enumerate(zip(rng.random(120), rng.integers(0, 4, 120), strict=True)):
        lines.append(f"{size:.3f},{'ABC '[city]},2024-{1 + i % 12:02}-{1 + i % 28:02},{100 * size + city:.2f}")
    Path("houses.csv").write_text("\n".join(lines), encoding="utf-8")
    settings = ["--folds", "2", "--epochs", "2", "--loss", "quantile", "--processes", "1", "--no-report"]
    assert main(["train", "houses.csv", "--target", "price", "--arithmetic", "portable", *settings]) == 0


def test_an_ordinary_training_is_found_out(poison):
    with pytest.raises(NotPortable, match=r"numlp\.arrays\.arithmetic calls"):
        digests(cases()["loss/softmax_cross_entropy"], "ordinary")


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("np.exp(1.0)", "np.exp"),
        ("math.log(2.0)", "math.log"),
        ("np.array([0.1, 0.2]).mean()", "a method that sums"),
        ("np.add.reduce(np.array([0.1, 0.2]))", "np.add.reduce"),
        ("np.random.default_rng(0).normal()", "Generator.normal"),
        ("np.linalg.norm(np.ones(2))", "np.linalg.norm"),
        ("np.dot(np.array([0.1]), np.array([0.1]))", "np.dot"),
    ],
)
def test_the_poison_works(poison, call, found):
    with pytest.raises(NotPortable, match=found):
        eval(call, {"np": np, "math": math, "__name__": "numlp.example"})


def test_no_operator_takes_a_power_or_a_product_of_matrices():
    """Operators can't be poisoned. Powers of constants are those of 2 and −1."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE).with_suffix("")
        if not is_ours(".".join(("numlp", *inside.parts))):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.BinOp | ast.AugAssign):
                continue
            base = node.left if isinstance(node, ast.BinOp) else node.target
            of_constant = isinstance(base, ast.Constant | ast.UnaryOp)
            if isinstance(node.op, ast.MatMult) or (isinstance(node.op, ast.Pow) and not of_constant):
                found.append(f"{inside}:{node.lineno}: {ast.unparse(node)}")
    assert not found, "numlp.arrays has portable.power and exact sums"
