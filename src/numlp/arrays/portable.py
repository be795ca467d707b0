r"""Elementary functions with the same bits on every machine, made of + − × ÷, rounding and powers of two.

IEEE 754 prescribes the results of these operations and of the square root to the last bit. It leaves exp, log and
their kin to libraries, whose last bits differ from one to the next. The functions here compute in float64, with
errors of a few units in its last place, and round to float32 at the end if they get float32.

Each reduces its argument to a short interval and takes a polynomial there, from the series of the function: J.-M.
Muller, "Elementary functions: algorithms and implementation" (2016), chapters 3 and 11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Float64 = npt.NDArray[np.float64]

_LOG2_E, _TWO_OVER_PI = 1.4426950408889634, 0.6366197723675814
# Constants in parts with so few digits that their multiples by whole numbers up to 2²⁰ are exact.
_LN_2 = 0.6931471803691238, 1.9082149292705877e-10
_HALF_PI = 1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21
_SQRT_HALF = 0.7071067811865476
_EXP = tuple(1 / math.factorial(i) for i in range(13, 1, -1))  # of eʳ − 1 − r, divided by r²
_LOG = tuple(2 / i for i in range(23, 1, -2))  # of log((1 + s) / (1 − s)) − 2s, divided by s³
_SIN: tuple[float, ...] = tuple(
    (-1) ** i / math.factorial(2 * i + 1) for i in range(8, 0, -1)
)  # of sin r − r, divided by r³
_COS: tuple[float, ...] = tuple(
    (-1) ** i / math.factorial(2 * i) for i in range(8, 1, -1)
)  # of cos r − 1 + r²/2, divided by r⁴
_BLOCK = 1 << 14  # numbers: so few that all intermediate results stay in the cache


def exp(x: npt.ArrayLike) -> Array:
    r"""Return :math:`e^x = 2^k e^r` with :math:`|r| \le \tfrac12 \ln 2`.

    >>> exp([0.0, 1.0, -np.inf, 1000.0])
    array([1.        , 2.71828183, 0.        ,        inf])
    """
    return _by_blocks(_exp, x)


def expm1(x: npt.ArrayLike) -> Array:
    """Return eˣ − 1, with all its digits near 0.

    >>> expm1([1e-20, -np.inf])
    array([ 1.e-20, -1.e+00])
    """
    return _by_blocks(_expm1, x)


def log(x: npt.ArrayLike) -> Array:
    r"""Return :math:`\ln x = k \ln 2 + \ln m` with :math:`\sqrt{1/2} \le m < \sqrt 2`.

    >>> log([1.0, np.e, 0.0, np.inf])
    array([  0.,   1., -inf,  inf])
    """
    return _by_blocks(lambda z, wide: _log(z), x)


def log1p(x: npt.ArrayLike) -> Array:
    """Return ln(1 + x), with all its digits near 0.

    >>> log1p([1e-20, np.inf])
    array([1.e-20,    inf])
    """
    return _by_blocks(lambda z, wide: _log1p(z), x)


def tanh(x: npt.ArrayLike) -> Array:
    r"""Return :math:`\tanh |x| = (1 - e^{-2|x|}) / (1 + e^{-2|x|})`, with the sign of x.

    >>> tanh([1e-20, -np.inf])
    array([ 1.e-20, -1.e+00])
    """
    return _by_blocks(_tanh, x)


def softplus(x: npt.ArrayLike) -> Array:
    r"""Return :math:`\ln(1 + e^x) = \max(x, 0) + \ln(1 + e^{-|x|})`.

    >>> softplus([-1000.0, 1000.0])
    array([   0., 1000.])
    """
    return _by_blocks(_softplus, x)


def cos(x: npt.ArrayLike) -> Array:
    """Return the cosine of angles of up to 10⁶ in magnitude.

    >>> cos([0.0, np.pi])
    array([ 1., -1.])
    """
    return _by_blocks(lambda z, wide: _cosine(z, 0), x)


def sin(x: npt.ArrayLike) -> Array:
    """Return the sine of angles of up to 10⁶ in magnitude.

    >>> sin([0.0, np.pi / 2])
    array([0., 1.])
    """
    return _by_blocks(lambda z, wide: _cosine(z, -1), x)


def power(base: float, exponent: float) -> float:
    """Return a power of a positive number, or a whole power of 0: products for whole exponents, else by logarithms.

    >>> power(0.5, 3), round(power(2, 0.5), 12)
    (0.125, 1.414213562373)
    """
    if exponent < 0:
        return 1 / power(base, -exponent)
    if not float(exponent).is_integer():
        return exp_of(exponent * log_of(base))
    result, factor, rest = 1.0, float(base), int(exponent)
    while rest:
        if rest & 1:
            result *= factor
        factor, rest = factor * factor, rest >> 1
    return result


def exp_of(x: float) -> float:
    """Return eˣ: the bits of `exp`, but for a single number many times as fast, as every step needs for its rate.

    >>> exp_of(0.5)
    1.6487212707001282
    """
    r = min(max(x, -800.0), 800.0)
    k = round(r * _LOG2_E)
    r -= k * _LN_2[0]
    r -= k * _LN_2[1]
    y = _EXP[0]
    for coefficient in _EXP[1:]:
        y = y * r + coefficient
    half = k // 2
    return (y * r * r + r + 1) * math.ldexp(1.0, half) * math.ldexp(1.0, k - half)


def log_of(x: float) -> float:
    """Return the logarithm of a positive, finite number: the bits of `log`.

    >>> log_of(2.0)
    0.6931471805599453
    """
    m, exponent = math.frexp(x)
    k = float(exponent)
    if m < _SQRT_HALF:
        m, k = 2 * m, k - 1
    s = (m - 1) / (m + 1)
    square = s * s
    y = _LOG[0]
    for coefficient in _LOG[1:]:
        y = y * square + coefficient
    return k * _LN_2[1] + y * square * s + 2 * s + k * _LN_2[0]


def cos_of(x: float) -> float:
    """Return the cosine of an angle of up to 10⁶ in magnitude: the bits of `cos`.

    >>> cos_of(0.0)
    1.0
    """
    k = round(x * _TWO_OVER_PI)
    r = x - k * _HALF_PI[0] - k * _HALF_PI[1] - k * _HALF_PI[2]
    square, odd = r * r, k % 2 == 1
    coefficients = _SIN if odd else _COS
    y = coefficients[0]
    for coefficient in coefficients[1:]:
        y = y * square + coefficient
    found = y * square * r + r if odd else y * square * square - square / 2 + 1
    return -found if k % 4 in (1, 2) else found


def _by_blocks(function: Callable[[Float64, bool], Float64], x: npt.ArrayLike) -> Array:
    """Apply a function of float64 arrays to an array of float64 or float32, and return one of its dtype.

    The function also gets whether results may be as large and as small as float64 has them.
    """
    given = np.asarray(x, None if isinstance(x, np.ndarray) and x.dtype == np.float32 else np.float64)
    flat, wide = given.reshape(-1), given.dtype == np.float64
    out: Array = np.empty(flat.shape, given.dtype)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            out[part] = function(flat[part].astype(np.float64), wide)
    return out.reshape(given.shape)


def _polynomial(x: Float64, coefficients: Sequence[float]) -> Float64:
    """Return the polynomial with these coefficients, the highest power first, by Horner's rule."""
    y = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        np.add(y, coefficient, out=y)
        np.multiply(y, x, out=y)
    return np.add(y, coefficients[-1], out=y)


