// Shapes: the rows of a data set that came with the page; see lesson/shapes.py.

const floatsOf = (base64) => new Float64Array(bytesOf(base64).buffer);
const shortened = (value) => Math.round(value * 1e4) / 1e4 + 0; // four digits, as a CSV file gets them; never −0

/** {columns, target, x, y, classes, notes} of the first rows, moved by the spread. */
function rowsOfShape(shape, rows, spread) {
  const [points, jitter, y] = [shape.points, shape.jitter, shape.y].map(floatsOf);
  const width = shape.columns.length;
  const n = Math.min(rows, y.length);
  const moved = (values) => (value, i) => shortened(value + spread * values[i]);
  const made = { columns: shape.columns, target: shape.target, classes: shape.classes, notes: [] };
  if (!shape.classes) return { ...made, x: points.slice(0, n), y: y.slice(0, n).map(moved(jitter)) };
  return { ...made, x: points.slice(0, n * width).map(moved(jitter)), y: Int32Array.from(y.slice(0, n)) };
}

/** The bytes of a gzipped text in base64. */
async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** {columns, target, x, y, classes, notes, picture} of images; x holds bytes. */
async function rowsOfImages(images) {
  const [x, y] = [await unpacked(images.images), await unpacked(images.y)];
  const { height, width, classes, target } = images;
  const columns = Array.from({ length: height * width }, (_, i) => `pixel ${i + 1}`);
  return { columns, target, x, y: Int32Array.from(y), classes, notes: [], picture: { height, width, channels: 1 } };
}
