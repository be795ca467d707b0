// Numbers out of base64. Typed arrays have the byte order of the machine, which is little-endian wherever browsers run.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The number that 16 bits stand for in IEEE 754's half precision. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The numbers of a tensor, as report/embedding.py writes it: float16 is in parts of `largest`. */
function numbersOf({ dtype, data, largest }) {
  const { buffer } = bytesOf(data);
  if (dtype === "float64") return new Float64Array(buffer);
  if (dtype === "float32") return new Float32Array(buffer);
  const table = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  return Float32Array.from(new Uint16Array(buffer), (bits) => table[bits] * largest);
}
