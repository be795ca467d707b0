// Exact products of matrices, as in arrays/exact_matrices.py and arrays/exact_products.py: factors are rounded to
// multiples of a power of two, so that float64 adds their products without rounding, and the sums are rounded once, to
// float32.

const LEAST = -100; // exponents below count as this one
const MOST_BITS = 24; // of a factor: those of float32
const PIECE = 512; // products: longer sums are made of pieces
const TOLERANCE = 2.25; // times the variance of the rounding errors
const BITS_OF_INTEGERS = 62;
const SPREAD = 8; // bits by which the largest numbers of columns may differ that share a grid

/** How many bits two factors may have together in sums of so many products. */
function bitsTogether(length) {
  return Math.min(DIGITS - bitLength(Math.min(length, PIECE) - 1), BITS_OF_INTEGERS - bitLength(length - 1));
}

/** How many bits the factors of x W, xᵀ δ and δ Wᵀ may have, sums of k, n and m products. */
function bitsFor(k, n = 1, m = 1) {
  const shared = [MOST_BITS, MOST_BITS, MOST_BITS];
  const products = [
    { most: bitsTogether(k), pair: [0, 1] },
    { most: bitsTogether(n), pair: [0, 2] },
    { most: bitsTogether(m), pair: [2, 1] },
  ];
  for (const { most, pair } of [...products].sort((one, other) => one.most - other.most)) {
    const [a, b] = pair;
    while (shared[a] + shared[b] > most) shared[shared[b] >= shared[a] ? b : a]--;
  }
  const [outputs, weights, inputs] = products.map(({ most, pair: [a, b] }) => enoughBits(shared[a], shared[b], most));
  return { outputs, weights, inputs };
}

/** These bits of two factors, or more if their rounding errors are too large. */
function enoughBits(a, b, most) {
  const best = Math.min(most / 2, MOST_BITS);
  if (4 ** -a + 4 ** -b <= TOLERANCE * 2 * 4 ** -best) return [a, b];
  while (a + b < most && Math.min(a, b) < MOST_BITS) {
    if (a < b) a++;
    else b++;
  }
  return [a, b];
}

/** The least e such that a magnitude is below 2ᵉ, but not below `LEAST`; NaN for what isn't finite. */
function gridExponent(largest) {
  if (!Number.isFinite(largest)) return NaN;
  return largest === 0 ? LEAST : Math.max(exponentOf(largest), LEAST);
}

function largestIn(x, start, stop, by = 1) {
  let largest = 0;
  for (let i = start; i < stop; i += by) {
    const size = Math.abs(x[i]);
    if (!(size <= largest)) largest = size;
  }
  return largest;
}

/** Write numbers rounded to multiples of 2^grid; NaN, whose grid is NaN, for what isn't finite. */
function onGrid(x, start, stop, grid, out) {
  if (grid !== grid) {
    out.fill(NaN, start, stop);
    return;
  }
  const shift = 3 * twoTo(grid + DIGITS - 2);
  for (let i = start; i < stop; i++) out[i] = x[i] + shift - shift;
}

/** Write a b, shapes (n, k) and (k, m), of numbers on grids, rounded to float32; `sums` is room for m numbers. */
function multiplied(a, b, n, k, m, out, sums) {
  if (k > PIECE) return multipliedInPieces(a, k, 1, b, m, 1, n, k, m, out);
  for (let i = 0; i < n; i++) {
    sums.fill(0, 0, m);
    addProducts(a, i * k, 1, b, k, m, sums);
    for (let j = 0, at = i * m; j < m; j++, at++) out[at] = sums[j];
  }
}

/** Write aᵀ b, shapes (n, k) and (n, m); `sums` is room for m numbers. */
function multipliedAcross(a, b, n, k, m, out, sums) {
  if (n > PIECE) return multipliedInPieces(a, 1, k, b, m, 1, k, n, m, out);
  for (let i = 0; i < k; i++) {
    sums.fill(0, 0, m);
    addProducts(a, i, k, b, n, m, sums);
    for (let j = 0, at = i * m; j < m; j++, at++) out[at] = sums[j];
  }
}

