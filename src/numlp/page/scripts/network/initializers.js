// Initializers: first weights, as in network/initializers.py, as float64 numbers, (fan_in, fan_out), row by row.

const uniform = (generator, limit, count) => Float64Array.from({ length: count }, () => generator.random() * (2 * limit) - limit);

const INITIALIZERS = {
  he_normal: (generator, fanIn, fanOut) => randomNormal(generator, Math.sqrt(2 / fanIn), fanIn * fanOut),
  he_uniform: (generator, fanIn, fanOut) => uniform(generator, Math.sqrt(6 / fanIn), fanIn * fanOut),
  glorot_normal: (generator, fanIn, fanOut) => randomNormal(generator, Math.sqrt(2 / (fanIn + fanOut)), fanIn * fanOut),
  glorot_uniform: (generator, fanIn, fanOut) => uniform(generator, Math.sqrt(6 / (fanIn + fanOut)), fanIn * fanOut),
  lecun_normal: (generator, fanIn, fanOut) => randomNormal(generator, Math.sqrt(1 / fanIn), fanIn * fanOut),
  lecun_uniform: (generator, fanIn, fanOut) => uniform(generator, Math.sqrt(3 / fanIn), fanIn * fanOut),
  small_normal: (generator, fanIn, fanOut) => randomNormal(generator, 1 / fanIn, fanIn * fanOut),
  orthogonal(generator, fanIn, fanOut) {
    const [rows, columns] = [Math.max(fanIn, fanOut), Math.min(fanIn, fanOut)];
    const q = orthonormal(randomNormal(generator, 1, rows * columns), rows, columns);
    if (fanIn >= fanOut) return q;
    return q.map((_, k) => q[(k % fanOut) * columns + Math.floor(k / fanOut)]);
  },
  zeros: (generator, fanIn, fanOut) => new Float64Array(fanIn * fanOut),
};

/** Columns made orthonormal by J. Gram's and E. Schmidt's method, twice, with exact sums. */
function orthonormal(matrix, rows, columns) {
  const q = new Float64Array(rows * columns);
  const products = (f) => total(Float64Array.from({ length: rows }, (_, r) => f(r)));
  for (let i = 0; i < columns; i++) {
    let column = Float64Array.from({ length: rows }, (_, r) => matrix[r * columns + i]);
    for (let time = 0; i && time < 2; time++) {
      const shares = Float64Array.from({ length: i }, (_, j) => products((r) => q[r * columns + j] * column[r]));
      column = column.map((value, r) => value - total(shares.map((share, j) => q[r * columns + j] * share)));
    }
    const length = Math.sqrt(products((r) => column[r] * column[r]));
    for (let r = 0; r < rows; r++) q[r * columns + i] = column[r] / length;
  }
  return q;
}
