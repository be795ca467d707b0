// Losses: the link from logits to predictions, and the pool that merges the logits of an ensemble's networks.

const logSumExp = (values) => {
  const most = Math.max(...values);
  return most === -Infinity ? most : most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
};
/** One value for every output, merged from the values of the networks. */
const each = (rows, merge) => Float64Array.from(rows[0], (_, j) => merge(rows.map((row) => row[j])));

const identityLink = (logits) => Float64Array.from(logits);
const meanPool = (rows) => each(rows, meanOf);
const softmaxLink = (logits) => {
  const total = logSumExp([...logits]);
  return Float64Array.from(logits, (z) => Math.exp(z - total));
};
const sigmoidLink = (logits) => Float64Array.from(logits, sigmoid);
/** The shares of the sigmoids. */
const shareLink = (logits) => softmaxLink(logits.map((z) => -softplus(-z)));
const softmaxPool = (rows) => {
  const likelihoods = rows.map((row) => Float64Array.from(row, (z) => z - logSumExp([...row])));
  return each(likelihoods, logSumExp);
};
const sigmoidPool = (rows) =>
  each(rows, (zs) => logSumExp(zs.map((z) => -softplus(-z))) - logSumExp(zs.map((z) => -softplus(z))));

const plain = { link: identityLink, pool: meanPool };
const LOSSES = {
  softmax_cross_entropy: { link: softmaxLink, pool: softmaxPool },
  sigmoid_binary_cross_entropy: { link: sigmoidLink, pool: sigmoidPool },
  sigmoid_squared_error: { link: shareLink, pool: sigmoidPool },
  squared_error: plain,
  absolute_error: plain,
  huber: plain,
  poisson: {
    link: (logits) => Float64Array.from(logits, Math.exp),
    pool: (rows) => each(rows, (zs) => logSumExp(zs) - Math.log(zs.length)),
  },
  quantile: plain,
  gaussian_negative_log_likelihood: {
    link: (logits) => Float64Array.from(logits, (z, j) => (j < logits.length / 2 ? z : Math.exp(z))),
    // A mixture's variance: the mean of the variances plus the variance of the means.
    pool: (rows) => {
      const half = rows[0].length / 2;
      return Float64Array.from(rows[0], (_, j) => {
        const column = (k) => rows.map((row) => row[k]);
        if (j < half) return meanOf(column(j));
        const means = column(j - half);
        const centre = meanOf(means);
        return Math.log(meanOf(column(j).map(Math.exp)) + meanOf(means.map((m) => (m - centre) ** 2)));
      });
    },
    unscale: (value, block, { shift, factor }) => (block ? value / factor ** 2 : value / factor + shift),
  },
};