/** Add the rows of b, (k, m), each times one of the k numbers of a from `start` on, `step` apart; four rows at a time. */
function addProducts(a, start, step, b, k, m, sums) {
  let p = 0;
  for (let at = start; p + 4 <= k; p += 4, at += 4 * step) {
    const a0 = a[at];
    const a1 = a[at + step];
    const a2 = a[at + 2 * step];
    const a3 = a[at + 3 * step];
    if (a0 === 0 && a1 === 0 && a2 === 0 && a3 === 0) continue; // as many pixels are
    for (let j = 0, b0 = p * m, b1 = b0 + m, b2 = b1 + m, b3 = b2 + m; j < m; j++) {
      sums[j] += a0 * b[b0 + j] + a1 * b[b1 + j] + (a2 * b[b2 + j] + a3 * b[b3 + j]);
    }
  }
  for (; p < k; p++) {
    const factor = a[start + p * step];
    for (let j = 0, at = p * m; j < m; j++, at++) sums[j] += factor * b[at];
  }
}

/** Write a bᵀ, shapes (n, k) and (m, k). */
function multipliedBack(a, b, n, k, m, out) {
  if (k > PIECE) return multipliedInPieces(a, k, 1, b, 1, k, n, k, m, out);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let p = 0, at = i * k, from = j * k; p < k; p++) sum += a[at + p] * b[from + p];
      out[i * m + j] = sum;
    }
  }
}

/** Write a product whose sums float64 can't hold: pieces that it can hold, added in two parts. D. Knuth's exact sum. */
function multipliedInPieces(a, aRow, aStep, b, bStep, bColumn, n, k, m, out) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let [high, low] = [0, 0];
      for (let start = 0; start < k; start += PIECE) {
        let piece = 0;
        for (let p = start; p < Math.min(k, start + PIECE); p++) piece += a[i * aRow + p * aStep] * b[p * bStep + j * bColumn];
        const sum = high + piece;
        const part = sum - high;
        low += high - (sum - part) + (piece - part);
        high = sum;
      }
      out[i * m + j] = high + low;
    }
  }
}

/** A matrix, rounded to multiples of powers of two; with `shifts` where these differ from column to column, or row to row. */
class Factor {
  constructor(size, columns) {
    this.onGrid = new Float64Array(size);
    this.columns = columns;
  }

  /** Take so many numbers, whose magnitudes are below 2 to an exponent, plus their column's shift, or minus their row's. */
  take(numbers, count, exponent, { ofColumns = null, ofRows = null } = {}) {
    Object.assign(this, { numbers, count, exponent, ofColumns, ofRows, bits: 0 });
  }

  /** The matrix rounded to so many bits: as it is already, or anew. */
  rounded(bits) {
    if (bits === this.bits) return this.onGrid;
    this.bits = bits;
    const { numbers, count, columns, ofColumns, ofRows, onGrid: out } = this;
    const grid = this.exponent - bits;
    if (ofRows) {
      for (let i = 0; i < ofRows.length; i++) onGrid(numbers, i * columns, (i + 1) * columns, grid - ofRows[i], out);
    } else if (ofColumns) {
      const shifts = ofColumns.map((shift) => 3 * twoTo(grid + shift + DIGITS - 2));
      for (let k = 0; k < count; k++) out[k] = numbers[k] + shifts[k % columns] - shifts[k % columns];
    } else onGrid(numbers, 0, count, grid, out);
    return out;
  }
}

/** The products of one affine map in training; x, W and δ occur in two products each, which mostly take the same numbers. */
class Products {
  /** @param raw whether x are the network's inputs, whose columns may have different units */
  constructor(batchSize, fanIn, fanOut, raw) {
    Object.assign(this, { fanIn, fanOut, raw });
    this.x = new Factor(batchSize * fanIn, fanIn);
    this.w = new Factor(fanIn * fanOut, fanOut);
    this.delta = new Factor(batchSize * fanOut, fanOut);
    this.sums = new Float64Array(Math.max(fanIn, fanOut));
  }

  resize(n) {
    this.n = n;
    this.bits = bitsFor(this.fanIn, n, this.fanOut);
  }

  /** Write x W, (n, fan_out). */
  outputs(x, weight, out) {
    const { n, fanIn, fanOut } = this;
    this.weight = weight;
    if (!(this.raw && this.takeColumns(x, weight))) {
      this.takeFactor(this.x, x, n * fanIn);
      this.takeFactor(this.w, weight, fanIn * fanOut);
    }
    const [ofX, ofW] = this.bits.outputs;
    multiplied(this.x.rounded(ofX), this.w.rounded(ofW), n, fanIn, fanOut, out, this.sums);
  }

  take(delta) {
    this.takeFactor(this.delta, delta, this.n * this.fanOut);
  }

