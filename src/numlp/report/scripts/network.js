// Network: the forward pass of a network or an ensemble, as in predictor.py, and the gradient of a logit.

const at = (array, i) => array[array.length === 1 ? 0 : i];

class Network {
  /** @param description from report/embedding.py */
  constructor(description) {
    Object.assign(this, description);
    this.loss = LOSSES[description.loss];
    if (!this.loss) throw new Error(`the page doesn't know loss ${description.loss}`);
    this.encoding = description.encoding ? new Encoding(description.encoding, description.dtype) : null;
    this.members = description.members.map((member) => ({
      temperature: member.temperature,
      scaling: { shift: numbersOf(member.input_scaling.shift), factor: numbersOf(member.input_scaling.factor) },
      tables: member.embeddings.map(numbersOf),
      layers: member.layers.map(makeLayer),
    }));
    const linear = description.members[0].layers.filter(({ kind }) => kind === "linear");
    this.inputs = linear[0].weight.shape[0]; // of networks whose inputs aren't images
    this.widths = linear.slice(0, -1).map(({ weight }) => weight.shape[1]);
    const { shift, factor } = description.target_scaling;
    this.targetScaling = { shift: numbersOf(shift), factor: numbersOf(factor) };
  }

  /** What the first linear layer gets: the scaled features of a row, or what an encoding makes of its columns. */
  input(x, { scaling: { shift, factor }, tables }) {
    if (this.encoding) return this.encoding.inputs(this.encoding.codes(x), tables);
    return Float64Array.from(x, (value, i) => (value - at(shift, i)) * at(factor, i));
  }

  /** One member's forward pass: logits, activations of the hidden layers, and functions for the backward pass. */
  forward(x, member = this.members[0]) {
    let z = this.input(x, member);
    const hidden = [];
    const backs = [];
    for (const layer of member.layers) {
      const { out, back } = layer.forward(z);
      z = out;
      backs.push(back);
      if (layer.kind === "activate") hidden.push(out);
    }
    return { logits: z, hidden, backs };
  }

  /** The logits for the link: pooled over the members of an ensemble, and divided by the temperatures. */
  logits(x, first = null) {
    const rows = this.members.map((member, i) => (i === 0 && first ? first : this.forward(x, member)).logits);
    if (this.members.length === 1) return rows[0].map((z) => z / this.temperature);
    const cooled = rows.map((row, i) => row.map((z) => z / this.members[i].temperature));
    return this.loss.pool(cooled).map((z) => z / this.temperature);
  }

  /** As `predict_proba`: for every class, for no and yes of a single label, or for each of several labels. */
  probabilities(x, first = null) {
    const linked = this.loss.link(this.logits(x, first));
    return this.task === "labels" && this.targets === 1 ? Float64Array.of(1 - linked[0], linked[0]) : linked;
  }

  /** Real values in the units of the targets, one row for each block of outputs. */
  values(x, first = null) {
    const linked = this.loss.link(this.logits(x, first));
    const unscale = this.loss.unscale ?? ((value, block, { shift, factor }) => value / factor + shift);
    return this.blocks.map((_, block) =>
      Array.from({ length: this.targets }, (__, k) => {
        const scaling = { shift: at(this.targetScaling.shift, k), factor: at(this.targetScaling.factor, k) };
        return unscale(linked[block * this.targets + k], block, scaling);
      }),
    );
  }

  /** What 1 in the scaled input is in the units of feature `i`: with standardized inputs, a standard deviation. */
  step(i) {
    return 1 / Math.abs(at(this.members[0].scaling.factor, i));
  }

  /** How much the first target's value changes, in its units, for 1 more in the logit of its output. */
  worth({ logits }, output) {
    const scaling = { shift: this.targetScaling.shift[0], factor: this.targetScaling.factor[0] };
    const unscale = this.loss.unscale ?? ((value, block, { shift, factor }) => value / factor + shift);
    const [more, less] = [1e-4, -1e-4].map((move) => {
      const moved = logits.map((z, j) => z + (j === output ? move : 0));
      return unscale(this.loss.link(moved)[output], this.point, scaling);
    });
    return (more - less) / 2e-4;
  }

  /** The gradient of an output's logit with respect to the first member's scaled inputs; see inspection.saliency. */
  saliency(pass, output) {
    const start = pass.logits.map((_, j) => (j === output ? 1 : 0));
    return pass.backs.reduceRight((delta, back) => back(delta), start);
  }
}

function makeLayer(layer) {
  if (layer.kind === "linear") return makeLinear(layer);
  if (layer.kind === "oriented_gradients") return makeHistograms(layer);
  if (layer.kind === "activate") {
    if (!ACTIVATIONS[layer.name]) throw new Error(`the page doesn't know activation ${layer.name}`);
    const { value, slope } = ACTIVATIONS[layer.name](layer.settings);
    const forward = (z) => ({ out: z.map(value), back: (delta) => delta.map((d, j) => d * slope(z[j])) });
    return { kind: "activate", forward };
  }
  if (!NORMS[layer.kind]) throw new Error(`the page doesn't know layer ${layer.kind}`);
  const parts = Object.entries(layer).filter(([name]) => name !== "kind");
  const parameters = Object.fromEntries(parts.map(([name, tensor]) => [name, Float64Array.from(numbersOf(tensor))]));
  return { kind: layer.kind, forward: NORMS[layer.kind](parameters) };
}

function makeLinear({ weight, bias }) {
  const [inputs, outputs] = weight.shape;
  const w = numbersOf(weight);
  const b = bias ? numbersOf(bias) : null;
  const forward = (x) => {
    const z = b ? Float64Array.from(b) : new Float64Array(outputs);
    for (let i = 0; i < inputs; i++) {
      const value = x[i];
      if (value === 0) continue; // many pixels are black and many units silent
      for (let j = 0, k = i * outputs; j < outputs; j++, k++) z[j] += value * w[k];
    }
    return { out: z, back };
  };
  const back = (delta) => {
    const found = new Float64Array(inputs);
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let j = 0, k = i * outputs; j < outputs; j++, k++) sum += delta[j] * w[k];
      found[i] = sum;
    }
    return found;
  };
  return { kind: "linear", forward };
}
