"""Portable arithmetic ends in the digests of digests.txt, wherever it runs; the list of networks forgets nothing."""

import dataclasses
import inspect
import re

import pytest

import numlp
from numlp.data.augmentation import Images
from numlp.network.activations import ACTIVATIONS
from numlp.network.encoder import ENCODINGS
from numlp.network.features import INPUT_FEATURES
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.learner import NUMBERS
from numlp.network.losses import LOSSES
from numlp.network.scaling import SCALINGS
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Regularization
from numlp.training.schedules import SCHEDULES
from portable import environments, networks
from portable.environments import Environment, Missing

STORED = networks.DIGESTS.read_text(encoding="utf-8").splitlines()
NAMES = {line.partition("  ")[2].partition(":")[0] for line in STORED}
# For each environment of the suite. `make portable` trains all networks, in more environments.
SOME = (
    "activation/gelu",
    "loss",
    "normalization/batch",
    "augmentation/everything",
    "features/colors",
    "table/bins",
    "inputs/long",
    "rows",
)
RENEW = "if that was the intention, run make portable-digests, as docs/portable.md says"


def assert_stored(environment: Environment, *names: str) -> None:
    _, found = environment.digests(*names)
    wanted = [line for line in STORED if not names or line.partition("  ")[2].startswith(names)]
    assert found == wanted, RENEW


def test_all_networks_end_in_the_stored_digests():
    assert_stored(Environment("as it is"))


def test_processes_and_resuming_change_no_digest():
    one, two, three = ([line.split()[0] for line in STORED if f"  processes/{n}:" in line] for n in (1, 2, 3))
    assert one == two == three


def test_two_threads_end_in_the_same_digests():
    assert_stored(Environment("two threads", variables={"OPENBLAS_NUM_THREADS": "2"}), *SOME)


def test_each_kernel_ends_in_the_same_digests():
    for environment in environments.kernels():
        try:
            assert_stored(environment, *SOME)
        except Missing:  # by this processor
            continue


def test_narrower_vector_units_end_in_the_same_digests():
    for environment in environments.without_simd():
        assert_stored(environment, *SOME)


def test_another_c_library_ends_in_the_same_digests():
    try:
        environment = environments.other_c_library()
    except Missing as missing:
        pytest.skip(str(missing))
    usual, other = (
        each.run("-c", "import math; print(math.exp(1.1))").stdout for each in (Environment(""), environment)
    )
    assert usual != other
    assert_stored(environment, *SOME)


def test_digests_that_are_not_stored_are_told():
    done = Environment("as it is").run(
        str(networks.PROGRAM), "--check", "--arithmetic", "ordinary", "activation/tanh"
    )
    assert done.returncode == 1
    assert "0 of 2 digests" in done.stdout


@pytest.mark.parametrize(
    ("what", "registry"),
    [
        ("activation", ACTIVATIONS),
        ("augmentation", {field.name for field in dataclasses.fields(Images)}),
        ("features", INPUT_FEATURES),
        ("initializer", INITIALIZERS),
        ("loss", LOSSES),
        ("normalization", NORMALIZATIONS),
        ("optimizer", OPTIMIZERS),
        ("regularization", {field.name for field in dataclasses.fields(Regularization)}),
        ("scaling", SCALINGS),
        ("schedule", SCHEDULES),
        ("table", NUMBERS),
    ],
)
def test_every_entry_of_a_registry_has_digests(what, registry):
    assert {f"{what}/{name}" for name in registry} <= NAMES, f"{RENEW}: new names need new digests"


def test_there_is_one_encoding_of_tables():
    assert set(ENCODINGS) == {"columns"}  # another one needs networks of its own


@pytest.mark.parametrize("function", [numlp.train, numlp.MLP, numlp.learn_encoding])
def test_every_parameter_is_used_by_a_network(function):
    named = {"dtype", "feature_names", "class_names", "input_range"}  # nothing is computed with them
    named |= {"layer_size"}  # passed by position
    named |= {"progress", "after_step", "sync_gradients"}  # what a user does there is up to the user
    named |= {"team"}  # tests/parallel/test_ranks.py compares the bits of teams with those of one process
    text = networks.PROGRAM.read_text(encoding="utf-8")
    names = set(inspect.signature(function).parameters) - named
    assert not {name for name in names if not re.search(rf"\b{name}\b", text)}