  takeFactor(factor, numbers, count) {
    factor.take(numbers, count, gridExponent(largestIn(numbers, 0, count)));
  }

  /** Write xᵀ δ, (fan_in, fan_out). */
  weightGradient(out) {
    const [ofX, ofDelta] = this.bits.weights;
    const { n, fanIn, fanOut } = this;
    multipliedAcross(this.x.rounded(ofX), this.delta.rounded(ofDelta), n, fanIn, fanOut, out, this.sums);
  }

  /** Write Σ_rows δ, (fan_out,). */
  biasGradient(out) {
    const { n, fanOut, sums } = this;
    const delta = this.delta.rounded(this.bits.weights[1]);
    sums.fill(0, 0, fanOut);
    for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < fanOut; j++, at++) sums[j] += delta[at];
    for (let j = 0; j < fanOut; j++) out[j] = sums[j];
  }

  /** Write δ Wᵀ, (n, fan_in). */
  inputGradient(out) {
    const { n, fanIn, fanOut } = this;
    if (this.w.ofRows) this.takeFactor(this.w, this.weight, fanIn * fanOut); // where columns are small, rows of W have lost digits
    const [ofDelta, ofW] = this.bits.inputs;
    multipliedBack(this.delta.rounded(ofDelta), this.w.rounded(ofW), n, fanOut, fanIn, out);
  }

  /** Take x with a grid for each column, and W with the inverse for each row, if columns of x differ much. */
  takeColumns(x, weight) {
    const { n, fanIn, fanOut } = this;
    const sizes = Float64Array.from({ length: fanIn }, (_, i) => largestIn(x, i, n * fanIn, fanIn));
    const most = sizes.reduce((a, b) => Math.max(a, b), 0); // NaN if any is
    const least = sizes.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), most);
    const exponent = gridExponent(most);
    if (Number.isNaN(exponent) || exponent - gridExponent(least) <= SPREAD) return false;
    const shifts = sizes.map((size) => Math.max(gridExponent(size) - exponent, LEAST)); // columns of zeros leave all digits to the others
    let largest = 0;
    for (let i = 0; i < fanIn; i++) {
      const size = round(largestIn(weight, i * fanOut, (i + 1) * fanOut) * twoTo(shifts[i]));
      if (!(size <= largest)) largest = size;
    }
    this.x.take(x, n * fanIn, exponent, { ofColumns: shifts });
    this.w.take(weight, fanIn * fanOut, gridExponent(largest), { ofRows: shifts });
    return true;
  }
}

/** Write x W, (n, fan_out), in use: no row depends on the others, since each row of x and of W gets a grid of its own. */
function inferredProduct(x, weight, n, fanIn, fanOut, out) {
  const [ofX, ofW] = bitsFor(fanIn).outputs;
  const exponents = Array.from({ length: fanIn }, (_, p) => gridExponent(largestIn(weight, p * fanOut, (p + 1) * fanOut)));
  const most = exponents.reduce((a, b) => Math.max(a, b), -Infinity);
  if (Number.isNaN(most)) return out.fill(NaN, 0, n * fanOut);
  const shifts = exponents.map((exponent) => Math.max(exponent - most, LEAST));
  const right = new Float64Array(fanIn * fanOut);
  const grid = 3 * twoTo(most - ofW + DIGITS - 2);
  for (let p = 0, at = 0; p < fanIn; p++) {
    const factor = twoTo(-shifts[p]);
    for (let j = 0; j < fanOut; j++, at++) right[at] = weight[at] * factor + grid - grid;
  }
  const factors = Float64Array.from(shifts, twoTo);
  const [left, sums] = [new Float64Array(fanIn), new Float64Array(fanOut)];
  for (let i = 0, start = 0, to = 0; i < n; i++, start += fanIn, to += fanOut) {
    for (let p = 0; p < fanIn; p++) left[p] = round(x[start + p] * factors[p]);
    const exponent = gridExponent(largestIn(left, 0, fanIn)); // NaN makes the row NaN
    onGrid(left, 0, fanIn, exponent - ofX, left);
    sums.fill(0);
    if (fanIn <= PIECE) addProducts(left, 0, 1, right, fanIn, fanOut, sums);
    else multipliedInPieces(left, 0, 1, right, fanOut, 1, 1, fanIn, fanOut, sums);
    for (let j = 0; j < fanOut; j++) out[to + j] = sums[j];
  }
  return out;
}
