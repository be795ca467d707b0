// Division: which rows train and which only check, a fifth of each class or of the values in their order.

const EVERY = 5;

/** The numbers of the rows, {training, validation}; pictures come in no order, so their last fifth validates. */
function divided({ y, classes, picture }) {
  const n = y.length;
  const all = Array.from({ length: n }, (_, i) => i);
  if (picture) return { training: all.slice(0, n - Math.floor(n / EVERY)), validation: all.slice(n - Math.floor(n / EVERY)) };
  const random = shuffler();
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  all.sort((a, b) => y[a] - y[b]);
  const validates = all.map((_, place) => place % EVERY === EVERY - 1);
  const part = (wanted) => all.filter((_, place) => validates[place] === wanted).sort((a, b) => a - b);
  const found = { training: part(false), validation: part(true) };
  if (classes && new Set(found.training.map((i) => y[i])).size < classes.length) throw new Error("A class has too few rows to both train and check. Leave out classes with a row or two.");
  return found;
}

/** Random numbers from 0 to 1, always the same: G. Marsaglia, "Xorshift RNGs" (2003). */
function shuffler() {
  let state = 2463534242;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Some rows of x, one after the other. */
function rowsAt(x, width, numbers) {
  const found = new x.constructor(numbers.length * width);
  numbers.forEach((number, i) => found.set(x.subarray(number * width, (number + 1) * width), i * width));
  return found;
}
