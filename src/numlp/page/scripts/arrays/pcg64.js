// NumPy's generator, PCG64, seeded by its SeedSequence: the same numbers from the same seed.
// M. O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms for random number generation"
// (2014); the seeding is that of numpy.random.SeedSequence.

const [M0, M1, M2, M3] = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05]; // the multiplier, the lowest 32 bits first

const lower = (a, b) => Math.imul(a, b) >>> 0;
const carried = (column) => Math.floor(column / 2 ** 32);

/** The upper 32 bits of the product of two numbers of 32 bits. */
function upper(a, b) {
  const [al, ah] = [a & 0xffff, a >>> 16];
  const [bl, bh] = [b & 0xffff, b >>> 16];
  const middle = ah * bl + ((al * bl) >>> 16);
  return ah * bh + (middle >>> 16) + ((al * bh + (middle & 0xffff)) >>> 16);
}

/** So many numbers of 32 bits that a seed, a list of numbers of 32 bits, is spread over. */
function seedSequence(entropy, count) {
  let constant = 0x43b0d7e5;
  const hashed = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const mixed = (x, y) => {
    const value = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
    return value ^ (value >>> 16);
  };
  const pool = [0, 1, 2, 3].map((i) => hashed(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  }
  for (const word of entropy.slice(4)) for (let to = 0; to < 4; to++) pool[to] = mixed(pool[to], hashed(word));
  constant = 0x8b51f9dd;
  return Uint32Array.from({ length: count }, (_, i) => {
    let value = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  });
}

class Generator {
  /** @param entropy numbers of 32 bits */
  constructor(entropy) {
    const words = seedSequence(entropy, 8); // pairs, the lower 32 bits first; of two pairs the upper 64 bits come first
    const [start, odd] = [0, 4].map((i) => [words[i + 2], words[i + 3], words[i], words[i + 1]]);
    this.increment = odd.map((word, i) => ((word << 1) | (i ? odd[i - 1] >>> 31 : 1)) >>> 0);
    this.state = new Uint32Array(4);
    this.high = this.low = this.kept = 0;
    this.keeps = false; // the upper half of the last 64 bits
    this.advance();
    this.add(start);
    this.advance();
  }

  add(words) {
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum = this.state[i] + words[i] + carry;
      this.state[i] = sum;
      carry = sum > 0xffffffff ? 1 : 0;
    }
  }

  /** state ← state · multiplier + increment, in 128 bits. */
  advance() {
    const { state } = this;
    const [a0, a1, a2, a3] = [state[0], state[1], state[2], state[3]];
    const column1 = upper(a0, M0) + lower(a0, M1) + lower(a1, M0);
    const column2 = upper(a0, M1) + upper(a1, M0) + lower(a0, M2) + lower(a1, M1) + lower(a2, M0) + carried(column1);
    const column3 = upper(a0, M2) + upper(a1, M1) + upper(a2, M0) + Math.imul(a0, M3) + Math.imul(a1, M2);
    state[0] = Math.imul(a0, M0);
    state[1] = column1;
    state[2] = column2;
    state[3] = column3 + Math.imul(a2, M1) + Math.imul(a3, M0) + carried(column2);
    this.add(this.increment);
  }

  /** Draw 64 bits, into `high` and `low`: the halves of the state, combined and turned. */
  next() {
    this.advance();
    const { state } = this;
    const [even, odd] = [state[0] ^ state[2], state[1] ^ state[3]];
    const turn = state[3] >>> 26;
    const [low, high] = turn & 32 ? [odd, even] : [even, odd];
    const by = turn & 31;
    this.low = (by ? (low >>> by) | (high << (32 - by)) : low) >>> 0;
    this.high = (by ? (high >>> by) | (low << (32 - by)) : high) >>> 0;
  }

  /** 32 bits: the lower half of 64, then the upper half. */
  bits() {
    this.keeps = !this.keeps;
    if (!this.keeps) return this.kept;
    this.next();
    this.kept = this.high;
    return this.low;
  }

  /** A number in [0, 1), of 53 bits. */
  random() {
    this.next();
    return (this.high * 2097152 + (this.low >>> 11)) * 2 ** -53;
  }

  /** A number in [0, 1) of float32, of 24 bits. */
  random32() {
    return (this.bits() >>> 8) * 2 ** -24;
  }

  /** A whole number up to `most`: of as few bits as it takes, drawn until one fits. */
  upTo(most) {
    const mask = 2 ** bitLength(most) - 1;
    let found = (this.bits() & mask) >>> 0;
    while (found > most) found = (this.bits() & mask) >>> 0;
    return found;
  }

  /** R. Fisher and F. Yates's shuffle, in place. */
  shuffle(array) {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.upTo(i);
      const other = array[j];
      array[j] = array[i];
      array[i] = other;
    }
  }
}
