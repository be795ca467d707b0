import numpy as np
import pytest

from numlp.activations import ACTIVATIONS
from numlp.initializers import INITIALIZERS

FORMULAS = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


def test_every_activation_has_a_formula_to_be_checked_by():
    assert set(FORMULAS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_forward_is_its_formula_in_place(name):
    z = np.linspace(-5, 5, 21).reshape(3, 7)
    expected = FORMULAS[name](z.copy())
    ACTIVATIONS[name].function(z, None)
    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_activations_are_the_same_with_and_without_the_slope(name):
    z = np.linspace(-5, 5, 21)
    again, slope = z.copy(), np.empty_like(z)
    ACTIVATIONS[name].function(z, None)
    ACTIVATIONS[name].function(again, slope)
    np.testing.assert_array_equal(z, again)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_registry_entries_are_consistent(name):
    assert ACTIVATIONS[name].name == name
    assert ACTIVATIONS[name].initializer in INITIALIZERS
