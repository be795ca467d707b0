// Normalization in inference, each with its backward pass: from the gradient at the outputs to that at the inputs.

const EPSILON = 1e-5;
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const NORMS = {
  batch_norm({ scale, shift, mean, variance }) {
    const factor = scale.map((value, j) => value / Math.sqrt(variance[j] + EPSILON));
    return (z) => ({
      out: z.map((value, j) => (value - mean[j]) * factor[j] + shift[j]),
      back: (delta) => delta.map((value, j) => value * factor[j]),
    });
  },

  layer_norm({ scale, shift }) {
    return (z) => {
      const mean = meanOf(z);
      const inverse = 1 / Math.sqrt(meanOf(z.map((value) => (value - mean) ** 2)) + EPSILON);
      const normal = z.map((value) => (value - mean) * inverse);
      const back = (delta) => {
        const g = delta.map((value, j) => value * scale[j]);
        const [centre, shared] = [meanOf(g), meanOf(g.map((value, j) => value * normal[j]))];
        return g.map((value, j) => (value - centre - normal[j] * shared) * inverse);
      };
      return { out: normal.map((value, j) => value * scale[j] + shift[j]), back };
    };
  },
};
