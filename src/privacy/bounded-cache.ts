/** Longer texts hardly come twice, and anybody can send them: so many of them would fill the memory. */
const LONGEST_KEY = 256;

/**
 * A map that forgets what was used least recently once it holds `max` entries, and holds no keys longer than `longest` UTF-16
 * units: its size is bounded in bytes too. In memory only.
 */
export class BoundedCache<V> {
  readonly #max: number;
  readonly #longest: number;
  readonly #entries = new Map<string, V>();

  constructor(max: number, longest = LONGEST_KEY) {
    this.#max = max;
    this.#longest = longest;
  }

  /** The value of `key`, made by `make` when it is not there. */
  get(key: string, make: (key: string) => V): V {
    if (key.length > this.#longest) return make(key);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const value = make(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#max) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    return value;
  }
}

/** `make`, called once for each text: for as long as whoever holds the result does, so not longer than for a batch. */
export function memoised<V>(make: (text: string) => V): (text: string) => V {
  const made = new Map<string, { readonly value: V }>();
  return (text) => {
    let known = made.get(text);
    if (known === undefined) made.set(text, (known = { value: make(text) }));
    return known.value;
  };
}
