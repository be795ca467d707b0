// Plane: where a picture's points lie among a network's inputs. With one or two inputs it is the inputs themselves; with
// more, the plane of the two directions in which the rows differ most, through their mean.

const DIRECTION_STEPS = 60;

/** {origin, axes, low, high}: a point (u, v) of the plane is origin + u · axes[0] + v · axes[1] among the inputs. */
function planeOf(x, width) {
  const n = x.length / width;
  const origin = new Float64Array(width);
  const axes = [new Float64Array(width), new Float64Array(width)];
  if (width <= 2) for (let k = 0; k < width; k++) axes[k][k] = 1;
  else {
    const deviation = new Float64Array(width);
    for (let i = 0; i < x.length; i++) origin[i % width] += x[i] / n;
    for (let i = 0; i < x.length; i++) deviation[i % width] += (x[i] - origin[i % width]) ** 2 / n;
    const scales = deviation.map((value) => Math.sqrt(value) || 1);
    const z = Float64Array.from(x, (value, i) => (value - origin[i % width]) / scales[i % width]);
    const first = mainDirection(z, width, null);
    const second = mainDirection(z, width, first);
    axes[0] = first.map((value, k) => value * scales[k]);
    axes[1] = second.map((value, k) => value * scales[k]);
    Object.assign(axes, { inverse: [first, second].map((axis) => axis.map((value, k) => value / scales[k])) });
  }
  const plane = { origin, axes, inverse: axes.inverse ?? axes };
  const places = Array.from({ length: n }, (_, i) => placeOf(plane, x, i * width));
  const ends = (k) => {
    const values = places.map((place) => place[k]);
    const [low, high] = [minOf(values), maxOf(values)];
    const space = 0.08 * (high - low || 1);
    return [low - space, high + space];
  };
  return { ...plane, u: ends(0), v: ends(1), projected: width > 2 };
}

/** Where a row lies on the plane. */
function placeOf({ origin, inverse }, x, start) {
  const place = [0, 0];
  for (let k = 0; k < origin.length; k++)
    for (let a = 0; a < 2; a++) place[a] += (x[start + k] - origin[k]) * inverse[a][k];
  return place;
}

/** The direction of the largest variance, at a right angle to another one, by the power method. */
function mainDirection(z, width, other) {
  let direction = Float64Array.from({ length: width }, (_, k) => 1 + k / width);
  for (let step = 0; step < DIRECTION_STEPS; step++) {
    const next = new Float64Array(width);
    for (let i = 0; i < z.length; i += width) {
      let along = 0;
      for (let k = 0; k < width; k++) along += z[i + k] * direction[k];
      for (let k = 0; k < width; k++) next[k] += along * z[i + k];
    }
    if (other) {
      const shared = next.reduce((sum, value, k) => sum + value * other[k], 0);
      for (let k = 0; k < width; k++) next[k] -= shared * other[k];
    }
    const length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0)) || 1;
    direction = next.map((value) => value / length);
  }
  return direction;
}

/** The inputs of a grid's points, row by row from the top: (size × size, inputs), or (size, 1) along a single input. */
function gridOf({ origin, axes, u, v }, size) {
  const width = origin.length;
  const along = (ends, i) => ends[0] + ((i + 0.5) / size) * (ends[1] - ends[0]);
  const rows = width === 1 ? 1 : size;
  const x = new Float64Array(rows * size * width);
  for (let row = 0, place = 0; row < rows; row++) {
    for (let column = 0; column < size; column++) {
      const [a, b] = [along(u, column), along(v, size - 1 - row)];
      for (let k = 0; k < width; k++) x[place++] = origin[k] + a * axes[0][k] + b * axes[1][k];
    }
  }
  return x;
}

/** The least and the greatest of any number of values. */
const minOf = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);
const maxOf = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);
