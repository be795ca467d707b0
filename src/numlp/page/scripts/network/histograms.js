// Histograms of oriented gradients, as in network/layers/oriented_gradients.py, but from the pixels to the features alone: no
// layer with parameters comes before them.

const FLAT = round(0.05); // the energy that is added to that of the cells

/** How the pixels of a row lie in an image of this shape, as numlp.network.shape has it. */
function pictureShape(shape) {
  const [a, b, c = 1] = shape;
  return shape.length === 3 && c > 4 ? { height: b, width: c, channels: a, first: true } : { height: a, width: b, channels: c, first: false };
}

class GradientHistograms {
  kind = "oriented_gradients";
  shapes = {};

  constructor(text, shape) {
    const { orientations, cell, stride } = resolved("input_features", text).settings;
    const image = pictureShape(shape);
    const { height, width } = image;
    this.half = orientations / 2;
    const angles = Array.from({ length: this.half }, (_, k) => (2 * Math.PI * k) / orientations);
    this.turns = angles.map((angle) => [round(cos(angle)), round(sin(angle))]);
    const windows = (size) => {
      const centers = Array.from({ length: Math.floor((2 * size - 1 - cell) / (2 * stride)) + 1 }, (_, i) => (cell - 1) / 2 + stride * i);
      const weights = Array.from({ length: size }, (_, j) => centers.map((center) => Math.max(0, 1 - Math.abs(j - center) / cell)));
      return { count: centers.length, weights: Float32Array.from(weights.flat()) };
    };
    const [down, across] = [windows(height), windows(width)];
    this.grid = { down: down.count, across: across.count };
    Object.assign(this, { image, orientations, down, across, cells: down.count * across.count, width: orientations * down.count * across.count });
    const planes = this.half + 2;
    [this.planes, this.others] = [0, 1].map(() => new Float32Array(planes * height * width));
    this.halfway = new Float32Array(planes * height * across.count);
    this.turned = new Float32Array(planes * height * across.count);
    this.pooled = new Float32Array(planes * this.cells);
    [this.energy, this.spread] = [0, 1].map(() => new Float32Array(this.cells));
  }

  allocate(rows) {
    this.output = new Float32Array(rows * this.width);
  }

  resize(n) {
    this.n = n;
  }

  forward(x) {
    return this.histograms(x, this.n, this.output);
  }

  infer(x, n) {
    return this.histograms(x, n, new Float32Array(n * this.width));
  }

  histograms(x, n, out) {
    const { height, width, channels } = this.image;
    const size = height * width * channels;
    for (let i = 0; i < n; i++) {
      const row = x.subarray(i * size, (i + 1) * size);
      this.rises(row, 0, this.planes);
      for (let channel = 1; channel < channels; channel++) {
        this.rises(row, channel, this.others);
        for (let k = 0; k < this.planes.length; k++) this.planes[k] += this.others[k];
      }
      this.pool();
      this.divide(out.subarray(i * this.width, (i + 1) * this.width));
    }
    return out;
  }

  /** The differences along rows and columns, and the rises in half of the directions. */
  rises(row, channel, planes) {
    const { height, width, channels, first } = this.image;
    const size = height * width;
    const value = first ? (i) => row[channel * size + i] : (i) => row[i * channels + channel];
    for (let i = 0, at = 0; i < height; i++) {
      for (let j = 0; j < width; j++, at++) {
        const [left, right] = [j ? value(at - 1) : 0, j < width - 1 ? value(at + 1) : 0];
        const [above, below] = [i ? value(at - width) : 0, i < height - 1 ? value(at + width) : 0];
        const [along, down] = [round(right - left), round(below - above)];
        planes[at] = along;
        planes[size + at] = down;
        this.turns.forEach(([cosine, sine], k) => {
          planes[(2 + k) * size + at] = Math.max(0, round(round(along * cosine) + round(down * sine)));
        });
      }
    }
  }

  /** The sums of planes over windows: first along rows, then along columns. */
  pool() {
    const { planes, halfway, turned, pooled, down, across, image, half } = this;
    const { height, width } = image;
    inferredProduct(planes, across.weights, (half + 2) * height, width, across.count, halfway);
    for (let plane = 0; plane < half + 2; plane++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < across.count; j++) {
          turned[(plane * across.count + j) * height + i] = halfway[(plane * height + i) * across.count + j];
        }
      }
    }
    inferredProduct(turned, down.weights, (half + 2) * across.count, height, down.count, pooled);
  }

  /** Write the histograms divided by the roots of the energies around their cells. */
  divide(out) {
    const { pooled, grid, half, orientations, cells, energy } = this;
    for (let i = 0, at = 0; i < grid.down; i++) {
      for (let j = 0; j < grid.across; j++, at++) {
        const sum = (plane) => pooled[(plane * grid.across + j) * grid.down + i];
        this.turns.forEach(([cosine, sine], k) => {
          out[k * cells + at] = sum(2 + k);
          out[(half + k) * cells + at] = sum(2 + k) - round(round(sum(0) * cosine) + round(sum(1) * sine));
        });
      }
    }
    for (let at = 0; at < cells; at++) {
      energy[at] = out[at] * out[at];
      for (let k = 1; k < orientations; k++) energy[at] += round(out[k * cells + at] * out[k * cells + at]);
    }
    this.around();
    for (let at = 0; at < cells; at++) {
      const root = round(Math.sqrt(round(energy[at] + FLAT)));
      for (let k = 0; k < orientations; k++) out[k * cells + at] /= root;
    }
  }

  /** Replace the energies of cells by the sums over 3 × 3 of them. */
  around() {
    const { energy, spread, grid, cells } = this;
    const { across } = grid;
    for (let at = 0; at < cells; at++) {
      const column = at % across;
      spread[at] = energy[at];
      if (column) spread[at] += energy[at - 1];
      if (column < across - 1) spread[at] += energy[at + 1];
    }
    for (let at = 0; at < cells; at++) {
      energy[at] = spread[at];
      if (at >= across) energy[at] += spread[at - across];
      if (at < cells - across) energy[at] += spread[at + across];
    }
  }
}
