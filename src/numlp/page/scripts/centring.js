// From ink to the pixels of an image, by exact averages over areas.

/** Sums over all rectangles that start at the origin, (height + 1, width + 1), which give the sum over any area. */
function integral(ink, width, height) {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += ink[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}

/** The sum of ink over [0, x] × [0, y] for real x and y: between whole pixels, sums are bilinear. */
function sumTo(sums, width, height, x, y) {
  const [u, v] = [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
  const [i, j] = [Math.min(Math.floor(u), width - 1), Math.min(Math.floor(v), height - 1)];
  const [a, b] = [u - i, v - j];
  const k = j * (width + 1) + i;
  const [top, bottom] = [
    sums[k] + a * (sums[k + 1] - sums[k]),
    sums[k + width + 1] + a * (sums[k + width + 2] - sums[k + width + 1]),
  ];
  return top + b * (bottom - top);
}

/** The pixels of an image, (rows, columns): each is the mean ink in a square of `size`, the first one at (x0, y0). */
function resample(ink, width, height, columns, rows, size, x0, y0) {
  const sums = integral(ink, width, height);
  const grid = Float64Array.from({ length: (rows + 1) * (columns + 1) }, (_, k) =>
    sumTo(sums, width, height, x0 + (k % (columns + 1)) * size, y0 + Math.floor(k / (columns + 1)) * size),
  );
  return Float32Array.from({ length: rows * columns }, (_, k) => {
    const corner = Math.floor(k / columns) * (columns + 1) + (k % columns);
    const sum = grid[corner + columns + 2] - grid[corner + columns + 1] - grid[corner + 1] + grid[corner];
    return Math.min(1, Math.max(0, sum / (size * size)));
  });
}

/** The ink as it is on the pad. */
function asDrawn(ink, width, height, columns, rows) {
  return resample(ink, width, height, columns, rows, width / columns, 0, 0);
}

/**
 * The ink placed like MNIST's digits: cropped, scaled to fit a box of 20/28 of the image's side, and moved so that its
 * center of mass is the middle of the image. Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
 */
function centred(ink, width, height, columns, rows) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [mass, mx, my] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x];
      if (value < 0.02) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      mass += value;
      mx += value * (x + 0.5);
      my += value * (y + 0.5);
    }
  }
  if (!mass) return new Float32Array(rows * columns);
  const box = (20 / 28) * Math.min(rows, columns);
  const size = Math.max(right - left + 1, bottom - top + 1) / box; // of an image pixel, in pixels of ink
  return resample(
    ink,
    width,
    height,
    columns,
    rows,
    size,
    mx / mass - (size * columns) / 2,
    my / mass - (size * rows) / 2,
  );
}
