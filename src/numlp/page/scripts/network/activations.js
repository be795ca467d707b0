// Activations: each beside its derivative, step by step as in network/activations.py, with every result in float32.
// Each takes its settings and returns a function of (z, derivative, count), which turns z into activations and,
// in training, writes the derivatives; in use, `derivative` is null.

const sigmoid = (z) => round(1 / round(round(exp(-z)) + 1));
const rectified = (z) => (z > 0 ? z : z !== z ? z : 0);

function exponentialLinear(alpha) {
  const [size, rest] = [round(alpha), round(1 - alpha)];
  return (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      const curve = round(round(expm1(z[i] < 0 ? z[i] : z[i] !== z[i] ? z[i] : 0)) * size);
      if (derivative) derivative[i] = round(round((z[i] > 0 ? rest : 0) + size) + curve);
      z[i] = rectified(z[i]) + curve;
    }
  };
}

// The tail of the normal distribution, with formula 26.2.17 of Abramowitz and Stegun (1964), as in arrays/special.py.
const TAIL = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153].map(round);
const TAIL_P = round(1 / 0.2316419);
const ROOT = round(1 / Math.sqrt(2 * Math.PI));
const [CUBIC, RATE] = [0.044715, 0.7978845608028654];

const ACTIVATIONS = {
  identity: () => (z, derivative, count) => {
    derivative?.fill(1, 0, count);
  },

  relu: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      if (derivative) z[i] *= derivative[i] = z[i] > 0 ? 1 : 0;
      else z[i] = rectified(z[i]);
    }
  },

  leaky_relu: ({ slope }) => {
    const low = round(slope);
    return (z, derivative, count) => {
      for (let i = 0; i < count; i++) {
        if (derivative) derivative[i] = z[i] > 0 ? 1 : low;
        const other = round(z[i] * low);
        if (other > z[i]) z[i] = other;
      }
    };
  },

  elu: ({ alpha }) => exponentialLinear(alpha),

  selu: () => {
    const [curve, scale] = [exponentialLinear(1.6732632423543772), round(1.0507009873554805)];
    return (z, derivative, count) => {
      curve(z, derivative, count);
      for (let i = 0; i < count; i++) {
        z[i] *= scale;
        if (derivative) derivative[i] *= scale;
      }
    };
  },

  gelu: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      let x = 0 - z[i];
      const t = round(TAIL_P / round(Math.abs(x) + TAIL_P));
      let tail = round(t * TAIL[0]);
      for (let k = 1; k < 5; k++) {
        tail = round(tail + TAIL[k]);
        tail = round(tail * t);
      }
      let density = round(round(x * x) * -0.5);
      density = round(round(exp(density)) * ROOT);
      tail = round(tail * density);
      if (x < 0) tail = -tail;
      density = round(tail - round(density * x));
      x = round((x < 0 ? x : x !== x ? x : 0) + round(tail * x));
      if (derivative) derivative[i] = (x < 0 ? 1 : 0) + density;
      z[i] = -x;
    }
  },

  gelu_tanh: () => {
    const [inner, half, cubic, rate] = [(3 * CUBIC * RATE) / 2, RATE / 2, CUBIC * RATE, RATE].map(round);
    return (z, derivative, count) => {
      for (let i = 0; i < count; i++) {
        const square = round(z[i] * z[i]);
        const less = round(1 - round(tanh(round(round(round(square * cubic) + rate) * z[i]))));
        const share = round(round(2 - less) * 0.5);
        if (derivative) {
          const slope = round(round(round(square * inner) + half) * z[i]);
          derivative[i] = round(round(slope * less) * round(2 - less)) + share;
        }
        z[i] *= share;
      }
    };
  },

  silu: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      const s = sigmoid(z[i]);
      if (derivative) derivative[i] = round(round(round(1 - s) * z[i]) + 1) * s;
      z[i] *= s;
    }
  },

  mish: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      const omega = round(tanh(round(softplus(z[i]))));
      if (derivative) {
        const less = round(1 - omega);
        const more = round(2 - less);
        derivative[i] = round(round(round(sigmoid(z[i]) * z[i]) * less) * more) + round(more - 1);
      }
      z[i] *= omega;
    }
  },

  tanh: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      z[i] = tanh(z[i]);
      if (derivative) derivative[i] = 1 - round(z[i] * z[i]);
    }
  },

  sigmoid: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      z[i] = sigmoid(z[i]);
      if (derivative) derivative[i] = round(1 - z[i]) * z[i];
    }
  },

  softplus: () => (z, derivative, count) => {
    for (let i = 0; i < count; i++) {
      if (derivative) derivative[i] = sigmoid(z[i]);
      z[i] = softplus(z[i]);
    }
  },
};
