/**
 * The simulator's own randomness: small, fast, seeded, and the same on every machine.
 *
 * sfc32 by Chris Doty-Humphrey (PractRand 0.93, `src/RNGs/sfc.cpp`: shifts 9 and 3, rotation 21, twelve rounds to mix the
 * seed). Not for secrets: pseudonyms and keys never come from here.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  /** Second value of the last Box-Muller pair, or NaN. */
  #spare = Number.NaN;

  /** The same words give the same numbers. Each word may be any number or string; their order counts. */
  constructor(...words: readonly (number | string)[]) {
    this.#a = fingerprint(words, 0x811c9dc5);
    this.#b = fingerprint(words, 0x9747b28c);
    this.#c = fingerprint(words, 0x3c6ef372);
    for (let i = 0; i < 12; i += 1) this.uint32();
  }

  /** A whole number of 0..2^32-1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** At least 0, below 1. */
  unit(): number {
    return this.uint32() * 2 ** -32;
  }

  /** At least `low`, below `high`. */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number of `low`..`high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Mean 0, standard deviation 1 (Box and Muller, 1958). */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    const angle = 2 * Math.PI * this.unit();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.unit() * list.length)];
    if (chosen === undefined) throw new RangeError('cannot pick from an empty list');
    return chosen;
  }

  /** An index of `weights`, each as likely as its share of their sum. */
  weighted(weights: readonly number[]): number {
    let rest = this.unit() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i += 1) {
      rest -= weights[i] ?? 0;
      if (rest < 0) return i;
    }
    return weights.length - 1;
  }

  /** 32 lower-case hexadecimal digits: an id that tells nothing about when or for whom it was made. */
  hex128(): string {
    let id = '';
    for (let i = 0; i < 4; i += 1) id += this.uint32().toString(16).padStart(8, '0');
    return id;
  }

  /** `length` signs of `alphabet`. */
  text(alphabet: string, length: number): string {
    let text = '';
    for (let i = 0; i < length; i += 1) text += alphabet[Math.floor(this.unit() * alphabet.length)] ?? '';
    return text;
  }
}

/**
 * Puts person `index` somewhere in 0..1 so that any few people in a row are spread evenly (a Kronecker sequence): ten
 * simulated people show about the shares of a thousand. Each `trait` is spread apart from the others.
 */
export function evenly(index: number, trait: number, seed: number): number {
  const step = Math.sqrt(TRAIT_PRIMES[trait % TRAIT_PRIMES.length] ?? 2);
  const place = fingerprint([seed, trait], 0x811c9dc5) * 2 ** -32 + index * step;
  return place - Math.floor(place);
}

const TRAIT_PRIMES = [5, 2, 3, 7, 11, 13, 17, 19];

/** FNV-1a over the words' characters, then the finisher of MurmurHash3, which spreads seeds that differ in one bit. */
function fingerprint(words: readonly (number | string)[], basis: number): number {
  let hash = basis;
  for (const character of words.join('\u0000')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
