// Step: what one step of training computes, from rows and a network that a reader may change; see report/step.py.

class Step {
  /** @param network the page's network, which prepares inputs */
  constructor({ step, network: description }, network, examples) {
    Object.assign(this, { network, examples, about: step });
    this.recipe = { ...engine.ABOUT.defaults, ...step.recipe, initializer: "zeros" };
    this.model = new engine.Network(step.layer_size, this.recipe, network.encoding, step.shape);
    this.outputs = step.layer_size.at(-1);
    this.targets = step.targets ? numbersOf({ dtype: "float32", data: step.targets }) : null;
    this.trained = this.trainedParams(description.members[0]);
    this.size = this.model.layers.some(({ kind }) => kind === "batch_norm") ? 3 : 1;
    const mistake = examples.rows.findIndex((_, i) => examples.isMistake(i));
    this.choose(Math.max(0, mistake)); // from which there is most to learn
  }

  /** The parameters that the page holds, in the engine's order. */
  trainedParams({ layers, embeddings }) {
    const own = this.model.layers.filter(({ params }) => Object.keys(params).length && !params.embedding0);
    layers
      .filter(({ kind }) => kind !== "activate" && kind !== "oriented_gradients")
      .forEach(({ kind, ...tensors }, i) => {
        for (const [name, tensor] of Object.entries(tensors)) if (tensor) own[i].params[name].set(numbersOf(tensor));
      });
    embeddings.forEach((table, i) => this.model.layers[0].params[`embedding${i}`].set(numbersOf(table)));
    return this.model.params.slice();
  }

  /** Begin with a row, and with those after it if there are three. */
  choose(first, size = this.size) {
    this.size = Math.min(size, this.examples.count);
    this.first = first;
    this.numbers = Array.from({ length: this.size }, (_, k) => (first + k) % this.examples.count);
    this.rows = this.numbers.map((i) => Array.from(this.examples.data[i]));
    this.rate = this.recipe.learning_rate;
    this.model.params.set(this.trained);
    this.taken = 0;
    this.before = this.now = this.traced();
  }

  /** Follow a change. */
  follow() {
    this.now = this.traced();
  }

  /** Take the step: the network goes on with the parameters after it. */
  take() {
    this.model.params.set(this.now.after);
    this.taken++;
    this.follow();
  }

  traced() {
    const { model, size } = this;
    const inputs = this.rows.map((row) => this.inputsOf(row));
    const x = new Float32Array(size * inputs[0].length);
    inputs.forEach((row, k) => x.set(row, k * row.length));
    const recipe = { ...this.recipe, learning_rate: this.rate };
    const found = engine.traced(model, recipe, x, this.targetsOf(), size);
    return { ...found, lossAfter: this.lossWith(found.after, x) };
  }

  /** The loss of the same rows with other parameters. */
  lossWith(params, x) {
    const own = this.model.params.slice();
    this.model.params.set(params);
    const { loss } = engine.traced(this.model, { ...this.recipe, learning_rate: 0 }, x, this.targetsOf(), this.size);
    this.model.params.set(own);
    return loss;
  }

  /** A row as the network takes it, in float32: scaled, or a table's codes. */
  inputsOf(row) {
    if (this.network.encoding) return Float32Array.from(this.network.encoding.codes(row).flat());
    const { shift, factor } = this.network.members[0].scaling;
    const f = Math.fround;
    if (!this.about.bytes) return Float32Array.from(row, (value, i) => f(value - at(shift, i)) * f(at(factor, i)));
    // Bytes are scaled as whole numbers.
    const byte = (value) => Math.round(value * 255e6) / 1e6;
    return Float32Array.from(row, (value, i) => f(byte(value) - f(at(shift, i) * 255)) * f(at(factor, i) / 255));
  }

  /** The targets of the rows, as the loss takes them. */
  targetsOf() {
    const { label_smoothing: smoothing, loss } = this.recipe;
    const isLabels = this.network.task === "labels";
    const width = this.outputs / this.network.blocks.length;
    const f = Math.fround;
    const smooth = (value) => (smoothing ? f(f(value * f(1 - smoothing)) + f(smoothing * (isLabels ? 0.5 : 1 / width))) : value);
    const found = new Float32Array(this.size * width);
    this.numbers.forEach((i, k) => {
      for (let j = 0; j < width; j++) {
        const value = this.targets ? this.targets[i * width + j] : Number(this.examples.truth[i] === j);
        found[k * width + j] = smooth(value);
      }
    });
    return found;
  }

  /** The widths of the inputs, and of what each linear layer gives. */
  get spaces() {
    const linear = this.now.stages.filter(({ kind }) => kind === "linear");
    return [linear[0].input.length / this.size, ...linear.map(({ width }) => width)];
  }
}

/** What the inputs mean that the first layer makes of a table's columns, in its order. */
function inputNames({ columns }) {
  const scaled = columns.filter(({ kind }) => kind !== "text");
  const texts = columns.filter(({ kind }) => kind === "text");
  const rest = scaled.flatMap(({ name, periods = [], gaps }) => [
    ...periods.flatMap((period) => [`${name}, cos of ${shortNumber(period, 3)} days`, `${name}, sin of ${shortNumber(period, 3)} days`]),
    ...(gaps ? [`${name} is missing`] : []),
  ]);
  const bins = scaled.flatMap(({ name, edges = [] }) => edges.slice(1).map((_, i) => `${name}, bin ${i + 1}`));
  const levels = texts.filter(({ width }) => !width).flatMap(({ name, levels: own, rare }) => [
    ...(rare ? [`${name}: rare`] : []),
    ...own.map((level) => `${name}: ${level ?? "missing"}`),
  ]);
  const embedded = texts.filter(({ width }) => width).flatMap(({ name, width }) => Array.from({ length: width }, (_, i) => `${name}, place ${i + 1}`));
  return [...scaled.map(({ name }) => name), ...rest, ...bins, ...levels, ...embedded];
}
