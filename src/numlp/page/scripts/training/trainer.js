// The trainer: numlp's loop, a step at a time, as in training/loop.py.

const CHUNK = 1024; // rows judged at a time

/** Rows and targets as a network takes them, from those of the data; `learned` comes from the training rows. */
function preparedRows({ x, y }, n, data, network, learned) {
  const { features, classes } = data;
  const { loss } = network;
  const rows = { n, ...learned.rows(x, n) };
  const width = network.layerSize.at(-1) / loss.blocks;
  if (loss.task === "classification") return { rows, targets: { width, classes: y } };
  const values = Float32Array.from(y, (value) => round(value - learned.target.shift));
  return { rows, targets: { width, values: learned.target.factor === 1 ? values : values.map((value) => value * round(learned.target.factor)) } };
}

/** What a network learns from the training rows at once: the encoding or the scaling of inputs, and that of targets. */
function learnedFrom(data, n, recipe, loss) {
  const { features, columns } = data;
  const target = loss.scales ? standardized(Float64Array.from(data.y)) : { shift: 0, factor: 1 };
  if (columns) {
    const encoding = learnEncoding(data.x, n, columns);
    const width = encoding.columns.reduce((sum, column) => sum + codeCount(column), 0);
    const rows = (x, count) => {
      const codes = codesOf(encoding, x, count);
      return { width, take: (row, out, to) => out.set(codes.subarray(row * width, (row + 1) * width), to) };
    };
    return { encoding, rows, target };
  }
  const scaling = BYTES[recipe.input_scaling](data.x, n, features);
  const apply = byteScaling(scaling);
  return { scaling, rows: (x) => ({ width: features, take: (row, out, to) => apply(x, row * features, features, out, to) }), target };
}

class Trainer {
  constructor(recipe, data) {
    this.data = data;
    this.start(wholeRecipe(recipe, data));
  }

  /** Begin with a recipe, which is whole. */
  start(recipe) {
    const { data } = this;
    const { name, settings } = resolved("loss", recipe.loss);
    const loss = LOSSES[name](settings);
    const n = data.y.length;
    this.learned = learnedFrom(data, n, recipe, loss);
    const outputs = loss.task === "classification" ? data.classes.length : loss.blocks;
    this.network = new Network([data.features, ...recipe.layers, outputs], recipe, this.learned.encoding, data.shape);
    this.parts = { train: preparedRows(data, n, data, this.network, this.learned) };
    const held = data.validation;
    if (held) this.parts.validation = preparedRows(held, held.y.length, data, this.network, this.learned);
    this.recipe = recipe;
    const { rows, targets } = this.parts.train;
    this.batches = new Batches(rows, targets, recipe, loss.task === "labels" ? 0.5 : 1 / targets.width);
    this.network.allocate(this.batches.batchSize);
    this.optimizer = new Optimizer(recipe.optimizer, this.network.params.length);
    this.schedule = makeSchedule(recipe.schedule);
    this.average = recipe.averaging ? new Average(this.network.params, recipe.averaging) : null;
    this.tally = new Tally(loss, this.batches.batchSize, outputs);
    this.lastGood = this.network.params.slice();
    Object.assign(this, { history: [], epochsDone: 0, steps: 0, stepInEpoch: 0, loss: NaN, rate: NaN, ended: null, repeatable: true });
  }

  /** Back to the beginning, perhaps with another seed. */
  reset(seed = this.recipe.seed) {
    this.start({ ...this.recipe, seed });
  }

  get at() {
    return { epoch: this.epochsDone, step: this.steps, stepsPerEpoch: this.batches.steps };
  }

  /** Train on the next batch; at the end of an epoch, judge. */
  step() {
    const { network, batches, recipe, average } = this;
    if (this.ended) return this.report(this.ended);
    if (this.stepInEpoch === 0) this.beginEpoch();
    const n = batches.next();
    this.rate = recipe.learning_rate * this.schedule(this.steps, recipe.epochs, batches.steps, this.history);
    this.loss = network.lossAndGradient(batches.x, batches.y, n);
    this.tally.add(network.losses, network.logits, batches.y, n);
    descend(network, recipe, this.optimizer, this.rate * (n / batches.batchSize));
    average?.update();
    this.steps++;
    this.stepInEpoch++;
    if (!Number.isFinite(this.loss)) return this.diverge();
    return batches.start < batches.order.length ? this.report(null) : this.endEpoch();
  }

  beginEpoch() {
    if (this.average && this.epochsDone) this.average.swap();
    this.batches.beginEpoch(this.epochsDone);
    this.network.beginEpoch(this.recipe.seed, this.epochsDone);
    this.tally.reset();
  }

  endEpoch() {
    const { network } = this;
    this.average?.swap();
    const row = { epoch: this.epochsDone + 1 };
    for (const [name, value] of Object.entries(this.tally.result())) row[`train_${name}`] = value;
    if (this.parts.validation) {
      for (const [name, value] of Object.entries(this.judged("validation"))) row[`validation_${name}`] = value;
    }
    row.learning_rate = this.rate;
    if (![...Object.values(row), ...network.params].every(Number.isFinite)) return this.diverge();
    this.lastGood.set(network.params);
    this.history.push(row);
    this.epochsDone++;
    this.stepInEpoch = 0;
    this.ended = this.epochsDone === this.recipe.epochs ? "completed" : null;
    return this.report(this.ended ?? "epoch");
  }

