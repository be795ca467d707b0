// Encode: from the codes of a table's rows to inputs, as in network/layers/encode.py: scaled numbers, softly clipped, then
// cycles and gaps, then the bins of numbers, the one-hot levels, and a row of a matrix for each level of an embedding.

const SOFT = 10; // the size that a softly clipped number never exceeds

/** How many codes a row has for a column of an encoding, as numlp.network.encoding describes it. */
function codeCount({ kind, periods, gaps }) {
  return kind === "text" ? 1 : 1 + 2 * (periods?.length ?? 0) + Number(gaps);
}

class Encode {
  kind = "encode";

  constructor({ clip, columns }) {
    let start = 0;
    const placed = columns.map((column) => {
      const at = start;
      start += codeCount(column);
      return { column, at };
    });
    this.codes = start;
    const scaled = placed.filter(({ column }) => column.kind !== "text");
    const levels = placed.filter(({ column }) => column.kind === "text" && !column.width);
    this.clippedCount = clip ? scaled.length : 0;
    this.plain = [
      ...scaled.map(({ at }) => at),
      ...scaled.flatMap(({ column, at }) => Array.from({ length: codeCount(column) - 1 }, (_, i) => at + 1 + i)),
    ];
    this.bins = scaled.flatMap(({ column: { edges = [] }, at }) =>
      edges.slice(1).map((high, i) => ({ at, low: round(edges[i]), slope: round(1 / (high - edges[i])) })),
    );
    this.levels = levels.flatMap(({ column, at }) => {
      const least = column.rare === true || column.rare?.length ? 0 : 1;
      return Array.from({ length: column.levels.length + 1 - least }, (_, i) => ({ at, level: least + i }));
    });
    this.embedded = placed.filter(({ column }) => column.kind === "text" && column.width);
    this.shapes = Object.fromEntries(
      this.embedded.map(({ column }, i) => [`embedding${i}`, [column.levels.length + 1, column.width]]),
    );
    this.width = this.plain.length + this.bins.length + this.levels.length;
    for (const { column } of this.embedded) this.width += column.width;
  }

  initialize(generator) {
    for (const [name, [rows, width]] of Object.entries(this.shapes)) {
      this.params[name].set(randomNormal(generator, 1 / Math.sqrt(width), rows * width));
      this.params[name].fill(0, 0, width);
    }
  }

  allocate(rows) {
    this.output = new Float32Array(rows * this.width);
  }

  resize(n) {
    this.n = n;
  }

  forward(x) {
    this.input = x;
    return this.encoded(x, this.n, this.output);
  }

  infer(x, n) {
    return this.encoded(x, n, new Float32Array(n * this.width));
  }

  encoded(x, n, out) {
    const { codes, plain, clippedCount, bins, levels, embedded } = this;
    for (let i = 0, to = 0; i < n; i++) {
      const row = x.subarray(i * codes, (i + 1) * codes);
      plain.forEach((at, j) => {
        const part = round(row[at] / SOFT);
        out[to++] = j < clippedCount ? row[at] / round(Math.sqrt(round(round(part * part) + 1))) : row[at];
      });
      for (const { at, low, slope } of bins) out[to++] = clipped(round(round(row[at] - low) * slope), 0, 1);
      for (const { at, level } of levels) out[to++] = row[at] === level ? 1 : 0;
      embedded.forEach(({ column: { width }, at }, e) => {
        out.set(this.params[`embedding${e}`].subarray(row[at] * width, (row[at] + 1) * width), to);
        to += width;
      });
    }
    return out;
  }

  parameterGradients(delta) {
    let first = this.plain.length + this.bins.length + this.levels.length;
    this.embedded.forEach(({ column: { width }, at }, e) => {
      const index = Array.from({ length: this.n }, (_, i) => this.input[i * this.codes + at]);
      sumsByIndex(index, delta, first, this.width, width, this.grads[`embedding${e}`]);
      first += width;
    });
  }
}

/** Write the sums of the parts of rows, `width` numbers from `first` on, that share an index. */
function sumsByIndex(index, rows, first, stride, width, out) {
  let largest = 0;
  for (let i = 0; i < index.length; i++) largest = Math.max(largest, largestIn(rows, i * stride + first, i * stride + first + width));
  const shift = shiftOf(largest, index.length);
  const sums = new Float64Array(out.length);
  for (let i = 0; i < index.length; i++) {
    for (let j = 0; j < width; j++) sums[index[i] * width + j] += rows[i * stride + first + j] + shift - shift;
  }
  out.set(sums);
}
