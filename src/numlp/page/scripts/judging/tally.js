// Tally: the mean loss, and the accuracy or R², of the rows added so far, counted many at a time, as in judging/metrics.py.

const KEPT = 16384; // the smallest number of logits that a tally buffers before it counts them

class Tally {
  constructor(loss, batchSize, outputs) {
    Object.assign(this, { loss, outputs, width: outputs / loss.blocks, kept: 0 });
    this.grow(batchSize);
    this.reset();
  }

  /** Make room for batches of so many rows. */
  grow(batchSize) {
    this.count();
    this.size = Math.max(batchSize, Math.floor(KEPT / this.outputs));
    this.values = new Float32Array(this.size);
    this.logits = new Float32Array(this.size * this.outputs);
    this.targets = new Float32Array(this.size * this.width);
  }

  get score() {
    return this.loss.task === "regression" ? "r2" : "accuracy";
  }

  reset() {
    Object.assign(this, { kept: 0, weight: 0, sum: 0, hits: 0 });
    [this.squares, this.sums, this.residual] = [0, 1, 2].map(() => new Float64Array(this.width));
  }

  add(values, logits, targets, n) {
    if (this.kept + n > this.size) this.count();
    this.values.set(values.subarray(0, n), this.kept);
    this.logits.set(logits.subarray(0, n * this.outputs), this.kept * this.outputs);
    this.targets.set(targets.subarray(0, n * this.width), this.kept * this.width);
    this.kept += n;
  }

  count() {
    const { kept: n, width, targets, loss } = this;
    this.kept = 0;
    if (!n) return;
    if (this.score === "r2" && !this.weight) this.origin = targets.slice(0, width);
    this.weight += n;
    this.sum += total(this.values, 1, n);
    if (loss.task === "classification") this.addClasses(n);
    else if (loss.task === "labels") this.addLabels(n);
    else this.addValues(n);
  }

  addClasses(n) {
    const m = this.outputs;
    for (let i = 0; i < n; i++) if (argmax(this.logits, i * m, m) === argmax(this.targets, i * m, m)) this.hits++;
  }

  addLabels(n) {
    const m = this.outputs;
    const hit = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      for (let k = i * m; k < (i + 1) * m; k++) if (this.logits[k] > 0 === this.targets[k] > 0.5) hit[i]++;
      hit[i] /= m;
    }
    this.hits += total(hit);
  }

  addValues(n) {
    const { loss, outputs, width, targets, origin } = this;
    loss.link(this.logits, n, outputs);
    for (let j = 0; j < width; j++) {
      const [errors, own, squares] = [0, 1, 2].map(() => new Float32Array(n));
      for (let i = 0; i < n; i++) {
        errors[i] = this.logits[i * outputs + loss.point * width + j] - targets[i * width + j];
        errors[i] *= errors[i];
        own[i] = targets[i * width + j] - origin[j];
        squares[i] = own[i] * own[i];
      }
      [this.residual, this.sums, this.squares].forEach((sums, part) => (sums[j] += total([errors, own, squares][part])));
    }
  }

  result() {
    this.count();
    const weight = this.weight || 1;
    let score = this.hits / weight;
    if (this.score === "r2") {
      const shares = this.residual.map((residual, j) => {
        const all = Math.max(this.squares[j] - (this.sums[j] * this.sums[j]) / weight, 0);
        return 1 - (all > 0 ? residual / all : Number(residual > 0));
      });
      score = mean(shares);
    }
    return { loss: this.sum / weight, [this.score]: score };
  }
}

function argmax(x, start, count) {
  let best = 0;
  for (let k = 1; k < count; k++) if (x[start + k] > x[start + best]) best = k;
  return best;
}
