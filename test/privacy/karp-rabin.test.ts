import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFingerprintTable,
  createRoller,
  DOMAINS,
  LANES,
  randomFingerprintKey,
  type Domain,
  type FingerprintKey,
} from '../../src/privacy/karp-rabin.ts';

const KEY: FingerprintKey = Array.from({ length: 9 }, (_, i) => 1_000_003 * (i + 1));

function printOf(text: string, domain: Domain = DOMAINS.word, key = KEY): Uint32Array {
  const roller = createRoller(key);
  for (let i = 0; i < text.length; i++) roller.push(text.charCodeAt(i), -1);
  const print = new Uint32Array(LANES);
  roller.read(domain, print);
  return print;
}

describe('a fingerprint', () => {
  it('of a window that moved over a text is that of the letters in it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (text, width) => {
          const roller = createRoller(KEY, width);
          const print = new Uint32Array(LANES);
          for (let i = 0; i < text.length; i++) {
            roller.push(text.charCodeAt(i), i < width ? -1 : text.charCodeAt(i - width));
            roller.read(DOMAINS.window, print);
            expect(print).toEqual(printOf(text.slice(Math.max(0, i + 1 - width), i + 1), DOMAINS.window));
          }
        },
      ),
    );
  });

  it('is another one for another text, another domain, another key', () => {
    const other = KEY.map((n) => n + 1);
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(printOf(a).join() === printOf(b).join()).toBe(a === b);
        expect(printOf(a)).not.toEqual(printOf(a, DOMAINS.window));
        expect(printOf(a)).not.toEqual(printOf(a, DOMAINS.word, other));
      }),
    );
    expect(printOf('')).not.toEqual(printOf('\0'));
  });

  it('has a key of random numbers in every process', () => {
    const [a, b] = [randomFingerprintKey(), randomFingerprintKey()];
    expect(a).toHaveLength(KEY.length);
    expect(a).not.toEqual(b);
    expect(new Set(a).size).toBe(KEY.length);
    expect(() => createRoller([1, 2, 3])).toThrow(RangeError);
  });
});

describe('the table of fingerprints', () => {
  it('is a map that keeps the first number, whatever its size', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000), fc.nat(9)), { maxLength: 2_000 }), (adds) => {
        const table = createFingerprintTable(5_000);
        const model = new Map<number, number>();
        for (const [n, value] of adds) {
          expect(table.add(Uint32Array.of(n, n % 7, 0), value)).toBe(true);
          if (!model.has(n)) model.set(n, value);
        }
        expect(table.size).toBe(model.size);
        for (let n = 0; n < 3_000; n += 11) {
          expect(table.get(Uint32Array.of(n, n % 7, 0))).toBe(model.get(n) ?? Infinity);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('takes no more than it may, and says so', () => {
    const table = createFingerprintTable(300);
    const added = Array.from({ length: 310 }, (_, n) => table.add(Uint32Array.of(n, 0, 0), 1));
    expect(added.filter(Boolean)).toHaveLength(300);
    expect(table.size).toBe(300);
    expect(table.add(Uint32Array.of(5, 0, 0), 2)).toBe(true);
    expect(table.get(Uint32Array.of(305, 0, 0))).toBe(Infinity);
  });
});
