// Normalization of hidden units, as in network/layers/norm.py: over the rows of a batch, or over the units of a row.

const EPSILON = round(1e-5);
const MOMENTUM = 0.1;

class BatchNorm {
  kind = "batch_norm";

  constructor(width) {
    this.width = width;
    this.shapes = { scale: [width], shift: [width], mean: [width], variance: [width] };
  }

  initialize() {
    const { scale, shift, mean, variance } = this.params;
    scale.fill(1);
    shift.fill(0);
    mean.fill(0);
    variance.fill(1);
  }

  beginEpoch() {
    this.largest = 0; // the number of rows of the epoch's largest batch so far
  }

  allocate(rows) {
    this.centred = new Float32Array(rows * this.width);
    [this.mean, this.variance, this.inverse, this.factor] = [1, 2, 3, 4].map(() => new Float32Array(this.width));
  }

  resize(n) {
    this.n = n;
  }

  forward(x) {
    const { n, width, centred, mean, variance, inverse, factor } = this;
    const { scale, shift } = this.params;
    columnSums(x, null, n, width, mean);
    for (let j = 0; j < width; j++) mean[j] /= n;
    for (let k = 0, j = 0; k < n * width; k++, j = j + 1 === width ? 0 : j + 1) centred[k] = x[k] - mean[j];
    columnSums(centred, centred, n, width, variance);
    for (let j = 0; j < width; j++) {
      variance[j] /= n;
      inverse[j] = 1 / round(Math.sqrt(round(variance[j] + EPSILON)));
      factor[j] = scale[j] * inverse[j];
    }
    this.updateRunning();
    for (let k = 0, j = 0; k < n * width; k++, j = j + 1 === width ? 0 : j + 1) x[k] = round(centred[k] * factor[j]) + shift[j];
    return x;
  }

  /** Move the running statistics towards the batch's, less for a short one; a single row has no variance. */
  updateRunning() {
    const { n, mean, variance } = this;
    if (n === 1) return;
    this.largest = Math.max(this.largest, n);
    const [momentum, unbiased] = [round((MOMENTUM * n) / this.largest), round(n / (n - 1))];
    for (let j = 0; j < this.width; j++) {
      const { mean: running, variance: spread } = this.params;
      running[j] += round(round(mean[j] - running[j]) * momentum);
      spread[j] += round(round(round(variance[j] * unbiased) - spread[j]) * momentum);
    }
  }

  infer(x, n) {
    const { scale, shift, mean, variance } = this.params;
    for (let j = 0; j < this.width; j++) {
      const factor = round(scale[j] / round(Math.sqrt(round(variance[j] + EPSILON))));
      const offset = round(shift[j] - round(mean[j] * factor));
      for (let k = j; k < n * this.width; k += this.width) x[k] = round(x[k] * factor) + offset;
    }
    return x;
  }

  parameterGradients(delta) {
    columnSums(delta, this.centred, this.n, this.width, this.grads.scale);
    columnSums(delta, null, this.n, this.width, this.grads.shift);
    for (let j = 0; j < this.width; j++) this.grads.scale[j] *= this.inverse[j];
  }

  backward(delta) {
    this.parameterGradients(delta);
    const { n, width, centred, inverse, factor } = this;
    const { scale, shift } = this.grads;
    for (let j = 0; j < width; j++) {
      const across = round(round(round(factor[j] * inverse[j]) * scale[j]) / n);
      const level = round(round(factor[j] * shift[j]) / n);
      for (let k = j; k < n * width; k += width) {
        delta[k] = round(round(delta[k] * factor[j]) - round(centred[k] * across)) - level;
      }
    }
    return delta;
  }
}

class LayerNorm {
  kind = "layer_norm";

  constructor(width) {
    this.width = width;
    this.shapes = { scale: [width], shift: [width] };
  }

  initialize() {
    this.params.scale.fill(1);
    this.params.shift.fill(0);
  }

  allocate(rows) {
    this.normal = new Float32Array(rows * this.width);
    this.products = new Float32Array(rows * this.width);
    this.row = new Float32Array(rows);
    this.inverse = new Float32Array(rows);
  }

  resize(n) {
    this.n = n;
  }

  forward(x) {
    return this.normalized(x, this.n, this.row, this.inverse, this.normal);
  }

  infer(x, n) {
    return this.normalized(x, n, new Float32Array(n), new Float32Array(n), new Float32Array(n * this.width));
  }

  normalized(x, n, row, inverse, normal) {
    const { width } = this;
    const { scale, shift } = this.params;
    this.means(x, n, row);
    for (let i = 0, k = 0; i < n; i++) {
      for (let j = 0; j < width; j++, k++) {
        x[k] -= row[i];
        normal[k] = x[k] * x[k];
      }
    }
    this.means(normal, n, inverse);
    for (let i = 0, k = 0; i < n; i++) {
      inverse[i] = 1 / round(Math.sqrt(round(inverse[i] + EPSILON)));
      for (let j = 0; j < width; j++, k++) {
        normal[k] = x[k] * inverse[i];
        x[k] = round(normal[k] * scale[j]) + shift[j];
      }
    }
    return x;
  }

  parameterGradients(delta) {
    columnSums(delta, this.normal, this.n, this.width, this.grads.scale);
    columnSums(delta, null, this.n, this.width, this.grads.shift);
  }

  backward(delta) {
    this.parameterGradients(delta);
    const { n, width, normal, products, row, inverse } = this;
    const { scale } = this.params;
    for (let i = 0, k = 0; i < n; i++) {
      for (let j = 0; j < width; j++, k++) {
        delta[k] *= scale[j];
        products[k] = delta[k] * normal[k];
      }
    }
    this.means(products, n, row);
    for (let i = 0, k = 0; i < n; i++) for (let j = 0; j < width; j++, k++) normal[k] *= row[i];
    this.means(delta, n, row);
    for (let i = 0, k = 0; i < n; i++) {
      for (let j = 0; j < width; j++, k++) delta[k] = round(round(delta[k] - row[i]) - normal[k]) * inverse[i];
    }
    return delta;
  }

  means(x, n, out) {
    rowSums(x, null, n, this.width, out);
    for (let i = 0; i < n; i++) out[i] /= this.width;
  }
}
