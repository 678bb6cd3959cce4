import { expect, it } from 'vitest';
import { BoundedCache, memoised } from '../../src/privacy/bounded-cache.ts';

/** How often a value is made for keys that are asked for one after another. */
function made(cache: BoundedCache<number>, keys: readonly string[]): number {
  let count = 0;
  for (const key of keys) cache.get(key, () => (count += 1));
  return count;
}

it('makes a value once, and forgets what was used least recently', () => {
  expect(made(new BoundedCache(2), ['a', 'a', 'b', 'a', 'b'])).toBe(2);
  expect(made(new BoundedCache(2), ['a', 'b', 'a', 'c', 'a', 'b'])).toBe(4);
});

it('keeps no long keys, so that it is bounded in bytes', () => {
  const [short, long] = ['x'.repeat(256), 'x'.repeat(257)];
  expect(made(new BoundedCache(9), [short, short, long, long, long])).toBe(4);
  expect(made(new BoundedCache(9, 300), [long, long])).toBe(1);
});

it('what is memoised is made once for each text, also when it is nothing', () => {
  let calls = 0;
  const find = memoised((text: string) => (calls++, text === '' ? undefined : text));
  expect(['', 'a', '', 'a'].map(find)).toEqual([undefined, 'a', undefined, 'a']);
  expect(calls).toBe(2);
});
