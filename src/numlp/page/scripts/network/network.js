// The network: layers over one flat array of parameters and one of gradients, as in network/flat.py and network/mlp.py.

/** The layers of a recipe, without arrays yet, as `make_layers` orders them. */
function makeLayers(layerSize, recipe, loss, encoding, shape) {
  const noisy = (width, deviation, rate, inPlace) => [
    ...(deviation ? [new GaussianNoise(width, deviation, inPlace)] : []),
    ...(rate ? [new Dropout(width, rate, inPlace)] : []),
  ];
  const layers = encoding ? [new Encode(encoding)] : [];
  let widths = encoding ? [layers[0].width, ...layerSize.slice(1)] : layerSize;
  layers.push(...noisy(widths[0], recipe.input_noise, recipe.input_dropout, Boolean(encoding)));
  const features = recipe.input_features ? new GradientHistograms(recipe.input_features, shape) : null;
  if (features) {
    layers.push(features);
    widths = [features.width, ...layerSize.slice(1)];
  }
  const hidden = widths.length - 2;
  for (let i = 0; i < hidden; i++) {
    const activation = Array.isArray(recipe.activation) ? recipe.activation[i] : recipe.activation;
    const fitting = recipe.initializer ?? ABOUT.fitting[resolved("activation", activation).name];
    layers.push(new Linear(widths[i], widths[i + 1], fitting, recipe.normalization !== "batch", !features && i === 0));
    if (recipe.normalization !== "none") layers.push(new { batch: BatchNorm, layer: LayerNorm }[recipe.normalization](widths[i + 1]));
    layers.push(new Activate(activation, widths[i + 1]), ...noisy(widths[i + 1], recipe.noise, recipe.dropout, true));
  }
  return [...layers, new Linear(widths[hidden], widths[hidden + 1], recipe.initializer ?? loss.initializer, true, !features && !hidden)];
}

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

class Network {
  /**
   * @param layerSize inputs, hidden widths, outputs
   * @param shape of one sample, which input features need
   */
  constructor(layerSize, recipe, encoding = null, shape = null) {
    const { name, settings } = resolved("loss", recipe.loss);
    Object.assign(this, { layerSize, encoding, shape, lossName: name, loss: LOSSES[name](settings), capacity: 0, rows: 0 });
    this.layers = makeLayers(layerSize, recipe, this.loss, encoding, shape);
    this.bind();
    this.initialize(recipe.seed);
  }

  /** Cut the flat arrays into the layers' parameters: all matrices first, then all vectors. */
  bind() {
    const all = this.layers.flatMap((layer) => Object.entries(layer.shapes).map(([name, shape]) => ({ layer, name, shape })));
    const matrices = all.filter(({ shape }) => shape.length === 2);
    const ordered = [...matrices, ...all.filter(({ shape }) => shape.length === 1)];
    const size = ordered.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    this.nWeights = matrices.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    this.params = new Float32Array(size);
    this.grads = new Float32Array(size);
    for (const layer of this.layers) Object.assign(layer, { params: {}, grads: {} });
    let start = 0;
    for (const { layer, name, shape } of ordered) {
      const stop = start + sizeOf(shape);
      layer.params[name] = this.params.subarray(start, stop);
      layer.grads[name] = this.grads.subarray(start, stop);
      start = stop;
    }
    const counts = {};
    for (const layer of this.layers) {
      counts[layer.kind] = (counts[layer.kind] ?? -1) + 1;
      layer.label = `${layer.kind}.${counts[layer.kind]}`;
    }
    this.first = this.layers.findIndex(({ shapes }) => Object.keys(shapes).length);
  }

  /** Take other rates of dropout and deviations of noise, and go on with the same parameters. */
  setNoise(recipe) {
    const { generator } = this.layers[0];
    const kept = this.layers.filter(({ kind }) => kind !== "dropout" && kind !== "gaussian_noise");
    const made = makeLayers(this.layerSize, recipe, this.loss, this.encoding, this.shape);
    this.layers = made.map((layer) => (layer.kind === "dropout" || layer.kind === "gaussian_noise" ? layer : kept.shift()));
    for (const layer of this.layers) layer.generator = generator;
    this.first = this.layers.findIndex(({ shapes }) => Object.keys(shapes).length);
    this.allocate(this.capacity);
  }

  initialize(seed) {
    const generator = generatorOf(seed, 0, ROLE.weights);
    for (const layer of this.layers) layer.initialize?.(generator);
  }

  /** Make room for batches of up to so many rows. */
  allocate(rows) {
    const outputs = this.layerSize.at(-1);
    [this.delta, this.scratch] = [0, 1].map(() => new Float32Array(rows * outputs));
    this.losses = new Float32Array(rows);
    for (const layer of this.layers) layer.allocate(rows);
    this.capacity = rows;
    this.rows = 0;
  }

  resize(n) {
    if (n > this.capacity) this.allocate(n);
    if (n === this.rows) return;
    for (const layer of this.layers) layer.resize(n);
    this.rows = n;
  }

  /** All that is random in an epoch's forward passes is a function of (seed, epoch). */
  beginEpoch(seed, epoch) {
    const generator = generatorOf(seed, epoch, ROLE.noise);
    for (const layer of this.layers) {
      layer.generator = generator;
      layer.beginEpoch?.();
    }
  }

  forward(x, n) {
    this.resize(n);
    return this.layers.reduce((values, layer) => layer.forward(values), x);
  }

  /** The loss of a batch; fills `grads`, `losses` and `logits`. */
  lossAndGradient(x, targets, n) {
    const outputs = this.layerSize.at(-1);
    this.logits = this.forward(x, n);
    this.loss.measure(this.logits, targets, this.losses, this.delta, this.scratch, n, outputs);
    for (let k = 0; k < n * outputs; k++) this.delta[k] /= n;
    this.backward(this.delta);
    return total(this.losses, 1, n) / n;
  }

  backward(delta) {
    for (let i = this.layers.length - 1; i > this.first; i--) delta = this.layers[i].backward(delta);
    this.layers[this.first].parameterGradients(delta);
  }

  /** The logits of rows in use, (n, outputs); `see` is called with every layer and what it gives. */
  infer(x, n, see = null) {
    let values = x;
    for (const layer of this.layers) {
      values = layer.infer(values, n);
      see?.(layer, values);
    }
    return values;
  }
}
