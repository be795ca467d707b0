import math

import numpy as np
import pytest

from numlp.errors import NumlpError, SettingError
from numlp.settings.checks import choice, positive, share, unknown, whole_number


@pytest.mark.parametrize("value", [1, 10**12, np.int64(3), np.uint8(7)])
def test_whole_numbers_pass(value):
    assert whole_number("n", value) == value


@pytest.mark.parametrize("value", [0, -1, 1.0, 0.5, "3", None, True, math.nan, [1]])
def test_anything_but_a_positive_whole_number_is_refused(value):
    with pytest.raises(SettingError, match="n must be a whole number of at least 1, not"):
        whole_number("n", value)


@pytest.mark.parametrize("value", [1e-300, 1, np.float32(0.5)])
def test_positive_numbers_pass(value):
    assert positive("rate", value) == value


@pytest.mark.parametrize("check", [positive, share])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "x", None, True, [1, 2]])
def test_anything_but_a_positive_number_is_refused(check, value):
    with pytest.raises(SettingError, match="rate must be"):
        check("rate", value)


def test_a_share_is_less_than_1():
    assert share("part", 0.05) == 0.05
    with pytest.raises(SettingError, match="part"):
        share("part", 1)


def test_an_unknown_name_comes_with_the_nearest():
    assert unknown("loss", "sqared_error", ["squared_error", "other"]) == (
        "unknown loss 'sqared_error': did you mean 'squared_error'? Available: squared_error, other"
    )
    assert unknown("loss", "xyz", ["squared_error"]) == "unknown loss 'xyz'. Available: squared_error"
    for value in ("xyz", 3, None, ["a"]):
        with pytest.raises(SettingError, match="Available: a"):
            choice("loss", value, {"a": 1})


def test_setting_errors_are_value_errors():
    assert issubclass(SettingError, ValueError)
    assert issubclass(SettingError, NumlpError)