def _two_to(k: Float64) -> Float64:
    """Return 2ᵏ for whole numbers from −1022 to 1023."""
    bits = (k + (2.0**52 + 1023)).view(np.int64)  # the last ones count units
    bits <<= 52
    return bits.view(np.float64)


def _reduced(x: Float64, wide: bool) -> tuple[Float64, Float64]:
    """Return eʳ − 1 and the whole number k of eˣ = 2ᵏ eʳ."""
    most = 800.0 if wide else 200.0  # beyond, the powers of two are 0 or infinity
    r = np.minimum(np.maximum(x, -most), most)
    k = np.rint(r * _LOG2_E)
    r -= k * _LN_2[0]
    r -= k * _LN_2[1]
    small = _polynomial(r, _EXP)
    small *= r
    small *= r
    small += r
    return small, k


def _exp(x: Float64, wide: bool) -> Float64:
    small, k = _reduced(x, wide)
    small += 1
    if not wide:
        return np.multiply(small, _two_to(k), out=small)
    half = np.floor(k / 2)  # 2ᵏ itself may be out of range
    return small * _two_to(half) * _two_to(k - half)


def _expm1(x: Float64, wide: bool) -> Float64:
    small, k = _reduced(x, wide)
    power = _two_to(np.clip(k, -1022, 1023))
    found = small * power + (power - 1)
    return np.where(k < 60, found, _exp(x, wide)) if wide else found


def _log(x: Float64) -> Float64:
    m, k = np.frexp(x)
    low = m < _SQRT_HALF
    exponent = k - low.astype(np.float64)
    m += m * low
    s = (m - 1) / (m + 1)
    square = s * s
    y = _polynomial(square, _LOG)
    found: Float64 = exponent * _LN_2[1] + y * square * s + 2 * s + exponent * _LN_2[0]
    if np.minimum.reduce(x) > 0 and np.maximum.reduce(x) < np.inf:
        return found
    found = np.where(x == np.inf, np.inf, np.where(x > 0, found, np.nan))
    return np.where(x == 0, -np.inf, found)


def _log1p(x: Float64) -> Float64:
    w = 1 + x
    # What 1 + x loses of x, as a part of it; nothing is lost of infinity.
    lost = np.where(np.isinf(x), 0.0, (x - (w - 1)) / w)
    return _log(w) + lost


def _softplus(x: Float64, wide: bool) -> Float64:
    return np.maximum(x, 0) + _log1p(_exp(-np.abs(x), wide))


def _tanh(x: Float64, wide: bool) -> Float64:
    negative = _expm1(-2 * np.abs(x), wide)
    return np.copysign(negative / (negative + 2), x)


def _cosine(x: Float64, quarters: int) -> Float64:
    """Return the cosine of x plus so many quarters of a turn."""
    k = np.rint(x * _TWO_OVER_PI)
    r = x - k * _HALF_PI[0] - k * _HALF_PI[1] - k * _HALF_PI[2]
    square = r * r
    sine = _polynomial(square, _SIN) * square * r + r
    cosine = _polynomial(square, _COS) * square * square - square / 2 + 1
    quadrant = (k + quarters) % 4
    found = np.where(quadrant % 2 == 0, cosine, sine)
    return np.where((quadrant == 1) | (quadrant == 2), -found, found)