  diverge() {
    this.network.params.set(this.lastGood);
    this.ended = "diverged";
    return this.report("diverged");
  }

  report(ended) {
    return { ...this.at, loss: this.loss, rate: this.rate, ended };
  }

  /** Train to the end of the epoch, and return its row of the history. */
  epoch() {
    while (!this.step().ended);
    return this.history.at(-1);
  }

  /** Change settings while training; other networks need a new trainer. */
  set(changes) {
    const recipe = wholeRecipe({ ...this.recipe, ...changes }, this.data);
    const { network, batches } = this;
    for (const name of ["layers", "input_features", "activation", "normalization", "loss", "initializer", "seed", "input_scaling", "label_smoothing", "mixup", "averaging"]) {
      if (String(recipe[name]) !== String(this.recipe[name])) throw new Error(`${name.replaceAll("_", " ")} can't change while a network trains: begin again`);
    }
    if (!this.steps) return this.start(recipe);
    const noisy = ["dropout", "input_dropout", "noise", "input_noise"].some((name) => recipe[name] !== this.recipe[name]);
    if (noisy) network.setNoise(recipe);
    if (recipe.optimizer !== this.recipe.optimizer) this.optimizer = new Optimizer(recipe.optimizer, network.params.length);
    if (recipe.schedule !== this.recipe.schedule) this.schedule = makeSchedule(recipe.schedule);
    if (recipe.batch_size !== this.recipe.batch_size) {
      batches.setBatchSize(recipe.batch_size);
      network.allocate(batches.batchSize);
      this.tally.grow(batches.batchSize);
    }
    if (this.ended !== "diverged") this.ended = recipe.epochs === this.epochsDone ? "completed" : null;
    const grows = Object.keys(changes).every((name) => name === "epochs");
    this.repeatable &&= grows && recipe.schedule === "constant";
    this.recipe = recipe;
  }

  /** The mean loss and the score of a part's rows, in use. */
  judged(part) {
    const { network, batches } = this;
    const { rows, targets } = this.parts[part];
    const [inputs, outputs] = [network.layerSize[0], network.layerSize.at(-1)];
    const size = Math.min(CHUNK, Math.floor(2 ** 22 / inputs), Math.floor(2 ** 20 / outputs), rows.n);
    const tally = new Tally(network.loss, size, outputs);
    const [losses, delta, scratch] = [size, size * outputs, size * outputs].map((count) => new Float32Array(count));
    for (let start = 0; start < rows.n; start += size) {
      const n = Math.min(size, rows.n - start);
      const x = new Float32Array(n * rows.width);
      const y = new Float32Array(n * targets.width);
      for (let i = 0; i < n; i++) {
        rows.take(start + i, x, i * rows.width);
        if (targets.classes) y[i * targets.width + targets.classes[start + i]] = 1;
        else y.set(targets.values.subarray((start + i) * targets.width, (start + i + 1) * targets.width), i * targets.width);
      }
      const logits = network.infer(x, n);
      network.loss.measure(logits, y, losses, delta, scratch, n, outputs);
      tally.add(losses, logits, y, n);
    }
    return tally.result();
  }

  judge() {
    return Object.fromEntries(Object.keys(this.parts).map((part) => [part, this.judged(part)]));
  }

  /** Inputs of the network from rows in the data's units. */
  inputs(x) {
    const n = x.length / this.data.features;
    const { width, take } = this.learned.rows(x, n);
    const inputs = new Float32Array(n * width);
    for (let i = 0; i < n; i++) take(i, inputs, i * width);
    return { inputs, n };
  }

  /** Probabilities of classes, (n, classes), or values in the units of the target, (n, outputs), for rows of raw features. */
  predict(x) {
    const { network, learned } = this;
    const { inputs, n } = this.inputs(x);
    const found = network.infer(inputs, n);
    network.loss.link(found, n, network.layerSize.at(-1));
    if (network.loss.task !== "regression") return found;
    const { shift, factor } = learned.target;
    const spread = network.lossName === "gaussian_negative_log_likelihood";
    return Float64Array.from(found, (value, k) => (spread && k % 2 ? value / (factor * factor) : value / factor + shift));
  }

  /** The activations of every hidden layer, (n, width) each, for rows of raw features. */
  responses(x) {
    const { inputs, n } = this.inputs(x);
    const found = [];
    this.network.infer(inputs, n, ({ kind }, values) => kind === "activate" && found.push(values.slice()));
    return found;
  }

  /** A step on training rows with these numbers, with everything in between; see trace.js. */
  trace(index) {
    const { network, recipe } = this;
    const n = index.length;
    const { rows, targets } = this.parts.train;
    const made = new Batches(rows, targets, { ...recipe, batch_size: n, mixup: 0 }, this.batches.rest);
    made.take(index);
    return traced(network, recipe, made.x, made.y, n, this.optimizer);
  }

  /** The Euclidean norms of every layer's weights, and of their gradients in the last step. */
  norms() {
    const linear = this.network.layers.filter(({ kind }) => kind === "linear");
    return linear.map(({ label, params, grads }) => {
      const [weight, gradient] = [params, grads].map((arrays) => Math.sqrt(dot(arrays.weight, arrays.weight)));
      return { name: label, weight, gradient };
    });
  }
}

const makeTrainer = (recipe, data) => new Trainer(recipe, data);
