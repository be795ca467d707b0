// Numbers from base64. Typed arrays use the machine's byte order, which is little-endian wherever browsers run.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The numbers of a tensor from report/embedding.py, whose 16-bit integers count steps. */
function numbersOf({ dtype, data, step }) {
  const { buffer } = bytesOf(data);
  if (dtype === "float64") return new Float64Array(buffer);
  if (dtype === "float32") return new Float32Array(buffer);
  return Float32Array.from(new Int16Array(buffer), (steps) => steps * step);
}
