// Regularization in the training step, as in training/regularization.py.

/** Add the gradient of ½ l2 Σw² + l1 Σ|w| over all weights. */
function addPenalty(weights, grads, l1, l2) {
  const [one, two] = [round(l1), round(l2)];
  for (let i = 0; i < weights.length; i++) {
    if (l2) grads[i] += round(weights[i] * two);
    if (l1) grads[i] += round(Math.sign(weights[i]) * one);
  }
}

/** Scale all gradients together down to a Euclidean norm of at most `limit`. */
function clipNorm(grads, limit) {
  let norm = Math.sqrt(dot(grads, grads));
  if (norm === Infinity) {
    for (let i = 0; i < grads.length; i++) grads[i] *= 2 ** -63;
    norm = Math.sqrt(dot(grads, grads));
  } else if (!(norm > limit)) return;
  const factor = round(limit / norm);
  for (let i = 0; i < grads.length; i++) grads[i] *= factor;
}

function clipValue(grads, limit) {
  const most = round(limit);
  for (let i = 0; i < grads.length; i++) grads[i] = clipped(grads[i], -most, most);
}

/** Scale the weights into each unit down to a Euclidean norm of at most `limit`. */
function limitNorms(layers, limit) {
  const most = round(limit);
  for (const { params, fanIn, fanOut } of layers) {
    const factors = new Float32Array(fanOut);
    columnSums(params.weight, params.weight, fanIn, fanOut, factors);
    for (let j = 0; j < fanOut; j++) factors[j] = most / Math.max(round(Math.sqrt(factors[j])), most);
    for (let k = 0; k < fanIn * fanOut; k++) params.weight[k] *= factors[k % fanOut];
  }
}

/** An exponential moving average of the parameters. */
class Average {
  constructor(params, decay) {
    Object.assign(this, { params, decay, mean: params.slice(), count: 0 });
  }

  update() {
    this.count++;
    const length = round(1 - Math.min(this.decay, (1 + this.count) / (10 + this.count)));
    for (let i = 0; i < this.mean.length; i++) this.mean[i] += round(round(this.params[i] - this.mean[i]) * length);
  }

  /** Exchange the parameters and the average. */
  swap() {
    const raw = this.params.slice();
    this.params.set(this.mean);
    this.mean.set(raw);
  }
}
