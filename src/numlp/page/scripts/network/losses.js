// Losses, step by step as in network/losses/: each takes its settings and returns `task`, `blocks` (how many outputs there
// are for each target), `measure`, which writes the loss of every row and its gradient, and `link`, which turns logits, n
// rows of m, into predictions in place. Rows are logits and delta, (n, m), and targets, (n, m / blocks).

function softmax(z, n, m) {
  const sum = new Float32Array(1);
  for (let i = 0, start = 0; i < n; i++, start += m) {
    const row = z.subarray(start, start + m);
    const most = row.reduce((a, b) => Math.max(a, b));
    for (let k = 0; k < m; k++) row[k] = exp(round(row[k] - most));
    rowSums(row, null, 1, m, sum);
    for (let k = 0; k < m; k++) row[k] /= sum[0];
  }
}

/** The parts that the losses of real values share: their predictions are the logits. */
const ofValues = (measure) => ({ task: "regression", scales: true, blocks: 1, point: 0, initializer: "glorot_uniform", link() {}, measure });

const halved = (losses, n) => {
  for (let i = 0; i < n; i++) losses[i] *= 0.5;
};

const LOSSES = {
  softmax_cross_entropy: () => ({
    task: "classification",
    blocks: 1,
    initializer: "small_normal",
    link: softmax,
    measure(logits, targets, losses, delta, scratch, n, m) {
      for (let i = 0, start = 0; i < n; i++, start += m) {
        let most = logits[start];
        for (let k = start + 1; k < start + m; k++) most = Math.max(most, logits[k]);
        for (let k = start; k < start + m; k++) delta[k] = logits[k] - most;
      }
      rowSums(targets, delta, n, m, losses);
      for (let k = 0; k < n * m; k++) delta[k] = exp(delta[k]);
      rowSums(delta, null, n, m, scratch);
      for (let i = 0, k = 0; i < n; i++) {
        for (const stop = k + m; k < stop; k++) delta[k] = round(delta[k] / scratch[i]) - targets[k];
        losses[i] = round(log(scratch[i])) - losses[i];
      }
    },
  }),

  sigmoid_binary_cross_entropy: () => ({
    task: "labels",
    blocks: 1,
    initializer: "small_normal",
    link(z, n, m) {
      for (let k = 0; k < n * m; k++) z[k] = sigmoid(z[k]);
    },
    measure(logits, targets, losses, delta, scratch, n, m) {
      for (let k = 0; k < n * m; k++) {
        scratch[k] = round(softplus(logits[k])) - round(logits[k] * targets[k]);
        delta[k] = sigmoid(logits[k]) - targets[k];
      }
      rowSums(scratch, null, n, m, losses);
    },
  }),

  sigmoid_squared_error: () => ({
    task: "classification",
    blocks: 1,
    initializer: "glorot_uniform",
    link(z, n, m) {
      for (let k = 0; k < n * m; k++) z[k] = -round(softplus(-z[k]));
      softmax(z, n, m);
    },
    measure(logits, targets, losses, delta, scratch, n, m) {
      for (let k = 0; k < n * m; k++) delta[k] = (scratch[k] = sigmoid(logits[k])) - targets[k];
      rowSums(delta, delta, n, m, losses);
      halved(losses, n);
      for (let k = 0; k < n * m; k++) delta[k] = round(delta[k] * scratch[k]) * round(1 - scratch[k]);
    },
  }),

  squared_error: () =>
    ofValues((logits, targets, losses, delta, scratch, n, m) => {
      for (let k = 0; k < n * m; k++) delta[k] = logits[k] - targets[k];
      rowSums(delta, delta, n, m, losses);
      halved(losses, n);
    }),

  absolute_error: () =>
    ofValues((logits, targets, losses, delta, scratch, n, m) => {
      for (let k = 0; k < n * m; k++) scratch[k] = Math.abs((delta[k] = logits[k] - targets[k]));
      rowSums(scratch, null, n, m, losses);
      for (let k = 0; k < n * m; k++) delta[k] = Math.sign(delta[k]);
    }),

  huber: ({ delta: limit }) => {
    const most = round(limit);
    return ofValues((logits, targets, losses, delta, scratch, n, m) => {
      for (let k = 0; k < n * m; k++) {
        const error = round(logits[k] - targets[k]);
        delta[k] = clipped(error, -most, most);
        scratch[k] = round(error * 2) - delta[k];
      }
      rowSums(delta, scratch, n, m, losses);
      halved(losses, n);
    });
  },

  poisson: () => ({
    ...ofValues((logits, targets, losses, delta, scratch, n, m) => {
      for (let k = 0; k < n * m; k++) {
        const rate = round(exp(logits[k]));
        scratch[k] = rate - round(logits[k] * targets[k]);
        delta[k] = rate - targets[k];
      }
      rowSums(scratch, null, n, m, losses);
    }),
    scales: false,
    link(z, n, m) {
      for (let k = 0; k < n * m; k++) z[k] = exp(z[k]);
    },
  }),

  quantile: ({ levels }) => ({
    ...ofValues((logits, targets, losses, delta, scratch, n, m) => {
      const width = m / levels.length;
      for (let k = 0; k < n * m; k++) {
        const [row, column] = [Math.floor(k / m), k % m];
        scratch[k] = logits[k] - targets[row * width + (column % width)];
        delta[k] = (scratch[k] >= 0 ? 1 : 0) - round(levels[Math.floor(column / width)]);
      }
      rowSums(delta, scratch, n, m, losses);
    }),
    blocks: levels.length,
    point: levels.reduce((best, level, i) => (Math.abs(level - 0.5) < Math.abs(levels[best] - 0.5) ? i : best), 0),
    names: levels.map((level) => `quantile ${level}`),
  }),

  gaussian_negative_log_likelihood: () => ({
    ...ofValues((logits, targets, losses, delta, scratch, n, m) => {
      const half = m / 2;
      const sums = scratch.subarray(0, n * half);
      for (let i = 0, k = 0; i < n; i++) {
        for (let j = 0; j < half; j++, k++) {
          const [at, other] = [i * m + j, i * m + half + j];
          const error = round(logits[at] - targets[k]);
          delta[at] = error * round(exp(-logits[other]));
          const square = round(error * delta[at]);
          sums[k] = logits[other] + square;
          delta[other] = round(square * -0.5) + 0.5;
        }
      }
      rowSums(sums, null, n, half, losses);
      halved(losses, n);
    }),
    blocks: 2,
    names: ["mean", "variance"],
    link(z, n, m) {
      for (let k = 0; k < n * m; k++) if (k % m >= m / 2) z[k] = exp(z[k]);
    },
  }),
};
