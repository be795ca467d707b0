// Histograms of oriented gradients, as numlp.network.features defines them, with their backward pass to the pixels.

const FLAT = 0.05; // the energy that is added to that of the cells

function makeHistograms({ orientations, cell, stride, image }) {
  const { height, width, channels, first } = image;
  const size = height * width;
  const pixel = first ? (channel, at) => channel * size + at : (channel, at) => at * channels + channel;
  const angles = Array.from({ length: orientations }, (_, k) => (2 * Math.PI * k) / orientations);
  const turns = angles.map((angle) => [Math.cos(angle), Math.sin(angle)]);
  const [down, across] = [windowsOf(height, cell, stride), windowsOf(width, cell, stride)];
  const cells = down.count * across.count;

  /** Call a function with each pixel, its differences along its row and its column, and the pixels that these are of. */
  function eachPixel(x, channel, visit) {
    const value = (at) => (at < 0 ? 0 : x[pixel(channel, at)]);
    for (let i = 0, at = 0; i < height; i++) {
      for (let j = 0; j < width; j++, at++) {
        const [left, right] = [j ? at - 1 : -1, j < width - 1 ? at + 1 : -1];
        const [above, below] = [i ? at - width : -1, i < height - 1 ? at + width : -1];
        visit(i, j, value(right) - value(left), value(below) - value(above), [left, right, above, below]);
      }
    }
  }

  /** The sums over 3 × 3 cells. */
  function around(energy) {
    const found = new Float64Array(cells);
    for (let i = 0; i < down.count; i++) {
      for (let j = 0; j < across.count; j++) {
        for (let row = Math.max(0, i - 1); row <= Math.min(down.count - 1, i + 1); row++) {
          for (let column = Math.max(0, j - 1); column <= Math.min(across.count - 1, j + 1); column++) {
            found[i * across.count + j] += energy[row * across.count + column];
          }
        }
      }
    }
    return found;
  }

  function forward(x) {
    const pooled = new Float64Array(orientations * cells);
    for (let channel = 0; channel < channels; channel++) {
      eachPixel(x, channel, (i, j, along, below) => {
        if (along === 0 && below === 0) return; // most pixels of drawings
        turns.forEach(([cosine, sine], k) => {
          const rise = along * cosine + below * sine;
          if (rise <= 0) return;
          for (const [row, byRow] of down.of[i]) {
            for (const [column, byColumn] of across.of[j]) pooled[k * cells + row * across.count + column] += rise * byRow * byColumn;
          }
        });
      });
    }
    const energy = new Float64Array(cells);
    pooled.forEach((value, k) => (energy[k % cells] += value * value));
    const roots = around(energy).map((value) => Math.sqrt(value + FLAT));
    const out = pooled.map((value, k) => value / roots[k % cells]);
    return { out, back: (delta) => back(x, delta, pooled, roots, out) };
  }

  function back(x, delta, pooled, roots, out) {
    const ofRoots = new Float64Array(cells);
    out.forEach((value, k) => (ofRoots[k % cells] += delta[k] * value));
    const shared = around(ofRoots.map((value, at) => value / roots[at] ** 2));
    const slopes = pooled.map((value, k) => delta[k] / roots[k % cells] - value * shared[k % cells]);
    const found = new Float64Array(size * channels);
    for (let channel = 0; channel < channels; channel++) {
      const add = (at, value) => at < 0 || (found[pixel(channel, at)] += value);
      eachPixel(x, channel, (i, j, along, below, [left, right, above, under]) => {
        let [byAlong, byBelow] = [0, 0];
        turns.forEach(([cosine, sine], k) => {
          if (along * cosine + below * sine <= 0) return;
          let slope = 0;
          for (const [row, byRow] of down.of[i]) {
            for (const [column, byColumn] of across.of[j]) slope += slopes[k * cells + row * across.count + column] * byRow * byColumn;
          }
          byAlong += slope * cosine;
          byBelow += slope * sine;
        });
        add(right, byAlong);
        add(left, -byAlong);
        add(under, byBelow);
        add(above, -byBelow);
      });
    }
    return found;
  }

  return { kind: "oriented_gradients", forward };
}

/** The number of triangular windows along an axis, and for each pixel those that it lies in, with their weights. */
function windowsOf(size, cell, stride) {
  const count = Math.floor((2 * size - 1 - cell) / (2 * stride)) + 1;
  const of = Array.from({ length: size }, (_, j) => {
    const weights = Array.from({ length: count }, (__, i) => 1 - Math.abs(j - (cell - 1) / 2 - stride * i) / cell);
    return [...weights.entries()].filter(([, weight]) => weight > 0);
  });
  return { count, of };
}
