// Randomness as a function of (seed, epoch, role), as in arrays/randomness.py.

const ROLE = { weights: 1, shuffle: 2, noise: 3, mixup: 5 };
const generatorOf = (seed, epoch, role) => new Generator([seed, epoch, role]);
const TURN = 2 * Math.PI;

/** Normal numbers of float64, for first weights. G. Box, M. Muller (1958). */
function randomNormal(generator, deviation, count) {
  const [u, w] = [0, 1].map(() => Float64Array.from({ length: count }, () => generator.random()));
  return u.map((value, i) => deviation * Math.sqrt(-2 * log(1 - value)) * cos(TURN * w[i]));
}

/** Fill a Float32Array with standard normal numbers; each pair of uniform numbers makes a pair. */
function fillNormal(generator, out, count, angles) {
  const half = (count + 1) >> 1;
  for (let i = 0; i < half; i++) out[i] = generator.random32();
  for (let i = 0; i < half; i++) angles[i] = generator.random32();
  for (let i = 0; i < half; i++) {
    const radius = round(Math.sqrt(round(round(log(round(1 - out[i]))) * -2)));
    const angle = round(angles[i] * round(TURN));
    if (half + i < count) out[half + i] = round(sin(angle)) * radius;
    out[i] = radius * round(cos(angle));
  }
}

/** A number in [0, 1] from the distribution Beta(α, α), made of two uniform ones. */
function symmetricBeta(generator, alpha) {
  const u = 1 - generator.random();
  const cosine = cos(TURN * generator.random());
  const q = exp(log(u) / alpha);
  const r = (1 - q) * cosine * cosine;
  const smaller = (0.5 * q) / (q + r) / (1 + Math.sqrt(r / (q + r)));
  return cosine < 0 ? smaller : 1 - smaller;
}
