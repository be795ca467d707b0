// Batches: rows in a new order every epoch, as in data/batches.py and data/preparation.py.

class Batches {
  /**
   * @param rows {n, width, take(row, out, to)}: `take` writes a row as the network takes it
   * @param targets {width, classes: Int32Array} or {width, values: Float32Array}
   */
  constructor(rows, targets, { batch_size: batchSize, seed, label_smoothing: smoothing, mixup }, rest) {
    Object.assign(this, { rows, targets, seed, mixup, rest, order: new Int32Array(rows.n) });
    const smoothed = (value) => (smoothing ? round(round(value * round(1 - smoothing)) + round(smoothing * rest)) : value);
    this.levels = [smoothed(0), smoothed(1)];
    this.values = targets.values && smoothing ? targets.values.map(smoothed) : targets.values;
    this.setBatchSize(batchSize);
  }

  setBatchSize(batchSize) {
    this.batchSize = Math.min(batchSize, this.rows.n);
    this.x = new Float32Array(this.batchSize * this.rows.width);
    this.y = new Float32Array(this.batchSize * this.targets.width);
  }

  get steps() {
    return Math.ceil(this.rows.n / this.batchSize);
  }

  beginEpoch(epoch) {
    for (let i = 0; i < this.order.length; i++) this.order[i] = i;
    generatorOf(this.seed, epoch, ROLE.shuffle).shuffle(this.order);
    if (this.mixup) this.mixing = generatorOf(this.seed, epoch, ROLE.mixup);
    this.start = 0;
  }

  /** Gather the epoch's next batch, into `x` and `y`; return how many rows it has, 0 after the last. */
  next() {
    const n = Math.min(this.batchSize, this.order.length - this.start);
    this.take(this.order.subarray(this.start, this.start + n));
    this.start += n;
    if (n && this.mixup) this.mix(n, symmetricBeta(this.mixing, this.mixup));
    return n;
  }

  /** Gather rows. */
  take(index) {
    const { x, y, rows, targets, values, levels } = this;
    if (targets.classes) y.fill(levels[0], 0, index.length * targets.width);
    for (let i = 0; i < index.length; i++) {
      rows.take(index[i], x, i * rows.width);
      if (targets.classes) y[i * targets.width + targets.classes[index[i]]] = levels[1];
      else for (let j = 0; j < targets.width; j++) y[i * targets.width + j] = values[index[i] * targets.width + j];
    }
  }

  /** Mix every row with the one before it. */
  mix(n, share) {
    const [own, other] = [round(share), round(1 - share)];
    for (const [array, width] of [[this.x, this.rows.width], [this.y, this.targets.width]]) {
      const others = array.slice(0, n * width);
      for (let i = 0; i < n; i++) {
        const from = (i ? i - 1 : n - 1) * width;
        for (let j = 0; j < width; j++) array[i * width + j] = round(array[i * width + j] * own) + round(others[from + j] * other);
      }
    }
  }
}
