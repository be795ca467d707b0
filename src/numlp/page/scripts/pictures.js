// Pictures: rows of features as images, and signed numbers as red and blue.

const POSITIVE = [214, 69, 51]; // as in report/sprites.py
const NEGATIVE = [47, 127, 214];

function pictureCanvas(width, height, label) {
  return h("canvas", { class: "picture", width, height, role: "img", "aria-label": label });
}

/** Paint a row with values from 0 (black) to 1, in gray or in color. */
function paint(canvas, values, { height, width, channels, first }) {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const channel = channels >= 3 ? c : 0;
      image.data[4 * i + c] = 255 * values[first ? channel * height * width + i : i * channels + channel];
    }
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Pixels as ink from 0 (black) to 1 (white), from values in the units of the data; see `ends` in report/examples.py. */
function inkOf(values, { low, high }) {
  return Float64Array.from(values, (value, i) => (value - at(low, i)) / (at(high, i) - at(low, i) || 1));
}

/** The inverse of `inkOf`. */
function valuesOf(ink, { low, high }) {
  return Float64Array.from(ink, (part, i) => at(low, i) + part * (at(high, i) - at(low, i)));
}

/** The largest absolute value, of any number of values; `Math.max(...values)` fails for too many. */
const largestOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Paint signed values, (height, width): red above 0, blue below, transparent at 0. */
function paintSigned(canvas, values, largest) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height && i < values.length; i++) {
    image.data.set(values[i] > 0 ? POSITIVE : NEGATIVE, 4 * i);
    image.data[4 * i + 3] = 255 * Math.min(1, Math.abs(values[i]) / (largest || 1));
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The sum over the channels for every pixel. */
function overChannels(values, { height, width, channels, first }) {
  return Float64Array.from({ length: height * width }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += values[first ? c * height * width + i : i * channels + c];
    return sum;
  });
}

async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
