// Optimizers, as in training/optimizers.py: `averages` names what an optimizer keeps, with the factor by which it decays;
// `step` changes the parameters p by the gradients g, in place. A rate is a number; everything else is in float32.

const FLUSHED = 32; // steps between two flushes of decayed averages
const [TINY, EPS] = [2 ** -126, 2 ** -23]; // of float32

const adam = ({ beta1, beta2, epsilon, weight_decay }) => ({
  weightDecay: weight_decay,
  averages: { mean: beta1, square: beta2 },
  step(p, g, { mean: m, square: v }, rate, count) {
    const unit = Math.sqrt(1 - beta2);
    const correction = Math.sqrt(1 - power(beta2, count));
    const size = round((rate * (1 - beta1) * correction) / ((1 - power(beta1, count)) * unit));
    const [keep, keepSquare, least] = [beta1, beta2, (epsilon * correction) / unit].map(round);
    for (let i = 0; i < p.length; i++) {
      m[i] = round(m[i] * keep) + g[i];
      v[i] = round(v[i] * keepSquare) + round(g[i] * g[i]);
      p[i] -= round(round(m[i] / round(round(Math.sqrt(v[i])) + least)) * size);
    }
  },
});

const OPTIMIZERS = {
  sgd: ({ momentum, nesterov, weight_decay }) => ({
    weightDecay: weight_decay,
    averages: momentum ? { velocity: momentum } : {},
    step(p, g, { velocity: v }, rate) {
      const [size, keep] = [round(rate), round(momentum)];
      for (let i = 0; i < p.length; i++) {
        if (nesterov) {
          v[i] = round(v[i] + g[i]) * keep;
          p[i] -= round(round(v[i] + g[i]) * size);
        } else {
          if (momentum) v[i] = round(v[i] * keep) + g[i];
          p[i] -= round((momentum ? v[i] : g[i]) * size);
        }
      }
    },
  }),

  adam,
  adamw: adam,

  rmsprop: ({ rho, epsilon, weight_decay }) => ({
    weightDecay: weight_decay,
    averages: { square: rho },
    step(p, g, { square: v }, rate) {
      const unit = Math.sqrt(1 - rho);
      const [keep, least, size] = [rho, epsilon / unit, rate / unit].map(round);
      for (let i = 0; i < p.length; i++) {
        v[i] = round(v[i] * keep) + round(g[i] * g[i]);
        p[i] -= round(round(g[i] / round(round(Math.sqrt(v[i])) + least)) * size);
      }
    },
  }),

  lion: ({ beta1, beta2, weight_decay }) => ({
    weightDecay: weight_decay,
    averages: { mean: beta2 },
    step(p, g, { mean: m }, rate) {
      const [share, keep, size] = [(beta1 * (1 - beta2)) / (1 - beta1), beta2, rate].map(round);
      for (let i = 0; i < p.length; i++) {
        p[i] -= round(Math.sign(round(round(m[i] * share) + g[i])) * size);
        m[i] = round(m[i] * keep) + g[i];
      }
    },
  }),
};

/** An optimizer with its state for so many parameters. */
class Optimizer {
  constructor(text, size) {
    const { name, settings } = resolved("optimizer", text);
    Object.assign(this, { ...OPTIMIZERS[name](settings), count: 0, state: {} });
    for (const kept of Object.keys(this.averages)) this.state[kept] = new Float32Array(size);
  }

  /** The same optimizer in the same state, apart from this one. */
  copy() {
    const state = Object.fromEntries(Object.entries(this.state).map(([name, array]) => [name, array.slice()]));
    return Object.assign(Object.create(Optimizer.prototype), this, { state });
  }

  update(weights, params, grads, rate) {
    const left = round(1 - rate * this.weightDecay);
    if (this.weightDecay) for (let i = 0; i < weights.length; i++) weights[i] *= left;
    this.count++;
    this.step(params, grads, this.state, rate, this.count);
    if (this.count % FLUSHED) return;
    for (const [name, decay] of Object.entries(this.averages)) flush(this.state[name], power(decay, FLUSHED));
  }
}

/** Set numbers to 0 that would become denormal when multiplied by `decay`. */
function flush(x, decay) {
  const large = round((2 * (TINY / Math.max(decay, 1e-10))) / EPS);
  for (let i = 0; i < x.length; i++) x[i] = round(x[i] + large) - large;
}
