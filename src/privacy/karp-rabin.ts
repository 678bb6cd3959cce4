/**
 * Keyed fingerprints of short texts and of every window of a longer one, in constant time a letter: Karp and Rabin,
 * "Efficient randomized pattern-matching algorithms" (IBM J. Res. Dev. 31, 1987), with random bases. Pure and browser-safe.
 *
 * Two given texts of n letters share a fingerprint with a chance of at most (n / 2^26)^3 over the key, whoever chose them: so no
 * output depends on the key. It hides nothing from who has the key: key and fingerprints live and end in one memory.
 */

/** Three bases and three offsets for each domain. Made anew for every process; it never leaves it. */
export type FingerprintKey = readonly number[];

/** What is fingerprinted: a word is never taken for a window of the same letters. */
export const DOMAINS = { word: 0, window: 1 } as const;
export type Domain = (typeof DOMAINS)[keyof typeof DOMAINS];

const PRIME = 67_108_859;
const INVERSE = 1 / PRIME;
export const LANES = 3;
const KEY_LENGTH = LANES * (1 + Object.keys(DOMAINS).length);

export function randomFingerprintKey(): FingerprintKey {
  // Of 32 random bits the remainder is even enough: the bound above grows by less than 2 %.
  return Array.from(crypto.getRandomValues(new Uint32Array(KEY_LENGTH)), (bits) => 256 + (bits % (PRIME - 512)));
}

/** The letters read so far, or the last `width` of them, as a fingerprint that changes with each letter. */
export interface Roller {
  /** Forgets all letters. */
  reset(): void;
  /** Takes the next UTF-16 code unit; of a window as wide as it may be, the first one leaves: `leaving`, else -1. */
  push(unit: number, leaving: number): void;
  /** The fingerprint in a domain, written into `into`. */
  read(domain: Domain, into: Uint32Array): void;
}

/** `width` is how many letters a window has; a roller that never lets a letter leave needs none. */
export function createRoller(key: FingerprintKey, width = 0): Roller {
  if (key.length !== KEY_LENGTH) throw new RangeError(`a key has ${KEY_LENGTH} numbers`);
  const [a = 0, b = 0, c = 0] = key;
  const [outA, outB, outC] = [power(a, width), power(b, width), power(c, width)];
  let [x, y, z] = [0, 0, 0];
  return {
    reset() {
      x = y = z = 0;
    },
    push(unit, leaving) {
      // From 1: a zero in front would not be seen.
      x = wrap(times(x, a) + unit + 1 - (leaving < 0 ? 0 : times(leaving + 1, outA)));
      y = wrap(times(y, b) + unit + 1 - (leaving < 0 ? 0 : times(leaving + 1, outB)));
      z = wrap(times(z, c) + unit + 1 - (leaving < 0 ? 0 : times(leaving + 1, outC)));
    },
    read(domain, into) {
      const at = LANES * (1 + domain);
      into[0] = wrap(x + (key[at] ?? 0));
      into[1] = wrap(y + (key[at + 1] ?? 0));
      into[2] = wrap(z + (key[at + 2] ?? 0));
    },
  };
}

/** a * b mod PRIME; both below it, so that the product is exact in a double. */
function times(a: number, b: number): number {
  const product = a * b;
  return wrap(product - Math.floor(product * INVERSE) * PRIME);
}

/** A sum that is off by a few primes at most. */
function wrap(sum: number): number {
  let rest = sum;
  while (rest < 0) rest += PRIME;
  while (rest >= PRIME) rest -= PRIME;
  return rest;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = times(result, base);
  return result;
}

/** A bounded set of fingerprints, each with a number: compact, because every open session has one. */
export interface FingerprintTable {
  readonly size: number;
  /** The number of a fingerprint, or Infinity. */
  get(print: Uint32Array): number;
  /** Adds a fingerprint unless it is there; `false` when it is not and the table is full. */
  add(print: Uint32Array, value: number): boolean;
}

const FIRST_ROWS = 256;
const ROW = LANES + 1;

/** `value`s are whole numbers from 0 to 2^32 - 2. */
export function createFingerprintTable(max: number): FingerprintTable {
  let rows = FIRST_ROWS;
  let table = new Uint32Array(rows * ROW);
  let size = 0;

  /** Where the fingerprint stands, or the empty row where it would; rows hold their value plus one, 0 is empty. */
  function find(print: Uint32Array): number {
    const [a = 0, b = 0, c = 0] = print;
    let row = (a ^ (b << 6) ^ (c << 13)) & (rows - 1);
    for (;;) {
      const at = row * ROW;
      if (table[at + LANES] === 0) return at;
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c) return at;
      row = (row + 1) & (rows - 1);
    }
  }
  function put(print: Uint32Array, at: number, value: number): void {
    table.set(print, at);
    table[at + LANES] = value + 1;
  }
  function grow(): void {
    const old = table;
    rows *= 2;
    table = new Uint32Array(rows * ROW);
    for (let at = 0; at < old.length; at += ROW) {
      const value = old[at + LANES] ?? 0;
      const print = old.subarray(at, at + LANES);
      if (value > 0) put(print, find(print), value - 1);
    }
  }

  return {
    get size() {
      return size;
    },
    get(print) {
      const value = table[find(print) + LANES] ?? 0;
      return value === 0 ? Infinity : value - 1;
    },
    add(print, value) {
      const at = find(print);
      if (table[at + LANES] !== 0) return true;
      if (size >= max) return false;
      put(print, at, value);
      size++;
      if (size * 2 > rows) grow();
      return true;
    },
  };
}
