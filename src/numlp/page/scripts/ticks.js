// Ticks and scales of axes.

/** Round numbers from `low` to `high`, about `wanted` of them, 1, 2 or 5 times a power of ten apart. */
function linearTicks(low, high, wanted) {
  const rough = (high - low || Math.abs(high) || 1) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.7);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/** Powers of ten, with their doubles and fives where there are few. */
function logTicks(low, high) {
  const ticks = [];
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const factors = to - from <= 2 ? [1, 2, 5] : [1];
  for (let power = from; power <= to; power++) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(3));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, 3);
}

/** A map from values between `low` and `high` to positions between `start` and `end`. */
function scale(low, high, start, end, log = false) {
  const f = log ? Math.log : (value) => value;
  const width = f(high) - f(low) || 1;
  return (value) => start + ((f(value) - f(low)) / width) * (end - start);
}
