// Activations, each beside its derivative: the same functions as in activations.py, under the same names.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const eluOf = (alpha) => ({
  value: (z) => (z > 0 ? z : alpha * Math.expm1(z)),
  slope: (z) => (z > 0 ? 1 : alpha * Math.exp(z)),
});

// The normal distribution, with formula 26.2.17 of Abramowitz and Stegun (1964), as in special.py for float32.
const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const cumulative = (z) => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const powers = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const tail = density(z) * powers.reduce((sum, coefficient) => (sum + coefficient) * t, 0);
  return z > 0 ? 1 - tail : tail;
};

const ACTIVATIONS = {
  identity: () => ({ value: (z) => z, slope: () => 1 }),
  relu: () => ({ value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) }),
  leaky_relu: ({ slope }) => ({ value: (z) => Math.max(z, slope * z), slope: (z) => (z > 0 ? 1 : slope) }),
  elu: ({ alpha }) => eluOf(alpha),
  selu: () => {
    const [{ value, slope }, scale] = [eluOf(1.6732632423543772), 1.0507009873554805];
    return { value: (z) => scale * value(z), slope: (z) => scale * slope(z) };
  },
  gelu: () => ({ value: (z) => z * cumulative(z), slope: (z) => cumulative(z) + z * density(z) }),
  gelu_tanh: () => {
    const [cubic, rate] = [0.044715, 0.7978845608028654];
    const bend = (z) => Math.tanh(rate * (z + cubic * z ** 3));
    return {
      value: (z) => 0.5 * z * (1 + bend(z)),
      slope: (z) => 0.5 * (1 + bend(z)) + 0.5 * z * (1 - bend(z) ** 2) * rate * (1 + 3 * cubic * z * z),
    };
  },
  silu: () => ({ value: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z))) }),
  mish: () => {
    const omega = (z) => Math.tanh(softplus(z));
    return { value: (z) => z * omega(z), slope: (z) => omega(z) + z * sigmoid(z) * (1 - omega(z) ** 2) };
  },
  tanh: () => ({ value: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 }),
  sigmoid: () => ({ value: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)) }),
  softplus: () => ({ value: softplus, slope: sigmoid }),
};
