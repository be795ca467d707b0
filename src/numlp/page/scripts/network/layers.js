// Layers: forward and backward, as in network/layers/, into arrays that they own. A layer has `kind`, the shapes of its
// parameters, and after `bind` views of the network's flat arrays: `params` and `grads`, by name. `allocate` makes room for
// a batch, `resize` says how many rows come. `forward` and `backward` may overwrite what they get; `infer` is for use.

class Linear {
  kind = "linear";

  /** @param raw whether its inputs are the network's own */
  constructor(fanIn, fanOut, initializer, bias, raw) {
    Object.assign(this, { fanIn, fanOut, width: fanOut, initializer, raw });
    this.shapes = bias ? { weight: [fanIn, fanOut], bias: [fanOut] } : { weight: [fanIn, fanOut] };
  }

  initialize(generator) {
    this.params.weight.set(INITIALIZERS[this.initializer](generator, this.fanIn, this.fanOut));
    this.params.bias?.fill(0);
  }

  allocate(rows) {
    this.output = new Float32Array(rows * this.fanOut);
    this.inputGradient = new Float32Array(rows * this.fanIn);
    this.products = new Products(rows, this.fanIn, this.fanOut, this.raw);
  }

  resize(n) {
    this.n = n;
    this.products.resize(n);
  }

  forward(x) {
    this.products.outputs(x, this.params.weight, this.output);
    return addToRows(this.output, this.params.bias, this.n, this.fanOut);
  }

  infer(x, n) {
    const { weight, bias } = this.params;
    const z = inferredProduct(x, weight, n, this.fanIn, this.fanOut, new Float32Array(n * this.fanOut));
    return addToRows(z, bias, n, this.fanOut);
  }

  parameterGradients(delta) {
    this.products.take(delta);
    this.products.weightGradient(this.grads.weight);
    if (this.grads.bias) this.products.biasGradient(this.grads.bias);
  }

  backward(delta) {
    this.parameterGradients(delta);
    this.products.inputGradient(this.inputGradient);
    return this.inputGradient;
  }
}

function addToRows(z, row, n, m) {
  if (row) for (let i = 0, k = 0; i < n; i++) for (let j = 0; j < m; j++, k++) z[k] += row[j];
  return z;
}

class Activate {
  kind = "activate";
  shapes = {};

  constructor(text, width) {
    const { name, settings } = resolved("activation", text);
    Object.assign(this, { name, settings, width, apply: ACTIVATIONS[name](settings) });
  }

  allocate(rows) {
    this.derivative = new Float32Array(rows * this.width);
  }

  resize(n) {
    this.count = n * this.width;
  }

  forward(x) {
    this.apply(x, this.derivative, this.count);
    return x;
  }

  infer(x, n) {
    this.apply(x, null, n * this.width);
    return x;
  }

  backward(delta) {
    for (let k = 0; k < this.count; k++) delta[k] *= this.derivative[k];
    return delta;
  }
}

/** Sets units to 0 at random; two share one random number, of which each has 32 bits. */
class Dropout {
  kind = "dropout";
  shapes = {};

  constructor(width, rate, inPlace) {
    Object.assign(this, { width, inPlace, pairs: (width + 1) >> 1 });
    this.setRate(rate);
  }

  setRate(rate) {
    FLOAT[0] = rate;
    Object.assign(this, { rate, limits: [Math.floor(rate * 2 ** 32), WORDS[1]], factor: round(1 / (1 - rate)) });
  }

  allocate(rows) {
    this.drawn = new Float64Array(rows * this.pairs);
    this.bits = new Uint32Array(this.drawn.buffer);
    this.mask = new Float32Array(rows * this.width);
    this.output = this.inPlace ? null : new Float32Array(rows * this.width);
  }

  resize(n) {
    this.n = n;
  }

  forward(x) {
    const { n, width, pairs, drawn, bits, limits, mask, factor, output } = this;
    for (let k = 0; k < n * pairs; k++) drawn[k] = this.generator.random();
    const out = output ?? x;
    for (let i = 0, k = 0; i < n; i++) {
      for (let j = 0, at = 2 * i * pairs; j < width; j++, at++, k++) {
        mask[k] = bits[at] >= limits[j & 1] ? factor : 0;
        out[k] = x[k] * mask[k];
      }
    }
    return out;
  }

  infer(x) {
    return x;
  }

  backward(delta) {
    for (let k = 0; k < this.n * this.width; k++) delta[k] *= this.mask[k];
    return delta;
  }
}

class GaussianNoise {
  kind = "gaussian_noise";
  shapes = {};

  constructor(width, deviation, inPlace) {
    Object.assign(this, { width, deviation, inPlace });
  }

  allocate(rows) {
    this.noise = new Float32Array(rows * this.width);
    this.angles = new Float32Array((rows * this.width + 1) >> 1);
    this.output = this.inPlace ? null : new Float32Array(rows * this.width);
  }

  resize(n) {
    this.count = n * this.width;
  }

  forward(x) {
    fillNormal(this.generator, this.noise, this.count, this.angles);
    const out = this.output ?? x;
    const deviation = round(this.deviation);
    for (let k = 0; k < this.count; k++) out[k] = x[k] + round(this.noise[k] * deviation);
    return out;
  }

  infer(x) {
    return x;
  }

  backward(delta) {
    return delta;
  }
}
