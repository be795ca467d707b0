// Encode: from a row of a table to a network's inputs, as in network/columns.py and network/layers/encode.py.
// A row has one value for each column: a number, a text, or microseconds since 1970; null is a gap.

const MOST_CODE = 1e18; // a larger code is cut
const DAY = 86_400_000_000; // in microseconds
const SOFT = 10; // the size that a smoothly clipped number never exceeds

const CODES = {
  number({ shift, factor, gaps }, value) {
    const gap = value === null;
    const scaled = gap ? 0 : Math.min(MOST_CODE, Math.max(-MOST_CODE, (value - shift) * factor));
    return gaps ? [scaled, Number(gap)] : [scaled];
  },

  text({ places }, value) {
    return [places.get(value) ?? 0];
  },

  date({ shift, factor, periods, gaps }, value) {
    if (value === null) return [0, ...periods.flatMap(() => [0, 0]), ...(gaps ? [1] : [])];
    const days = value / DAY;
    const angles = periods.map((period) => 2 * Math.PI * ((days / period) % 1));
    const cycles = angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
    return [(days - shift) * factor, ...cycles, ...(gaps ? [0] : [])];
  },
};

class Encoding {
  /** @param description from report/embedding.py */
  constructor({ clip, columns }, dtype) {
    this.clip = clip;
    this.round = dtype === "float32" ? Math.fround : (code) => code;
    this.columns = columns.map((column) => {
      if (!CODES[column.kind]) throw new Error(`the page doesn't know column ${column.kind}`);
      return { ...column, places: new Map(column.levels?.map((level, i) => [level, i + 1])) };
    });
  }

  /** The codes of a row, a list for each column. */
  codes(row) {
    return this.columns.map((column, i) => CODES[column.kind](column, row[i]).map(this.round));
  }

  /** The inputs that the first layer makes of codes, with a matrix for each column that has an embedding. */
  inputs(codes, tables) {
    const [first, rest, bins, levels, embeddings] = [[], [], [], [], []];
    let embedded = 0;
    this.columns.forEach((column, i) => {
      const [code, ...others] = codes[i];
      if (column.kind !== "text") {
        first.push(this.clip ? code / Math.hypot(1, code / SOFT) : code);
        rest.push(...others);
        const edges = column.edges ?? [];
        for (let k = 1; k < edges.length; k++) {
          bins.push(Math.min(1, Math.max(0, (code - edges[k - 1]) / (edges[k] - edges[k - 1]))));
        }
      } else if (column.width) {
        embeddings.push(...tables[embedded++].subarray(code * column.width, (code + 1) * column.width));
      } else {
        for (let k = column.rare ? 0 : 1; k <= column.levels.length; k++) levels.push(Number(k === code));
      }
    });
    return Float64Array.from([...first, ...rest, ...bins, ...levels, ...embeddings]);
  }
}
