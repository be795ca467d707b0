// The bits of floats: exponents and powers of two. Typed arrays have the machine's byte order, which is little-endian
// wherever browsers run.

const round = Math.fround; // to float32
const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);

/** The least e such that a magnitude is below 2ᵉ, as `frexp` gives it; 0 for 0, infinity and NaN. */
function exponentOf(x) {
  FLOAT[0] = x;
  const bits = (WORDS[1] >>> 20) & 2047;
  if (bits === 2047) return 0;
  if (bits) return bits - 1022;
  return x === 0 ? 0 : exponentOf(x * 2 ** 54) - 54;
}

/** 2ᵏ, for whole numbers from −1,022 to 1,023. */
function twoTo(k) {
  WORDS[0] = 0;
  WORDS[1] = (k + 1023) << 20;
  return FLOAT[0];
}

/** The nearest whole number, the even one of two, for magnitudes below 2⁵¹: beside 3 · 2⁵¹ floats have no finer digits. */
const nearest = (x) => x + 6755399441055744 - 6755399441055744;

/** The number of bits of a whole number that isn't negative. */
const bitLength = (n) => (n === 0 ? 0 : Math.floor(Math.log2(n)) + 1);
