// Elementary functions with the same bits on every machine, as in arrays/portable.py: made of + − × ÷, rounding and
// powers of two, in float64. Each takes and returns a number.

const LOG2_E = 1.4426950408889634;
const TWO_OVER_PI = 0.6366197723675814;
const LN_2 = [0.6931471803691238, 1.9082149292705877e-10];
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];
const SQRT_HALF = 0.7071067811865476;
const factorial = (n) => (n > 1 ? n * factorial(n - 1) : 1);
const series = (from, to, by, term) => Float64Array.from({ length: (to - from) / by + 1 }, (_, i) => term(from + by * i));
const alternating = (i) => (i % 2 ? -1 : 1);
const EXP = series(13, 2, -1, (i) => 1 / factorial(i)); // of eʳ − 1 − r, divided by r²
const LOG = series(23, 3, -2, (i) => 2 / i); // of log((1 + s) / (1 − s)) − 2s, divided by s³
const SIN = series(8, 1, -1, (i) => alternating(i) / factorial(2 * i + 1)); // of sin r − r, divided by r³
const COS = series(8, 2, -1, (i) => alternating(i) / factorial(2 * i)); // of cos r − 1 + r²/2, divided by r⁴

const clipped = (x, low, high) => (x < low ? low : x > high ? high : x);

/** The polynomial with these coefficients, the highest power first, by Horner's rule. */
function polynomial(x, coefficients) {
  let y = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) y = y * x + coefficients[i];
  return y;
}

function exp(x) {
  const k = nearest(clipped(x, -800, 800) * LOG2_E);
  const r = clipped(x - k * LN_2[0] - k * LN_2[1], -1, 1);
  if (r !== r) return r;
  const half = Math.floor(k / 2); // 2ᵏ itself may be out of range
  return (polynomial(r, EXP) * r * r + r + 1) * twoTo(half) * twoTo(k - half);
}

/** eˣ − 1, with all its digits near 0. */
function expm1(x) {
  const k = nearest(clipped(x, -800, 800) * LOG2_E);
  const r = clipped(x - k * LN_2[0] - k * LN_2[1], -1, 1);
  if (r !== r) return r;
  const small = polynomial(r, EXP) * r * r + r;
  const half = Math.floor(k / 2);
  const [one, other] = [twoTo(half), twoTo(k - half)];
  return Math.abs(k) < 60 ? small * one * other + (one * other - 1) : (small + 1) * one * other - 1;
}

function log(x) {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let k = exponentOf(x);
  let m = k < -1000 ? x * 2 ** 100 * 2 ** (-k - 100) : x * twoTo(-k);
  if (m < SQRT_HALF) {
    m = 2 * m;
    k = k - 1;
  }
  const s = (m - 1) / (m + 1);
  const square = s * s;
  return k * LN_2[1] + polynomial(square, LOG) * square * s + 2 * s + k * LN_2[0];
}

/** ln(1 + x), with all its digits near 0. */
function log1p(x) {
  const w = 1 + x;
  return log(w) + (w === Infinity ? 0 : (x - (w - 1)) / w);
}

function tanh(x) {
  const negative = expm1(-2 * Math.abs(x));
  const size = Math.abs(negative / (negative + 2));
  return x < 0 || Object.is(x, -0) ? -size : size;
}

/** ln(1 + eˣ), a smooth max(x, 0). */
const softplus = (x) => Math.max(x, 0) + log1p(exp(-Math.abs(x)));

/** The cosine of x plus so many quarters of a turn, for angles of up to 10⁶ in magnitude. */
function cosine(x, quarters) {
  const k = nearest(x * TWO_OVER_PI);
  const r = x - k * HALF_PI[0] - k * HALF_PI[1] - k * HALF_PI[2];
  const square = r * r;
  const quadrant = (((k + quarters) % 4) + 4) % 4;
  const found =
    quadrant % 2 === 0
      ? polynomial(square, COS) * square * square - square / 2 + 1
      : polynomial(square, SIN) * square * r + r;
  return quadrant === 1 || quadrant === 2 ? -found : found;
}

const cos = (x) => cosine(x, 0);
const sin = (x) => cosine(x, -1);

/** A power of a positive number, or a whole power of 0: products for whole exponents, else by logarithms. */
function power(base, exponent) {
  if (exponent < 0) return 1 / power(base, -exponent);
  if (!Number.isInteger(exponent)) return exp(exponent * log(base));
  let [result, factor] = [1, base];
  for (let rest = exponent; rest; rest = Math.floor(rest / 2)) {
    if (rest % 2) result *= factor;
    factor *= factor;
  }
  return result;
}
