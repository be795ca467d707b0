// Scalings learned from training rows, as in network/scaling.py, and the encoding of a table's columns of numbers, as in
// network/encoder.py. A scaling is the map x ↦ (x − shift) · factor.

const PIECE_ROWS = 65536; // summed at a time
const NARROW = 1e-3; // numbers that span less than this part of the largest are summed as differences from the smallest
const MOST_CODE = 1e18;

/** The sum of numbers, whose pieces are summed first. */
function totalOf(values) {
  const pieces = [];
  for (let i = 0; i < values.length; i += PIECE_ROWS) pieces.push(total(values.subarray(i, i + PIECE_ROWS), 2));
  return total(Float64Array.from(pieces), 2);
}

/** The scaling to mean 0 and standard deviation 1 of a column of float64 numbers. */
function standardized(values) {
  const [low, high] = ends(values);
  const origin = high - low < NARROW * Math.max(Math.abs(low), Math.abs(high)) ? low : 0;
  const moved = values.map((value) => value - origin);
  const middle = totalOf(moved) / values.length;
  const variance = totalOf(moved.map((value) => (value - middle) * (value - middle))) / values.length;
  const deviation = Math.sqrt(variance);
  return { shift: origin + middle, factor: 1 / (deviation > 2 ** -1022 ? deviation : 1) };
}

const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

/** The scaling of pictures of bytes, whose pixels are divided by one standard deviation; in parts of 255. */
function standardizedBytes(x, n, width) {
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0, k = 0; i < n; i++) {
    for (let j = 0; j < width; j++, k++) {
      sums[j] += x[k];
      squares[j] += x[k] * x[k];
    }
  }
  const variance = mean(squares.map((square, j) => (n * square - sums[j] * sums[j]) / (n * n)));
  const deviation = Math.sqrt(variance);
  const factor = 255 / (deviation > 2 ** -1022 ? deviation : 255);
  return { shift: sums.map((sum) => sum / n / 255), factor: new Float64Array(width).fill(factor) };
}

const BYTES = {
  unit: () => ({ shift: Float64Array.of(0), factor: Float64Array.of(1) }),
  symmetric: () => ({ shift: Float64Array.of(0.5), factor: Float64Array.of(2) }),
  standardize: standardizedBytes,
};

/** What scales pictures of bytes into float32: (x · 1 − shift) · factor, number by number. */
function byteScaling({ shift, factor }) {
  const [less, times] = [Float32Array.from(shift, (value) => value * 255), Float32Array.from(factor, (value) => value / 255)];
  return (x, start, width, out, to) => {
    for (let j = 0; j < width; j++) {
      const i = less.length > 1 ? j : 0;
      out[to + j] = round(x[start + j] - less[i]) * times[times.length > 1 ? j : 0];
    }
  };
}

/** The encoding of a table's columns of numbers, n rows of them, with NaN for gaps. */
function learnEncoding(x, n, names) {
  const columns = names.map((name, j) => {
    const all = Float64Array.from({ length: n }, (_, i) => x[i * names.length + j]);
    const values = all.filter((value) => !Number.isNaN(value));
    const [low, high] = ends(values).map((end) => end + 0); // zeros of one sign
    if (!(low < high)) throw new Error(`column “${name}” holds ${values.length ? "one number only" : "no number"}: leave it out`);
    const two = values.every((value) => value === low || value === high);
    const scaling = two ? { shift: low, factor: 1 / (high - low) } : standardized(values);
    return { kind: "number", name, ...scaling, gaps: values.length < n, edges: [], low, high };
  });
  return { clip: true, columns };
}

/** The codes of n rows of a table, as float32. */
function codesOf({ columns }, x, n) {
  const width = columns.reduce((sum, column) => sum + codeCount(column), 0);
  const codes = new Float32Array(n * width);
  for (let i = 0, from = 0, to = 0; i < n; i++) {
    for (const { shift, factor, gaps } of columns) {
      const value = x[from++];
      codes[to++] = Number.isNaN(value) ? 0 : clipped((value - shift) * factor, -MOST_CODE, MOST_CODE);
      if (gaps) codes[to++] = Number.isNaN(value) ? 1 : 0;
    }
  }
  return codes;
}
