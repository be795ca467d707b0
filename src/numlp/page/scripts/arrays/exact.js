// Exact sums, as in arrays/exact.py: numbers are rounded to multiples of one power of two, their grid, then added
// without rounding, in whatever order.

const DIGITS = 53; // of float64, in bits
const FINEST = -1000; // the exponent of the finest grid
const LARGEST = 500; // numbers beyond 2 to this power are made smaller before they are added

/** What rounds numbers up to a size, of which so many are added: x + shift − shift is on their grid. */
function shiftOf(largest, count) {
  const exponent = Number.isFinite(largest) ? exponentOf(largest) : 0;
  return 3 * twoTo(Math.max(exponent - (DIGITS - 2) + bitLength(count - 1), FINEST) + DIGITS - 2);
}

/** The sum of numbers; with two folds, what the first leaves over is added up as well. */
function total(x, folds = 1, count = x.length) {
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const size = Math.abs(x[i]);
    if (!(size <= largest)) largest = size;
  }
  if (largest !== Infinity && exponentOf(largest) > LARGEST) {
    const small = Float64Array.from(x.subarray(0, count), (value) => value * 2 ** -LARGEST);
    return total(small, folds) * 2 ** LARGEST;
  }
  const shift = shiftOf(largest, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += x[i] + shift - shift;
  if (folds === 1) return sum;
  const rest = Float64Array.from(x.subarray(0, count), (value) => {
    const left = value - (value + shift - shift);
    return Number.isFinite(left) ? left : 0;
  });
  return sum + total(rest, folds - 1);
}

/** The mean of float64 numbers, with an error of about one rounding. */
const mean = (x) => total(x, 2) / x.length;

/** The sum of the products of two float32 arrays, number by number; of an array itself without another. */
function dot(a, b, count = a.length) {
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const size = Math.abs(a[i] * b[i]);
    if (!(size <= largest)) largest = size;
  }
  const shift = shiftOf(largest, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[i] * b[i] + shift - shift;
  return sum;
}

/** Write the sums of a matrix's rows, (n, m), or of its product with another, number by number. */
function rowSums(a, b, n, m, out) {
  for (let i = 0, start = 0; i < n; i++, start += m) {
    let largest = 0;
    for (let k = start; k < start + m; k++) {
      const size = Math.abs(b === null ? a[k] : a[k] * b[k]);
      if (!(size <= largest)) largest = size;
    }
    const shift = shiftOf(largest, m);
    let sum = 0;
    for (let k = start; k < start + m; k++) sum += (b === null ? a[k] : a[k] * b[k]) + shift - shift;
    out[i] = sum;
  }
}

/** Write the sums of a matrix's columns, (n, m), or of its product with another, number by number. */
function columnSums(a, b, n, m, out) {
  for (let j = 0; j < m; j++) {
    let largest = 0;
    for (let k = j; k < n * m; k += m) {
      const size = Math.abs(b === null ? a[k] : a[k] * b[k]);
      if (!(size <= largest)) largest = size;
    }
    const shift = shiftOf(largest, n);
    let sum = 0;
    for (let k = j; k < n * m; k += m) sum += (b === null ? a[k] : a[k] * b[k]) + shift - shift;
    out[j] = sum;
  }
}
